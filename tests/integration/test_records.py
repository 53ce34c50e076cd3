"""The records behind a figure: they reproduce it, name a rule for who is left out, point at delivered rows, and no student."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
from typer.testing import CliRunner

from orchestration import synthetic
from orchestration.automation.record_listing import records_behind
from orchestration.cli import app
from orchestration.errors import InputError
from orchestration.explanation.reading import Dossier
from orchestration.explanation.records import MODELS, Figure, Listing, document, figure_asked, listing
from orchestration.explanation.records_text import text
from orchestration.identifiers import key_path
from orchestration.indicators import building
from orchestration.policy import rule_texts
from orchestration.releases import Release
from orchestration.settings import PROJECT
from tests.support.small_home import SmallHome
from tests.support.workshop import Workshop

YEAR = 2025
STATE = "00000000"
Cells = dict[str, str]


@dataclass(frozen=True)
class State:
    """A generated state with a release of its indicator tables, and the database in which every listing was built."""

    shop: Workshop
    release: Release
    database: Path

    def dossier(self, org: str) -> Dossier:
        return Dossier(self.release, org)

    def listed(self, figure: Figure, limit: int | None = None) -> Listing:
        key = key_path(self.shop.settings.home).read_bytes()
        sentences = {rule: row["sentence"] for rule, row in rule_texts(self.shop.settings.policy).items()}
        aside = {s.sha256: s.quarantined for y in (YEAR, YEAR - 1) for s in self.shop.store.snapshots(y)}
        return listing(
            self.database,
            figure,
            self.dossier(figure.org_code),
            key=key,
            register=self.shop.register,
            sentences=sentences,
            quarantined=aside,
            limit=limit,
        )

    def rows(self, entry: dict[str, Any]) -> dict[int, Cells]:
        """Rows of a landed file by the number that a spreadsheet shows."""
        with (self.shop.settings.landing / entry["file"]).open(newline="", encoding="utf-8") as file:
            return dict(enumerate(csv.DictReader(file), 2))

    @property
    def schools(self) -> list[str]:
        """Three schools: most figures of both gradespans, and the ones with the most figures of one."""
        rows = duckdb.sql(
            f"SELECT org_code FROM '{self.release.folder}/indicator_results.parquet' WHERE org_type = 'school' "
            "GROUP BY ALL ORDER BY count(DISTINCT gradespan) DESC, count(*) DESC, org_code LIMIT 3"
        ).fetchall()
        return [code for (code,) in rows]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    folder = tmp_path_factory.mktemp("records")
    shop = Workshop(folder)
    synthetic.generate(shop.settings.landing, students=1_200, years=[YEAR - 1, YEAR], seed=4, contracts=shop.contracts)
    for year in (YEAR - 1, YEAR):
        for collection in [n for n, c in shop.contracts.items() if c.source in ("student", "ledger")]:
            assert shop.take_in(collection, year).refusals == ()
    work, run = folder / "work", building._run_dbt

    @contextmanager
    def kept(home: Path) -> Iterator[Path]:
        work.mkdir()
        yield work

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "_work_folder", kept)
        patch.setattr(building, "_run_dbt", lambda variables, work: run(variables | {building.RECORDS: True}, work))
        building.build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    with duckdb.connect(str(work / building.DATABASE)) as con:  # a figure is then read, not computed anew
        for model in sorted({*MODELS.values(), "records_lowest_performing"}, reverse=True):
            con.execute(f"CREATE TABLE kept AS SELECT * FROM {model}")
            con.execute(f"DROP VIEW {model}")
            con.execute(f"ALTER TABLE kept RENAME TO {model}")
    home = SmallHome(shop.settings.home)
    for room in ("source", "indicators"):
        home.gate(room, YEAR, "student", passed=True)
    yield State(shop, home.again().release, work / building.DATABASE)
    shutil.rmtree(work)


def figures(state: State, org: str) -> list[Figure]:
    """Every released figure of an organisation, participation too."""
    dossier = state.dossier(org)
    asked = [(i, g, s) for s, g, i in dossier.figures]
    asked += [(f"{subject}_participation", g, s) for s, g, subject in dossier.participation]
    return [figure_asked(dossier, indicator, group, span) for indicator, group, span in asked]


@pytest.fixture(scope="module")
def listings(state: State) -> list[Listing]:
    """The listing of every figure of a district of the schools, of the schools and, of All Students, of the state."""
    schools = state.schools
    orgs = [*schools, f"{schools[0][:4]}0000"]
    wanted = [f for org in orgs for f in figures(state, org)]
    wanted += [f for f in figures(state, STATE) if f.student_group in ("all_students", "lowest_performing")]
    return [state.listed(figure) for figure in wanted]


def test_who_counted_makes_up_every_figure(listings: list[Listing]) -> None:
    assert len(listings) > 200
    assert {found.figure.indicator for found in listings} == {*MODELS}
    assert {found.figure.student_group for found in listings} >= {"all_students", "lowest_performing", "high_needs"}
    for found in listings:
        assert len({s.student for s in found.counted}) == len(found.counted) == found.figure.denominator
        assert sum(s.amount or 0 for s in found.counted) == found.figure.numerator
        assert all(s.rows and s.rule is None and s.amount is not None for s in found.counted)


def test_who_is_left_out_has_a_rule_of_the_policy(state: State, listings: list[Listing]) -> None:
    rules = {row.rule_id for row in state.shop.register.rows}
    for found in listings:
        by_rule = Counter(s.rule for s in found.left_out)
        assert by_rule == found.left_out_by
        assert {*by_rule} == {*found.rules} <= rules
        assert all(s.rows and s.amount is None for s in found.left_out)
        assert all(rule["sentence"] and rule["standing"] for rule in found.rules.values())


def test_every_delivered_row_of_a_place_is_listed_once(state: State) -> None:
    for school in state.schools:
        for figure in [f for f in figures(state, school) if f.student_group == "all_students"]:
            found = state.listed(figure)
            if "_achievement" in figure.indicator or "_participation" in figure.indicator:
                grades = ["09", "10", "11", "12"] if figure.gradespan == "high" else [f"0{n}" for n in range(1, 9)]
                delivered = rows_of(state, found, "mcas")
                there = [n for n, r in delivered.items() if r["school_code"] == school and r["grade"] in grades]
                listed = [row.row for s in (*found.counted, *found.left_out) for row in s.rows]
                assert sorted(listed) == there


def rows_of(state: State, found: Listing, collection: str) -> dict[int, Cells]:
    return state.rows(next(entry for entry in found.deliveries if entry["collection"] == collection))
