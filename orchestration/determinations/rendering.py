"""The tables of the room: their columns, and rows from what was determined, in a fixed order.

Belongs here: columns and types, and the rows of each table. Does not: any decision, and no file (`writing`). Figures
are exact decimals or whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, TypeAlias

import pyarrow as pa

from orchestration.determinations.determining import Concluded, Ranked
from orchestration.determinations.reading import Inputs
from orchestration.determinations.scoring import Scored
from orchestration.determinations.trace import Step, parameter_text, upstream_text, value_text

Tables: TypeAlias = dict[str, pa.Table]
"""Name to rows."""
FIGURE = pa.decimal128(9, 1)
PERCENTAGE = pa.decimal128(9, 2)
"""Percentages are kept to as many decimals as the policy of the year says: two at most."""
TEXT, COUNT, NUMBER, FLAG = pa.string(), pa.int64(), pa.int32(), pa.bool_()
PLACE = {"school_year": NUMBER, "org_code": TEXT, "org_type": TEXT}
ROW = {**PLACE, "gradespan": TEXT, "student_group": TEXT, "indicator": TEXT}

TABLES: dict[str, dict[str, pa.DataType]] = {
    "indicator_targets": {
        **ROW, "baseline": FIGURE, "target": FIGURE, "increment": FIGURE, "next_target": FIGURE, "path": TEXT,
        "source": TEXT, "status": TEXT,
    },
    "indicator_points": {
        **ROW, "points": NUMBER, "rating": TEXT, "reason": TEXT, "route": TEXT, "untested_routes": TEXT, "status": TEXT,
        "trace_key": TEXT,
    },
    "target_percentages": {
        **PLACE, "student_group": TEXT, "stage": TEXT, "gradespan": TEXT, "report_column": TEXT,
        "weighted_earned": FIGURE, "weighted_possible": FIGURE, "kept": PERCENTAGE, "shown": NUMBER, "status": TEXT,
        "trace_key": TEXT,
    },
    "accountability_percentiles": {
        **PLACE, "student_group": TEXT, "comparison_set": TEXT, "percentile": NUMBER, "alone": NUMBER, "score": TEXT,
        "status": TEXT, "trace_key": TEXT,
    },
    "determinations": {
        **PLACE, "org_name": TEXT, "overall_classification": TEXT, "reason": TEXT, "decided_by": TEXT, "progress": TEXT,
        "percentile": NUMBER, "annual": NUMBER, "cumulative": NUMBER, "grounds_met": TEXT,
        "low_performing_groups": TEXT, "low_participation_groups": TEXT, "designations": TEXT, "recognition": TEXT,
        "status": TEXT, "trace_key": TEXT,
    },
    "federal_designations": {
        **PLACE, "is_title_i": FLAG, "kind": TEXT, "designation": TEXT, "reasons": TEXT, "trace_key": TEXT,
    },
    "determination_trace": {
        "school_year": NUMBER, "key": TEXT, "org_code": TEXT, "step": NUMBER, "kind": TEXT, "rule_id": TEXT,
        "gradespan": TEXT, "student_group": TEXT, "indicator": TEXT, "inputs": TEXT, "parameters": TEXT,
        "outcome": TEXT, "status": TEXT, "upstream": TEXT,
    },
}  # fmt: skip
"""Table to its columns. Lists are joined by `; `."""
TRACE = "determination_trace"
RANKED = ("accountability_percentiles", TRACE)
"""Tables with rows of ranked schools."""
SCORED = ("indicator_targets", "indicator_points", "target_percentages", TRACE)
"""Tables with rows of scored organisations."""
UNNUMBERED = pa.schema(
    pa.field(name, pa.dictionary(pa.int32(), TEXT) if name == "parameters" else kind)
    for name, kind in TABLES[TRACE].items()
    if name != "step"
)
"""Steps not yet numbered: the same few policy rows stand behind many, as long as they are not written."""


def scored_tables(done: Scored, inputs: Inputs) -> Tables:
    """Rows of some organisations, in order, and their steps."""
    return {
        "indicator_targets": _table("indicator_targets", _targets(done, inputs)),
        "indicator_points": _table("indicator_points", _points(done, inputs)),
        "target_percentages": _table("target_percentages", _percentages(done, inputs)),
        TRACE: trace_table(done.steps),
    }


def ranked_tables(among: Ranked, inputs: Inputs) -> Tables:
    """Rows of the percentiles, in order, and their steps."""
    return {
        "accountability_percentiles": _table("accountability_percentiles", _percentiles(among, inputs)),
        TRACE: trace_table(among.steps),
    }


def concluded_tables(done: Concluded, inputs: Inputs) -> Tables:
    """Rows that were concluded, in order, and their steps."""
    return {
        "determinations": _table("determinations", _determinations(done, inputs)),
        "federal_designations": _table("federal_designations", _federal(done, inputs)),
        TRACE: trace_table(done.steps),
    }


def trace_table(steps: Iterable[Step]) -> pa.Table:
    """Steps by organisation, each organisation's in the order they were decided, without their numbers."""
    places: dict[tuple[int, ...], int] = {}  # the same policy rows stand behind many steps
    known: dict[int, int] = {}  # and often as the same tuple
    texts: list[str] = []
    rows = []
    for step in sorted(steps, key=attrgetter("org_code")):  # stable: the order of decision stays
        if (place := known.get(id(step.parameters))) is None:
            place = known[id(step.parameters)] = places.setdefault(tuple(map(id, step.parameters)), len(texts))
            if place == len(texts):
                texts.append(parameter_text(step.parameters))
        rows.append(
            (
                step.school_year, step.key, step.org_code, step.kind, step.rule_id, step.gradespan, step.student_group,
                step.indicator, value_text(step.inputs), place, value_text(step.outcome), step.status,
                upstream_text(step.upstream),
            )
        )  # fmt: skip
    columns = _columns(rows, pa.schema([pa.field(f.name, _plain(f.type)) for f in UNNUMBERED]))
    at = UNNUMBERED.get_field_index("parameters")
    columns[at] = pa.DictionaryArray.from_arrays(columns[at], pa.array(texts, TEXT))
    return pa.table(columns, schema=UNNUMBERED)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.index_type if pa.types.is_dictionary(kind) else kind


def _table(name: str, rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    schema = pa.schema(TABLES[name].items())
    return pa.table(_columns(list(rows), schema), schema=schema)


def _columns(rows: list[tuple[Any, ...]], schema: pa.Schema) -> list[pa.Array]:
    values = zip(*rows, strict=True) if rows else ((),) * len(schema)
    return [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]


def _place(inputs: Inputs, org_code: str) -> tuple[int, str, str]:
    return inputs.year, org_code, inputs.organisations[org_code].org_type


def _targets(done: Scored, inputs: Inputs) -> list[tuple[Any, ...]]:
    return sorted(
        (
            *_place(inputs, t.org_code), t.gradespan, t.student_group, t.indicator,
            t.baseline, t.target, t.increment, t.next_target, t.path, t.source, t.status,
        )
        for t in done.targets
        if t.org_code in inputs.organisations
    )  # fmt: skip


def _points(done: Scored, inputs: Inputs) -> list[tuple[Any, ...]]:
    return [
        (
            *_place(inputs, key[0]), *key[1:], a.points, a.rating, a.reason, a.route,
            "; ".join(route.key for route in a.untested), a.status, a.step.key,
        )
        for key, a in sorted(done.awards.items())
    ]  # fmt: skip


def _percentages(done: Scored, inputs: Inputs) -> list[tuple[Any, ...]]:
    columns = {score.percentage.step.key: score for score in done.columns}
    rows = []
    for percentage in sorted((*(s.percentage for s in done.columns), *done.percentages), key=lambda p: p.step.key):
        place, step = percentage.place, percentage.step
        score = columns.get(step.key)
        population = "lowest" if place.student_group == "lowest_performing" else "all"
        rows.append(
            (
                *_place(inputs, place.org_code), place.student_group, step.kind, place.gradespan or None,
                f"{place.gradespan}_{population}" if score else None,
                score.weighted_earned if score else None, score.weighted_possible if score else None,
                percentage.kept, None if percentage.shown is None else int(percentage.shown), percentage.status,
                step.key,
            )
        )  # fmt: skip
    return rows


def _percentiles(among: Ranked, inputs: Inputs) -> list[tuple[Any, ...]]:
    return [
        (
            *_place(inputs, p.org_code), p.student_group, p.comparison_set, p.percentile, p.alone,
            None if p.score is None else str(p.score), p.status, p.key,
        )
        for p in sorted(among.percentiles, key=lambda p: p.key)
    ]  # fmt: skip


def _determinations(done: Concluded, inputs: Inputs) -> list[tuple[Any, ...]]:
    return [
        (
            *_place(inputs, d.org_code), inputs.organisations[d.org_code].org_name, d.overall_classification, d.reason,
            d.decided_by, d.progress, d.percentile, d.annual, d.cumulative,
            _joined(ground.test for ground in d.grounds if ground.met), _joined(d.low_performing_groups),
            _joined(d.low_participation_groups), _joined(row.designation for row in d.designations),
            _joined(d.recognition), d.status, d.key,
        )
        for d in sorted(done.determinations, key=lambda d: d.org_code)
    ]  # fmt: skip


def _federal(done: Concluded, inputs: Inputs) -> list[tuple[Any, ...]]:
    return [
        (
            *_place(inputs, f.org_code), f.is_title_i, f.kind, f.designation, _joined(f.reasons),
            f"{f.school_year}/{f.org_code}/federal",
        )
        for f in sorted(done.federal, key=lambda f: f.org_code)
    ]  # fmt: skip


def _joined(parts: Iterable[str]) -> str | None:
    return "; ".join(parts) or None
