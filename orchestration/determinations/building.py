"""One year's determinations: which tables go in, where the tables come out, and whether anything changed.

Belongs here: folders, fingerprint, order. Does not: any rule (`determining` and what it calls).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from orchestration.determinations.admitting import admit
from orchestration.determinations.determining import conclude, rates_of
from orchestration.determinations.parts import counted, progress_in, standing_in
from orchestration.determinations.reading import Inputs, read_inputs
from orchestration.determinations.rendering import TRACE, Tables, concluded_tables
from orchestration.determinations.scoring import figures_of, points_again, scored_organisations, statewide_values
from orchestration.determinations.sharing import Work, shared, uncollected
from orchestration.determinations.taking_over import holding, keep, own_rows, scored_from, weighed
from orchestration.determinations.writing import write_parts
from orchestration.determinations.year_rules import YearRules, year_rules
from orchestration.errors import InputError
from orchestration.policy import Register
from orchestration.releases import Release, newest
from orchestration.settings import Settings
from orchestration.tables import Basis, Built, Changes, digests_of_rules, folder_of, record_of, replacing

ROOM = "determinations"
INDICATORS = "indicators"
"""The room whose tables are read."""


def has_determinations(register: Register, year: int) -> bool:
    """Whether the calendar has determinations in `year`."""
    return register.row(year, "calendar", "determinations").value != "none"


def build(year: int, source: str, *, settings: Settings, register: Register) -> Built:
    """Bring the determinations of `year` from `source` up to date, in `<home>/tables/determinations/<source>/<year>/`.

    With the same indicator tables, release of the prior year, policy and code as last time nothing is made. Raises
    InputError for a policy row, a table or a figure that cannot be; what was there before stays.
    """
    rules = year_rules(register, year)
    tables = _tables(rules, source, settings)
    earlier = _earlier(rules, source, settings)
    basis = _basis(year, source, tables, earlier, settings)
    folder = folder_of(settings.home, ROOM, source, year)
    record = record_of(folder)
    why = basis.since(record)
    if record and not why:
        return Built(folder, record["rows"], basis.fingerprint, why)
    made: dict[str, Any] = {**basis.record(), "inputs": dict(basis.inputs)}
    present = {y: of_year.resolve() for y, of_year in tables.items() if of_year.exists()}
    work = Work(rules, present, earlier.folder.resolve() if earlier else None)
    # uncollected until all that was read is let go of: the collector would walk through it
    with replacing(folder, settings.home, made) as new, uncollected():
        made["rows"] = rows = _make(new, work, folder if _only_own_tables_differ(basis, record) else None)
    return Built(folder, rows, basis.fingerprint, why)


def outdated(year: int, source: str, *, settings: Settings, register: Register) -> Changes:
    """Why `build` would make the tables of `year` anew; nothing if it would not. Raises InputError as `build` does."""
    rules = year_rules(register, year)
    tables, earlier = _tables(rules, source, settings), _earlier(rules, source, settings)
    basis = _basis(year, source, tables, earlier, settings)
    return basis.since(record_of(folder_of(settings.home, ROOM, source, year)))


def _tables(rules: YearRules, source: str, settings: Settings) -> dict[int, Path]:
    """Year to the folder of the indicator tables that are read, newest first. The year's own must be there."""
    years = sorted({rules.year, *_years_back(rules)}, reverse=True)
    tables = {y: folder_of(settings.home, INDICATORS, source, y) for y in years}
    if record_of(tables[rules.year]) is None:
        raise InputError(f"{tables[rules.year]}: there are no indicator tables of {rules.year}; run that year first")
    return tables


def _earlier(rules: YearRules, source: str, settings: Settings) -> Release | None:
    """The prior year's percentages as restated by its newest official release (rulebook section 7)."""
    prior_year = rules.scoring.percentages.prior_year if rules.scoring else None
    return newest(settings.home, prior_year, source, "official") if prior_year else None


def _make(new: Path, work: Work, before: Path | None) -> dict[str, int]:
    """Write the tables of the year into `new`: table to rows. `before`: tables whose scores may still hold, if any.

    Earlier years were admitted when those were made from the same.
    """
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=new) as name, shared(Path(name), work) as share:
        inputs, rows = _admitted(work, [work.rules.year] if before else [*work.present])
        figures = figures_of(inputs)
        values = statewide_values(inputs, figures, work.rules)
        made_from = scored_from(rows, inputs.organisations, values) if values else None
        now = figures.get(inputs.year, {})
        held = holding(before, made_from, now) if before and made_from else None
        if held and held.touched and values:
            held = weighed(held, points_again(inputs, work.rules, values, held.touched))
        organisations = scored_organisations(inputs)
        share.score(inputs, figures, values, [org for org in organisations if not held or org not in held.steps])
        rates = rates_of(inputs, work.rules)
        parts, among = share.finished(held)

        def concluding() -> Tables:
            progress = progress_in(parts["target_percentages"])
            done = conclude(inputs, figures, work.rules, progress, standing_in(among), rates)
            concluded = concluded_tables(done, inputs)
            return {**among, **concluded, TRACE: pa.concat_tables([among[TRACE], concluded[TRACE]])}

        steps: Counter[str] = Counter()
        written = write_parts(new, {**parts, TRACE: counted(parts[TRACE], steps)}, concluding)
        if made_from:
            keep(new, made_from, steps)
        return written


def _admitted(work: Work, years: Iterable[int]) -> tuple[Inputs, dict[str, str]]:
    """What is read, once it is known that the tables of `years` can be, with a digest of each organisation's rows.

    Raises InputError for what cannot, whatever reading it led to.
    """
    year = work.rules.year
    with ThreadPoolExecutor(1) as beside:  # DuckDB's work
        asked = [beside.submit(admit, y, work.present[y], work.rules.rules.targets.scales) for y in years]
        rows = beside.submit(own_rows, work.present[year])
        try:
            inputs = read_inputs(year, work.present, work.earlier)
        finally:
            for answer in asked:
                answer.result()
    return inputs, rows.result()


def _only_own_tables_differ(basis: Basis, record: Mapping[str, Any] | None) -> bool:
    """Whether tables with this record were made by the same rules from the same tables and release of earlier years."""
    if record is None or record["basis"]["rules"] != basis.rules:
        return False
    own = {f"{INDICATORS} {basis.year}": ""}
    return {**record["basis"]["inputs"], **own} == {**basis.inputs, **own}


def _years_back(rules: YearRules) -> set[int]:
    """Years whose results are compared with: for change, typical gains, percentiles and the path's reference."""
    reference = rules.rules.targets.path_reference
    found = {rules.year - 1, rules.year - 2, *rules.rules.percentiles.years}
    return found | ({reference} if reference else set())


def _basis(year: int, source: str, tables: dict[int, Path], earlier: Release | None, settings: Settings) -> Basis:
    """Everything that the tables depend on: tables read, policy, code of the room."""
    inputs = {
        f"{INDICATORS} {y}": record["fingerprint"] for y, folder in tables.items() if (record := record_of(folder))
    }
    if earlier:
        inputs[f"release {earlier.year}"] = earlier.identity
    return Basis(ROOM, year, source, inputs, digests_of_rules(Path(__file__).parent, settings.policy))
