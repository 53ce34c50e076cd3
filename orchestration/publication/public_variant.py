"""The public variant of a release, below `public/`: tables as Parquet and CSV, and a page that says what is withheld.

Belongs here: writing files. Does not: which tables, columns and figures are public (`suppression`).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq

from orchestration.policy import Register
from orchestration.publication.suppression import Public, public_variant, reasons

FOLDER = "public"
ROW_GROUP = 10_000
MEANING = {
    "complement": "the rest of a total beside them would be below the minimum",
    "small": "a count of theirs is below the minimum, in one measure or more, or is not known",
    "subtraction": "another withheld population could be worked out from them",
}


def write_public(made: Path, register: Register, year: int) -> None:
    """Write `public/` beside the internal tables in `made`."""
    public = public_variant(made, register, year)
    folder = made / FOLDER
    folder.mkdir(mode=0o700)
    for name, table in public.tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", row_group_size=ROW_GROUP)
        pyarrow.csv.write_csv(table, folder / f"{name}.csv")
    (folder / "README.md").write_text(_page(public, register, year), encoding="utf-8")


def _page(public: Public, register: Register, year: int) -> str:
    least = register.integer(year, "suppression", "minimum_cell")
    word = register.row(year, "suppression", "word").value
    pairs = register.row(year, "suppression", "complement").value
    extremes = register.row(year, "suppression", "extreme_value").value
    lines = [
        f"# Public tables of {year}",
        "",
        f"Figures that would show a count of fewer than {least} students are left empty; the row's status is `{word}`.",
        "Counts of zero are shown. There are no student identifiers.",
        "",
        "## What is withheld",
        "",
        "A population is an organisation, a gradespan and a student group. One with a small count in any measure is",
        "withheld whole: every count, rate and mean of it in every table. More populations are withheld so that no",
        "withheld count follows from published ones by adding and subtracting over student groups, schools, districts",
        "and the state. Race groups are taken to add up to All Students, schools to their district, districts to the",
        f"state. Groups whose rest of All Students or High Needs is below the minimum: {pairs}.",
        f"Rates and means of 0 or 100: {extremes}.",
        "",
        "Points, percentages and percentiles of a group are withheld in both gradespans where it is withheld in one.",
        "Classifications and designations, with the names of the groups they rest on, are official acts and are shown.",
        "",
        f"Populations: {public.populations}; withheld: {len(public.why)}.",
        "",
        "| Withheld because | Populations |",
        "|---|---:|",
        *(f"| {MEANING[why]} | {count} |" for why, count in reasons(public.why).items()),
        "",
        "| Table | Rows | Rows with a withheld figure |",
        "|---|---:|---:|",
        *(f"| {name} | {t.num_rows} | {public.blanked[name]} |" for name, t in public.tables.items()),
        "",
        "## What this does not cover",
        "",
        "- A rounded rate beside its n brackets the number of students behind it.",
        "- Two measures of one population may differ by a few students, and so may a district and all its schools.",
        "- Other years and other releases are judged each by themselves.",
        "- The whole enrolment of an organisation is left out: less its gradespans it would leave a few pupils.",
        "",
        "Tables of the release that are not public: " + (", ".join(public.internal) or "none") + ".",
    ]
    return "\n".join(lines) + "\n"
