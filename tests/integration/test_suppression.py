"""The public variant of a release: an attacker who adds and subtracts gets nothing, and what is blank says so."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration import synthetic
from orchestration.determinations.building import build as build_determinations
from orchestration.errors import InputError
from orchestration.indicators.building import build as build_indicators
from orchestration.publication.elimination import Sums
from orchestration.publication.public_variant import write_public
from orchestration.publication.suppression import public_tables, public_variant
from orchestration.publication.withholding import Withholding
from tests.support.attack import RACES, attack, cells, read
from tests.support.determinations import REGISTER, changed
from tests.support.made_up_counts import STATE, YEAR, state, tables_of, write
from tests.support.releases import bytes_of
from tests.support.workshop import Workshop

LEAST = 10
WORD = "withheld"
FIGURES = {
    "organisations": ("enrolment_non_high", "enrolment_high"),
    "indicator_results": ("value", "n"),
    "participation_results": ("should_test", "rate", "two_year_rate"),
    "indicator_points": ("points",),
    "target_percentages": ("weighted_earned", "weighted_possible", "kept", "shown"),
    "accountability_percentiles": ("percentile",),
    "determinations": ("percentile", "annual", "cumulative"),
    "assistance_eligibility": ("percentile", "prior_percentile"),
}
SECRET = ("sasid", "staff_id", "_delivery", "_row", "numerator", "tested", "not_tested", "trace_key", "note")


def published(folder: Path, register: Any = REGISTER) -> Path:
    shutil.rmtree(folder / "public", ignore_errors=True)
    write_public(folder, register, YEAR)
    return folder / "public"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return state(Random(4), [0, 3, 4, 15, 40, 90, 200], 30, tmp_path_factory.mktemp("made_up"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """The tables of a small generated state, and the identifiers of its students."""
    shop = Workshop(tmp_path_factory.mktemp("built"))
    landing = shop.settings.landing
    synthetic.generate(landing, students=2_000, years=[2024, YEAR], seed=5, contracts=shop.contracts)
    for year in (2024, YEAR):
        for collection in [name for name, c in shop.contracts.items() if c.source == "student"]:
            assert shop.take_in(collection, year).refusals == ()
    folder = tmp_path_factory.mktemp("release")
    rooms = [
        build_indicators(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register),
        build_determinations(YEAR, "student", settings=shop.settings, register=shop.register),
    ]
    for room in rooms:
        for path in Path(room.folder).glob("*.parquet"):
            shutil.copyfile(path, folder / path.name)
    text = "".join(p.read_text() for p in (landing / str(YEAR)).glob("sims*.csv"))
    return folder, set(re.findall(r"\b\d{10}\b", text))


@pytest.fixture(params=["made_up", "built"])
def release(request: pytest.FixtureRequest) -> Path:
    found = request.getfixturevalue(request.param)
    return found if isinstance(found, Path) else found[0]


# --- The attacker ----------------------------------------------------------------------------------------------------


def test_subtraction_beats_small_counts_alone_and_not_the_variant(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = read(published(release))
    assert attack(full, LEAST) == (set(), set())
    assert any(v for v in cells(full).values())
    with monkeypatch.context() as patch:
        patch.setattr(Withholding, "settle", lambda self: None)
        loot = attack(read(published(release)), LEAST)
    print(f"{release.name}: {len(loot.recovered)} blanks recovered, {len(loot.small)} small counts")
    assert len(loot.recovered) >= 20
    assert any(kind == "count" for _, kind in loot.small)


def test_the_exact_test_finds_what_no_single_line_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks two a line that still have one solution, in some state; with the exact test there are none."""
    beaten = 0
    for seed in range(12):
        folder = state(Random(seed), [0, 0, 4, 15, 40], 9, tmp_path / str(seed))
        assert attack(read(published(folder)), LEAST).recovered == set()
        with monkeypatch.context() as patch:
            patch.setattr(Withholding, "_still_open", lambda self: [])
            beaten += bool(attack(read(published(folder)), LEAST).recovered)
    assert beaten


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**6),
    schools=st.integers(1, 7),
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=5),
)
def test_no_small_state_gives_anything_away(seed: int, schools: int, sizes: list[int]) -> None:
    with TemporaryDirectory() as folder:
        made = state(Random(seed), sizes, schools, Path(folder) / "release")
        assert attack(read(published(made)), LEAST) == (set(), set())


def test_a_student_of_no_school_costs_the_figures_near_it_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that a district has and none of its schools follows whatever else is blank, until all it rests on is.

    What is withheld has to be sought there. Line by line outward from it, the whole state went, in hundreds of rounds.
    """
    counts: dict[tuple[str, str, str, str], int] = {}
    district_of: dict[str, str] = {}
    for number in range(60):
        district = f"{number + 1:04d}0000"
        for school in (f"{district[:4]}{place:04d}" for place in range(1, 4)):
            district_of[school] = district
            for order, race in enumerate(RACES):
                if number or race != "pacific_islander":
                    for key in ((org, group) for org in (school, district, STATE) for group in (race, "all_students")):
                        cell = (key[0], "high", key[1], "ela")
                        counts[cell] = counts.get(cell, 0) + 20 + order + number
    for org, group in (("00010000", "pacific_islander"), ("00010000", "all_students"), (STATE, "pacific_islander"),
                       (STATE, "all_students")):  # fmt: skip
        counts[org, "high", group, "ela"] = counts.get((org, "high", group, "ela"), 0) + 1
    folder = write(tmp_path / "release", tables_of(counts, district_of))
    rounds, taken_in = [], []
    still_open, take_in = Withholding._still_open, Sums.take_in

    def counted(self: Withholding) -> Any:
        rounds.append(len(self.why))
        return still_open(self)

    def taken(self: Sums, unknown: int, column: Any) -> None:
        taken_in.append((id(self), unknown))
        take_in(self, unknown, column)

    monkeypatch.setattr(Withholding, "_still_open", counted)
    monkeypatch.setattr(Sums, "take_in", taken)
    public = public_variant(folder, REGISTER, YEAR)
    print(f"{len(public.why)} of {public.populations} withheld in {len(rounds)} rounds, {len(taken_in)} unknowns")
    assert len(rounds) <= 10
    assert len(taken_in) == len(set(taken_in))
    assert len(public.why) <= 80 < public.populations / 20
    assert attack(read(published(folder)), LEAST) == (set(), set())


# --- What is in the files --------------------------------------------------------------------------------------------


def test_no_count_below_the_minimum_and_no_identifier(release: Path) -> None:
    public = published(release)
    assert sum(0 < (v or 0) < LEAST for v in cells(read(release)).values()) > 20
    assert not [v for v in cells(read(public)).values() if v is not None and 0 < v < LEAST]
    for table in public.glob("*.parquet"):
        assert not set(pq.read_schema(table).names) & set(SECRET)
    for path in public.iterdir():
        assert path.suffix == ".parquet" or not re.search(r"\b\d{10}\b", path.read_text())


def test_no_student_of_the_state_is_in_a_file(built: tuple[Path, set[str]]) -> None:
    folder, students = built
    assert len(students) >= 1_500
    told = " ".join(path.read_text() for path in published(folder).iterdir() if path.suffix != ".parquet")
    assert not students & set(re.findall(r"\d{8,}", told))


def test_every_blank_has_the_word_and_every_word_a_blank(release: Path) -> None:
    inside, outside = read(release), read(published(release))
    for name, rows in outside.items():
        for figure in FIGURES.get(name, ()):
            for whole, row in zip(inside[name], rows, strict=True):
                if row[figure] is None and whole[figure] is not None:
                    assert row["status"] == WORD, (name, figure)
                else:
                    assert row[figure] == whole[figure]
        for whole, row in zip(inside[name], rows, strict=True):
            if row.get("status") == WORD and name != "organisations":
                assert all(row[figure] is None for figure in FIGURES[name])
            elif "status" in whole:
                assert row["status"] == whole["status"]
    assert any(row["status"] == WORD for row in outside["accountability_percentiles"])


def test_group_figures_go_with_a_population_of_either_gradespan(built: tuple[Path, set[str]]) -> None:
    tables = read(published(built[0]))
    gone = {
        (row["org_code"], row["student_group"])
        for name in ("indicator_results", "participation_results")
        for row in tables[name]
        if row["status"] == WORD
    }
    assert gone
    for name in ("indicator_points", "target_percentages", "accountability_percentiles"):
        for row in tables[name]:
            assert (row["status"] == WORD) == ((row["org_code"], row["student_group"]) in gone)
    for row in tables["determinations"]:
        assert row["overall_classification"]


def test_the_same_bytes_twice(release: Path) -> None:
    assert bytes_of(published(release)) == bytes_of(published(release))


# --- Policy ----------------------------------------------------------------------------------------------------------


def test_a_table_that_policy_does_not_name_is_refused(made_up: Path, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    shutil.copytree(made_up, folder, ignore=shutil.ignore_patterns("public"))
    write(folder, {"student_scores": [{"org_code": STATE}]})
    with pytest.raises(InputError, match="student_scores: no policy row says whether this table is public"):
        public_tables(folder, REGISTER, YEAR)
    assert not (folder / "public").exists()


def test_internal_tables_stay_inside(made_up: Path, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    shutil.copytree(made_up, folder, ignore=shutil.ignore_patterns("public"))
    write(folder, {"determination_trace": [{"org_code": STATE, "inputs": "{}"}]})
    assert "determination_trace" not in public_tables(folder, REGISTER, YEAR)


def test_a_figure_that_nothing_protects_is_refused(made_up: Path) -> None:
    register = changed(("public_figures", "indicator_results", "value n numerator"))
    with pytest.raises(InputError, match="public_figures of indicator_results has numerator"):
        public_tables(made_up, register, YEAR)
    always = REGISTER.row(YEAR, "public_columns", "indicator_results").value
    register = changed(("public_columns", "indicator_results", f"{always} numerator"))
    with pytest.raises(InputError, match="public_columns of indicator_results has the number numerator"):
        public_tables(made_up, register, YEAR)


def test_a_school_without_its_district_is_refused(tmp_path: Path) -> None:
    tables = tables_of({("00010001", "high", "all_students", "ela"): 20}, {"00010001": "00010000"})
    tables["organisations"] = [o for o in tables["organisations"] if o["org_type"] != "district"]
    with pytest.raises(InputError, match="district_code of school 00010001 is not a district"):
        public_tables(write(tmp_path, tables), REGISTER, YEAR)


def test_nothing_is_withheld_where_all_are_many(tmp_path: Path) -> None:
    counts = {}
    district_of = {f"0001000{i}": "00010000" for i in range(1, 4)}
    for org, times in ((STATE, 3), ("00010000", 3), *((school, 1) for school in district_of)):
        counts |= {(org, "high", race, "ela"): 50 * times for race in RACES}
        counts |= {(org, "high", "all_students", "ela"): 350 * times, (org, "high", "low_income", "ela"): 100 * times}
    folder = write(tmp_path, tables_of(counts, district_of))
    tables = public_tables(folder, REGISTER, YEAR)
    assert all(WORD not in table.column("status").to_pylist() for table in tables.values())
    assert tables["indicator_results"].column("n").to_pylist() == [r["n"] for r in read(folder)["indicator_results"]]


def test_a_small_rest_and_an_extreme_value_go_by_policy(tmp_path: Path) -> None:
    counts = {(org, "high", "all_students", "ela"): 100 for org in (STATE, "00010000", "00010001")}
    counts |= {(org, "high", "low_income", "ela"): 95 for org in (STATE, "00010000", "00010001")}
    folder = write(tmp_path, tables_of(counts, {"00010001": "00010000"}))

    def shown(register: Any) -> list[tuple[Any, Any, Any]]:
        rows = public_tables(folder, register, YEAR)["indicator_results"].to_pylist()
        return [(r["n"], r["value"], r["status"]) for r in rows if r["org_code"] == STATE]

    full = Decimal("100.0")
    assert shown(REGISTER) == [(100, full, "ok"), (None, None, WORD)]
    assert shown(changed(("suppression", "complement", "publish"))) == [(100, full, "ok"), (95, full, "ok")]
    assert shown(changed(("suppression", "extreme_value", "withhold")))[0] == (100, None, WORD)
    with pytest.raises(InputError, match=r"suppression\.complement is 'maybe'; it must be withhold or publish"):
        shown(changed(("suppression", "complement", "maybe")))
