"""Recomputing published reports: weighted points, percentages by column and gradespan, annual, cumulative, progress.

Belongs here: what a page leaves open (gradespan weights as whole percents or not at all, the decimals of an annual
percentage) as ranges, carried through the same functions that make a determination. Does not: the arithmetic
(`percentages`). Every stage rises with what goes into it, so the two ends of a range are enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from orchestration.determinations.percentage_rules import PercentageRules
from orchestration.determinations.percentages import (
    ColumnScore,
    Percentage,
    Place,
    annual_percentage,
    cumulative_percentage,
    gradespan_percentage,
    score_column,
)
from orchestration.determinations.printed_figures import (
    DIFFERS,
    POSSIBLE,
    RECOMPUTED,
    UNDECIDED,
    Figure,
    RulesByYear,
)
from orchestration.determinations.published import Report
from orchestration.determinations.report_columns import ALL_STUDENTS, GRADESPANS, LOWEST_PERFORMING
from orchestration.errors import InputError
from orchestration.exact import half_up

HALF = Decimal("0.5")
POPULATIONS = {"all": ALL_STUDENTS, "lowest": LOWEST_PERFORMING}
NO_POINTS = "the page does not show the points behind it"
NO_WEIGHTS = "the page does not print the gradespan weights exactly"
NO_DECIMALS = "the page does not print the annual percentages with the decimals that they keep"
NO_PRIOR_REPORT = "the prior year's own report is not in the file; taken as given"
RESTATED = "the prior year's own report has another figure: restated since, or wrong; taken as given"
IF_RESTATED = "follows only if the prior annual percentage was restated since the prior year's own report"
NOT_ON_PAGE = "needs more than a report shows"


@dataclass(frozen=True)
class Range:
    """Kept percentages from `low` to `high`, both included."""

    low: Decimal
    high: Decimal

    def meets(self, other: Range) -> bool:
        return self.low <= other.high and other.low <= self.high

    def within(self, other: Range) -> Range:
        """The part that lies in `other` too, or itself where there is none."""
        return Range(max(self.low, other.low), min(self.high, other.high)) if self.meets(other) else self


Annuals: TypeAlias = dict[tuple[str, int], Range]


def check_reports(reports: Iterable[Report], rules: RulesByYear) -> list[Figure]:
    """Every printed figure of the reports; a prior year's own report narrows its annual percentage.

    Raises InputError naming the report and the field at fault.
    """
    figures: dict[int, list[Figure]] = {}
    annuals: Annuals = {}
    for position, report in sorted(enumerate(reports), key=lambda entry: entry[1].year):
        try:
            figures[position] = list(_ReportCheck(report, rules, annuals).figures())
        except InputError as error:
            raise InputError(f"reports[{position}] ({report.id}): {error}") from None
    return [figure for position in sorted(figures) for figure in figures[position]]


class _ReportCheck:
    """The check of one report; `annuals` holds the annual percentages of the earlier ones and takes up its own."""

    def __init__(self, report: Report, by_year: RulesByYear, annuals: Annuals):
        self.report, self.printed, self.by_year, self.annuals = report, report.printed, by_year, annuals
        self.rules: PercentageRules = by_year[report.year].percentages

    def figures(self) -> Iterator[Figure]:
        columns = dict(self._columns())
        for column, printed in self.printed.columns.items():
            yield from self._column_figures(column, printed, columns.get(column))
        gradespans = list(self._gradespans(columns))
        for gradespan, shown in (self.printed.gradespan_pct or {}).items():
            kept = next((part.kept for part in gradespans if part.place.gradespan == gradespan), None)
            yield from self._percentage(f"gradespan_pct.{gradespan}", shown, _from_to([kept]))
        yield from self._fixed_weights()
        annual = self._annual(gradespans)
        yield from self._percentage("annual", self.printed.annual, annual, NO_WEIGHTS)
        annual = _narrowed(annual, self.printed.annual, self.rules, "annual")
        yield from self._prior_annual()
        cumulative, why = self._cumulative(gradespans, annual)
        yield from self._percentage("cumulative", self.printed.cumulative, cumulative, why)
        yield from self._progress(_narrowed(cumulative, self.printed.cumulative, self.rules, "cumulative"))
        for name, value in (self.printed.model_extra or {}).items():
            if value is not None:
                yield self._open(name, value, NOT_ON_PAGE)
        if annual is not None:
            self.annuals[(self.report.org_code, self.report.year)] = annual

    def _columns(self) -> Iterator[tuple[str, ColumnScore]]:
        for column, shown in self.report.points.items():
            points = {indicator: value for indicator, value in shown.items() if value is not None}
            gradespan, _, population = column.rpartition("_")
            if points:
                place = Place(self.report.org_code, gradespan, POPULATIONS[population])
                yield column, score_column(place, points, self.rules)

    def _column_figures(
        self, column: str, printed: Mapping[str, Decimal | None], score: ColumnScore | None
    ) -> Iterator[Figure]:
        for name, shown in printed.items():
            if shown is None:
                continue
            place = f"{column}.{name}"
            made = score and {
                "weighted_earned": score.weighted_earned,
                "weighted_possible": score.weighted_possible,
                "pct_of_possible": score.percentage.shown,
            }
            if made and name in made:
                yield self._figure(place, shown, made[name], RECOMPUTED if shown == made[name] else DIFFERS)
            else:
                yield self._open(place, shown, NOT_ON_PAGE if made else NO_POINTS)

    def _gradespans(self, columns: Mapping[str, ColumnScore]) -> Iterator[Percentage]:
        for gradespan in GRADESPANS:
            parts = {name: score.percentage for name, score in columns.items() if name.rpartition("_")[0] == gradespan}
            if everyone := parts.get(f"{gradespan}_all"):
                yield gradespan_percentage(everyone, parts.get(f"{gradespan}_lowest"), self.rules)

    def _fixed_weights(self) -> Iterator[Figure]:
        """Weights are printed figures where the policy fixes them, and given ones where enrolment makes them."""
        if self.rules.gradespans:
            for gradespan, shown in (self.report.gradespan_weight_pct or {}).items():
                made = self.rules.gradespans.of[gradespan]
                yield self._figure(
                    f"gradespan_weight_pct.{gradespan}", shown, made, RECOMPUTED if shown == made else DIFFERS
                )

    def _annual(self, gradespans: list[Percentage]) -> Range | None:
        """The annual percentage at the two ends of what the gradespan weights may be."""
        if not gradespans:
            return None
        weights = ({"non_high": weight, "high": 100 - weight} for weight in self._non_high_weight())
        return _from_to([annual_percentage(gradespans, ends, self.rules).kept for ends in weights])

    def _non_high_weight(self) -> tuple[Decimal, Decimal]:
        """The weight of the non-high grades in percent, from and to, as far as the page pins it down."""
        low, high = Decimal(0), Decimal(100)
        weights = self.report.gradespan_weight_pct or {}
        for gradespan, printed in weights.items():
            shown = printed if gradespan == "non_high" else 100 - printed
            low, high = max(low, shown - HALF), min(high, shown + HALF)
        if low > high:
            raise InputError(f"gradespan_weight_pct: {dict(weights)} do not sum to 100")
        return low, high

    def _prior_annual(self) -> Iterator[Figure]:
        shown = self.printed.prior_annual
        if shown is None:
            return
        own = self.annuals.get((self.report.org_code, self.rules.prior_year or 0))
        if own is None:
            yield self._open("prior_annual", shown, NO_PRIOR_REPORT)
        elif own.meets(_showing(shown, self.by_year[self.rules.prior_year or 0].percentages, "annual")):
            yield from self._percentage("prior_annual", shown, own, NO_WEIGHTS)
        else:
            yield self._open("prior_annual", shown, RESTATED)

    def _cumulative(self, gradespans: list[Percentage], annual: Range | None) -> tuple[Range | None, str]:
        """The cumulative percentage from the lowest to the highest that both annuals may be, and what leaves it open.

        A prior annual is the one restated by this page. The prior year's own report narrows it only while the printed
        cumulative follows: a restatement may leave the whole percent as it was.
        """
        if annual is None:
            return None, NO_POINTS
        made, left_open = None, NO_DECIMALS
        for prior, why in self._prior_ranges():
            befores = (prior.low, prior.high) if prior else (None, None)
            made = _from_to(
                [
                    cumulative_percentage(gradespans[0]._replace(kept=current), before, self.rules).kept
                    for current, before in zip((annual.low, annual.high), befores, strict=True)
                ]
            )
            left_open = why
            shown = self.printed.cumulative
            if shown is None or made is None or made.meets(_showing(shown, self.rules, "cumulative")):
                break
        return made, left_open

    def _prior_ranges(self) -> Iterator[tuple[Range | None, str]]:
        """What the prior annual may be, the narrowest first, and what then leaves the cumulative open."""
        shown, year = self.printed.prior_annual, self.rules.prior_year
        if year is None:
            yield None, NO_WEIGHTS
        elif shown is None:
            yield Range(Decimal(0), Decimal(100)), "the page does not print the prior annual percentage"
        else:
            printed = _showing(shown, self.by_year[year].percentages, "annual")
            own = self.annuals.get((self.report.org_code, year))
            if own and own.meets(printed):
                yield printed.within(own), NO_DECIMALS
            yield printed, IF_RESTATED if own else NO_DECIMALS

    def _progress(self, percentage: Range | None) -> Iterator[Figure]:
        """The words of progress, which follow from the percentage that the page prints."""
        printed = self.printed.progress_label
        if printed is None:
            return
        if percentage is None or (self.printed.annual is None and self.printed.cumulative is None):
            yield self._open("progress_label", printed, "the page prints no percentage to put into words")
            return
        low, high = (half_up(end, self.rules.places.shown_percentage) for end in (percentage.low, percentage.high))
        rules = self.by_year[self.report.year].classification
        words = [rules.reasons[band.reason].value for band in rules.bands if low <= band.high and high >= band.low]
        outcome = DIFFERS if printed not in words else RECOMPUTED if len(words) == 1 else POSSIBLE
        yield self._figure("progress_label", printed, " or ".join(words), outcome, NO_DECIMALS)

    def _percentage(self, name: str, shown: Decimal | None, made: Range | None, why: str = "") -> Iterator[Figure]:
        """A printed percentage against a range of kept ones."""
        if shown is None:
            return
        if made is None:
            yield self._open(name, shown, NO_POINTS)
            return
        low, high = (half_up(end, self.rules.places.shown_percentage) for end in (made.low, made.high))
        outcome = DIFFERS if not low <= shown <= high else RECOMPUTED if low == high else POSSIBLE
        if why == IF_RESTATED and outcome == RECOMPUTED:
            outcome = POSSIBLE
        yield self._figure(name, shown, f"{low} to {high}" if low < high else low, outcome, why)

    def _open(self, name: str, shown: object, why: str) -> Figure:
        return self._figure(name, shown, "", UNDECIDED, why)

    def _figure(self, name: str, shown: object, made: object, outcome: str, why: str = "") -> Figure:
        return Figure(self.report.id, name, str(shown), str(made), outcome, why)


def _from_to(ends: list[Decimal | None]) -> Range | None:
    kept = [end for end in ends if end is not None]
    return Range(min(kept), max(kept)) if kept else None


def _showing(shown: Decimal, rules: PercentageRules, stage: str) -> Range:
    """Percentages that show as `shown`: from half below to just under half above, in the decimals that the stage keeps.

    A year that stands alone keeps no other decimals for its cumulative than for its annual percentage.
    """
    places = rules.places.kept.get(stage, rules.places.kept["annual"])
    half, step = HALF.scaleb(-rules.places.shown_percentage), Decimal(1).scaleb(-places)
    return Range(max(shown - half, Decimal(0)), min(shown + half - step, Decimal(100)))


def _narrowed(made: Range | None, shown: Decimal | None, rules: PercentageRules, stage: str) -> Range | None:
    return made if made is None or shown is None else made.within(_showing(shown, rules, stage))
