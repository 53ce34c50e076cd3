"""A refresh goes on from the last build: the same bytes as a build from nothing, and only what a change reaches."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import synthetic
from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.indicators import building
from orchestration.indicators.building import DATABASE, ROOM, WITHOUT_RECORDS, build
from orchestration.indicators.last_build import FOLDER, RECORD, last_build, standing
from orchestration.lineage.models import models_of
from orchestration.tables import folder_of
from tests.support.workshop import YEAR, Workshop

YEARS = (YEAR - 1, YEAR)
LEDGER = "collection,record_key,field,old_value,new_value,decided_by,reason,effective_from,expires_on,citation"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A small state, its year built once. The tests change it one after another."""
    shop = Workshop(tmp_path_factory.mktemp("last_build"))
    synthetic.generate(shop.settings.landing, students=1_500, years=YEARS, seed=5, contracts=shop.contracts)
    for year in YEARS:
        for collection in (n for n, c in shop.contracts.items() if c.source in ("student", "ledger")):
            assert shop.take_in(collection, year).refusals == ()
    make(shop)
    return shop


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What each build of the test asks dbt for."""
    found: list[tuple[str, ...]] = []
    run = building.run_dbt

    def noted(variables: Mapping[str, object], work: Path, selected: Any) -> None:
        found.append(tuple(selected))
        run(variables, work, selected)

    monkeypatch.setattr(building, "run_dbt", noted)
    return found


def make(shop: Workshop) -> dict[str, str]:
    """Build: every file of the tables but their record, with its digest."""
    assert made(shop)
    return tables(shop)


def made(shop: Workshop) -> frozenset[str]:
    """Build: tables, and models that were made now."""
    found = build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    assert found.is_new
    return found.made


def tables(shop: Workshop) -> dict[str, str]:
    folder = folder_of(shop.settings.home, ROOM, "student", YEAR)
    return {path.name: sha256_of(path) for path in folder.iterdir() if path.suffix in (".csv", ".parquet")}


def kept(shop: Workshop) -> Path:
    return shop.settings.home / FOLDER / "student" / str(YEAR)


def shortened(file: str, year: int = YEAR) -> Callable[[Workshop], None]:
    """Deliver a file again without every third of its rows, and take it in."""

    def change(shop: Workshop) -> None:
        path = shop.settings.landing / str(year) / f"{file}.csv"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([lines[0], *(line for n, line in enumerate(lines[1:]) if n % 3)]))
        collection = next(name for name in shop.contracts if file.startswith(name))
        assert shop.take_in(collection, year).refusals == ()

    return change


def corrected(shop: Workshop) -> None:
    """A ledger row that changes one score by much."""
    accepted = shop.store.folder(shop.in_force("mcas")) / "accepted-000.parquet"
    query = "SELECT sasid, ela_scaled_score FROM read_parquet(?) WHERE ela_scaled_score > 500 ORDER BY ALL LIMIT 1"
    ((sasid, score),) = duckdb.execute(query, [str(accepted)]).fetchall()
    row = f"mcas,sasid={sasid},ela_scaled_score,{score},440,Office,Scored again,{YEAR}-08-01,,Decision 1"
    shop.deliver("corrections.csv", f"{LEDGER}\n{row}\n")
    assert shop.take_in("corrections").refusals == ()


CHANGES: list[tuple[Callable[[Workshop], None], str, str]] = [
    (shortened("access"), "int_el_progress", "int_chronic_absenteeism"),
    (shortened("dropouts", YEAR - 1), "int_earlier_rate_figures", "int_rate_figures"),
    (shortened("sims_end_of_year"), "int_chronic_absenteeism", "int_four_year_graduation"),
    (shortened("mcas"), "int_growth", "int_rate_figures"),
    (corrected, "int_growth", "policy_indicators"),
]
"""A change, a model that it reaches, and one that it does not."""


def test_refreshes_give_the_bytes_of_a_build_from_nothing(shop: Workshop, asked: list[tuple[str, ...]]) -> None:
    """A model that a refresh had wrongly left alone would differ in the end, since no later one makes it again."""
    for change, reached, not_reached in CHANGES:
        before = tables(shop)
        change(shop)
        told = made(shop)
        assert tables(shop)["indicator_results.csv"] != before["indicator_results.csv"], "it shows in no figure"
        select, *selected = asked.pop()
        assert select == "--select"
        assert reached in selected
        assert not_reached not in selected
        assert told == {*selected, *building.TABLES}, "what is said to be made is what is made"
    refreshed = tables(shop)
    shutil.rmtree(shop.settings.home / FOLDER)
    shutil.rmtree(shop.settings.home / "tables")
    assert make(shop) == refreshed
    assert asked == [WITHOUT_RECORDS]
    for path in (kept(shop), *kept(shop).rglob("*")):
        assert not path.stat().st_mode & 0o077, f"{path}: open to others"


def test_a_delivery_that_no_model_of_the_year_reads_builds_nothing(
    shop: Workshop, asked: list[tuple[str, ...]]
) -> None:
    """This year's dropouts are next year's figures; the record beside the tables names the delivery all the same."""
    before = tables(shop)
    shortened("dropouts")(shop)
    assert make(shop) == before
    assert asked == []


def test_the_record_says_nothing_of_anybody(shop: Workshop) -> None:
    record = json.loads((kept(shop) / RECORD).read_bytes())
    assert set(record) == {"state", "versions"}
    assert all(len(digest) == 64 for digest in (record["state"], *record["versions"].values()))


def test_a_row_that_breaks_a_contract_leaves_nothing_to_go_on_from(
    shop: Workshop, asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, noted = tables(shop), building.run_dbt
    shortened("access")(shop)

    def spoilt(variables: Mapping[str, object], work: Path, selected: Any) -> None:
        with duckdb.connect(str(work / DATABASE)) as con:  # a model that this refresh does not make again
            con.execute("UPDATE int_attending_students SET org_code = NULL WHERE rowid = 0")
        noted(variables, work, selected)

    with monkeypatch.context() as patch:
        patch.setattr(building, "run_dbt", spoilt)
        with pytest.raises(InputError, match=r"dbt build of 2025: .*NOT NULL constraint .*nothing was replaced"):
            make(shop)
    assert asked[-1][0] == "--select"
    assert not kept(shop).exists()
    assert tables(shop) == before


# --- Whether there is something to go on from, without dbt -----------------------------------------------------------

RULES = {"a model": "1"}


def gone_on(home: Path, rules: Mapping[str, str] = RULES) -> dict[str, str]:
    """The versions that stand in the database, as a build of two models finds them; it leaves both made."""
    with last_build(home, "student", YEAR, rules) as last:
        found = dict(last.versions)
        (last.folder / DATABASE).touch()
        last.versions = {"one": "1", "two": "2"}
    return found


def test_the_next_build_goes_on_and_makes_what_changed(tmp_path: Path) -> None:
    assert gone_on(tmp_path) == {}
    assert gone_on(tmp_path) == {"one": "1", "two": "2"}
    with last_build(tmp_path, "student", YEAR, RULES) as last:
        assert last.changed({"one": "1", "two": "3", "three": "1"}) == ["two", "three"]


def test_other_rules_another_year_and_another_source_begin_anew(tmp_path: Path) -> None:
    gone_on(tmp_path)
    with last_build(tmp_path, "student", YEAR - 1, RULES) as last:
        assert (last.versions, list(last.folder.iterdir())) == ({}, [])
    with last_build(tmp_path, "hub", YEAR, RULES) as last:
        assert (last.versions, list(last.folder.iterdir())) == ({}, [])
    with last_build(tmp_path, "student", YEAR, {"a model": "2"}) as last:
        assert (last.versions, list(last.folder.iterdir())) == ({}, [])


def test_a_build_that_fails_or_is_killed_leaves_nothing_to_go_on_from(tmp_path: Path) -> None:
    gone_on(tmp_path)
    folder = tmp_path / FOLDER / "student" / str(YEAR)
    as_left_by_a_kill: dict[str, bytes] = {}

    def failing() -> None:
        with last_build(tmp_path, "student", YEAR, RULES) as last:
            assert last.versions
            as_left_by_a_kill.update({path.name: path.read_bytes() for path in folder.iterdir()})
            raise InputError("a test of dbt failed")

    with pytest.raises(InputError):
        failing()
    assert as_left_by_a_kill.keys() == {DATABASE}
    assert not folder.exists()
    folder.mkdir()
    for name, content in as_left_by_a_kill.items():
        (folder / name).write_bytes(content)
    assert gone_on(tmp_path) == {}


@pytest.mark.parametrize("lost", [DATABASE, RECORD])
def test_half_of_it_is_nothing(tmp_path: Path, lost: str) -> None:
    gone_on(tmp_path)
    (tmp_path / FOLDER / "student" / str(YEAR) / lost).unlink()
    assert gone_on(tmp_path) == {}


def test_a_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    gone_on(tmp_path)
    (tmp_path / FOLDER / "student" / str(YEAR) / RECORD).write_text('{"state": ')
    assert gone_on(tmp_path) == {}


def test_a_model_that_reads_files_is_made_again_where_they_lie_elsewhere() -> None:
    models = models_of("student")
    versions = dict.fromkeys(models, "the same")
    lags = {model.lag: 1 for model in models.values() if isinstance(model.lag, str)}

    def at(folder: str) -> dict[str, str]:
        collections = {model.reads for model in models.values() if model.reads}
        files = {str(y): {name: [f"{folder}/{y}/{name}.parquet"] for name in collections} for y in (2023, 2024, 2025)}
        return standing(models, versions, files, YEAR, lags)

    here, there = at("here"), at("there")
    assert {name for name in models if here[name] != there[name]} == {n for n, m in models.items() if m.reads}
