"""The hub's data set of classifications (ppbc-i8t9) as `verify` reads it: a CSV, one organisation a row.

Belongs here: columns, values and the row at fault; which of them a row is checked by. Does not: the check itself
(`verify_classes`). The columns differ by year; one that is not there leaves its figure open, an empty cell says none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from orchestration.determinations.printed_figures import Figure, RulesByYear
from orchestration.determinations.verify_classes import Given, check_class, type_of
from orchestration.errors import InputError
from orchestration.exact import half_up

NEEDED = ("sy", "org_code", "classification_overall", "classification_reason", "curr_year_tgt_pct",
          "cumulative_prgrss_pct")  # fmt: skip
PERCENTILE = "accntblty_pctle"
SILENT = frozenset({"designation", "recognition", "participation"})


@dataclass(frozen=True)
class HubRow:
    """One organisation of one year; percentages whole as shown."""

    source: str
    year: int
    org_code: str
    overall: str
    reason: str
    percentile: int | None
    has_percentile: bool
    annual: int | None
    cumulative: int | None


def is_hub_file(path: Path) -> bool:
    """CSV files are the hub's; everything else is JSON."""
    return path.suffix.lower() == ".csv"


def read_hub(path: Path) -> list[HubRow]:
    """Rows of the file. Raises InputError naming file, row and column of a value that cannot be."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8: byte {error.start}") from None
    reader = csv.reader(text.splitlines(), strict=True)
    rows: list[HubRow] = []
    seen: set[tuple[int, str]] = set()
    try:
        header = next(reader, [])
        if missing := [name for name in NEEDED if name not in header]:
            raise InputError(f"{path}: column {missing[0]} is missing; classifications have {', '.join(NEEDED)}")
        for cells in reader:
            place = f"{path}: row {len(rows) + 2}"
            if len(cells) != len(header):
                raise InputError(f"{place}: {len(cells)} cells, the header has {len(header)}")
            row = _row(path, place, dict(zip(header, cells, strict=True)))
            if (row.year, row.org_code) in seen:
                raise InputError(f"{place}: org_code {row.org_code} stands there twice")
            seen.add((row.year, row.org_code))
            rows.append(row)
    except csv.Error as error:
        raise InputError(f"{path}: row {len(rows) + 2}: {error}") from None
    if not rows:
        raise InputError(f"{path}: no rows")
    return rows


def check_rows(rows: Iterable[HubRow], rules: RulesByYear) -> Iterator[Figure]:
    """Overall classification and reason of every row."""
    for row in rows:
        silent = SILENT if row.has_percentile else SILENT | {"percentile"}
        given = Given(
            type_of(row.org_code), silent, percentile=row.percentile, annual=row.annual, cumulative=row.cumulative
        )
        printed = {"overall_classification": row.overall, "reason": row.reason}
        try:
            yield from check_class(f"{row.year} {row.org_code}", given, printed, rules[row.year])
        except InputError as error:
            raise InputError(f"{row.source}: {error}") from None


def _row(path: Path, place: str, cells: dict[str, str]) -> HubRow:
    code = cells["org_code"]
    if not (len(code) == 8 and code.isascii() and code.isdigit()):
        raise InputError(f"{place}: org_code '{code}' is not 8 digits")
    for name in ("classification_overall", "classification_reason"):
        if not cells[name]:
            raise InputError(f"{place}: {name} is empty")
    return HubRow(
        source=f"{path}: {code}",
        year=_year(place, cells["sy"]),
        org_code=code,
        overall=cells["classification_overall"],
        reason=cells["classification_reason"],
        percentile=_whole(place, PERCENTILE, cells.get(PERCENTILE, ""), 1, 99),
        has_percentile=PERCENTILE in cells,
        annual=_percent(place, "curr_year_tgt_pct", cells["curr_year_tgt_pct"]),
        cumulative=_percent(place, "cumulative_prgrss_pct", cells["cumulative_prgrss_pct"]),
    )


def _year(place: str, text: str) -> int:
    found = _whole(place, "sy", text, 2000, 2100)
    if found is None:
        raise InputError(f"{place}: sy is empty")
    return found


def _whole(place: str, name: str, text: str, low: int, high: int) -> int | None:
    number = _number(place, name, text)
    if number is None:
        return None
    if number != int(number) or not low <= number <= high:
        raise InputError(f"{place}: {name} '{text}' is not a whole number from {low} to {high}")
    return int(number)


def _percent(place: str, name: str, text: str) -> int | None:
    """A fraction of 1 as the whole percent that is shown."""
    number = _number(place, name, text)
    if number is None:
        return None
    if not 0 <= number <= 1:
        raise InputError(f"{place}: {name} '{text}' is not a fraction from 0 to 1")
    return int(half_up(number * 100, 0))


def _number(place: str, name: str, text: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise InputError(f"{place}: {name} '{text}' is not a number") from None
    if not number.is_finite():
        raise InputError(f"{place}: {name} '{text}' is not a number")
    return number
