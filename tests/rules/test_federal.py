"""Federal designations in worked examples."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from orchestration.determinations.federal import (
    FederalDesignation,
    SchoolStanding,
    federal_designations,
    federal_rules,
)
from orchestration.errors import InputError
from tests.support.determinations import REGISTER, changed

SCHOOL = SchoolStanding("00010101", "Title I School", percentile=50)
RULES = federal_rules(REGISTER, 2025)


def designate(school: SchoolStanding, year: int = 2025) -> FederalDesignation:
    return federal_designations(federal_rules(REGISTER, year), [school, *others(30)])[0][0]


def others(count: int) -> list[SchoolStanding]:
    """Title I schools of which two are low, so that the share of identified schools is reached without anyone else."""
    percentiles = [1, 1, *range(20, 18 + count)]
    return [SchoolStanding(f"0002{n:04d}", "Title I School", percentile=p) for n, p in enumerate(percentiles)]


@pytest.mark.parametrize(
    ("title_i", "percentile", "kind"),
    [("Title I School", 5, "csi"), ("Title I School", 6, "none"), ("Non-Title I School", 1, "none")],
)
def test_csi_by_percentile_is_for_title_i_schools(title_i: str, percentile: int, kind: str) -> None:
    assert designate(replace(SCHOOL, title_i=title_i, percentile=percentile)).kind == kind


@pytest.mark.parametrize(("rate", "kind"), [("66.6", "csi"), ("66.7", "none")])
@pytest.mark.parametrize("title_i", ["Title I School", "Non-Title I School"])
def test_csi_by_graduation_rate_is_for_any_school(rate: str, kind: str, title_i: str) -> None:
    found = designate(replace(SCHOOL, title_i=title_i, graduation_rate=Decimal(rate)))
    assert (found.kind, found.reasons) == (kind, ("csi/graduation_rate",) if kind == "csi" else ())


def test_csi_reaches_up_until_five_percent_of_title_i_schools_are_identified() -> None:
    schools = [replace(SCHOOL, org_code=f"{n:08d}", percentile=20 + n) for n in range(40)]
    schools.append(replace(SCHOOL, org_code="00000099", title_i="Non-Title I School", percentile=20))
    found, steps = federal_designations(RULES, schools)
    # Nobody is at 5 or below; two of 40 are five percent: those at 20 and 21.
    assert [entry.org_code for entry in found if entry.kind == "csi"] == ["00000000", "00000001"]
    assert steps[0].inputs["csi_percentile_at_most"] == 21


@pytest.mark.parametrize(("percentile", "kind"), [(5, "tsi"), (6, "none")])
def test_tsi_by_a_low_group(percentile: int, kind: str) -> None:
    found = designate(replace(SCHOOL, group_percentiles={"asian": percentile, "white": 50}))
    assert (found.kind, found.reasons) == (kind, ("tsi/asian",) if kind == "tsi" else ())


@pytest.mark.parametrize(("alone", "kind"), [(5, "atsi"), (6, "tsi"), (None, "tsi")])
def test_atsi_by_a_low_group_that_would_be_a_csi_school(alone: int | None, kind: str) -> None:
    found = designate(replace(SCHOOL, group_percentiles={"asian": 3}, groups_alone={"asian": alone}))
    assert found.kind == kind


def test_one_designation_every_reason() -> None:
    low = replace(SCHOOL, percentile=2, group_percentiles={"asian": 3}, groups_alone={"asian": 1})
    found = designate(low)
    assert found.designation == "Comprehensive Support and Improvement (CSI)"
    assert found.reasons == ("csi/percentile", "tsi/asian", "atsi/asian")
    assert designate(SCHOOL).designation == "-"


def test_nobody_is_identified_in_2022() -> None:
    found, steps = federal_designations(federal_rules(REGISTER, 2022), [replace(SCHOOL, percentile=1)])
    assert (found[0].designation, steps[0].status) == ("-", "not_applicable")


def test_the_title_i_condition_is_a_policy_row() -> None:
    rules = federal_rules(changed(("federal_csi", "graduation_rate_needs_title_i", "yes")), 2025)
    school = replace(SCHOOL, title_i="Non-Title I School", graduation_rate=Decimal("10.0"))
    assert federal_designations(rules, [school])[0][0].kind == "none"


def test_an_unknown_title_i_status_is_named() -> None:
    with pytest.raises(InputError, match="00010101: title_i 'Title II' is not one of Title I School"):
        designate(replace(SCHOOL, title_i="Title II"))


def test_the_step_names_what_it_stands_on() -> None:
    _, steps = federal_designations(RULES, [replace(SCHOOL, group_percentiles={"asian": 3})])
    assert steps[0].key == "2025/00010101/federal"
    assert steps[0].upstream == ("2025/00010101/percentile/all_students", "2025/00010101/percentile/asian")
    assert {row.status for row in steps[0].parameters if row.rule_id.startswith("federal_csi")} == {"inferred"}
