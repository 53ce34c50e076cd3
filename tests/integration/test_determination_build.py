"""The build of the determinations refuses what cannot be, in one line, and leaves the tables that were there."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.determinations import reading, sharing
from orchestration.determinations.determining import determine
from orchestration.determinations.reading import read_inputs
from orchestration.determinations.rendering import TABLES
from orchestration.determinations.scoring import figures_of, scored_organisations
from orchestration.determinations.taking_over import FILE
from orchestration.determinations.year_rules import year_rules
from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.lineage.columns import column_lineage
from orchestration.lineage.models import load_models
from orchestration.policy import Register, load_register
from orchestration.settings import Settings
from orchestration.tables import folder_of
from tests.support.determination_home import SOURCE, YEAR, built, change, make_home, renew
from tests.support.lineage import Row, declared, listen
from tests.support.made_up_inputs import inputs


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Indicator tables, and nothing made from them."""
    return make_home(tmp_path_factory.mktemp("made") / "home")


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy, with determinations made from it."""
    shutil.copytree(made, tmp_path / "home", symlinks=True)
    assert built(tmp_path / "home").is_new
    return tmp_path / "home"


def _refused(home: Path, policy: Path | None = None) -> str:
    """The one line of the refusal; the tables made before have the same bytes."""
    folder = folder_of(home, "determinations", SOURCE, YEAR)
    before = {file.name: sha256_of(file) for file in folder.iterdir()}
    with pytest.raises(InputError) as refusal:
        built(home, policy)
    folder = folder_of(home, "determinations", SOURCE, YEAR)
    assert len(before) > 10
    assert {file.name: sha256_of(file) for file in folder.iterdir()} == before
    assert len(str(refusal.value).splitlines()) == 1
    return str(refusal.value)


FIRST = "(SELECT min((org_code, gradespan, student_group, indicator)) FROM t WHERE indicator = 'chronic_absenteeism')"
ONE = f"(org_code, gradespan, student_group, indicator) = {FIRST}"
PLACE = "chronic_absenteeism"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (f"SELECT * REPLACE (CASE WHEN {ONE} THEN -1 ELSE n END AS n) FROM t", ("n -1 is negative", PLACE)),
        (
            f"SELECT * REPLACE (CASE WHEN {ONE} THEN -2 ELSE numerator END AS numerator) FROM t",
            ("numerator -2 is negative", PLACE),
        ),
        (
            f"SELECT * REPLACE (CASE WHEN {ONE} THEN 100.1 ELSE value END AS value) FROM t",
            ("value 100.1 is off the scale", PLACE),
        ),
        (
            f"SELECT * REPLACE (CASE WHEN {ONE} THEN '99990001' ELSE org_code END AS org_code) FROM t",
            ("99990001", "is not in organisations", PLACE),
        ),
        (f"SELECT * FROM t UNION ALL SELECT * FROM t WHERE {ONE}", ("stands there twice", PLACE)),
        (
            f"SELECT * REPLACE (CASE WHEN {ONE} THEN 'stones' ELSE measure END AS measure) FROM t",
            ("measure stones has no row in the policy rule measure_scale", PLACE),
        ),
        (
            f"SELECT * REPLACE (CASE WHEN {ONE} THEN 2024 ELSE school_year END AS school_year) FROM t",
            ("school_year 2024 is not 2025", PLACE),
        ),
        ("SELECT * EXCLUDE (data_year) FROM t", ("indicator_results.parquet: has no column 'data_year'",)),
    ],
)
def test_a_figure_that_cannot_be_is_refused_by_table_row_and_field(
    home: Path, query: str, said: tuple[str, ...]
) -> None:
    change(home, "indicator_results", query)
    line = _refused(home)
    assert "indicator_results" in line
    assert all(words in line for words in said), line


def test_a_school_that_closed_keeps_the_figures_of_an_earlier_data_year(home: Path) -> None:
    other = f"CASE WHEN {ONE} THEN '99990001' ELSE org_code END AS org_code"
    change(
        home,
        "indicator_results",
        f"SELECT * REPLACE ({other}, CASE WHEN {ONE} THEN 2024 ELSE data_year END AS data_year) FROM t",
    )
    assert built(home).is_new


def test_a_missing_table_is_named(home: Path) -> None:
    folder = folder_of(home, "indicators", SOURCE, YEAR)
    (folder / "participation_results.parquet").unlink()
    renew(folder)
    assert "participation_results.parquet: is missing" in _refused(home)


def test_two_designations_that_exclude_each_other_are_refused(home: Path) -> None:
    register = load_register(Settings(home=home).policy)
    one, other = _exclusive(register)
    ledger = pq.read_table(folder_of(home, "indicators", SOURCE, YEAR) / "designations.parquet")
    code = ledger.column("org_code")[0].as_py()
    rows = " UNION ALL ".join(
        f"SELECT * REPLACE ('{code}' AS org_code, '{word}' AS designation, DATE '2020-01-01' AS effective_from, "
        "NULL AS effective_until) FROM (SELECT * FROM t LIMIT 1)"
        for word in (one, other)
    )
    change(home, "designations", rows)
    line = _refused(home)
    assert f"{code} is both" in line
    assert one in line
    assert other in line


def _exclusive(register: Register) -> tuple[str, str]:
    """A designation and one that the policy says it excludes."""
    row = next(r for r in register.rows if r.rule_id == "designation_excludes")
    return row.parameter, row.value.split("; ")[0]


@pytest.mark.parametrize("fault", ["missing", "twice", "year"])
def test_a_policy_that_is_not_whole_is_refused_before_any_table_is_read(home: Path, tmp_path: Path, fault: str) -> None:
    policy = tmp_path / "policy"
    shutil.copytree(Settings(home=home).policy, policy)
    file = policy / "policy_determinations.csv"
    with file.open(newline="", encoding="utf-8") as stream:
        header, *rows = list(csv.reader(stream))
    found = next(i for i, row in enumerate(rows) if row[:3] == ["every", "measure_scale", "percent"])
    if fault == "missing":
        del rows[found]
    elif fault == "twice":
        rows.append([*rows[found][:3], "0.0 99.0", *rows[found][4:]])
    else:
        _without_year(policy)
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    line = _refused(home, policy)
    assert ("measure_scale" if fault != "year" else str(YEAR)) in line


# --- Two processes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every build is shared with a second process; those that were started."""
    started: list[subprocess.Popen[bytes]] = []
    start = sharing._started

    def noted(folder: Path, work: sharing.Work) -> subprocess.Popen[bytes]:
        started.append(start(folder, work))
        return started[-1]

    monkeypatch.setattr(sharing, "WORTH_SHARING", 0)
    monkeypatch.setattr(sharing, "_started", noted)
    return started


def _tables(home: Path) -> dict[str, str]:
    folder = folder_of(home, "determinations", SOURCE, YEAR)
    return {file.name: sha256_of(file) for file in folder.iterdir() if file.name != "record.json"}


def _last(home: Path) -> str:
    """The last school, which the second process scores."""
    table = pq.read_table(folder_of(home, "indicators", SOURCE, YEAR) / "organisations.parquet")
    return str(max(table.column("org_code").to_pylist()))


def test_two_processes_write_the_same_bytes_as_one(home: Path, second: list[subprocess.Popen[bytes]]) -> None:
    one = _tables(home)
    shutil.rmtree(folder_of(home, "determinations", SOURCE, YEAR).parent)
    rows = built(home).rows
    assert len(second) == 1
    assert second[0].returncode == 0
    assert _tables(home) == one
    assert len(one) == 14  # seven tables, the trace without CSV, what it was scored from; nothing of the parts is left
    assert rows["determination_trace"] > 5000


def test_both_processes_have_work(home: Path) -> None:
    inputs = read_inputs(YEAR, {YEAR: folder_of(home, "indicators", SOURCE, YEAR)}, None)
    organisations = scored_organisations(inputs)
    first, second = sharing.divided(inputs, figures_of(inputs), organisations)
    assert [*first, *second] == organisations
    assert len(first) > 10
    assert len(second) > 10


def test_what_the_second_process_refuses_is_the_refusal(home: Path, second: list[subprocess.Popen[bytes]]) -> None:
    code = _last(home)
    (folder_of(home, "determinations", SOURCE, YEAR) / FILE).unlink()  # so that everyone is scored anew
    wrong = f"CASE WHEN org_code = '{code}' AND measure = 'percent' THEN 'cpi' ELSE measure END AS measure"
    change(home, "indicator_results", f"SELECT * REPLACE ({wrong}) FROM t")
    line = _refused(home)
    assert second[0].returncode == sharing.REFUSED
    assert code in line
    assert "measure 'cpi' is not that of the year" in line
    parent = folder_of(home, "determinations", SOURCE, YEAR).parent
    assert [path.name for path in parent.iterdir() if not path.is_symlink()] == [
        folder_of(home, "determinations", SOURCE, YEAR).resolve().name
    ]


def test_a_refusal_of_the_first_process_ends_the_second(home: Path, second: list[subprocess.Popen[bytes]]) -> None:
    change(home, "indicator_results", f"SELECT * REPLACE (CASE WHEN {ONE} THEN -1 ELSE n END AS n) FROM t")
    assert "n -1 is negative" in _refused(home)
    assert second[0].returncode is not None


def test_a_second_process_that_dies_is_no_result(
    home: Path, second: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = sharing._started

    def killed(folder: Path, work: sharing.Work) -> subprocess.Popen[bytes]:
        start(folder, work).kill()
        return second[-1]

    monkeypatch.setattr(sharing, "_started", killed)
    renew(folder_of(home, "indicators", SOURCE, YEAR))
    before = _tables(home)
    with pytest.raises(RuntimeError, match="second process of determinations ended with status -9"):
        built(home)
    assert _tables(home) == before


FIRST_PROCESS = """
import sys, time
from pathlib import Path
from orchestration.determinations import sharing
class Work:
    def __reduce__(self):
        return time.sleep, (600,)  # the second process is busy for ten minutes
print(sharing._started(Path(sys.argv[1]), Work()).pid, flush=True)
time.sleep(600)
"""


def test_the_second_process_ends_when_the_first_is_killed(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", FIRST_PROCESS, str(tmp_path)], stdout=subprocess.PIPE)
    assert first.stdout is not None
    process = Path("/proc") / first.stdout.readline().decode().strip()
    assert _runs(process)
    first.kill()
    first.communicate()
    deadline = time.monotonic() + 60
    while _runs(process):
        assert time.monotonic() < deadline, "the second process goes on"
        time.sleep(0.05)


def _runs(process: Path) -> bool:
    """Whether it is there and not merely waiting to be forgotten."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _without_year(policy: Path) -> None:
    """Take every row of the year out of the calendar."""
    file = policy / "policy_calendar.csv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"{YEAR},")]
    assert len(kept) < len(lines)
    file.write_text("".join(kept), encoding="utf-8")


def test_lineage_names_every_column_that_is_read_and_no_other(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lineage.yml declares is held against what the code asks its readers for."""
    read, asked = listen(monkeypatch), set[str]()
    rows = inputs(YEAR, seed=3, schools=60).published_targets
    monkeypatch.setattr(reading, "read_published_targets", lambda files: tuple(Row(row, asked) for row in rows))
    folder = folder_of(made, "indicators", SOURCE, YEAR)
    given = read_inputs(YEAR, {YEAR: folder}, None)
    prior = pa.Table.from_pylist([{"org_code": "1", "student_group": "g", "stage": "annual", "kept": None}])
    pq.write_table(prior, tmp_path / "target_percentages.parquet")
    reading.read_prior_annuals(tmp_path)
    determine(given, year_rules(load_register(Settings().policy), YEAR))
    read["published_targets"] = asked & set(load_models()["published_targets"].columns)
    lineage = column_lineage(SOURCE)
    read["organisations"].remove("enrolment")  # a field of the row that no rule of the room asks for
    assert read == declared(lineage, TABLES, {"target_percentages"})
    assert {table: list(lineage[table]) for table in TABLES} == {t: list(columns) for t, columns in TABLES.items()}
    known = {table: set(columns) for table, columns in lineage.items()}
    pairs = {pair for table in TABLES for found in lineage[table].values() for pair in found}
    assert [pair for pair in pairs if pair[1] not in known[pair[0]]] == [], "lineage names a column that there is not"
