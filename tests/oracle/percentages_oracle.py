"""Percentages of possible points by column, gradespan, year and two years, a second time from the rulebook.

Belongs here: sections 3 and 7 with the policy rows as data. Does not: any line of the project's rule code; nor points
(points_oracle.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from orchestration.determinations.reading import Organisation
from tests.oracle.points_oracle import ALL, LOWEST, SPANS, Book, Key, Points, Year, rounded

Place: TypeAlias = tuple[str, str, str, str | None]
"""Organisation, student group, stage, gradespan (none from the annual percentage on)."""


class Share(NamedTuple):
    """The figures of a row of target_percentages. Without a percentage `status` lists all that may stand there."""

    report_column: str | None
    weighted_earned: Decimal | None
    weighted_possible: Decimal | None
    kept: Decimal | None
    shown: int | None
    status: str


def percentages(year: Year, points: Mapping[Key, Points]) -> dict[Place, Share]:
    """Every row of target_percentages."""
    awarded: dict[tuple[str, str, str], dict[str, Points]] = defaultdict(dict)
    for (org, span, group, indicator), award in points.items():
        awarded[org, span, group][indicator] = award
    found: dict[Place, Share] = {}
    for (org, span, group), awards in awarded.items():
        found[org, group, "column", span] = column_share(year.book, span, group, awards)
    for org, span, group in awarded:
        if group != LOWEST:
            lowest = found.get((org, LOWEST, "column", span)) if group == ALL else None
            found[org, group, "gradespan", span] = gradespan_share(year.book, found[org, group, "column", span], lowest)
    for org, group in sorted({(org, group) for org, _, group in awarded if group != LOWEST}):
        spans = {span: found[org, group, "gradespan", span] for span in SPANS if (org, span, group) in awarded}
        annual = _annual(year.book, year.inputs.organisations[org], spans)
        found[org, group, "annual", None] = annual
        before = (year.inputs.prior_annuals or {}).get((org, group))
        found[org, group, "cumulative", None] = _cumulative(year.book, annual, before)
    return found


def column_share(book: Book, span: str, group: str, awards: Mapping[str, Points]) -> Share:
    """Section 7, steps 1 to 3: category totals times weights, each sum rounded; the share of the rounded sums."""
    column = f"{span}_{'lowest' if group == LOWEST else 'all'}"
    earned_by = {indicator: award.points for indicator, award in awards.items() if award.points is not None}
    if not earned_by:
        return Share(column, None, None, None, None, _why_not(awards))
    earned, possible = weighted(book, span, group, earned_by)
    decimals = int(book["decimals_kept"]["weighted_points"])
    total, most = rounded(earned, decimals), rounded(possible, decimals)
    share = kept_share(book, Fraction(total) / Fraction(most) * 100, "column")
    return share._replace(report_column=column, weighted_earned=total, weighted_possible=most)


def weighted(book: Book, span: str, group: str, earned_by: Mapping[str, int]) -> tuple[Fraction, Fraction]:
    """Points earned and possible of the categories present, by their weights, before any rounding."""
    scheme = f"{span}_{'lowest' if group == LOWEST else 'all'}_{'with' if 'el_progress' in earned_by else 'without'}_el"
    earned, possible = Fraction(0), Fraction(0)
    for category, members in book.column(span, group).items():
        present = [indicator for indicator in members if indicator in earned_by]
        if present:
            weight = Fraction(book["weight"][f"{scheme}_{category}"]) / 100
            earned += weight * sum(earned_by[indicator] for indicator in present)
            possible += weight * int(book["possible_points"]["per_indicator"]) * len(present)
    return earned, possible


def _why_not(awards: Mapping[str, Points]) -> str:
    """Every status of the column's figures: no rule says which of them a column without points gets."""
    return "; ".join(sorted({award.status for award in awards.values()}))


def gradespan_share(book: Book, column: Share, lowest: Share | None) -> Share:
    """Step 4: the mean of both populations; all students alone where there is no lowest group."""
    if column.kept is None:
        return Share(None, None, None, None, None, column.status)
    parts = {"all": column.kept}
    if lowest is not None and lowest.kept is not None:
        parts["lowest"] = lowest.kept
    weights = {name: Fraction(book["population_weight"][name]) for name in parts}
    mean = sum(weights[name] * Fraction(value) for name, value in parts.items()) / sum(weights.values())
    return kept_share(book, Fraction(mean), "gradespan")


def _annual(book: Book, org: Organisation, spans: Mapping[str, Share]) -> Share:
    """Steps 5 and 6: gradespans weighted by the fixed shares or by enrolment; one of them alone as it is."""
    parts = {span: share.kept for span, share in spans.items() if share.kept is not None}
    if not parts:
        reasons = {word for share in spans.values() for word in share.status.split("; ")}
        return Share(None, None, None, None, None, "; ".join(sorted(reasons)))
    if len(parts) == 1:
        return kept_share(book, Fraction(next(iter(parts.values()))), "annual")
    if book["gradespan_weight"]["method"] == "fixed":
        weights = {span: Fraction(book["gradespan_weight"][span]) for span in parts}
    else:
        weights = {"non_high": Fraction(org.enrolment_non_high), "high": Fraction(org.enrolment_high)}
    mean = sum(weights[span] * Fraction(value) for span, value in parts.items()) / sum(weights[span] for span in parts)
    return kept_share(book, Fraction(mean), "annual")


def _cumulative(book: Book, annual: Share, before: Decimal | None) -> Share:
    """Steps 7 and 8: both years by their weights; without a prior year this one alone, as it is."""
    rule = book["cumulative"]
    if annual.kept is None or before is None or rule["prior_year"] == "none":
        return annual
    prior = rounded(before, int(book["decimals_kept"]["prior_annual"]))
    weights = Fraction(rule["prior_weight"]), Fraction(rule["current_weight"])
    mean = (weights[0] * Fraction(prior) + weights[1] * Fraction(annual.kept)) / sum(weights)
    return kept_share(book, mean, "cumulative")


def kept_share(book: Book, percent: Fraction, stage: str) -> Share:
    """A percentage as it is kept, and what is shown of the kept figure."""
    kept = rounded(percent, int(book["decimals_kept"][stage]))
    shown = rounded(kept, int(book["decimals_shown"]["percentage"]))
    return Share(None, None, None, kept, int(shown), "ok")
