"""Published classifications: what the Department decided, with the inputs that were published."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from orchestration.determinations.classification import classify
from orchestration.determinations.classification_rules import classification_rules
from orchestration.determinations.federal import SchoolStanding, federal_designations, federal_rules
from orchestration.determinations.grounds import Facts
from orchestration.determinations.ledgers import Designation, Recognition
from orchestration.determinations.participation import ParticipationRate
from orchestration.settings import PROJECT
from tests.support.determinations import REGISTER

CASES = PROJECT.parent / "shared" / "oracle" / "classification-cases.json"


@cache
def cases() -> dict[str, dict[str, Any]]:
    if not CASES.is_file():
        pytest.fail(f"{CASES} is missing: without it nothing is held against published classifications")
    return {case["id"]: case for case in json.loads(CASES.read_text())["cases"]}


def test_every_case_is_looked_at() -> None:
    assert set(cases()) == {
        "class-2018-realschool",
        "class-2019-lawrence",
        "list-2019-broad-comprehensive",
        "list-2019-recognition-sample",
        "class-2025-lynn-english",
    }


def test_a_school_of_2018_that_met_everything_but_the_participation_of_one_group() -> None:
    case = cases()["class-2018-realschool"]
    given, low = case["inputs"], case["inputs"]["participation_two_year"]
    # The page prints the whole school's rates of 2018 and the one group's rate over two years.
    rates = [
        ParticipationRate("all_students", name, 100, rate, None) for name, rate in given["participation_2018"].items()
    ]
    assert low["group"] == REGISTER.row(2018, "group_label", "students_with_disabilities").value
    rates.append(ParticipationRate("students_with_disabilities", low["subject"], 20, low["rate"], low["rate"]))
    facts = Facts(
        "00010505",
        "school",
        percentile=given["accountability_percentile"],
        graduation_rate=Decimal(str(given["four_year_graduation_rate"])),
        participation=tuple(rates),
        annual=given["criterion_referenced_target_percentage"],
    )
    found = classify(classification_rules(REGISTER, case["year"]), [facts])[0][0]
    assert found.overall_classification == case["expected"]["overall_classification"]
    assert found.reason == case["expected"]["reason"]
    assert found.progress == "Meeting targets"
    assert [ground.test for ground in found.grounds if ground.met] == ["participation", "progress"]
    assert found.low_participation_groups == ("students_with_disabilities",)


def test_lawrence_in_2019() -> None:
    case = cases()["class-2019-lawrence"]
    word = case["inputs"]["designation"].replace(" ", "_")
    ledger = [Designation("01490000", word, date(2011, 11, 29), None, "Board", "results", "vote")]
    facts = Facts("01490000", "district", annual=case["inputs"]["cumulative"], cumulative=case["inputs"]["cumulative"])
    found = classify(classification_rules(REGISTER, case["year"]), [facts], ledger)[0][0]
    assert (found.reason, found.progress) == (case["expected"]["reason"], case["inputs"]["cumulative_label"])


def test_the_26_designated_schools_of_2019() -> None:
    case = cases()["list-2019-broad-comprehensive"]
    schools = case["expected"]["schools"]
    words = [school["designation"].lower().replace(" ", "_") for school in schools]
    codes = [f"{n:08d}" for n in range(len(schools))]
    day = date(2018, 1, 1)
    ledger = [
        Designation(c, w, day, None, "Commissioner", "results", "list") for c, w in zip(codes, words, strict=True)
    ]
    found, _ = classify(classification_rules(REGISTER, 2019), [Facts(code, "school") for code in codes], ledger)
    assert [entry.reason for entry in found] == [case["inputs"]["reason"]] * case["expected"]["count"]


def test_the_recognised_schools_of_2019_with_their_grounds_as_printed() -> None:
    case = cases()["list-2019-recognition-sample"]
    grounds = {row.value: row.parameter for row in REGISTER.rows if row.rule_id == "recognition_label"}
    for school in case["expected"]["schools"]:
        printed = school["recognition_category"]
        ledger = [Recognition(2019, "A", grounds[label], "Commissioner", "list") for label in printed.split(" - ")]
        facts = Facts("A", "school", percentile=80, annual=60)
        found = classify(classification_rules(REGISTER, 2019), [facts], (), ledger)[0][0]
        assert (found.reason, " - ".join(found.recognition)) == (case["inputs"]["reason"], printed)


def test_lynn_english_in_2025() -> None:
    case = cases()["class-2025-lynn-english"]
    code, percentile = case["inputs"]["org_code"], case["inputs"]["accountability_percentile"]
    facts = Facts(code, "school", percentile=percentile)
    found = classify(classification_rules(REGISTER, case["year"]), [facts])[0][0]
    assert found.overall_classification == case["expected"]["overall_classification"]
    standing = SchoolStanding(code, "Title I School", percentile=percentile)
    federal = federal_designations(federal_rules(REGISTER, case["year"]), [standing])[0][0]
    assert federal.designation == case["expected"]["federal_designation"]
