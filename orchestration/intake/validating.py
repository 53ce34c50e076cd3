"""Holding a prepared delivery against its contract: accepted rows, quarantined rows, nothing in between.

Belongs here: the rules of ``raw/README.md`` as one DuckDB pass. Does not: file formats (``preparing.py``), keeping
(``store.py``). The same rules are computed a second time in ``tests/oracle/intake_oracle.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract, ContractField, fold
from orchestration.intake.preparing import ROW, Prepared

_INTEGER = r"-?[0-9]+(\.0+)?"
_DECIMAL = r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_FORMS = {
    "integer": _INTEGER,
    "decimal": _DECIMAL,
    "org_code": "[0-9]{8}",
    "student_id": "[0-9]{10}",
    "year": "[0-9]{4}",
    "year_number": "[0-9]{4}",
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
_SQL_TYPES = {"integer": "BIGINT", "year": "INTEGER", "year_number": "INTEGER", "date": "DATE"}
_KINDS = {
    "integer": "a whole number",
    "decimal": "a number",
    "org_code": "an 8-digit organisation code",
    "student_id": "a 10-digit student identifier",
    "year": "a 4-digit year",
    "year_number": "a 4-digit year",
    "date": "a day as YYYY-MM-DD",
}
_PAD = {"org_code": 8}


@dataclass(frozen=True)
class References:
    """Accepted rows of the collections a contract refers to: collection -> Parquet files (all parts of the year)."""

    files: Mapping[str, Sequence[Path]]


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery. rows = accepted + quarantined, always.

    violations: (field, rule) -> entries. repairs: field -> values that got their leading zeros back. ignored: headers
    dropped unread; unknown: headers reported, not in the contract. keys: 'a,b' -> digest of the accepted values.
    """

    rows: int
    accepted: int
    quarantined: int
    violations: dict[tuple[str, str], int]
    repairs: dict[str, int]
    ignored: tuple[str, ...]
    unknown: tuple[str, ...]
    keys: dict[str, str]


def match_header(contract: Contract, header: Sequence[str], name: str, year: int, *, part_known: bool) -> dict[str, int]:
    """Standard field name -> position in the delivery. Raises InputError naming the column.

    Columns neither in the contract nor ignored by it refuse the delivery unless the contract only reports them.
    """
    known = contract.header_map(year)
    found: dict[str, int] = {}
    seen: dict[str, str] = {}
    for position, column in enumerate(header):
        folded = fold(column)
        if folded in seen:
            raise InputError(f"{name}: column '{column.strip()}' stands in the header twice; remove one")
        seen[folded] = column
        field = known.get(folded)
        if field is None:
            if contract.unknown_columns == "refuse" and not contract.ignores(column):
                raise InputError(f"{name}: column '{column.strip()}' is not in the contract of {contract.collection}; remove it")
            continue
        if field in found:
            raise InputError(f"{name}: columns '{header[found[field]].strip()}' and '{column.strip()}' both stand for {field}")
        found[field] = position
    missing = [field for field in required_columns(contract, part_known=part_known) if field not in found]
    if missing:
        names = ", ".join(label(contract.fields[field]) for field in missing)
        raise InputError(f"{name}: missing column {names} of {contract.collection}; add it and deliver the file again")
    return found


def required_columns(contract: Contract, *, part_known: bool) -> list[str]:
    """Fields without which a delivery cannot be read: required ones and keys, less what the folder or file name tells."""
    told = {contract.year_field, contract.parts.field if contract.parts and part_known else None}
    return [
        field.name
        for field in contract.fields.values()
        if (field.required or field.name in contract.primary_key) and field.name not in told
    ]


def label(field: ContractField) -> str:
    """A field as a message names it: standard name and, where there is one, the element code."""
    return f"{field.name} ({field.code})" if field.code else field.name


class Judge:
    """One delivery under judgement, on a private in-memory connection."""

    def __init__(self, contract: Contract, prepared: Prepared, *, name: str, year: int, part: str, delivery: str, work: Path):
        self.contract, self.prepared, self.name = contract, prepared, name
        self.year, self.part, self.delivery = year, part, delivery
        self.fields = list(contract.fields.values())
        self.columns = match_header(contract, prepared.header, name, year, part_known=bool(part))
        self.connection = duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(work / "spill")})
        self.keyed_hash = ""

    def judge(self, references: References, identifier_key: bytes, accepted: Path, quarantine: Path, keys: Sequence[tuple[str, ...]]) -> Outcome:
        """Write `accepted` and `quarantine` (Parquet) and count. Raises InputError when nothing can be read."""
        self.keyed_hash = identifier_key.hex()
        self._load()
        self._check_values()
        self._check_keys()
        self._check_references(references)
        return self._write(accepted, quarantine, keys)

    def part_named_inside(self) -> str | None:
        """The part that the delivery's own column names in its first filled row, if the collection has parts."""
        parts = self.contract.parts
        if parts is None or parts.field not in self.columns:
            return None
        position = self.columns[parts.field] + (1 if self.prepared.numbered else 0)
        if self.prepared.kind == "parquet":
            sql = f"SELECT CAST({_quote(self.prepared.header[position])} AS VARCHAR) FROM read_parquet({_text(self.prepared.path)})"
        else:
            sql = f"SELECT c{position} FROM {self._csv()}"
        found = self.connection.execute(f"SELECT trim(x) FROM ({sql}) t(x) WHERE x IS NOT NULL LIMIT 1").fetchall()
        return found[0][0] if found else None

    # -- reading ---------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Table `delivered`: `_row` and every contract field as the text that was delivered."""
        shift = 1 if self.prepared.numbered else 0
        if self.prepared.kind == "parquet":
            source = f"read_parquet({_text(self.prepared.path)}, file_row_number = true)"
            number = f"file_row_number + {self.prepared.first_row}"
            text = {f: self._parquet_text(position) for f, position in self.columns.items()}
        else:
            source = self._csv()
            number = "CAST(c0 AS BIGINT)" if self.prepared.numbered else ""
            text = {f: f"c{position + shift}" for f, position in self.columns.items()}
        columns = ", ".join(f"{text.get(f.name, 'NULL::VARCHAR')} AS {_quote(f.name)}" for f in self.fields)
        if number:
            self.connection.execute(f"CREATE TABLE delivered AS SELECT {number} AS {ROW}, {columns} FROM {source}")
        else:
            # rowid follows the order of the file: the insertion order is kept (DuckDB's default)
            self.connection.execute(f"CREATE TABLE plain AS SELECT {columns} FROM {source}")
            self.connection.execute(
                f"CREATE VIEW delivered AS SELECT rowid + {self.prepared.first_row} AS {ROW}, * FROM plain"
            )
        self.rows = self._one("SELECT count(*) FROM delivered") + len(self.prepared.ragged)
        if self.rows == 0:
            raise InputError(f"{self.name}: the file has a header and no rows; deliver the data or remove the file")

    def _csv(self) -> str:
        width = len(self.prepared.header) + (1 if self.prepared.numbered else 0)
        names = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
        skip = 0 if self.prepared.numbered else 1
        return (
            f"read_csv({_text(self.prepared.path)}, auto_detect = false, header = false, skip = {skip}, delim = ',', "
            f"quote = '\"', escape = '\"', strict_mode = true, null_padding = false, max_line_size = 16000000, "
            f"columns = {{{names}}})"
        )

    def _parquet_text(self, position: int) -> str:
        """A Parquet value as text; a float that is whole loses its '.0', so that 350062.0 is a code again."""
        column = _quote(self.prepared.header[position])
        return f"regexp_replace(CAST({column} AS VARCHAR), '^(-?[0-9]+)\\.0+$', '\\1')"

    # -- values ----------------------------------------------------------------------------------------------

    def _check_values(self) -> None:
        """Table `judged`: `_row`, each field typed, and for each field the rule it breaks (v_<field>, else null)."""
        con = self.connection
        trimmed = ", ".join(
            f"nullif(trim({_quote(f.name)}, ' ' || chr(9)), '') AS {_quote(f.name)}" if f.name in self.columns else self._told(f)
            for f in self.fields
        )
        padded = ", ".join(self._padded(f) for f in self.fields)
        con.execute(f"CREATE VIEW trimmed AS SELECT {ROW}, {trimmed} FROM delivered")
        con.execute(f"CREATE VIEW padded AS SELECT {ROW}, {padded} FROM trimmed")
        typed = ", ".join(f"{self._typed(f)} AS {_quote(f.name)}" for f in self.fields)
        verdicts = ", ".join(f"{self._verdict(f)} AS {_verdict(f)}" for f in self.fields)
        con.execute(f"CREATE TABLE judged AS SELECT {ROW}, {typed}, {verdicts} FROM padded")
        for field in self.fields:
            if field.not_above:
                limit = self.contract.fields[field.not_above]
                con.execute(
                    f"UPDATE judged SET {_verdict(field)} = 'not_above' WHERE {_verdict(field)} IS NULL "
                    f"AND {_verdict(limit)} IS NULL AND {_quote(field.name)} > {_quote(limit.name)}"
                )

    def _told(self, field: ContractField) -> str:
        """A column that the delivery leaves out and the landing folder or the file name tells."""
        parts = self.contract.parts
        if field.name == self.contract.year_field:
            return f"'{self.year}' AS {_quote(field.name)}"
        if parts and field.name == parts.field:
            return f"{_text(self.part)} AS {_quote(field.name)}"
        return f"NULL::VARCHAR AS {_quote(field.name)}"

    def _padded(self, field: ContractField) -> str:
        column, width = _quote(field.name), _pad(field)
        if width is None:
            return column
        return f"CASE WHEN {_short(column, width)} THEN lpad({column}, {width}, '0') ELSE {column} END AS {column}"

    def _typed(self, field: ContractField) -> str:
        column = _quote(field.name)
        if field.type == "decimal":
            return f"TRY_CAST({column} AS {_sql_type(field)})"
        if field.type == "integer":
            return f"TRY_CAST(regexp_replace({column}, '\\.0+$', '') AS BIGINT)"
        return f"TRY_CAST({column} AS {_sql_type(field)})" if field.type in _SQL_TYPES else column

    def _verdict(self, field: ContractField) -> str:
        """The first rule that a value breaks, in the order of raw/README.md."""
        column, typed = _quote(field.name), self._typed(field)
        checks: list[tuple[str, str]] = []
        form = _FORMS.get(field.type)
        if form:
            valid = f"regexp_full_match({column}, '{form}')"
            if field.type == "date":
                valid += f" AND {typed} IS NOT NULL"
            checks.append((f"NOT ({valid})", "type"))
        if field.type == "year":
            checks.append((f"{column} <> '{self.year}'", "year"))
        parts = self.contract.parts
        if parts and field.name == parts.field:
            others = ", ".join(_text(p) for p in parts.names if p != self.part)
            checks.append((f"{column} IN ({others})", "part"))
        if field.codes:
            allowed = ", ".join(_text(code) for code in field.codes)
            checks.append((f"{column} NOT IN ({allowed})", "code"))
        if field.pattern:
            checks.append((f"NOT regexp_full_match({column}, {_text(field.pattern)})", "pattern"))
        if field.max_length is not None:
            checks.append((f"length({column}) > {field.max_length}", "max_length"))
        if field.type == "decimal":
            checks.append((f"length(rtrim(split_part({column}, '.', 2), '0')) > {field.scale or 0}", "scale"))
        if field.type in ("integer", "decimal", "year_number"):
            bounds = [f"{typed} IS NULL"]
            bounds += [f"{typed} < {field.minimum}"] if field.minimum is not None else []
            bounds += [f"{typed} > {field.maximum}"] if field.maximum is not None else []
            checks.append((" OR ".join(bounds), "range"))
        needed = field.required or self.part in field.required_in
        if field.required_in and not self.part:
            needed = False
        whens = " ".join(f"WHEN {condition} THEN '{rule}'" for condition, rule in checks)
        missing = "'required'" if needed else "NULL"
        return f"CASE WHEN {column} IS NULL THEN {missing} {whens} END"

    # -- rows ------------------------------------------------------------------------------------------------

    def _check_keys(self) -> None:
        """Table `row_faults`: (_row, field, rule) of rows that break a rule as a whole."""
        con, key = self.connection, self.contract.primary_key
        con.execute(f"CREATE TABLE row_faults ({ROW} BIGINT, field VARCHAR, rule VARCHAR)")
        if self.prepared.ragged:
            faults = [[row] for row, _ in self.prepared.ragged]
            con.executemany("INSERT INTO row_faults VALUES (?, '', 'field_count')", faults)
        columns = ", ".join(_quote(name) for name in key)
        valid = " AND ".join(f"{_quote(n)} IS NOT NULL AND {_verdict(self.contract.fields[n])} IS NULL" for n in key)
        con.execute(
            f"INSERT INTO row_faults SELECT {ROW}, '{key[0]}', 'duplicate_key' FROM judged "
            f"WHERE {valid} AND ({columns}) IN (SELECT ({columns}) FROM judged WHERE {valid} GROUP BY {columns} HAVING count(*) > 1)"
        )

    def _check_references(self, references: References) -> None:
        for key in self.contract.foreign_keys:
            files = ", ".join(_text(path) for path in references.files[key.references])
            valid = " AND ".join(
                f"j.{_quote(n)} IS NOT NULL AND j.{_verdict(self.contract.fields[n])} IS NULL" for n in key.fields
            )
            same = " AND ".join(f"k.{_quote(t)} = j.{_quote(f)}" for f, t in zip(key.fields, key.to, strict=True))
            targets = ", ".join(_quote(name) for name in key.to)
            self.connection.execute(
                f"INSERT INTO row_faults SELECT j.{ROW}, '{key.fields[0]}', 'foreign_key' FROM judged j WHERE {valid} "
                f"AND NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT {targets} FROM read_parquet([{files}])) k WHERE {same})"
            )

    # -- writing ---------------------------------------------------------------------------------------------

    def _write(self, accepted: Path, quarantine: Path, keys: Sequence[tuple[str, ...]]) -> Outcome:
        con = self.connection
        clean = " AND ".join(f"{_verdict(f)} IS NULL" for f in self.fields)
        con.execute(f"CREATE TABLE faulty AS SELECT DISTINCT {ROW} FROM row_faults UNION SELECT {ROW} FROM judged WHERE NOT ({clean})")
        con.execute(f"CREATE TABLE violations AS {self._violations(clean)}")
        quarantined = self._one("SELECT count(*) FROM faulty")
        columns = ", ".join(_quote(f.name) for f in self.fields)
        good = f"SELECT '{self.delivery}' AS _delivery, {ROW}, {columns} FROM judged"
        if quarantined:  # the anti-join may lose the order of the file
            good += f" WHERE {ROW} NOT IN (SELECT {ROW} FROM faulty) ORDER BY {ROW}"
        con.execute(f"COPY ({good}) TO {_text(accepted)} (FORMAT parquet, COMPRESSION zstd)")
        con.execute(
            f"COPY (SELECT '{self.delivery}' AS _delivery, * FROM violations ORDER BY {ROW}, field, rule) "
            f"TO {_text(quarantine)} (FORMAT parquet, COMPRESSION zstd)"
        )
        counts = con.execute("SELECT field, rule, count(*) FROM violations GROUP BY ALL ORDER BY ALL").fetchall()
        taken = {fold(self.prepared.header[position]) for position in self.columns.values()}
        others = [column.strip() for column in self.prepared.header if fold(column) not in taken]
        return Outcome(
            rows=self.rows,
            accepted=self._one(f"SELECT count(*) FROM read_parquet({_text(accepted)})"),
            quarantined=quarantined,
            violations={(field, rule): n for field, rule, n in counts},
            repairs=self._repairs(),
            ignored=tuple(column for column in others if self.contract.ignores(column)),
            unknown=tuple(column for column in others if not self.contract.ignores(column)),
            keys={",".join(key): self._digest(accepted, key) for key in keys},
        )

    def _violations(self, clean: str) -> str:
        """Entries of the quarantine: row, field, rule, reason, subject (keyed hash of the row's student identifier)."""
        subject = next((f for f in self.fields if f.type == "student_id"), None)
        hashed = (
            f"substr(sha256('{self.keyed_hash}' || ':' || {_quote(subject.name)}), 1, 16)" if subject else "NULL::VARCHAR"
        )
        entries = [
            f"SELECT {ROW}, '{f.name}' AS field, {_verdict(f)} AS rule, {self._reason(f)} AS reason, {hashed} AS subject "
            f"FROM bad WHERE {_verdict(f)} IS NOT NULL"
            for f in self.fields
        ]
        entries.append(
            f"SELECT r.{ROW}, r.field, r.rule, CASE r.rule "
            "WHEN 'field_count' THEN 'the row has another number of values than the header' "
            "WHEN 'duplicate_key' THEN 'another row has the same key' "
            f"ELSE 'no such value in the collection it refers to' END AS reason, {hashed} AS subject "
            f"FROM row_faults r LEFT JOIN bad ON bad.{ROW} = r.{ROW}"
        )
        texts = ", ".join(f"p.{_quote(f.name)} AS {_quote('t_' + f.name)}" for f in self.fields)
        self.connection.execute(
            f"CREATE TABLE bad AS SELECT j.*, {texts} FROM judged j JOIN faulty USING ({ROW}) JOIN padded p USING ({ROW})"
        )
        return " UNION ALL ".join(entries)

    def _reason(self, field: ContractField) -> str:
        """One sentence with the value, unless the value is or could be a student identifier."""
        text = _quote("t_" + field.name)
        shown = (
            "'(value withheld)'"
            if field.private or field.type == "student_id"
            else f"CASE WHEN regexp_matches({text}, '[0-9]{{9,}}') THEN '(value withheld)' ELSE '''' || left({text}, 40) || '''' END"
        )
        bounds = f"{_number(field.minimum)} to {_number(field.maximum)}"
        what = {
            "required": "'the value is missing'",
            "type": f"{shown} || ' is not {_KINDS.get(field.type, 'text')}'",
            "year": f"{shown} || ' is not the year of the delivery, {self.year}'",
            "part": f"{shown} || ' is another part than the delivery'",
            "code": f"{shown} || ' is not a code of this field'",
            "pattern": f"{shown} || ' does not have the form of this field'",
            "max_length": f"'longer than {field.max_length} characters'",
            "scale": f"{shown} || ' has more than {field.scale or 0} decimals'",
            "range": f"{shown} || ' is outside {bounds}'",
            "not_above": f"{shown} || ' is larger than {field.not_above}'",
        }
        whens = " ".join(f"WHEN '{rule}' THEN {sentence}" for rule, sentence in what.items())
        return f"CASE {_verdict(field)} {whens} END"

    def _repairs(self) -> dict[str, int]:
        padded = [(f.name, _pad(f)) for f in self.fields if _pad(f) and f.name in self.columns]
        if not padded:
            return {}
        counts = ", ".join(f"count(*) FILTER ({_short(_quote(name), width)})" for name, width in padded)
        found = self.connection.execute(f"SELECT {counts} FROM trimmed").fetchall()[0]
        return {name: n for (name, _), n in zip(padded, found, strict=True) if n}

    def _digest(self, accepted: Path, key: tuple[str, ...]) -> str:
        """Digest of the set of key values: the same set, in any order, gives the same digest."""
        values = " || ',' || ".join(f"CAST({_quote(name)} AS VARCHAR)" for name in key)
        sql = f"SELECT count(*), bit_xor(md5_number(v)) FROM (SELECT DISTINCT {values} AS v FROM read_parquet({_text(accepted)}))"
        count, mixed = self.connection.execute(sql).fetchall()[0]
        return f"{count}-{mixed or 0:032x}"

    def _one(self, sql: str) -> int:
        return self.connection.execute(sql).fetchall()[0][0]


def _pad(field: ContractField) -> int | None:
    return field.pad or _PAD.get(field.type)


def _short(column: str, width: int | None) -> str:
    return f"(length({column}) < {width} AND regexp_full_match({column}, '[0-9]+'))"


def _sql_type(field: ContractField) -> str:
    return f"DECIMAL(18, {field.scale or 0})" if field.type == "decimal" else _SQL_TYPES[field.type]


def _number(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _verdict(field: ContractField) -> str:
    return _quote(f"v_{field.name}")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
