"""A small made-up state with every table of two years, and defects planted in its files for the length of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration import synthetic
from orchestration.assistance.building import build as build_assistance
from orchestration.determinations.building import build as build_determinations
from orchestration.indicators.building import build as build_indicators
from orchestration.policy import Register
from orchestration.tables import folder_of
from orchestration.validation.gates import EXPECTATIONS, Report, validate
from orchestration.validation.running import Outcome
from tests.support.workshop import Workshop

YEARS = (2024, 2025)
YEAR = 2025


def built_state(folder: Path, students: int = 800) -> Workshop:
    """Deliveries, indicators, determinations and assistance of both years."""
    shop = Workshop(folder)
    synthetic.generate(shop.settings.landing, students=students, years=YEARS, seed=2, contracts=shop.contracts)
    for year in YEARS:
        for collection in [n for n, c in shop.contracts.items() if c.source in ("student", "ledger")]:
            assert shop.take_in(collection, year).refusals == ()
        build_indicators(year, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
        build_determinations(year, "student", settings=shop.settings, register=shop.register)
        build_assistance(year, "student", settings=shop.settings, register=shop.register)
    return shop


def file_of(shop: Workshop, table: str, year: int = YEAR) -> Path:
    """The Parquet file of a table; `raw_sims/end_of_year` is a part of a collection."""
    if table.startswith("raw_"):
        collection, _, part = table.removeprefix("raw_").partition("/")
        return shop.store.folder(shop.store.in_force(year, collection, "official")[part]) / "accepted-000.parquet"
    rooms = ("indicators", "determinations", "assistance")
    places = [folder_of(shop.settings.home, room, "student", year) / f"{table}.parquet" for room in rooms]
    return next(path for path in places if path.is_file())


@contextmanager
def altered(shop: Workshop, table: str, query: str, year: int = YEAR) -> Iterator[None]:
    """The table as `query` over `t` gives it; afterwards as it was."""
    path = file_of(shop, table, year)
    good = path.read_bytes()
    path.chmod(0o600)
    made = path.with_name(f"{path.name}.made")
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t AS SELECT row_number() OVER () AS number, * FROM '{path}'")
        before = con.execute("SELECT * EXCLUDE (number) FROM t ORDER BY ALL").fetchall()
        con.execute(f"CREATE TABLE changed AS SELECT * EXCLUDE (number) FROM ({query})")
        assert con.execute("SELECT * FROM changed ORDER BY ALL").fetchall() != before, "the defect changes nothing"
        con.execute(f"COPY changed TO '{made}' (FORMAT parquet)")
    path.write_bytes(made.read_bytes())
    made.unlink()
    try:
        yield
    finally:
        path.write_bytes(good)


def gate(
    shop: Workshop, room: str, year: int = YEAR, register: Register | None = None, expectations: Path = EXPECTATIONS
) -> Report:
    """Ask the gate of a room."""
    return validate(
        room,
        year,
        "student",
        settings=shop.settings,
        register=register or shop.register,
        expectations=expectations,
    )


def failures(report: Report) -> dict[str, Outcome]:
    """`table.expectation` to the outcome of everything that stops the run."""
    return {f"{o.table}.{o.name}": o for o in report.outcomes if o.stops}
