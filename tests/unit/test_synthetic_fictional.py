"""The generated organisations: none is real, and there are as many as a state of the size has."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.synthetic import names, organisations
from orchestration.synthetic.anchors import load_anchors

PROJECT = Path(__file__).resolve().parents[2]
REAL = PROJECT.parent / "shared" / "data" / "e2c"


def real_rows(name: str) -> Iterator[dict[str, str]]:
    path = REAL / name
    if not path.is_file():
        pytest.fail(f"{path} is missing: without the real directory nothing shows that the state is fictional")
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


# Fictional


@pytest.fixture(scope="module")
def real_words() -> set[str]:
    """Names of real towns, districts and schools, and every single word in them, in small letters."""
    found: set[str] = set()
    for row in real_rows("school_directory_2026.csv"):
        found |= {row[column].casefold() for column in ("town", "name", "dist_name")}
    for row in real_rows("t8td-gens_enrollment.csv"):
        found |= {part.strip().casefold() for part in row["org_name"].split(" - ")}
    return found | {word.strip("(),.'\"") for name in found for word in name.replace("-", " ").split()}


@pytest.fixture(scope="module")
def real_codes() -> set[str]:
    found = {row[column] for row in real_rows("school_directory_2026.csv") for column in ("org_code", "dist_code")}
    return found | {
        row[column] for row in real_rows("t8td-gens_enrollment.csv") for column in ("org_code", "dist_code")
    }


def test_no_invented_word_is_a_real_town_school_or_district(real_words: set[str]) -> None:
    words = itertools.chain(
        itertools.product(names.TOWN_STARTS, names.TOWN_ENDS), itertools.product(names.SCHOOL_STARTS, names.SCHOOL_ENDS)
    )
    assert {"".join(parts).casefold() for parts in words} & real_words == set()


def test_names_and_codes_of_a_full_size_state_are_fictional(real_words: set[str], real_codes: set[str]) -> None:
    directory = organisations.build(950_000, (2022,), 7, load_anchors())
    used = {*directory.name, *directory.district_name, *directory.district_town, organisations.STATE_NAME}
    assert {name.casefold() for name in used} & real_words == set()
    codes = {*directory.code, *directory.district_code}
    assert codes & real_codes == set()
    assert {code[:2] for code in codes} & {code[:2] for code in real_codes} == set()
    assert len(codes) == len(directory.code) + len(directory.district_code)
    assert all(
        code[:4] == directory.district_code[d][:4] for code, d in zip(directory.code, directory.district, strict=True)
    )
    assert len(directory.code) == pytest.approx(1850, rel=0.03)
    assert len(directory.district_code) == pytest.approx(400, rel=0.03)


@pytest.mark.parametrize(("students", "schools", "districts"), [(20_000, 60, 18), (2_000, 16, 8)])
def test_number_of_organisations(students: int, schools: int, districts: int) -> None:
    for seed in range(5):
        directory = organisations.build(students, (2018, 2019, 2020), seed, load_anchors())
        assert len(directory.code) >= schools
        assert len(directory.district_code) >= districts
