"""The records behind a figure: they reproduce it, name a rule for who is left out, point at rows and at no student."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

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
from orchestration.indicators.last_build import FOLDER
from orchestration.intake.store import Store
from orchestration.policy import rule_texts
from orchestration.releases import Release
from orchestration.settings import PROJECT
from tests.support.releases import bytes_of
from tests.support.small_home import SmallHome
from tests.support.workshop import Workshop

YEAR = 2025
STATE = "00000000"
Cells = dict[str, str]


@dataclass(frozen=True)
class State:
    """A generated state with a release of its indicator tables, and a connection to what lists their rows."""

    shop: Workshop
    release: Release
    con: duckdb.DuckDBPyConnection

    def dossier(self, org: str) -> Dossier:
        return Dossier(self.release, org)

    def listed(self, figure: Figure, limit: int | None = None) -> Listing:
        key = key_path(self.shop.settings.home).read_bytes()
        sentences = {rule: row["sentence"] for rule, row in rule_texts(self.shop.settings.policy).items()}
        aside = {s.sha256: s.quarantined for y in (YEAR, YEAR - 1) for s in self.shop.store.snapshots(y)}
        return listing(
            self.con,
            figure,
            self.dossier(figure.org_code),
            key=key,
            register=self.shop.register,
            sentences=sentences,
            quarantined=aside,
            limit=limit,
        )

    def rows(self, name: str) -> dict[int, Cells]:
        """Rows of a landed file by the number that a spreadsheet shows."""
        with (self.shop.settings.landing / name).open(newline="", encoding="utf-8") as file:
            return dict(enumerate(csv.DictReader(file), 2))

    @property
    def schools(self) -> list[str]:
        """The school with most figures, both gradespans first, and one at which students were not there long enough."""
        table = f"'{self.release.folder}/indicator_results.parquet'"
        by_figures = f"SELECT org_code FROM {table} WHERE org_type = 'school' GROUP BY ALL "
        late = (
            "SELECT org_code FROM records_mcas WHERE outcome = 'full_year' AND org_code NOT LIKE '%0000' GROUP BY ALL "
        )
        most = "ORDER BY count(DISTINCT gradespan) DESC, count(*) DESC, org_code LIMIT 1"
        return [code for query in (by_figures, late) for (code,) in self.con.execute(query + most).fetchall()]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    folder = tmp_path_factory.mktemp("records")
    shop = Workshop(folder)
    synthetic.generate(shop.settings.landing, students=1_200, years=[YEAR - 1, YEAR], seed=7, contracts=shop.contracts)
    for year in (YEAR - 1, YEAR):
        for collection in [n for n, c in shop.contracts.items() if c.source in ("student", "ledger")]:
            assert shop.take_in(collection, year).refusals == ()
    run = building.run_dbt
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "run_dbt", lambda variables, work, selected: run(variables, work, ()))
        building.build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    home = SmallHome(shop.settings.home)
    for room in ("source", "indicators"):
        home.gate(room, YEAR, "student", passed=True)
    release = home.again().release
    with duckdb.connect(str(shop.settings.home / FOLDER / "student" / str(YEAR) / building.DATABASE)) as con:
        for model in sorted({*MODELS.values(), "records_lowest_performing"}):  # or each figure would compute them
            con.execute(f"CREATE TEMP TABLE {model} AS SELECT * FROM build.{model}")
        yield State(shop, release, con)


def figures(state: State, org: str) -> list[Figure]:
    """Every released figure of an organisation, participation too."""
    dossier = state.dossier(org)
    asked = [(i, g, s) for s, g, i in dossier.figures]
    asked += [(f"{subject}_participation", g, s) for s, g, subject in dossier.participation]
    return [figure_asked(dossier, indicator, group, span) for indicator, group, span in asked]


@pytest.fixture(scope="module")
def listings(state: State) -> list[Listing]:
    """The listing of every figure of two schools and, of All Students and the lowest performing, of the state."""
    wanted = [f for org in state.schools for f in figures(state, org)]
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


def test_every_figure_of_every_organisation_is_made_of_its_records(state: State) -> None:
    models = sorted(set(MODELS.values()))
    own = " UNION ALL ".join(f"SELECT * FROM {model} WHERE student_group IS NOT NULL" for model in models)
    key = "org_code, gradespan, student_group, indicator"
    listed = (
        f"SELECT {key}, sum(amount)::BIGINT AS numerator, count(*) AS denominator FROM ("
        f"SELECT {key}, sasid, max(amount) AS amount FROM ({own} UNION ALL SELECT * FROM records_lowest_performing) "
        "WHERE outcome = 'counted' GROUP BY ALL) GROUP BY ALL"
    )
    folder = state.release.folder
    released = (
        f"SELECT {key}, numerator, denominator FROM '{folder}/indicator_results.parquet' UNION ALL "
        "SELECT org_code, gradespan, student_group, subject || '_participation', tested, should_test "
        f"FROM '{folder}/participation_results.parquet'"
    )
    rows = state.con.execute(released).fetchall()
    assert len(rows) > 1_000
    assert state.con.execute(f"({released}) EXCEPT ALL ({listed})").fetchall() == []
    more = state.con.execute(f"({listed}) EXCEPT ALL ({released})").fetchall()
    assert {(row[2], row[3]) for row in more} <= {("lowest_performing", "science_achievement")}, (
        "a policy has no such row"
    )


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
    """The delivered rows of the one delivery of a collection behind a listing."""
    (entry,) = [entry for entry in found.deliveries if entry["collection"] == collection]
    return state.rows(str(entry["file"]))


RULES: dict[str, Callable[[Cells, str], bool]] = {
    "record_gradespan": lambda row, subject: row["grade"] not in GRADES,
    "tested_grades": lambda row, subject: row["grade"] not in TESTED.get(subject, "03 04 05 06 07 08 10"),
    "growth_grades": lambda row, subject: row["grade"] not in ("04", "05", "06", "07", "08", "10"),
    "participation_status": lambda row, subject: row[f"{subject}_test_status"] in ("TR", "NTM", ""),
    "record_alternate_assessment": lambda row, subject: row[f"{subject}_assessment"] == "AL",
    "record_no_growth": lambda row, subject: (
        row[f"{subject}_test_status"] != "T" or not row[f"{subject}_growth_percentile"]
    ),
    "record_no_result": lambda row, subject: row[f"{subject}_test_status"] != "T" or not row[f"{subject}_scaled_score"],
    "record_not_tested": lambda row, subject: row["test_status"] != "T",
    "record_no_earlier_test": lambda row, subject: not row["made_progress"],
    "record_upper_grades": lambda row, subject: row["grade"] in ("09", "10"),
    "record_enrollment_status": lambda row, subject: row["enrollment_status"] not in ("01", "04"),
    "record_no_october_1": lambda row, subject: row.get("collection_period") != "october_1",
}
"""What the delivered row of a student left out shows, by rule; `subject` is the first word of the indicator."""
TESTED = {"science": "05 08 10"}
GRADES = [f"{n:02}" for n in range(1, 13)]


def test_a_row_number_points_at_the_delivered_row(state: State, listings: list[Listing]) -> None:
    seen = Counter[str]()
    for found in listings:
        figure = found.figure
        if figure.student_group != "all_students":
            continue
        subject = figure.indicator.split("_")[0]
        files = {entry["number"]: state.rows(entry["file"]) for entry in found.deliveries}
        for student in found.left_out:
            if shows := RULES.get(student.rule or ""):
                assert all(shows(files[row.delivery][row.row], subject) for row in student.rows), (figure, student)
                seen[student.rule or ""] += 1
        for student in found.counted:
            rows = [files[row.delivery][row.row] for row in student.rows]
            if shown := PROVEN.get(figure.indicator):
                assert shown(rows, student.amount), (figure, student)
                seen[figure.indicator] += 1
    assert {*seen} == {*RULES, *PROVEN}


PROVEN: dict[str, Callable[[list[Cells], bool | int | None], bool]] = {
    "ela_achievement": lambda rows, amount: int(rows[0]["ela_scaled_score"]) == amount,
    "ela_growth": lambda rows, amount: int(rows[0]["ela_growth_percentile"]) == amount,
    "el_progress": lambda rows, amount: int(rows[0]["made_progress"]) == amount,
    "four_year_graduation": lambda rows, amount: (rows[0]["outcome"] == "graduated") == amount,
    "extended_engagement": lambda rows, amount: (rows[0]["outcome"] in ("graduated", "still_enrolled")) == amount,
    "annual_dropout": lambda rows, amount: any("reason" in row for row in rows) == amount,
    "advanced_coursework": lambda rows, amount: any("subject_course_code" in row for row in rows) == amount,
    "ela_participation": lambda rows, amount: (
        (rows[0]["ela_test_status"], rows[0]["ela_attempt"]) != ("T", "F") or amount == 1
    ),
    "chronic_absenteeism": lambda rows, amount: (absent(rows) * 10 >= days(rows) >= 20) == amount,
}
"""Whether the delivered rows of a student who counts show what the student adds to the numerator."""


def days(rows: list[Cells]) -> int:
    return sum(int(row["days_in_membership"]) for row in rows)


def absent(rows: list[Cells]) -> int:
    return days(rows) - sum(int(row["days_in_attendance"]) for row in rows)


def test_a_first_year_learner_and_a_late_arrival_are_what_the_rules_say(state: State, listings: list[Listing]) -> None:
    (sims,) = (state.shop.settings.landing / str(YEAR)).glob("sims_end_of_year.csv")
    with sims.open(newline="") as file:
        enrolled = list(csv.DictReader(file))
    first_year = {row["sasid"] for row in enrolled if row["el_first_year"] == "01"}
    since_october = {(r["sasid"], r["school_code"]) for r in enrolled if r["enrolled_since_october"] == "1"}
    seen = Counter[str]()
    for found in listings:
        figure = found.figure
        if (figure.indicator, figure.student_group) != ("ela_achievement", "all_students"):
            continue
        delivered = rows_of(state, found, "mcas")
        for student in found.left_out:
            row = delivered[student.rows[0].row]
            if student.rule == "record_first_year_el":
                assert row["sasid"] in first_year
            elif student.rule == "full_year" and figure.org_code == row["school_code"]:
                assert (row["sasid"], row["school_code"]) not in since_october
            else:
                continue
            seen[student.rule] += 1
    assert {*seen} == {"record_first_year_el", "full_year"}


def test_no_identifier_is_in_a_listing(state: State, listings: list[Listing]) -> None:
    known: set[str] = set()
    for year in (YEAR, YEAR - 1):
        for path in (state.shop.settings.landing / str(year)).glob("*.csv"):
            with path.open(newline="") as file:
                known |= {row["sasid"] for row in csv.DictReader(file) if "sasid" in row}
    assert len(known) > 1_000
    wide = [found for found in listings if found.figure.org_code == STATE]
    words = {w for found in wide for w in json.dumps(document(found)).replace('"', " ").split()}
    words |= {word for found in wide for line in text(found, state.dossier(STATE)) for word in line.split()}
    runs = {run for word in words for run in digits(word)}
    assert not known & runs
    assert len(words) > 1_000


def digits(word: str) -> Iterator[str]:
    """Every run of ten digits in a word: as long as an identifier is."""
    return (word[i : i + 10] for i in range(len(word) - 9) if word[i : i + 10].isdigit())


def test_the_same_student_has_the_hash_of_a_quarantine_entry(state: State, listings: list[Listing]) -> None:
    found = next(f for f in listings if f.figure.indicator == "ela_achievement")
    delivered, key = rows_of(state, found, "mcas"), key_path(state.shop.settings.home).read_bytes()
    for student in found.counted:
        sasid = delivered[student.rows[0].row]["sasid"]
        assert student.student == hashlib.sha256(f"{key.hex()}:{sasid}".encode()).hexdigest()[:16]


def test_a_listing_is_cut_and_says_so(state: State) -> None:
    figure = figure_asked(state.dossier(STATE), "chronic_absenteeism", "all_students", "non_high")
    whole, cut = state.listed(figure), state.listed(figure, limit=5)
    assert (cut.counted, cut.left_out) == (whole.counted[:5], whole.left_out[:5])
    assert cut.left_out_by == whole.left_out_by
    lines = list(text(cut, state.dossier(STATE)))
    assert f"Students who count: {figure.denominator}, the first 5 shown (--all-records shows all)" in lines
    assert f"Students who count: {figure.denominator}" in list(text(whole, state.dossier(STATE)))


def test_a_figure_that_the_records_do_not_give_is_refused(state: State) -> None:
    figure = figure_asked(state.dossier(STATE), "math_growth", "all_students", "high")
    for other in (replace(figure, numerator=figure.numerator + 1), replace(figure, denominator=figure.denominator - 1)):
        with pytest.raises(
            InputError, match=f"the records give {figure.numerator} of {figure.denominator}, the release"
        ):
            state.listed(other)


class TestCommand:
    """As people call it: the models of the figure are built from the snapshots that the release names."""

    def call(self, state: State, *words: str, home: Path | None = None) -> tuple[int, str, str]:
        always = ("explain", "--year", str(YEAR), "--records", "--home", str(home or state.shop.settings.home))
        done = CliRunner().invoke(app, [*always, *words])
        error = str(done.exception) if isinstance(done.exception, InputError) else done.stderr
        return done.exit_code, done.stdout, error

    def test_the_records_of_a_figure(self, state: State) -> None:
        words = ("--org", STATE, "--indicator", "ela_achievement", "--group", "lowest_performing")
        before = bytes_of(state.shop.settings.home)
        code, said, error = self.call(state, *words, "--gradespan", "non_high", "--format", "json")
        assert code == 0, error
        printed = json.loads(said)
        jsonschema.validate(printed, json.loads((PROJECT / "docs" / "explanation.schema.json").read_text()))
        figure = figure_asked(state.dossier(STATE), "ela_achievement", "lowest_performing", "non_high")
        assert printed["records"] == json.loads(json.dumps(document(state.listed(figure))))
        assert bytes_of(state.shop.settings.home) == before

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--org", STATE), "--records needs --group and --indicator, one of ela_achievement, "),
            (("--org", STATE, "--indicator", "shoes", "--group", "asian"), "given: shoes"),
            (("--org", "99999999", "--indicator", "ela_growth", "--group", "asian"), "no such organisation"),
            (("--org", STATE, "--indicator", "ela_growth", "--group", "left_handed"), "no such figure; there are: "),
            (("--org", STATE, "--indicator", "ela_growth", "--group", "all_students"), "add --gradespan"),
            (
                ("--org", STATE, "--indicator", "ela_growth", "--group", "all_students", "--format", "html"),
                "text or json",
            ),
            (("--org", STATE, "--release", "2025/x"), "there are: 2025/student-official-001"),
        ],
    )
    def test_wrong_arguments_are_one_line(self, state: State, words: tuple[str, ...], said: str) -> None:
        code, printed, error = self.call(state, *words)
        assert (code, printed) == (1, "")
        assert said in error
        assert len(error.strip().splitlines()) == 1

    def test_a_gradespan_asks_for_records(self, state: State) -> None:
        words = ["explain", "--year", str(YEAR), "--org", STATE, "--gradespan", "high"]
        done = CliRunner().invoke(app, [*words, "--home", str(state.shop.settings.home)])
        assert done.exit_code == 1
        assert str(done.exception) == "--gradespan: only together with --records"

    def test_a_release_without_its_home_has_no_records(self, state: State, tmp_path: Path) -> None:
        shutil.copytree(state.shop.settings.home / "published", tmp_path / "home" / "published", symlinks=True)
        words = ("--org", STATE, "--indicator", "ela_growth", "--group", "asian", "--gradespan", "non_high")
        code, _, error = self.call(state, *words, home=tmp_path / "home")
        assert code == 1
        assert error.endswith("holds no student records; --records works in the private home that made the release")
        public = tmp_path / "home" / "published" / str(YEAR) / state.release.name / "public"
        assert "public" in str(public)
        code, _, error = self.call(state, *words, home=public)
        assert (code, error.endswith("there are: none yet")) == (1, True)

    def test_snapshots_that_changed_are_named(self, state: State, tmp_path: Path) -> None:
        home = tmp_path / "home"
        shutil.copytree(state.shop.settings.home, home, symlinks=True)
        store = Store(home)
        path = store.folder(store.in_force(YEAR, "mcas", "official")[""]) / "accepted-000.parquet"
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"0")
        settings = state.shop.settings.model_copy(update={"home": home})
        figure = figure_asked(state.dossier(STATE), "ela_growth", "all_students", "high")
        given = {"settings": settings, "contracts": state.shop.contracts, "register": state.shop.register}
        with pytest.raises(
            InputError, match=r"2025/mcas.csv: its accepted rows .* are missing or changed since the release"
        ):
            records_behind(state.dossier(STATE), figure, **given)
        store.manifest_path(store.in_force(YEAR, "mcas", "official")[""]).unlink()
        with pytest.raises(InputError, match=r"the snapshot of 2025/mcas.csv .* is gone from the store"):
            records_behind(state.dossier(STATE), figure, **given)

    def test_a_release_of_public_aggregates_has_no_students(self, state: State) -> None:
        hub = replace(state.release, source="hub")
        with pytest.raises(InputError, match="made from public aggregates; there are no student records behind it"):
            figure_asked(Dossier(hub, STATE), "ela_growth", "all_students", "high")
