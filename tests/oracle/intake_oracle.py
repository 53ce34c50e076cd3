"""A second computation of what becomes of a delivery, written from the rules in raw/README.md alone.

It shares no code with the pipeline. It judges the rows of one CSV delivery: which rows are accepted, with
which values, and which rules the other rows break. A delivery that the rules refuse whole (a missing column,
for instance) is outside its scope and raises ValueError. `judge`, at the end, is the whole story.
"""

from __future__ import annotations

import csv
import datetime
import fnmatch
import functools
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import yaml

BLANKS = " \t"  # no other character counts as a blank
NUMBERS = ("integer", "decimal", "year_number")
SHAPES = {
    "integer": re.compile(r"-?[0-9]+(\.0+)?"),
    "decimal": re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)"),
    "org_code": re.compile(r"[0-9]{8}"),
    "student_id": re.compile(r"[0-9]{10}"),
    "year": re.compile(r"[0-9]{4}"),
    "year_number": re.compile(r"[0-9]{4}"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}

UNSHOWN = ("Cc", "Zl", "Zp")  # control characters, and those that end a line or a paragraph
TURNING = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]  # the direction of writing

Value = str | None
Names = tuple[str, ...]
References = Mapping[tuple[str, Names], AbstractSet[tuple[str, ...]]]


@dataclass(frozen=True)
class Field:
    """What the contract says about one field, for one year and one part."""

    name: str
    type: str
    element: str | None
    required: bool  # in this part
    always_required: bool
    pad: int
    codes: frozenset[str] | None
    pattern: str | None
    max_length: int | None
    scale: int | None
    minimum: Decimal  # minus infinity when there is none
    maximum: Decimal
    not_above: str | None


@dataclass(frozen=True)
class Contract:
    """One collection's contract, read for one year and one part."""

    year: str
    part: str
    fields: tuple[Field, ...]
    primary_key: Names
    foreign_keys: tuple[tuple[Names, str, Names], ...]  # own fields, collection referred to, its fields
    filled: dict[str, str]  # columns a delivery may leave out, with the value every row then gets
    part_field: str | None
    parts: frozenset[str]
    header_row: int
    ignored_columns: Names
    unknown_columns_allowed: bool
    of_students: bool


@dataclass(frozen=True)
class Verdict:
    """What became of a delivery; row numbers are those a spreadsheet shows."""

    delivered: int
    accepted: dict[int, dict[str, Value]]
    violations: set[tuple[int, str, str]]  # row, field, rule
    repairs: dict[str, int]


def expanded(codes: Iterable[str]) -> frozenset[str]:
    """The single codes of a code list: "06-31" stands for 06, 07, ... 31."""
    spans = {code: re.fullmatch(r"([0-9]+)-([0-9]+)", code) for code in codes}
    single = {code for code, span in spans.items() if not span}
    for first, last in (span.groups() for span in spans.values() if span):
        single |= {str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)}
    return frozenset(single)


def with_year(header: str, year: int) -> str:
    """A header with its years written out: "{Y-1} ELA Path" is "2024 ELA Path" in 2025."""
    return re.sub(r"\{Y([+-][0-9]+)?\}", lambda found: str(year + int(found.group(1) or 0)), header)


@functools.cache
def read_contract(path: Path, year: int, part: str) -> Contract:
    """Read a contract file and the shared code lists next to it."""
    raw: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    lists: dict[str, Any] = yaml.safe_load((path.parent / "_vocabulary.yml").read_text("utf-8"))
    parts: dict[str, Any] = raw.get("parts", {"field": None, "names": {}})
    lists["parts"] = parts["names"]
    if part not in (parts["names"] or [""]):
        raise ValueError(f"{raw['collection']} has no part {part!r}")

    def field(name: str, spec: dict[str, Any]) -> Field:
        codes = lists[spec["codes_from"]] if "codes_from" in spec else spec.get("codes")
        return Field(
            name=name,
            type=spec["type"],
            element=with_year(spec["code"], year) if "code" in spec else None,
            required=spec.get("required", False) or part in spec.get("required_in", []),
            always_required=spec.get("required", False),
            pad=spec.get("pad", 8 if spec["type"] == "org_code" else 0),
            codes=None if codes is None else expanded(codes),
            pattern=spec.get("pattern"),
            max_length=spec.get("max_length"),
            scale=spec.get("scale"),
            minimum=Decimal(str(spec.get("minimum", "-Infinity"))),
            maximum=Decimal(str(spec.get("maximum", "Infinity"))),
            not_above=spec.get("not_above"),
        )

    filled = {raw.get("year_field"): f"{year:04d}", parts["field"]: part}
    keys: list[dict[str, Any]] = raw.get("foreign_keys", [])
    return Contract(
        year=f"{year:04d}",
        part=part,
        fields=tuple(field(name, spec) for name, spec in raw["fields"].items()),
        primary_key=tuple(raw["primary_key"]),
        foreign_keys=tuple((tuple(key["fields"]), key["references"], tuple(key["to"])) for key in keys),
        filled={name: value for name, value in filled.items() if name is not None},
        part_field=parts["field"],
        parts=frozenset(parts["names"]),
        header_row=raw.get("header_row", 1),
        ignored_columns=tuple(raw.get("ignored_columns", [])),
        unknown_columns_allowed=raw.get("unknown_columns") == "report",
        of_students=any(spec["type"] == "student_id" for spec in raw["fields"].values()),
    )


def records(csv_bytes: bytes) -> list[list[str]]:
    """The records of the file; a line break inside quotes does not end a record."""
    if b"\0" in csv_bytes:
        raise ValueError("NUL byte")
    found = list(csv.reader(io.StringIO(csv_bytes.decode("utf-8-sig"), newline=""), strict=True))
    if any(len(cells) < 2 and not "".join(cells).strip(BLANKS) for cells in found):
        raise ValueError("blank line")
    return found


def folded(header: str) -> str:
    """A header as it is compared: any case, blanks around it removed, several blanks as one."""
    return re.sub(f"[{BLANKS}]+", " ", header).strip(BLANKS).casefold()


def columns_of(header: list[str], contract: Contract) -> list[str | None]:
    """The field every column holds; None for a column that is dropped."""
    titles = [folded(title) for title in header]
    known = {folded(field.element): field.name for field in contract.fields if field.element}
    known |= {folded(field.name): field.name for field in contract.fields}
    patterns = [pattern.casefold() for pattern in contract.ignored_columns]
    for title in titles:
        ignored = contract.unknown_columns_allowed or any(fnmatch.fnmatchcase(title, p) for p in patterns)
        if title not in known and not ignored:
            raise ValueError(f"unknown column {title!r}")
    present = [known[title] for title in titles if title in known]
    if len(titles) != len(set(titles)) or len(present) != len(set(present)):
        raise ValueError("doubled column")
    needed = {field.name for field in contract.fields if field.always_required} | set(contract.primary_key)
    if missing := needed - {*present, *contract.filled}:
        raise ValueError(f"missing column {sorted(missing)}")
    return [known.get(title) for title in titles]


def cleaned(field: Field, text: str) -> tuple[Value, bool]:
    """Steps 1 and 2: blanks removed, leading zeros given back; and whether zeros had to be given back."""
    value = text.strip(BLANKS)
    if re.fullmatch("[0-9]+", value) and len(value) < field.pad:
        return value.zfill(field.pad), True
    return value or None, False


def is_of_type(kind: str, value: str) -> bool:
    """Whether a value is of its field's type."""
    if kind in SHAPES and not SHAPES[kind].fullmatch(value):
        return False
    if kind == "date":
        try:
            datetime.date(*map(int, value.split("-")))
        except ValueError:
            return False
    return kind in SHAPES or kind in ("text", "code")


def broken_rule(field: Field, value: Value, contract: Contract) -> str | None:
    """Step 3 without `not_above`: the first rule that a value breaks by itself, None when it breaks none."""
    if value is None:
        return "required" if field.required else None
    if not is_of_type(field.type, value):
        return "type"
    if field.type == "text" and not contract.of_students:
        if any(unicodedata.category(c) in UNSHOWN or c in TURNING for c in value):
            return "characters"
        if value[0] in "=@＝＠＋－" and len(value) > 1:
            return "formula"
        if value[0] in "+-" and re.search(r"[A-Za-z(|!]", value):
            return "formula"
    if field.type == "year" and value != contract.year:
        return "year"
    if field.name == contract.part_field and value in contract.parts - {contract.part}:
        return "part"
    if field.codes is not None and value not in field.codes:
        return "code"
    if field.pattern is not None and not re.fullmatch(field.pattern, value):
        return "pattern"
    if field.max_length is not None and len(value) > field.max_length:
        return "max_length"
    if field.scale is not None and len(value.partition(".")[2].rstrip("0")) > field.scale:
        return "scale"
    if field.type in NUMBERS and not field.minimum <= Decimal(value) <= field.maximum:
        return "range"
    if field.type in NUMBERS and abs(Decimal(value)) >= Decimal(10) ** (18 - (field.scale or 0)):
        return "range"
    return None


def normalised(field: Field, value: str) -> str:
    """A valid value in its one written form, so that equal values are equal texts."""
    if field.type == "integer":
        digits = value.partition(".")[0].lstrip("-").lstrip("0") or "0"
        return "-" + digits if value.startswith("-") and digits != "0" else digits
    if field.type == "decimal" and field.scale is not None:
        with localcontext() as context:
            context.prec = len(value) + field.scale + 2  # enough digits that nothing is ever rounded
            number = Decimal(value).quantize(Decimal(1).scaleb(-field.scale))
            return f"{number if number else abs(number):f}"  # zero has no sign
    return value


def is_above(field: Field, values: Mapping[str, Value]) -> bool:
    """Whether a field is larger than the field it must not exceed; only valid values are compared."""
    value, other = values.get(field.name), values.get(field.not_above or "")
    return value is not None and other is not None and Decimal(value) > Decimal(other)


def complete(values: Mapping[str, Value], names: Names) -> tuple[str, ...] | None:
    """The values of a key, None when one of them is missing or invalid."""
    key = tuple(value for name in names if (value := values.get(name)) is not None)
    return key if len(key) == len(names) else None


def judge(contract_path: Path, csv_bytes: bytes, *, year: int, part: str = "", references: References) -> Verdict:
    """Judge one delivery of a collection.

    `references` holds, for every foreign key of the contract, the accepted keys it may point to:
    (collection, fields referred to) -> set of key values as normalised texts.
    A row with the wrong number of values is noted with an empty field name.
    """
    contract = read_contract(contract_path, year, part)
    found = records(csv_bytes)
    header, data = found[contract.header_row - 1 : contract.header_row], found[contract.header_row :]
    if not header or not data:
        raise ValueError("empty file or header only")
    columns = columns_of(header[0], contract)

    valid: dict[int, dict[str, Value]] = {}  # per row, the values that break no rule of their field
    violations: set[tuple[int, str, str]] = set()
    repairs: Counter[str] = Counter()
    rows_of_key: dict[tuple[str, ...], list[int]] = {}
    for row, cells in enumerate(data, start=contract.header_row + 1):
        if len(cells) != len(columns):
            violations.add((row, "", "field_count"))
            continue
        texts = contract.filled | {name: cell for name, cell in zip(columns, cells, strict=True) if name}
        texts = {field.name: "" for field in contract.fields} | texts  # an optional column that was left out
        values: dict[str, Value] = {}
        for field in contract.fields:
            value, repaired = cleaned(field, texts[field.name])
            repairs[field.name] += repaired
            if rule := broken_rule(field, value, contract):
                violations.add((row, field.name, rule))
            else:
                values[field.name] = None if value is None else normalised(field, value)
        above = {field.name for field in contract.fields if is_above(field, values)}
        violations |= {(row, name, "not_above") for name in above}
        valid[row] = {name: value for name, value in values.items() if name not in above}
        for names, collection, to in contract.foreign_keys:
            target = complete(valid[row], names)
            if target is not None and target not in references[collection, to]:
                violations.add((row, names[0], "foreign_key"))
        key = complete(valid[row], contract.primary_key)
        if key is not None:
            rows_of_key.setdefault(key, []).append(row)

    for rows in rows_of_key.values():
        if len(rows) > 1:
            violations |= {(row, contract.primary_key[0], "duplicate_key") for row in rows}
    quarantined = {row for row, _, _ in violations}
    return Verdict(
        delivered=len(data),
        accepted={row: values for row, values in valid.items() if row not in quarantined},
        violations=violations,
        repairs={name: count for name, count in repairs.items() if count},
    )
