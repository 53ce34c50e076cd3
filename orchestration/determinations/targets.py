"""Targets of a year and of the next: published ones where delivered, otherwise generated and marked so.

Belongs here: reading the workbook's rows, the generator, paths. Does not: points, which compare results with targets.

Generated (rulebook section 5, inferred): the baseline is the year before's value. Schools are put into equal groups by
baseline, for each measure, gradespan, student group and indicator apart; the step is the mean one-year gain of the
schools that started in the same group, one decimal half up, at least the policy's minimum. Gains are those of the two
years before, so that no result of the year moves its own target; only where there are none (the first year with data)
those into the year itself. A target stops at the end of its scale; lower-is-better indicators fall by the step.
Next year's target adds the next increment: the published one, or the same step again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from orchestration.determinations.figures import Cell, Figures, Kind, Result, by_year
from orchestration.determinations.target_rules import TargetRules
from orchestration.determinations.trace import Step, Value
from orchestration.errors import InputError
from orchestration.exact import half_up
from orchestration.policy import PolicyRow


class Target(NamedTuple):
    """The target of one row of indicator_results, in the measure's unit, one decimal; None where `status` says why.

    `source` is published or generated; `increment` leads from `target` to `next_target`, the target of the year after.
    """

    school_year: int
    org_code: str
    gradespan: str
    student_group: str
    indicator: str
    baseline: Decimal | None
    target: Decimal | None
    increment: Decimal | None
    next_target: Decimal | None
    path: str | None
    source: str
    status: str = "ok"


class _Typical(NamedTuple):
    """Steps by baseline group (None where nobody started there), and the baselines that make the groups."""

    steps: tuple[Decimal | None, ...]
    schools: tuple[int, ...]
    history: str


class Basis(NamedTuple):
    """What the targets of any organisation rest on: everyone's results, the workbook, typical steps.

    `starts`: the sorted baselines that make the groups. `published`: organisation to its targets in the workbook.
    """

    figures: Figures
    published: Mapping[str, Mapping[Cell, Target]]
    typical: Mapping[Kind, list[_Typical]]
    starts: Mapping[Kind, list[Decimal]]


def targets(
    rules: TargetRules, results: Iterable[Result], published: Iterable[Mapping[str, object]] = ()
) -> tuple[list[Target], list[Step]]:
    """Targets of `rules.year`, sorted, with a step for each that has a value.

    `results`: rows of the year itself, of the two before it and of the path's reference year, all levels, in any order.
    `published`: rows of published_targets by the contract's field names, decimals as Decimal or text. Raises InputError
    for a result or a published row twice, an unknown group, gradespan or path, a measure without a scale.
    """
    basis = target_basis(rules, by_year(results), published)
    years = (rules.year - 1, rules.year)
    out: list[Target] = []
    steps: list[Step] = []
    for org in sorted({*basis.published, *(org for year in years for org in basis.figures.get(year, {}))}):
        of_organisation, more = targets_of(rules, basis, org)
        out += of_organisation
        steps += more
    return out, steps


def target_basis(rules: TargetRules, figures: Figures, published: Iterable[Mapping[str, object]]) -> Basis:
    """What needs the results of everyone; raises as `targets` does."""
    if not rules.sets_targets:
        return Basis(figures, {}, {}, {})
    unknown = {row.measure for year in figures for row in _rows(rules, figures, year)} - rules.scales.keys()
    if unknown:
        raise InputError(f"indicator_results: measure '{min(unknown)}' has no row in measure_scale")
    return Basis(
        figures=figures,
        published=_published(rules, published),
        typical=_typical(rules, figures),
        starts=_starts(rules, _rows(rules, figures, rules.year - 1)),
    )


def targets_of(
    rules: TargetRules, basis: Basis, org_code: str, only: Iterable[Cell] | None = None
) -> tuple[list[Target], list[Step]]:
    """Targets of one organisation, or `only` of some figures of it, sorted, with a step for each that has a value."""
    if not rules.sets_targets:
        return [], []
    before, now = (basis.figures.get(year, {}).get(org_code, {}) for year in (rules.year - 1, rules.year))
    from_workbook = basis.published.get(org_code, {})
    out: list[Target] = []
    steps: list[Step] = []
    for cell in sorted({*before, *now, *from_workbook} if only is None else only):
        if cell[2] not in rules.workbook_names:
            continue
        prior, current = before.get(cell), now.get(cell)
        if prior and prior.value is not None and current and prior.measure != current.measure:
            prior = None  # a value on another measure is no baseline
        if cell in from_workbook:
            result = current or prior
            target = _onward_next(rules, from_workbook[cell], result.measure if result else "")
            target = target._replace(path=target.path or _path(rules, basis, org_code, cell, prior))
            step = _step(target, {"baseline": target.baseline}, "target_published", ())
        elif prior is None or prior.value is None:
            status = "no_prior_year" if prior is None else prior.status
            out.append(Target(rules.year, org_code, *cell, None, None, None, None, None, "generated", status))
            continue
        else:
            target, step = _generated(rules, basis, cell, prior, prior.value)
        out.append(target)
        steps.append(step)
    return out, steps


def _rows(rules: TargetRules, figures: Figures, year: int) -> Iterator[Result]:
    """Results of a year whose indicators have targets."""
    for cells in figures.get(year, {}).values():
        for cell, row in cells.items():
            if cell[2] in rules.workbook_names:
                yield row


def _starts(rules: TargetRules, rows: Iterable[Result]) -> dict[Kind, list[Decimal]]:
    """Sorted values of the population, by kind."""
    found: dict[Kind, list[Decimal]] = defaultdict(list)
    for row in rows:
        if row.org_type == rules.population and row.value is not None:
            found[row.kind].append(row.value)
    for values in found.values():
        values.sort()
    return found


def _group(rules: TargetRules, values: list[Decimal], value: Decimal) -> int:
    """Which of the equal groups `value` falls in, lowest first; equal values always in the same one."""
    if not values:
        return 0
    return min(rules.baseline_groups - 1, rules.baseline_groups * bisect_left(values, value) // len(values))


def _typical(rules: TargetRules, figures: Figures) -> dict[Kind, list[_Typical]]:
    """Kind to its typical steps, a table for each history in the policy's order."""
    found: dict[Kind, list[_Typical]] = defaultdict(list)
    for history in rules.histories:
        first = rules.year - (2 if history == "before" else 1)
        pairs: dict[Kind, list[tuple[Decimal, Decimal]]] = defaultdict(list)
        complete = {kind for kind, tables in found.items() if any(None not in table.steps for table in tables)}
        after = figures.get(first + 1, {})
        for start in _rows(rules, figures, first):
            end = after.get(start.org_code, {}).get((start.gradespan, start.student_group, start.indicator))
            if start.org_type != rules.population or end is None or end.measure != start.measure:
                continue
            if start.value is not None and end.value is not None and (kind := start.kind) not in complete:
                gain = end.value - start.value
                pairs[kind].append((start.value, -gain if start.indicator in rules.lower_is_better else gain))
        for kind, gains in pairs.items():
            found[kind].append(_steps_of(rules, gains, history))
    return found


def _steps_of(rules: TargetRules, gains: list[tuple[Decimal, Decimal]], history: str) -> _Typical:
    starts = sorted(start for start, _ in gains)
    groups: list[list[Decimal]] = [[] for _ in range(rules.baseline_groups)]
    for start, gain in gains:
        groups[_group(rules, starts, start)].append(gain)
    means = (half_up(Fraction(sum(group)) / len(group), 1) if group else None for group in groups)
    steps = tuple(None if mean is None else max(rules.minimum_step, mean) for mean in means)
    return _Typical(steps, tuple(len(group) for group in groups), history)


def _generated(rules: TargetRules, basis: Basis, cell: Cell, prior: Result, baseline: Decimal) -> tuple[Target, Step]:
    kind = prior.kind
    group = _group(rules, basis.starts.get(kind, []), baseline)
    step = rules.minimum_step
    figures: dict[str, Value] = {"baseline": baseline, "baseline_group": group + 1, "history": "none"}
    for table in basis.typical.get(kind, ()):
        if (found := table.steps[group]) is not None:
            step = found
            figures |= {"history": table.history, "schools": table.schools[group]}
            break
    figures["step"] = step
    goal = _onward(rules, prior.indicator, prior.measure, baseline, step)
    target = Target(
        rules.year,
        prior.org_code,
        *cell,
        baseline=baseline,
        target=goal,
        increment=step,
        next_target=_onward(rules, prior.indicator, prior.measure, goal, step),
        path=_path(rules, basis, prior.org_code, cell, prior),
        source="generated",
    )
    return target, _step(target, figures, "target_step", (*rules.step_rows, rules.scale_rows[prior.measure]))


def _onward(rules: TargetRules, indicator: str, measure: str, value: Decimal, step: Decimal) -> Decimal:
    """`value` moved by `step` in the better direction, no further than the end of the scale where it is known."""
    low, high = rules.scales.get(measure, (None, None))
    if indicator in rules.lower_is_better:
        moved = value - step
        return moved if low is None else max(low, moved)
    moved = value + step
    return moved if high is None else min(high, moved)


def _onward_next(rules: TargetRules, target: Target, measure: str) -> Target:
    """A published target with next year's. A reduction is a magnitude, whatever its sign: those indicators fall."""
    if target.target is None or target.increment is None:
        return target
    step = abs(target.increment) if target.indicator in rules.lower_is_better else target.increment
    return target._replace(next_target=_onward(rules, target.indicator, measure, target.target, step))


def _path(rules: TargetRules, basis: Basis, org_code: str, cell: Cell, prior: Result | None) -> str | None:
    """Recovery where the baseline is below the reference year's level of the same measure, else forward."""
    if rules.path_reference is None or cell[2] not in rules.path_indicators:
        return None
    reference = basis.figures.get(rules.path_reference, {}).get(org_code, {}).get(cell)
    if reference is None or prior is None or reference.measure != prior.measure:
        return rules.path_otherwise
    if reference.value is None or prior.value is None or prior.value >= reference.value:
        return rules.path_otherwise
    return rules.path_below


def _published(rules: TargetRules, rows: Iterable[Mapping[str, object]]) -> dict[str, dict[Cell, Target]]:
    """Organisation to its targets in the workbook; a blank one is none, and next year's come later."""
    found: dict[str, dict[Cell, Target]] = defaultdict(dict)
    for row in rows:
        org, label, span = (str(row[name]) for name in ("org_code", "student_group", "gradespan"))
        where = f"published_targets: {org} {label} {span}"
        if label not in rules.groups or span not in rules.gradespans:
            raise InputError(f"{where}: the group or gradespan is not a label of {rules.year}")
        for indicator, name in rules.workbook_names.items():
            goal = _decimal(row.get(f"{name}_target"), where)
            if goal is None:
                continue
            cell = rules.gradespans[span], rules.groups[label], indicator
            if cell in found[org]:
                raise InputError(f"{where}: {name} stands there twice")
            path = row.get(f"{name}_path")
            if path is not None and path not in (rules.path_below, rules.path_otherwise):
                raise InputError(f"{where}: '{path}' is not a path")
            increment = _decimal(row.get(f"{name}_increment_next", row.get(f"{name}_increment")), where)
            found[org][cell] = Target(
                rules.year,
                org,
                *cell,
                baseline=_decimal(row.get(f"{name}_baseline"), where),
                target=half_up(goal, 1),
                increment=increment,
                next_target=None,
                path=str(path) if path is not None else None,
                source="published",
            )
    return found


def _decimal(value: object, where: str) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise InputError(f"{where}: '{value}' is not a number") from None


def _step(target: Target, inputs: Mapping[str, Value], rule_id: str, rows: tuple[PolicyRow, ...]) -> Step:
    return Step(
        school_year=target.school_year,
        org_code=target.org_code,
        kind="target",
        gradespan=target.gradespan,
        student_group=target.student_group,
        indicator=target.indicator,
        rule_id=rule_id,
        inputs=inputs,
        parameters=rows,
        outcome={
            "source": target.source,
            "target": target.target,
            "path": target.path,
            "increment": target.increment,
            "next_target": target.next_target,
        },
        status=target.status,
    )
