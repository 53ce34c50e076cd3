"""The rules of target percentages of one year, built from the policy register and checked before any data is read.

Belongs here: columns and weights, decimals kept and shown, the weights of populations, gradespans and years. Does not:
any arithmetic. Source: rulebook section 7; the formula is printed on the 2018 reports, the order of rounding is
inferred from printed figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from orchestration import policy_tables as tables
from orchestration.determinations.report_columns import (
    GRADESPANS,
    POPULATIONS,
    ReportColumn,
    column_name,
    report_columns,
)
from orchestration.errors import InputError
from orchestration.policy import PolicyRow, Register

STAGES = ("weighted_points", "column", "gradespan", "annual")
CUMULATIVE_STAGES = ("prior_annual", "cumulative")


@dataclass(frozen=True)
class Places:
    """Decimals that each stage keeps, and decimals that the report shows."""

    kept: Mapping[str, int]
    rows: Mapping[str, PolicyRow]
    shown_points: int
    shown_percentage: int


@dataclass(frozen=True)
class Shares:
    """Weights that sum to 100, with their rows: of populations, of gradespans where fixed, of years."""

    of: Mapping[str, Decimal]
    rows: tuple[PolicyRow, ...]


@dataclass(frozen=True)
class PercentageRules:
    """Everything that decides target percentages of `year`.

    `gradespans` is None where enrolment weighs the gradespans; `prior_year` and `years` are None where a year stands
    alone. `enrolled_grades` names the grades whose students weigh each gradespan.
    """

    year: int
    columns: Mapping[str, ReportColumn]
    most: int
    most_row: PolicyRow
    places: Places
    populations: Shares
    gradespans: Shares | None
    gradespan_rows: tuple[PolicyRow, ...]
    enrolled_grades: Mapping[str, tuple[str, ...]]
    prior_year: int | None
    prior_row: PolicyRow
    years: Shares | None
    current_stands_alone: bool
    without_prior: PolicyRow
    group_population: str
    group_row: PolicyRow
    missing_category: PolicyRow
    missing_population: PolicyRow

    def column(self, gradespan: str, student_group: str) -> ReportColumn:
        """The column in which the points of a group stand."""
        return self.columns[column_name(gradespan, student_group, self.group_population)]


def percentage_rules(register: Register, year: int) -> PercentageRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown or contradicts another."""

    def only(rule_id: str, parameter: str) -> PolicyRow:
        rows = tables.table(register, year, rule_id)
        return tables.exactly(rows, (parameter,), rule_id, year)[parameter]

    most = only("possible_points", "per_indicator")
    cumulative = tables.table(register, year, "cumulative")
    prior_row = register.row(year, "cumulative", "prior_year")
    prior_year = _prior_year(prior_row, year)
    weights = ("prior_weight", "current_weight") if prior_year else ()
    tables.exactly(cumulative, ("prior_year", "without_prior", *weights), "cumulative", year)
    without_prior = cumulative["without_prior"]
    gradespans, gradespan_rows, grades = _gradespans(register, year)
    group = only("student_group_column", "population")
    missing_category = only("missing_category", "other_weights")
    missing_population = only("missing_population", "lowest")
    tables.word(missing_category, ("unchanged",))
    tables.word(missing_population, ("all_alone",))
    return PercentageRules(
        year=year,
        columns=report_columns(register, year),
        most=tables.whole(most, 1),
        most_row=most,
        places=_places(register, year, (*STAGES, *(CUMULATIVE_STAGES if prior_year else ()))),
        populations=_shares(tables.table(register, year, "population_weight"), POPULATIONS, "population_weight", year),
        gradespans=gradespans,
        gradespan_rows=gradespan_rows,
        enrolled_grades=grades,
        prior_year=prior_year,
        prior_row=prior_row,
        years=_shares({w: cumulative[w] for w in weights}, weights, "cumulative", year) if weights else None,
        current_stands_alone=tables.word(without_prior, ("current_alone", "none")) == "current_alone",
        without_prior=without_prior,
        group_population=tables.word(group, POPULATIONS),
        group_row=group,
        missing_category=missing_category,
        missing_population=missing_population,
    )


def _places(register: Register, year: int, stages: tuple[str, ...]) -> Places:
    rows = tables.exactly(tables.table(register, year, "decimals_kept"), stages, "decimals_kept", year)
    names = ("weighted_points", "percentage")
    shown = tables.exactly(tables.table(register, year, "decimals_shown"), names, "decimals_shown", year)
    return Places(
        kept={stage: tables.whole(row, 0, 9) for stage, row in rows.items()},
        rows=rows,
        shown_points=tables.whole(shown["weighted_points"], 0, 9),
        shown_percentage=tables.whole(shown["percentage"], 0, 9),
    )


def _shares(rows: Mapping[str, PolicyRow], names: tuple[str, ...], rule_id: str, year: int) -> Shares:
    """Weights in percent of exactly these names; they sum to 100."""
    checked = tables.exactly(dict(rows), names, rule_id, year)
    shares = {name: tables.number(checked[name], 0, 100) for name in names}
    if (total := sum(shares.values())) != 100:
        raise InputError(f"{checked[names[0]].where}: {rule_id} of {year} sums to {total}, not to 100")
    return Shares(shares, tuple(checked[name] for name in names))


def _gradespans(
    register: Register, year: int
) -> tuple[Shares | None, tuple[PolicyRow, ...], dict[str, tuple[str, ...]]]:
    """Fixed weights or none, the rows to cite, and the grades whose students weigh a gradespan."""
    rows = tables.table(register, year, "gradespan_weight")
    method = register.row(year, "gradespan_weight", "method")
    if tables.word(method, ("fixed", "enrolment")) == "fixed":
        tables.exactly(rows, ("method", *GRADESPANS), "gradespan_weight", year)
        weights = {name: rows[name] for name in GRADESPANS}
        shares = _shares(weights, GRADESPANS, "gradespan_weight", year)
        return shares, (method, *shares.rows), {}
    tables.exactly(rows, ("method",), "gradespan_weight", year)
    enrolled = tables.exactly(tables.table(register, year, "enrolment_grades"), GRADESPANS, "enrolment_grades", year)
    grades = {span: tuple(enrolled[span].value.split()) for span in GRADESPANS}
    if twice := set(grades[GRADESPANS[0]]) & set(grades[GRADESPANS[1]]):
        raise InputError(f"{enrolled[GRADESPANS[0]].where}: grade {min(twice)} weighs both gradespans")
    return None, (method, *(enrolled[span] for span in GRADESPANS)), grades


def _prior_year(row: PolicyRow, year: int) -> int | None:
    if row.value == "none":
        return None
    prior = tables.whole(row, 1)
    if prior >= year:
        raise InputError(f"{row.where}: prior year {prior} is not before {year}")
    return prior
