"""The shapes of published reports and point cases, as `verify` reads them from JSON.

Belongs here: reading and the shape. Does not: any recomputation. Numbers are read as exact decimals, never as floats.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from orchestration.errors import InputError

Column: TypeAlias = Literal["non_high_all", "non_high_lowest", "high_all", "high_lowest"]
Gradespan: TypeAlias = Literal["non_high", "high"]
Percent: TypeAlias = Annotated[Decimal, Field(ge=0, le=100)]


class Printed(BaseModel):
    """What the page shows; None is not shown. A figure of another name is kept, to be listed as not decided."""

    model_config = ConfigDict(extra="allow", frozen=True)

    columns: dict[Column, dict[StrictStr, Decimal | None]] = {}
    gradespan_pct: dict[Gradespan, Percent | None] | None = None
    annual: Percent | None = None
    prior_annual: Percent | None = None
    cumulative: Percent | None = None
    progress_label: StrictStr | None = None


class Report(BaseModel):
    """One report: points by column (an absent or null indicator has none), weights if printed, printed figures."""

    model_config = ConfigDict(frozen=True)

    id: StrictStr
    year: StrictInt
    org_code: StrictStr
    points: dict[Column, dict[StrictStr, StrictInt | None]]
    gradespan_weight_pct: dict[Gradespan, Percent] | None = None
    printed: Printed


class PointsInputs(BaseModel):
    """One indicator row: `measure` names the indicator, `scale` what its figures are, `group` the printed label.

    `comparisons` may hold statewide values by name (`all_students_90`); published rows do not show any.
    """

    model_config = ConfigDict(frozen=True)

    org_code: StrictStr = ""
    measure: StrictStr
    scale: StrictStr | None = None
    gradespan: Gradespan
    group: StrictStr
    prior: Decimal | None = None
    current: Decimal
    change: Decimal | None = None
    target: Decimal | None = None
    n: StrictInt
    path: StrictStr | None = None
    comparisons: dict[StrictStr, Decimal] = {}


class Expected(BaseModel):
    """What the row prints: points, None for none, and the rating in words or the display of a small group."""

    model_config = ConfigDict(frozen=True)

    points: StrictInt | None
    reason: StrictStr | None = None
    display: StrictStr | None = None


class PointsCase(BaseModel):
    """A row with points."""

    model_config = ConfigDict(frozen=True)

    id: StrictStr
    year: StrictInt
    kind: Literal["indicator_points"]
    inputs: PointsInputs
    expected: Expected


class SmallGroup(BaseModel):
    """Indicator, group label and number of students of a row that shows no more."""

    model_config = ConfigDict(frozen=True)

    measure: StrictStr
    group: StrictStr
    n: StrictInt


class MinimumCase(BaseModel):
    """A row that shows its number of students and dashes."""

    model_config = ConfigDict(frozen=True)

    id: StrictStr
    year: StrictInt
    kind: Literal["minimum_n"]
    inputs: SmallGroup
    expected: Expected


class LowRate(BaseModel):
    """A participation rate of one group in one subject over two years, in percent."""

    model_config = ConfigDict(frozen=True)

    group: StrictStr
    subject: StrictStr
    rate: Percent


class ClassificationInputs(BaseModel):
    """What a page gives of one organisation, None where it does not: that is not the same as having none.

    A district is named by a code that ends in 0000 or by the word in brackets after its name.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    org: StrictStr = ""
    org_code: Annotated[StrictStr, Field(pattern=r"^[0-9]{8}$")] | None = None
    accountability_percentile: Annotated[StrictInt, Field(ge=1, le=99)] | None = None
    criterion_referenced_target_percentage: Percent | None = None
    cumulative: Percent | None = None
    cumulative_label: StrictStr | None = None
    four_year_graduation_rate: Percent | None = None
    participation_two_year: LowRate | None = None
    designation: StrictStr | None = None


class ExpectedClass(BaseModel):
    """The words a page prints of one organisation. A figure of another name is kept, to be listed as not decided."""

    model_config = ConfigDict(extra="allow", frozen=True)

    overall_classification: StrictStr | None = None
    reason: StrictStr | None = None
    federal_designation: StrictStr | None = None


class ClassificationCase(BaseModel):
    """One organisation with its category."""

    model_config = ConfigDict(frozen=True)

    id: StrictStr
    year: StrictInt
    kind: Literal["classification"]
    inputs: ClassificationInputs
    expected: ExpectedClass


class ListedSchool(BaseModel):
    """A school of a published list: its designation, or the grounds of its recognition joined by ' - '."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    district: StrictStr = ""
    school: StrictStr
    designation: StrictStr | None = None
    recognition_category: StrictStr | None = None


class PrintedReason(BaseModel):
    """The reason that a list stands under."""

    model_config = ConfigDict(frozen=True)

    reason: StrictStr


class PrintedList(BaseModel):
    """The schools of a list and, where the page says it, how many they are."""

    model_config = ConfigDict(frozen=True)

    schools: Annotated[list[ListedSchool], Field(min_length=1)]
    count: StrictInt | None = None


class ListCase(BaseModel):
    """A published list of schools of one reason."""

    model_config = ConfigDict(frozen=True)

    id: StrictStr
    year: StrictInt
    kind: Literal["classification_list"]
    inputs: PrintedReason
    expected: PrintedList


Case: TypeAlias = Annotated[
    PointsCase | MinimumCase | ClassificationCase | ListCase,
    Field(discriminator="kind"),
]
"""A new kind of case is one more class here and one more entry in `verify_cases.CHECKS`."""


class Reports(BaseModel):
    reports: Annotated[list[Report], Field(min_length=1)]


class Cases(BaseModel):
    cases: Annotated[list[Case], Field(min_length=1)]


def read_published(path: Path) -> Reports | Cases:
    """Reports or cases of a file. Raises InputError naming the file and the field that is not of a known shape."""
    try:
        content = json.loads(path.read_bytes(), parse_float=Decimal)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    shape = next(
        (s for s in (Reports, Cases) if isinstance(content, dict) and set(s.model_fields) & set(content)), None
    )
    if shape is None:
        raise InputError(f"{path}: neither 'reports' nor 'cases' stands at the top of the file")
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".kind" if first["type"].startswith("union_tag") else ""
        raise InputError(f"{path}: {_place(first['loc'])}{field}: {first['msg']}") from None


def _place(loc: tuple[int | str, ...]) -> str:
    """('reports', 3, 'printed', 'annual') as reports[3].printed.annual."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return place.removeprefix(".")
