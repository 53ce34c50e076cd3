"""The policy register: a missing, doubled, contradicting or uncited parameter is an error that names its row."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestration.errors import InputError
from orchestration.policy import load_register
from orchestration.settings import PROJECT
from tests.support.workshop import CONTRACTS

FOLDER = PROJECT / "dbt_project" / "seeds" / "policy"
REGISTER = load_register(FOLDER)


def test_every_collection_has_its_tolerance_in_every_year() -> None:
    for year in REGISTER.school_years:
        for collection in CONTRACTS:
            assert 0 <= REGISTER.decimal(year, "quarantine_tolerance", collection) < 1


def test_school_years_are_without_gaps() -> None:
    years = REGISTER.school_years
    assert years == tuple(range(years[0], years[-1] + 1))


def test_tests_were_cancelled_in_2020_only() -> None:
    assert [year for year in REGISTER.school_years if REGISTER.suspended(year, "mcas")] == [2020]


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(InputError, match=r"no row for year 2025, rule quarantine_tolerance, parameter nothing"):
        REGISTER.decimal(2025, "quarantine_tolerance", "nothing")


@pytest.mark.parametrize(
    ("added", "fragment"),
    [
        ("2025,calendar,determinations,full,word,reports,confirmed", "of 2025 stands in"),
        ("2025,quarantine_tolerance,mcas,0.1,share,project,inferred", "stands in"),
        ("every,calendar,determinations,full,word,reports,confirmed", "contradicts the row for every year"),
        ("2025,x,y,1,count,project,inferred", "rule_id 'x' is in no rules*.csv"),
        ("2025,minimum_n,students,25,students,project,inferred", "stands in"),
        ("2025,minimum_n,y,1,count,,inferred", "citation_id '' is not in citations.csv"),
        ("2025,weight,y,1,count,nobody,confirmed", "citation_id 'nobody' is not in citations.csv"),
        ("2025,weight,y,1,count,project,certain", "status 'certain' is not one of"),
        ("2025,x,y,,count,project,inferred", "value is empty"),
        ("25x,x,y,1,count,project,inferred", "policy_year '25x' is neither a year nor 'every'"),
        ("2025,x,y,1,count,project", "does not have 7 values"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, added: str, fragment: str) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "policy")
    number = len((folder / "policy_intake.csv").read_text().splitlines()) + 1
    with (folder / "policy_intake.csv").open("a") as file:
        file.write(added + "\n")
    with pytest.raises(InputError) as error:
        load_register(folder)
    assert fragment in str(error.value)
    assert f"row {number}" in str(error.value) or added.startswith("every")


@pytest.mark.parametrize(
    ("file", "row", "fragment"),
    [
        ("rules.csv", "weight,determinations,Again.", "rule_id 'weight' is there twice"),
        ("rules.csv", "x,kitchen,A sentence.", "x: needs a sentence and a room, one of intake"),
        ("rules.csv", "x,intake,", "x: needs a sentence and a room"),
        ("rules_more.csv", "weight,determinations,Again.", "'weight' stands in another rules*.csv already"),
        ("citations.csv", "reports,Reports again,", "citation_id 'reports' is there twice"),
    ],
)
def test_a_bad_sentence_or_citation_is_named(tmp_path: Path, file: str, row: str, fragment: str) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "policy")
    path = folder / file
    header = "" if path.exists() else "rule_id,room,sentence\n"
    with path.open("a") as opened:
        opened.write(header + row + "\n")
    with pytest.raises(InputError) as error:
        load_register(folder)
    assert fragment in str(error.value)
    assert str(folder) in str(error.value)


def test_a_room_may_bring_its_sentences_in_a_file_of_its_own(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "policy")
    (folder / "rules_kitchen.csv").write_text("rule_id,room,sentence\nx,intake,What x is.\n")
    (folder / "policy_kitchen.csv").write_text(
        "policy_year,rule_id,parameter,value,unit,citation_id,status\nevery,x,y,1,count,project,inferred\n"
    )
    assert load_register(folder).integer(2025, "x", "y") == 1


def test_a_number_that_is_none_is_named(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "policy")
    (folder / "rules_x.csv").write_text("rule_id,room,sentence\nx,intake,What x is.\n")
    with (folder / "policy_intake.csv").open("a") as file:
        file.write("2025,x,share,half,share,project,inferred\n2025,x,count,1.5,count,project,inferred\n")
    register = load_register(folder)
    with pytest.raises(InputError, match=r"value 'half' of x\.share is not a number"):
        register.decimal(2025, "x", "share")
    with pytest.raises(InputError, match=r"x\.count must be a whole number"):
        register.integer(2025, "x", "count")


def test_a_missing_file_and_a_wrong_header_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"citations.csv: No such file"):
        load_register(tmp_path)
    (tmp_path / "citations.csv").write_text("id\n")
    with pytest.raises(InputError, match="the header must be citation_id,title,address"):
        load_register(tmp_path)
