"""A printed figure and how far it could be recomputed, and the rules that it is recomputed with.

Belongs here: the outcomes. Does not: how reports (`verify_reports`) and cases (`verify_cases`) are recomputed.
A figure is *recomputed* when everything that the page leaves open gives it; *possible* when what the page gives leads
to it, but what it does not print could lead elsewhere; *not decided* when the page gives too little; and it *differs*
when nothing that the page leaves open leads to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from orchestration import policy_tables as tables
from orchestration.determinations.classification_rules import ClassificationRules, classification_rules
from orchestration.determinations.federal import FederalRules, federal_rules
from orchestration.determinations.percentage_rules import PercentageRules, percentage_rules
from orchestration.determinations.points_rules import PointsRules, points_rules
from orchestration.determinations.scoring_rules import check_rows
from orchestration.policy import Register

RECOMPUTED, POSSIBLE, UNDECIDED, DIFFERS = "recomputed", "possible", "not decided", "differs"


@dataclass(frozen=True)
class Figure:
    """One printed figure: where it stands, what is printed, what was computed, the outcome and why it is that."""

    source: str
    name: str
    printed: str
    computed: str
    outcome: str
    why: str = ""


@dataclass(frozen=True, eq=False)
class YearRules:
    """The rules of one year that pages are recomputed with. Built once a year, hence equal to itself only."""

    register: Register
    year: int

    @cached_property
    def points(self) -> PointsRules:
        return points_rules(self.register, self.year)

    @cached_property
    def percentages(self) -> PercentageRules:
        return percentage_rules(self.register, self.year)

    @cached_property
    def classification(self) -> ClassificationRules:
        return classification_rules(self.register, self.year)

    @cached_property
    def federal(self) -> FederalRules:
        return federal_rules(self.register, self.year)

    @cached_property
    def groups(self) -> dict[str, str]:
        """Printed label to student group."""
        return {row.value: name for name, row in tables.table(self.register, self.year, "group_label").items()}


class RulesByYear:
    """The rules of each year that a page asks for, built once."""

    def __init__(self, register: Register):
        check_rows(register)
        self.register = register
        self.years: dict[int, YearRules] = {}

    def __getitem__(self, year: int) -> YearRules:
        if year not in self.years:
            self.years[year] = YearRules(self.register, year)
            _ = self.years[year].points  # a year without determinations is an error here, before anything is compared
        return self.years[year]
