"""Published categories are recomputed row by row; a wrong one is named, and so is a row that cannot be read."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.determinations.printed_figures import DIFFERS, POSSIBLE, RECOMPUTED, UNDECIDED, Figure
from orchestration.determinations.verify import verify
from orchestration.errors import InputError
from orchestration.settings import PROJECT
from tests.support.determinations import REGISTER

SHARED = PROJECT.parent / "shared"
CASES = SHARED / "oracle" / "classification-cases.json"
HUB = {year: SHARED / "data" / "e2c" / f"ppbc-i8t9_accountability_district_{year}.csv" for year in (2023, 2025)}


@pytest.fixture(scope="module", autouse=True)
def _published() -> None:
    for path in (CASES, *HUB.values()):
        if not path.is_file():
            pytest.fail(f"{path} is missing: without it nothing is held against what was published")


def outcomes(figures: list[Figure]) -> Counter[str]:
    return Counter(figure.outcome for figure in figures)


def changed_cases(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> list[Figure]:
    whole = json.loads(CASES.read_text())
    change({case["id"]: case for case in whole["cases"]})
    altered = tmp_path / "cases.json"
    altered.write_text(json.dumps(whole))
    return verify([altered], REGISTER)


def changed_rows(tmp_path: Path, change: Callable[[list[dict[str, str]]], None], year: int = 2025) -> Path:
    with HUB[year].open(newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    altered = tmp_path / "hub.csv"
    with altered.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return altered


def differing(figures: list[Figure]) -> list[tuple[str, str, str]]:
    return [(f.source, f.name, f.computed) for f in figures if f.outcome == DIFFERS]


# Cases


def test_every_published_case_is_reproduced() -> None:
    figures = verify([CASES], REGISTER)
    assert differing(figures) == []
    assert [(f.source, f.name) for f in figures if f.outcome == UNDECIDED] == [("class-2018-realschool", "because")]
    designated = [f for f in figures if f.source.startswith("list-2019-broad") and f.name == "reason"]
    assert {f.outcome for f in designated} == {RECOMPUTED}
    assert len(designated) == 26


@pytest.mark.parametrize(
    ("case", "field", "value", "name"),
    [
        ("class-2019-lawrence", "reason", "In need of focused/targeted support", "reason"),
        ("class-2018-realschool", "reason", "Meeting targets at last", "reason"),
        ("class-2025-lynn-english", "overall_classification", "Insufficient data", "overall_classification"),
        ("class-2025-lynn-english", "federal_designation", "CSI", "federal_designation"),
        ("list-2019-broad-comprehensive", "count", 25, "count"),
    ],
)
def test_a_wrong_word_of_a_case_is_named(case: str, field: str, value: object, name: str, tmp_path: Path) -> None:
    figures = changed_cases(tmp_path, lambda cases: cases[case]["expected"].update({field: value}))
    assert [(source, figure) for source, figure, _ in differing(figures)] == [(case, name)]


def test_a_percentage_in_another_band_than_its_label_differs(tmp_path: Path) -> None:
    figures = changed_cases(tmp_path, lambda cases: cases["class-2019-lawrence"]["inputs"].update(cumulative=24))
    assert differing(figures) == [("class-2019-lawrence", "progress", "Limited or no progress toward targets")]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["class-2019-lawrence"]["inputs"].update(designation="closed"), "'closed' is not one of"),
        (lambda c: c["class-2019-lawrence"]["inputs"].update(moon=1), "inputs.moon: is not known"),
        (lambda c: c["class-2018-realschool"]["inputs"].update(accountability_percentile=100), "less than or equal"),
        (lambda c: c["class-2018-realschool"]["inputs"].update(participation_2018={"ela": 101}), "participation_2018"),
        (lambda c: c["list-2019-recognition-sample"]["expected"].update(schools=[]), "schools"),
        (lambda c: c["list-2019-recognition-sample"]["expected"]["schools"][0].update(recognition_category="Nice"),
         "'Nice' is not one of"),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_read_is_one_error_with_file_and_field(
    change: Callable[[dict[str, Any]], None], says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says) as error:
        changed_cases(tmp_path, change)
    assert str(error.value).startswith(str(tmp_path / "cases.json"))
    assert "\n" not in str(error.value)


# The hub's data set


@pytest.mark.parametrize("year", [2023, 2025])
def test_reasons_of_the_hub_agree_with_their_percentages(year: int) -> None:
    figures = verify([HUB[year]], REGISTER)
    with HUB[year].open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_ground = [row for row in rows if row["classification_overall"].startswith("Requiring")]
    by_band = len(rows) - len(by_ground)
    # The category follows but for grounds that the data set lacks; with it, the reason can be one band only.
    assert outcomes(figures) == {POSSIBLE: by_band, RECOMPUTED: by_band, UNDECIDED: 2 * len(by_ground)}


def test_a_reason_that_no_figure_leads_to_differs(tmp_path: Path) -> None:
    def swap(rows: list[dict[str, str]]) -> None:
        rows[0]["classification_reason"] = "Substantial progress toward targets"
        rows[1]["cumulative_prgrss_pct"] = "0.25"
        rows[2]["classification_overall"] = "Insufficient data"

    figures = verify([changed_rows(tmp_path, swap)], REGISTER)
    found = [(source.split()[1], name) for source, name, _ in differing(figures)]
    assert found == [
        ("00010000", "reason"),
        ("00030000", "reason"),
        ("00050000", "reason"),
    ]


def test_a_missing_percentage_leaves_no_band(tmp_path: Path) -> None:
    def blank(rows: list[dict[str, str]]) -> None:
        rows[0].update(curr_year_tgt_pct="", cumulative_prgrss_pct="")

    figures = verify([changed_rows(tmp_path, blank)], REGISTER)
    assert {name for _, name, _ in differing(figures)} == {"overall_classification", "reason"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[3].update(cumulative_prgrss_pct="39"), "row 5: cumulative_prgrss_pct '39' is not a frac"),
        (lambda rows: rows[3].update(curr_year_tgt_pct="x"), "row 5: curr_year_tgt_pct 'x' is not a number"),
        (lambda rows: rows[3].update(org_code="1"), "row 5: org_code '1' is not 8 digits"),
        (lambda rows: rows[3].update(org_code=rows[2]["org_code"]), "row 5: org_code .* stands there twice"),
        (lambda rows: rows[3].update(sy="1999"), "row 5: sy '1999' is not"),
        (lambda rows: rows[3].update(sy="2021"), "2021"),
        (lambda rows: rows[3].update(classification_reason=""), "row 5: classification_reason is empty"),
        (lambda rows: [row.pop("org_code") for row in rows], "column org_code is missing"),
        (lambda rows: rows.__delitem__(slice(1, None)) or rows[0].update(sy=""), "row 2: sy is empty"),
    ],
)
def test_a_row_that_cannot_be_read_is_one_error(
    change: Callable[[list[dict[str, str]]], None], says: str, tmp_path: Path
) -> None:
    altered = changed_rows(tmp_path, change)
    with pytest.raises(InputError, match=says) as error:
        verify([altered], REGISTER)
    assert str(error.value).startswith(str(altered))
    assert "\n" not in str(error.value)
