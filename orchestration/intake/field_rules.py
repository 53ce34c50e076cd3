"""The rules of one field as DuckDB expressions: normalise, type, judge, and say why not.

Belongs here: what a single value may be (``raw/README.md``, "What happens to a value"). Does not: rows, keys, files
(``validating.py``). Every function takes a ContractField and gives an SQL expression over the columns of one row.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.intake.contracts import Contract, ContractField
from orchestration.texts import CONTROL, FORMULA

_FORMS = {
    "integer": r"-?[0-9]+(\.0+)?",
    "decimal": r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)",
    "org_code": "[0-9]{8}",
    "student_id": "[0-9]{10}",
    "year": "[0-9]{4}",
    "year_number": "[0-9]{4}",
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
_KINDS = {
    "integer": "a whole number",
    "decimal": "a number",
    "org_code": "an 8-digit organisation code",
    "student_id": "a 10-digit student identifier",
    "year": "a 4-digit year",
    "year_number": "a 4-digit year",
    "date": "a day as YYYY-MM-DD",
}
_SQL_TYPES = {"integer": "BIGINT", "year": "INTEGER", "year_number": "INTEGER", "date": "DATE"}
_PAD = {"org_code": 8}
_LARGEST = 10**18 - 1
_WITHHELD = "'(value withheld)'"


def quote(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: object) -> str:
    """An SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def verdict_column(field: ContractField) -> str:
    """Column that holds the rule a value breaks, null when it breaks none."""
    return quote(f"v_{field.name}")


def repair_column(field: ContractField) -> str:
    """Column that tells whether a value got its leading zeros back."""
    return quote(f"r_{field.name}")


def typed_column(field: ContractField) -> str:
    """Column that holds the value in the field's SQL type: worked out once for all that is asked of it."""
    return quote(field.name) if sql_type(field) == "VARCHAR" else quote(f"n_{field.name}")


def pad_width(field: ContractField) -> int | None:
    """Digits that a value gets back in front, if the field's codes have a fixed width."""
    return field.pad or _PAD.get(field.type)


def present(delivered: str) -> str:
    """An empty value is missing."""
    return f"nullif({delivered}, '')"


def trimmed(delivered: str) -> str:
    """Blanks around a value removed, an empty value missing. Few values have any: a look is cheaper than trimming."""
    tab = "chr(9)"
    spaces = f"{delivered} LIKE ' %' OR {delivered} LIKE '% '"
    ends = f"{spaces} OR starts_with({delivered}, {tab}) OR suffix({delivered}, {tab})"
    return present(f"CASE WHEN {ends} THEN trim({delivered}, ' ' || {tab}) ELSE {delivered} END")


def is_short(field: ContractField) -> str:
    """Condition: only digits, and fewer than the field's width; such a value lost its leading zeros.

    Few are short, and only these are searched for digits; of AND both sides are worked out for every row.
    """
    column = quote(field.name)
    digits = f"regexp_full_match({column}, '[0-9]+')"
    return f"(CASE WHEN strlen({column}) < {pad_width(field)} THEN {digits} ELSE false END)"


def padded(field: ContractField) -> str:
    """Leading zeros back in their place."""
    column, width = quote(field.name), pad_width(field)
    if width is None:
        return column
    return f"CASE WHEN {is_short(field)} THEN lpad({column}, {width}, '0') ELSE {column} END"


def sql_type(field: ContractField) -> str:
    """SQL type of the accepted value."""
    return f"DECIMAL(18, {field.scale or 0})" if field.type == "decimal" else _SQL_TYPES.get(field.type, "VARCHAR")


def typed(field: ContractField) -> str:
    """The value in the field's SQL type, null where it has none."""
    column = quote(field.name)
    if field.type == "integer":  # few have a point: a look is cheaper than replacing
        whole = f"CASE WHEN contains({column}, '.') THEN regexp_replace({column}, '\\.0+$', '') ELSE {column} END"
        return f"TRY_CAST({whole} AS BIGINT)"
    return column if sql_type(field) == "VARCHAR" else f"TRY_CAST({column} AS {sql_type(field)})"


def with_typed(fields: Iterable[ContractField], source: str) -> str:
    """The rows of `source`, texts named like the fields, with `typed_column` of each field."""
    others = [f"{typed(field)} AS {typed_column(field)}" for field in fields if sql_type(field) != "VARCHAR"]
    return f"SELECT {', '.join(['*', *others])} FROM {source}"


def verdict(field: ContractField, contract: Contract, *, year: int, part: str) -> str:
    """The first rule that the value breaks, in the order of the rules table; null when it breaks none.

    An expression over the columns of `with_typed`.
    """
    column = quote(field.name)
    whens = " ".join(f"WHEN {broken} THEN '{rule}'" for broken, rule in _checks(field, contract, year=year, part=part))
    missing = "'required'" if field.required or (part and part in field.required_in) else "NULL"
    return f"CASE WHEN {column} IS NULL THEN {missing} {whens} END"


def _checks(field: ContractField, contract: Contract, *, year: int, part: str) -> list[tuple[str, str]]:
    column, value = quote(field.name), typed_column(field)
    checks: list[tuple[str, str]] = []
    if form := _FORMS.get(field.type):
        day = f" AND {value} >= DATE '0001-01-01'" if field.type == "date" else ""
        checks.append((f"NOT coalesce(regexp_full_match({column}, '{form}'){day}, false)", "type"))
    if field.type == "text" and not contract.names_students:  # such texts reach pages, CSV files and terminals
        checks.append((f"regexp_matches({column}, {text(CONTROL)})", "characters"))
        checks.append((f"regexp_full_match({column}, {text(FORMULA)})", "formula"))
    if field.type == "year":
        checks.append((f"{column} <> '{year}'", "year"))
    if contract.parts and field.name == contract.parts.field:
        others = ", ".join(text(name) for name in contract.parts.names if name != part)
        checks.append((f"{column} IN ({others})", "part"))
    if field.codes:
        checks.append((f"{column} NOT IN ({', '.join(text(code) for code in field.codes)})", "code"))
    if field.pattern:
        checks.append((f"NOT regexp_full_match({column}, {text(field.pattern)})", "pattern"))
    if field.max_length is not None:
        checks.append((f"length({column}) > {field.max_length}", "max_length"))
    if field.type == "decimal":
        behind = f"length({column}) - strpos({column}, '.') > {field.scale or 0}"  # none other can have too many
        checks.append((f"{behind} AND length(rtrim(split_part({column}, '.', 2), '0')) > {field.scale or 0}", "scale"))
    if field.type in ("integer", "decimal", "year_number"):
        bounds = [f"{value} IS NULL OR {value} NOT BETWEEN -{_LARGEST} AND {_LARGEST}"]  # past 18 digits
        bounds += [f"{value} < {field.minimum}"] if field.minimum is not None else []
        bounds += [f"{value} > {field.maximum}"] if field.maximum is not None else []
        checks.append((" OR ".join(bounds), "range"))
    return checks


def reason(field: ContractField, *, year: int) -> str:
    """One sentence for people, with the delivered value (column t_<field>) unless it is or could be an identifier."""
    delivered = quote("t_" + field.name)
    shown = f"'''' || left({delivered}, 40) || ''''"
    if field.private or field.type == "student_id":
        shown = _WITHHELD
    else:
        shown = f"CASE WHEN regexp_matches({delivered}, '[0-9]{{9,}}') THEN {_WITHHELD} ELSE {shown} END"
    sentences = {
        "required": "'the value is missing'",
        "type": f"{shown} || ' is not {_KINDS.get(field.type, 'text')}'",
        "characters": "'holds a line break or another character that cannot be shown'",
        "formula": f"{shown} || ' begins like a formula of a spreadsheet'",
        "year": f"{shown} || ' is not the year of the delivery, {year}'",
        "part": f"{shown} || ' is another part than the delivery'",
        "code": f"{shown} || ' is not a code of this field'",
        "pattern": f"{shown} || ' does not have the form of this field'",
        "max_length": f"'longer than {field.max_length} characters'",
        "scale": f"{shown} || ' has more than {field.scale or 0} decimals'",
        "range": f"{shown} || ' is outside {_bound(field.minimum)} to {_bound(field.maximum)}'",
        "not_above": f"{shown} || ' is larger than {field.not_above}'",
    }
    whens = " ".join(f"WHEN '{rule}' THEN {sentence}" for rule, sentence in sentences.items())
    return f"CASE {verdict_column(field)} {whens} END"


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"
