"""Recomputing what published pages print, figure by figure, and saying how far each could be decided.

Belongs here: the files and the summary. Does not: reports (`verify_reports`) and cases (`verify_cases`) themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestration.determinations.printed_figures import (
    DIFFERS,
    POSSIBLE,
    RECOMPUTED,
    UNDECIDED,
    Figure,
    RulesByYear,
)
from orchestration.determinations.published import Cases, read_published
from orchestration.determinations.published_hub import check_rows, is_hub_file, read_hub
from orchestration.determinations.verify_cases import check_cases
from orchestration.determinations.verify_reports import check_reports
from orchestration.errors import InputError
from orchestration.policy import Register

EXAMPLES = 3


def verify(paths: Sequence[Path], register: Register) -> list[Figure]:
    """Every printed figure of the files, in their order. Raises InputError naming file and field.

    A report's prior year is looked up among the reports of the same file.
    """
    rules = RulesByYear(register)
    figures: list[Figure] = []
    for path in paths:
        if is_hub_file(path):
            figures += check_rows(read_hub(path), rules)
            continue
        content = read_published(path)
        try:
            if isinstance(content, Cases):
                figures += check_cases(content.cases, rules)
            else:
                figures += check_reports(content.reports, rules)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    return figures


def is_reproduced(figures: Sequence[Figure]) -> bool:
    """True when no figure differs."""
    return all(figure.outcome != DIFFERS for figure in figures)


def summary(figures: Sequence[Figure]) -> Iterator[str]:
    """Lines for a reader: every figure that differs, what stayed open and why, and the count as the last line."""
    for figure in figures:
        if figure.outcome == DIFFERS:
            yield f"differs: {figure.source}: {figure.name}: printed {figure.printed}, computed {figure.computed}"
    for outcome in (UNDECIDED, POSSIBLE):
        by_reason: dict[str, list[Figure]] = defaultdict(list)
        for figure in figures:
            if figure.outcome == outcome:
                by_reason[figure.why].append(figure)
        for why, open_ones in by_reason.items():
            places = "; ".join(f"{figure.source}: {figure.name}" for figure in open_ones[:EXAMPLES])
            more = f"; and {len(open_ones) - EXAMPLES} more" if len(open_ones) > EXAMPLES else ""
            yield f"{outcome}: {len(open_ones)}: {why} ({places}{more})"
    count = Counter(figure.outcome for figure in figures)
    reproduced = count[RECOMPUTED] + count[POSSIBLE]
    yield (
        f"{count[RECOMPUTED]} recomputed, {count[POSSIBLE]} possible, {count[UNDECIDED]} not decided and not counted"
    )
    yield f"{reproduced} of {reproduced + count[DIFFERS]} figures reproduced"
