"""Awkward CSV deliveries for a contract: mostly valid values, with the slips that real files carry.

`deliveries` is a Hypothesis strategy of small files; `random_delivery` writes larger ones from a seed.
Both lay out valid rows first and then spoil single values (`awkward_values`) and whole rows (`ROW_SLIPS`), so
that a failing example shrinks to the few slips that matter. There are no blank lines and no NUL bytes, and
the structure is sound except for rows with a wrong number of values.
"""

from __future__ import annotations

import datetime
import random
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.oracle.awkward_values import PUNCTUATION, awkward_values
from tests.oracle.intake_oracle import Contract, Field, References, folded, read_contract

WORDS = (
    "Pioneer",
    "Saint Mary's",
    "Señora Núñez",
    "Nu\u0301n\u0303ez",
    "École",
    "NA",
    "null",
    "0012",
    "Main  St",
)
RESIZED = ("too_few", "too_many", "trailing_comma", "one_value")
ROW_SLIPS = (
    "copied",
    "contradicted",
    "copied_otherwise",
    "unknown_reference",
    "above",
    "equal",
    "empty",
    *RESIZED,
)
OFTEN = {"other year": 15, "other part": 15, "long": 4, "lost zeros": 3, "boundary": 3, "out of range": 3}
OFTEN |= {"decimals": 3, "trailing zeros": 3, "impossible date": 3, "leap day": 2, "other pattern": 2}


@dataclass
class Row:
    """One row before it is written: a text for every field, and how its number of values is changed."""

    texts: dict[str, str]
    resized: str = ""  # one of RESIZED


@dataclass(frozen=True)
class Style:
    """How the file is written; none of it changes what the file says."""

    titles: str  # standard, element or mixed
    case: str  # kept, lower, upper or swapcase
    line_end: str
    wide_titles: bool  # blanks around the headers, and doubled inside them
    shuffled: bool
    dropped_columns: bool  # adds columns that are dropped unread or only reported
    left_out: bool  # leaves out the columns of the year and the part
    bom: bool
    all_quoted: bool
    last_line_end: bool


STYLES: SearchStrategy[Style] = st.builds(
    Style,
    titles=st.sampled_from(["standard", "element", "mixed"]),
    case=st.sampled_from(["kept", "lower", "upper", "swapcase"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)


def deliveries(
    contract_path: Path, year: int, part: str, references: References, *, max_rows: int = 6
) -> SearchStrategy[bytes]:
    """Small deliveries of a collection: a few rows, a few slips, any style."""
    contract = read_contract(contract_path, year, part)
    slips = value_slips(contract)

    @st.composite
    def delivery(draw: st.DrawFn) -> bytes:
        rng = random.Random(draw(st.integers(0, 2**32 - 1)))
        rows = valid_rows(contract, references, draw(st.integers(1, max_rows)), rng)
        place = st.integers(0, len(rows) - 1)
        for index, (one, kind) in draw(st.lists(st.tuples(place, st.sampled_from(slips)), max_size=8)):
            spoil_value(rows[index], one, kind, contract, rng)
        for index, kind in draw(st.lists(st.tuples(place, st.sampled_from(ROW_SLIPS)), max_size=3)):
            spoil_row(rows, index, kind, contract, references, rng)
        return written(rows, draw(STYLES), contract, rng)

    return delivery()


def random_delivery(
    contract_path: Path,
    year: int,
    part: str,
    references: References,
    rows: int,
    rng: random.Random,
    defect_rate: float,
) -> bytes:
    """A delivery of any size in which about `defect_rate` of the rows carry one to three slips.

    Some slips are harmless (blanks, lost zeros, a boundary value), so fewer rows break a rule than carry a
    slip; a copied row, on the other hand, adds a row and spoils two.
    """
    contract = read_contract(contract_path, year, part)
    slips = value_slips(contract)
    made = valid_rows(contract, references, rows, rng)
    for index in range(rows):
        if rng.random() >= defect_rate:
            continue
        if rng.random() < 0.25:
            spoil_row(made, index, rng.choice(ROW_SLIPS), contract, references, rng)
        else:
            for one, kind in rng.sample(slips, rng.choice([1, 1, 1, 2, 3])):
                spoil_value(made[index], one, kind, contract, rng)
    style = Style(
        titles=rng.choice(["standard", "element", "mixed"]),
        case=rng.choice(["kept", "lower", "upper", "swapcase"]),
        line_end=rng.choice(["\n", "\r\n"]),
        wide_titles=rng.random() < 0.5,
        shuffled=rng.random() < 0.5,
        dropped_columns=rng.random() < 0.5,
        left_out=rng.random() < 0.5,
        bom=rng.random() < 0.5,
        all_quoted=rng.random() < 0.5,
        last_line_end=rng.random() < 0.5,
    )
    return written(made, style, contract, rng)


def valid_rows(contract: Contract, references: References, count: int, rng: random.Random) -> list[Row]:
    """Rows that break no rule, as long as `references` holds enough keys for every row to have its own."""
    pools = {names: sorted(references[collection, to]) for names, collection, to in contract.foreign_keys}
    for pool in pools.values():
        rng.shuffle(pool)
    rows: list[Row] = []
    keys: set[tuple[str, ...]] = set()
    for index in range(count):
        for attempt in range(20):
            texts = {one.name: valid_text(one, contract, rng) for one in contract.fields}
            for names, pool in pools.items():
                if pool:
                    texts |= zip(names, pool[(index + attempt) % len(pool)], strict=True)
            for one in contract.fields:
                if one.not_above and int(texts[one.name]) > int(texts[one.not_above]):
                    texts[one.name] = texts[one.not_above]
                if not one.required and one.name not in contract.primary_key and rng.random() < 0.15:
                    texts[one.name] = ""
            key = tuple(texts[name] for name in contract.primary_key)
            if key not in keys:
                break
        keys.add(key)
        rows.append(Row(texts))
    return rows


def valid_text(one: Field, contract: Contract, rng: random.Random) -> str:
    """A value that breaks no rule of its field."""
    if one.name == contract.part_field:
        return contract.part
    if one.codes is not None:
        return rng.choice(sorted(one.codes))
    if one.pattern is not None:
        digits = re.fullmatch(r"\[0-9\]\{([0-9]+)\}", one.pattern)
        if digits is None:
            raise ValueError(f"no valid values known for the pattern {one.pattern}")
        return digits_of(int(digits[1]), rng)
    match one.type:
        case "org_code":
            return digits_of(8, rng)
        case "student_id":
            return digits_of(10, rng)
        case "year":
            return contract.year
        case "date":
            return str(datetime.date(int(contract.year) - 1, 7, 1) + datetime.timedelta(rng.randrange(365)))
        case "integer" | "decimal" | "year_number":
            step = 10 ** (one.scale or 0)
            low, high = (bound if bound.is_finite() else Decimal(5000) for bound in (one.minimum, one.maximum))
            scaled = Decimal(rng.randint(int(low * step), int(high * step)))
            return f"{scaled.scaleb(-(one.scale or 0)):f}"
    text = f"{rng.choice(WORDS)} {rng.randrange(10**6)}"
    return text if len(text) <= (one.max_length or len(text)) else digits_of(min(one.max_length or 6, 6), rng)


def digits_of(count: int, rng: random.Random) -> str:
    """Digits, more often than not with a zero in front."""
    return (rng.choice(["", "0", "00"]) + "".join(rng.choices("0123456789", k=count)))[:count]


def value_slips(contract: Contract) -> list[tuple[Field, str]]:
    """Every field with every kind of slip it can carry, the telling ones several times over."""
    return [
        (one, kind)
        for one in contract.fields
        for kind in awkward_values(one, "", contract)
        for _ in range(OFTEN.get(kind, 1))
    ]


def spoil_value(row: Row, one: Field, kind: str, contract: Contract, rng: random.Random) -> None:
    """Put a slip of this kind into one field of a row."""
    value = row.texts[one.name] or valid_text(one, contract, rng)
    row.texts[one.name] = rng.choice(awkward_values(one, value, contract)[kind])


def spoil_row(
    rows: list[Row], index: int, kind: str, contract: Contract, references: References, rng: random.Random
) -> None:
    """Put a slip of this kind into a row; nothing happens where the contract has no use for the kind."""
    row = rows[index]
    if kind in RESIZED:
        row.resized = kind
    elif kind == "empty":
        row.texts = dict.fromkeys(row.texts, "")
    elif kind in ("copied", "contradicted", "copied_otherwise"):
        copy = Row(dict(row.texts))
        for one in contract.fields:
            if kind == "contradicted" and one.name not in contract.primary_key and rng.random() < 0.5:
                copy.texts[one.name] = valid_text(one, contract, rng)
            if kind == "copied_otherwise" and one.name in contract.primary_key:
                text = copy.texts[one.name]
                copy.texts[one.name] = (
                    (text.lstrip("0") or "0") if re.fullmatch("[0-9]+", text) and one.pad else f" {text}\t"
                )
        rows.insert(rng.randint(0, len(rows)), copy)
    elif kind == "unknown_reference" and contract.foreign_keys:
        names, collection, to = rng.choice(contract.foreign_keys)
        fields = [one for name in names for one in contract.fields if one.name == name]
        known = references[collection, to]
        while (key := tuple(valid_text(one, contract, rng) for one in fields)) in known:
            pass
        row.texts |= zip(names, key, strict=True)
    elif kind in ("above", "equal"):
        for one in contract.fields:
            if one.not_above and re.fullmatch("[0-9]{1,9}", row.texts[one.not_above]):
                row.texts[one.name] = str(int(row.texts[one.not_above]) + (kind == "above"))


def written(rows: list[Row], style: Style, contract: Contract, rng: random.Random) -> bytes:
    """The file itself."""
    columns: list[tuple[str, str | None]] = []
    for one in contract.fields:
        by_element = style.titles == "element" or (style.titles == "mixed" and rng.random() < 0.5)
        if not (style.left_out and one.name in contract.filled):
            columns.append(((one.element if by_element else None) or one.name, one.name))
    if style.dropped_columns:
        columns += [(title, None) for title in dropped_titles(contract, rng)]
    if style.shuffled:
        rng.shuffle(columns)
    header = [title if style.case == "kept" else getattr(title, style.case)() for title, _ in columns]
    if style.wide_titles:
        header = [f" {title.replace(' ', '  ')}\t" for title in header]

    lines = [[f"Delivery of {contract.year}, first half"]] * (contract.header_row - 1) + [header]
    for row in rows:
        cells = [row.texts[name] if name else rng.choice(("", "x", *PUNCTUATION)) for _, name in columns]
        match row.resized:
            case "too_few":
                cells = cells[: -rng.choice([1, 2])]
            case "too_many":
                cells += rng.choice([["1"], ["", "x"]])
            case "trailing_comma":
                cells += [""]
            case "one_value":
                cells = ["x"]
        lines.append(cells)

    text = style.line_end.join(",".join(quoted(cell, style) for cell in cells) for cells in lines)
    text += style.line_end if style.last_line_end else ""
    return text.encode("utf-8-sig" if style.bom else "utf-8")


def quoted(cell: str, style: Style) -> str:
    """A value as it stands in the file, in quotes where it must be or where the style wants it."""
    if style.all_quoted or any(sign in cell for sign in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def dropped_titles(contract: Contract, rng: random.Random) -> list[str]:
    """Headers that the contract drops unread, or reports, without refusing the delivery."""
    known = {folded(text) for one in contract.fields for text in (one.name, one.element or one.name)}
    patterns = rng.sample(contract.ignored_columns, min(3, len(contract.ignored_columns)))
    titles = {pattern.replace("?", rng.choice("ems179")).replace("*", rng.choice(["1", "x"])) for pattern in patterns}
    titles |= {"extra_count", "a note, by hand"} if contract.unknown_columns_allowed else set()
    return sorted(title for title in titles if folded(title) not in known)
