"""The steps of a determination, written down by what decides, while it decides.

Belongs here: what a step is and how it is keyed. Does not: any rule, and no rendering; an explanation reads the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

import orjson  # a statewide year writes half a million steps: the standard library takes six times as long

from orchestration.policy import PolicyRow

Scalar: TypeAlias = str | int | bool | Decimal | None
"""What a step may hold: exact values only, never a float."""
Value: TypeAlias = "Scalar | tuple[Value, ...] | Mapping[str, Value]"


@dataclass(slots=True)  # not frozen: half a million are made, and each would take three times as long
class Step:
    """One decision about one organisation. Nothing changes it once it is made.

    `kind` names the step (points, column, gradespan, annual, cumulative, percentile, ...); with the coordinates it
    makes the key. `inputs` are the figures it was given, `parameters` the policy rows it applied, `outcome` what it
    decided, `status` a status word, `upstream` the keys of the steps whose outcomes are among the inputs.
    """

    school_year: int
    org_code: str
    kind: str
    rule_id: str
    outcome: Mapping[str, Value]
    inputs: Mapping[str, Value] = field(default_factory=dict)
    parameters: tuple[PolicyRow, ...] = ()
    status: str = "ok"
    gradespan: str = ""
    student_group: str = ""
    indicator: str = ""
    upstream: tuple[str, ...] = ()
    key: str = field(init=False)
    """`2025/00350062/points/high/all_students/ela_achievement`; parts that do not apply are left out."""

    def __post_init__(self) -> None:
        parts = (str(self.school_year), self.org_code, self.kind, self.gradespan, self.student_group, self.indicator)
        self.key = "/".join(filter(None, parts))


def parameter_text(rows: Iterable[PolicyRow]) -> str:
    """Policy rows as JSON: year, rule, parameter, value, unit, citation and status of each."""
    return orjson.dumps(
        [
            {
                "policy_year": row.policy_year,
                "rule_id": row.rule_id,
                "parameter": row.parameter,
                "value": row.value,
                "unit": row.unit,
                "citation_id": row.citation_id,
                "status": row.status,
            }
            for row in rows
        ]
    ).decode()


def value_text(value: Mapping[str, Value]) -> str:
    """Figures as JSON with sorted keys; a decimal is written as a string, so that no reader makes it a float."""
    return orjson.dumps(value, default=_decimal_text, option=orjson.OPT_SORT_KEYS).decode()


def upstream_text(keys: Iterable[str]) -> str:
    """Keys of earlier steps as JSON."""
    return orjson.dumps(tuple(keys)).decode()


def _decimal_text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a step cannot hold {type(value).__name__}")
