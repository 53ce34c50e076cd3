"""The generated files: the same bytes every time, nothing that a contract forbids, planted faults exactly as listed."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract, load_contracts
from orchestration.synthetic import GeneratedFile, generate
from orchestration.synthetic.defects import KINDS
from tests.oracle.intake_oracle import judge

PROJECT = Path(__file__).resolve().parents[2]
CONTRACT_FOLDER = PROJECT / "raw" / "contracts"
CONTRACTS = load_contracts(CONTRACT_FOLDER)
ALWAYS = {
    "organisations", "sims_october_1", "sims_march_1", "sims_end_of_year", "access", "course_schedules",
    "graduation_cohorts", "dropouts", "designations", "assistance_staff", "assistance_plans",
}  # fmt: skip


def make(out: Path, **changes: Any) -> list[GeneratedFile]:
    arguments: dict[str, Any] = {"students": 2000, "years": [2022], "seed": 5, "contracts": CONTRACTS} | changes
    return generate(out, **arguments)


def digests(out: Path) -> dict[str, str]:
    """Every file below a folder with the digest of its bytes."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def planted(out: Path) -> set[tuple[str, int, str, str]]:
    """File, row, field and rule of every listed fault."""
    with (out / "_planted_defects.csv").open(newline="") as file:
        return {(line["file"], int(line["row"]), line["field"], line["rule"]) for line in csv.DictReader(file)}


def found_by_second_reading(out: Path, files: Iterable[GeneratedFile]) -> set[tuple[str, int, str, str]]:
    """What the independent reading of the rules finds in CSV deliveries, in the order of their references."""
    found: set[tuple[str, int, str, str]] = set()
    accepted: dict[tuple[int, str], list[dict[str, str | None]]] = {}
    order = {name: position for position, name in enumerate(CONTRACTS)}
    for file in sorted(files, key=lambda f: (f.year, order[f.collection])):
        keys = CONTRACTS[file.collection].foreign_keys
        references = {
            (key.references, key.to): {
                tuple(str(row[name]) for name in key.to) for row in accepted[file.year, key.references]
            }
            for key in keys
        }
        verdict = judge(
            CONTRACT_FOLDER / f"{file.collection}.yml",
            file.path.read_bytes(),
            year=file.year,
            part=file.part,
            references=references,
        )
        assert verdict.delivered == file.rows
        accepted.setdefault((file.year, file.collection), []).extend(verdict.accepted.values())
        name = file.path.relative_to(out).as_posix()
        found |= {(name, row, field, rule) for row, field, rule in verdict.violations}
    return found


RUN = """
import sys
from pathlib import Path
from orchestration.intake.contracts import load_contracts
from orchestration.synthetic import generate
out, file_format = Path(sys.argv[1]), sys.argv[2]
generate(out, students=2000, years=[2018, 2019], seed=11, contracts=load_contracts(Path(sys.argv[3])),
         file_format=file_format, defects=12)
"""


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_two_processes_with_other_hash_seeds_write_the_same_bytes(tmp_path: Path, file_format: str) -> None:
    processes = []
    for hash_seed in ("1", "4711"):
        arguments = [sys.executable, "-c", RUN, str(tmp_path / hash_seed), file_format, str(CONTRACT_FOLDER)]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": hash_seed[0]}
        processes.append(subprocess.Popen(arguments, cwd=PROJECT, env=environment | {"PYTHONPATH": str(PROJECT)}))
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    first, second = (digests(tmp_path / hash_seed) for hash_seed in ("1", "4711"))
    assert first == second
    assert len(first) > 20


def test_another_seed_makes_another_state(tmp_path: Path) -> None:
    make(tmp_path / "a", seed=1)
    make(tmp_path / "b", seed=2)
    assert not set(digests(tmp_path / "a").values()) & set(digests(tmp_path / "b").values())


def test_no_value_breaks_a_rule(tmp_path: Path) -> None:
    files = make(tmp_path, years=[2017, 2018, 2019, 2020, 2021, 2022])
    assert found_by_second_reading(tmp_path, files) == set()


def test_headers_are_the_contracts_fields_in_their_order(tmp_path: Path) -> None:
    for file in make(tmp_path):
        with file.path.open(newline="") as lines:
            assert next(csv.reader(lines)) == list(CONTRACTS[file.collection].fields)


def test_parquet_holds_the_same_values_as_csv(tmp_path: Path) -> None:
    texts = make(tmp_path / "csv", years=[2019])
    typed = make(tmp_path / "parquet", years=[2019], file_format="parquet")
    for text, other in zip(texts, typed, strict=True):
        with text.path.open(newline="") as lines:
            expected = list(csv.reader(lines))[1:]
        table = pq.read_table(other.path)
        shown = [["" if v is None else str(v) for v in column] for column in table.to_pydict().values()]
        assert [list(row) for row in zip(*shown, strict=True)] == expected, text.path.name


def test_parquet_types_numbers_and_decimals(tmp_path: Path) -> None:
    make(tmp_path, file_format="parquet")
    schema = pq.read_schema(tmp_path / "2022" / "mcas.parquet")
    assert (str(schema.field("ela_scaled_score").type), str(schema.field("sasid").type)) == ("int32", "string")
    assert str(pq.read_schema(tmp_path / "2022" / "access.parquet").field("overall_level").type) == "decimal128(9, 1)"


def test_a_years_files(tmp_path: Path) -> None:
    files = make(tmp_path, years=[2019, 2020])
    names = {year: {f.path.stem for f in files if f.year == year} for year in (2019, 2020)}
    assert names[2019] == ALWAYS | {"mcas", "recognitions"}
    assert names[2020] == ALWAYS
    on_disk = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert on_disk == {f.path for f in files}
    assert all(f.rows > 0 for f in files)


def test_planted_faults_are_exactly_those_listed(tmp_path: Path) -> None:
    files = make(tmp_path, students=12_000, years=[2019, 2020], seed=3, defects=45)
    listed = planted(tmp_path)
    assert found_by_second_reading(tmp_path, files) == listed
    assert {rule for *_, rule in listed} == set(KINDS)
    doubled = sum(rule == "duplicate_key" for *_, rule in listed)
    assert len(listed) == 45 + doubled // 2
    assert len({(file, row) for file, row, *_ in listed}) == len(listed)
    assert len({file for file, *_ in listed}) >= 10
    rows = {f.path.relative_to(tmp_path).as_posix(): f.rows for f in files}
    for name, size in rows.items():
        assert sum(file == name for file, *_ in listed) <= 0.005 * size


def test_planted_faults_survive_parquet(tmp_path: Path) -> None:
    make(tmp_path, students=12_000, file_format="parquet", defects=24)
    listed = planted(tmp_path)
    assert "field_count" not in {rule for *_, rule in listed}
    for file, row, field, rule in listed:
        table = pq.read_table(tmp_path / file)
        value = table[field][row - 2].as_py()
        if rule == "required":
            assert value is None
        elif rule in ("type", "range", "code", "scale", "max_length"):
            assert str(value) in ("1,234", "ZZ") or len(str(value)) >= 3
            assert [str(v) for v in table[field].to_pylist()].count(str(value)) < 10


def test_large_state_has_faults_in_the_directory_without_harm_to_others(tmp_path: Path) -> None:
    from orchestration.synthetic.anchors import load_anchors
    from orchestration.synthetic.defects import plan

    places = [(2022, "organisations", ""), (2022, "sims", "october_1")]
    faults = plan(40, 950_000, places, CONTRACTS, "csv", load_anchors().defects).faults
    assert {fault.rule for fault in faults[places[0]]} == {"required", "year", "code"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"students": 499}, r"students: 499 is too few"),
        ({"years": []}, r"years: none given"),
        ({"years": [2019, 2018]}, r"years: 2019, 2018 do not follow one another"),
        ({"years": [2018, 2020]}, r"years: 2018, 2020 do not follow"),
        ({"years": [2019, 2019]}, r"years: 2019, 2019 do not follow"),
        ({"years": [2009, 2010]}, r"years: 2009-2010 is outside 2010-2030"),
        ({"years": [2030, 2031]}, r"years: 2030-2031 is outside 2010-2030"),
        ({"seed": -1}, r"seed: -1 is negative"),
        ({"defects": -1}, r"defects: -1 is negative"),
        ({"defects": 5000}, r"defects: 5000 are too many for 2000 students"),
        ({"file_format": "xlsx"}, r"file_format: 'xlsx' is not one of csv, parquet"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line) as refusal:
        make(tmp_path / "out", **changes)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    make(tmp_path, years=[2022], defects=3)
    before = digests(tmp_path)
    with pytest.raises(InputError, match=r"out: .*2022 already holds files"):
        make(tmp_path, years=[2021, 2022])
    with pytest.raises(InputError, match=r"_planted_defects\.csv is already there"):
        make(tmp_path, years=[2023], defects=3)
    assert digests(tmp_path) == before
    make(tmp_path, years=[2023])
    assert before.items() <= digests(tmp_path).items()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match=r"out: .* is a file"):
        make(tmp_path / "out")


def test_a_contract_that_moved_on_is_noticed(tmp_path: Path) -> None:
    fields = dict(CONTRACTS["access"].fields)
    fields["new_field"] = fields["grade"].model_copy(update={"name": "new_field"})
    moved: dict[str, Contract] = CONTRACTS | {"access": CONTRACTS["access"].model_copy(update={"fields": fields})}
    with pytest.raises(InputError, match="access: contract and generator disagree on new_field"):
        make(tmp_path, contracts=moved)
    assert list(tmp_path.rglob(".*")) == []


def test_progress_tells_every_file(tmp_path: Path) -> None:
    told: list[str] = []
    files = make(tmp_path, progress=told.append)
    assert told == [f"{f.year} {f.path.stem}: {f.rows:,} rows" for f in files]


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, orchestration.synthetic; print([m for m in ('numpy', 'pyarrow', 'pydantic') if m in sys.modules])"
    )
    arguments: Sequence[str] = [sys.executable, "-c", code]
    done = subprocess.run(arguments, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
