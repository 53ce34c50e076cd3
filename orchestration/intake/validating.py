"""Holding a prepared delivery against its contract: accepted rows, quarantined rows, nothing in between.

Belongs here: rows, keys and references (``raw/README.md``) in a few DuckDB statements. Does not: single values
(``field_rules.py``), file formats (``preparing.py``), keeping (``store.py``). The same rules are computed a second time
in ``tests/oracle/intake_oracle.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.engine import connect
from orchestration.errors import InputError
from orchestration.identifiers import hashed
from orchestration.intake import field_rules
from orchestration.intake.contracts import Contract, ContractField, fold
from orchestration.intake.field_rules import quote, text, typed_column, verdict_column
from orchestration.intake.pieces import QUARANTINE, numbers_of, piece_name, read_files, write_pieces, write_rows
from orchestration.intake.preparing import ROW, Prepared

FOREIGN_KEY = "foreign_key"
BUFFER = 1 << 24
"""Bytes of a text that are read at a time: half of what DuckDB would read, of which a file of 50 or 70 MB gives two
processors too few to share; it takes them half as long again."""
NO_SUCH_VALUE = "no such value in the collection it refers to"


class IrregularTextError(Exception):
    """A text that counted as regular is not: it has to be prepared carefully."""


@dataclass(frozen=True)
class References:
    """Accepted rows that foreign keys are held against: collection -> Parquet files (all parts of the year)."""

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


def match_header(contract: Contract, header: Sequence[str], name: str, year: int) -> dict[str, int]:
    """Standard field name -> position in the delivery. Raises InputError naming the column.

    Columns neither in the contract nor ignored by it refuse the delivery unless the contract only reports them.
    """
    known = contract.header_map(year)
    found: dict[str, int] = {}
    seen: set[str] = set()
    for position, column in enumerate(header):
        folded, shown = fold(column), column.strip()
        if folded in seen:
            raise InputError(f"{name}: column '{shown}' stands in the header twice; remove one")
        seen.add(folded)
        field = known.get(folded)
        if field in found:
            first = header[found[field]].strip()
            raise InputError(f"{name}: columns '{first}' and '{shown}' both stand for {field}; remove one")
        if field is not None:
            found[field] = position
        elif contract.unknown_columns == "refuse" and not contract.ignores(column):
            raise InputError(f"{name}: column '{shown}' is not in the contract of {contract.collection}; remove it")
    missing = [field for field in required_columns(contract) if field not in found]
    if missing:
        names = ", ".join(_label(contract.fields[field]) for field in missing)
        raise InputError(f"{name}: missing column {names} of {contract.collection}; add it and deliver the file again")
    return found


def required_columns(contract: Contract) -> list[str]:
    """Fields without which a delivery cannot be read: required ones and keys, less what folder or file name tell."""
    told = {contract.year_field, contract.parts.field if contract.parts else None}
    return [
        field.name
        for field in contract.fields.values()
        if (field.required or field.name in contract.primary_key) and field.name not in told
    ]


def _label(field: ContractField) -> str:
    return f"{field.name} ({field.code})" if field.code else field.name


class Judge:
    """One delivery under judgement, on a private in-memory connection; `judge` reads in the order of its steps."""

    def __init__(
        self, contract: Contract, prepared: Prepared, *, name: str, year: int, part: str, delivery: str, work: Path
    ):
        self.contract, self.prepared, self.name = contract, prepared, name
        self.year, self.part, self.delivery = year, part, delivery
        self.fields = list(contract.fields.values())
        self.columns = match_header(contract, prepared.header, name, year)
        self.connection = connect(work / "spill", memory_limit="3GB")
        self.connection.execute("SET enable_progress_bar = false")

    def judge(
        self,
        references: References,
        identifier_key: bytes,
        built: Path,
        keys: Sequence[tuple[str, ...]],
    ) -> Outcome:
        """Write accepted rows and the quarantine into `built` (Parquet) and count. Raises InputError for no row."""
        self._load()
        self._check_values()
        self._check_keys()
        self._check_references(references)
        self._collect_violations(identifier_key)
        return self._outcome(self._write(built), keys)

    def part_named_inside(self) -> str | None:
        """The part that the delivery's own column names in its first filled row, if the collection has parts."""
        parts = self.contract.parts
        if parts is None or parts.field not in self.columns:
            return None
        named = self._delivered_text(self.contract.fields[parts.field])
        source = f"SELECT {named} AS part FROM {self._source()}"
        found = self._rows(f"SELECT trim(part) FROM ({source}) WHERE part IS NOT NULL LIMIT 1")
        return str(found[0][0]) if found else None

    # -- reading -------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Relation `delivered`: `_row`, every contract field as text, blanks gone and zeros back, and r_<field> where
        zeros came back."""
        as_value = field_rules.trimmed if self.prepared.has_blanks else field_rules.present
        trimmed = {f.name: as_value(self._delivered_text(f)) for f in self.fields}
        padded = {quote(f.name): field_rules.padded(f) for f in self.fields}
        repaired = {field_rules.repair_column(f): field_rules.is_short(f) for f in self._padded_fields()}
        number = f"{ROW}, " if self.prepared.numbered else ""
        source = f"SELECT {number}{_columns({quote(k): v for k, v in trimmed.items()})} FROM {self._source()}"
        select = f"SELECT {number}{_columns(padded | repaired)} FROM ({source})"
        try:
            self.connection.execute(f"CREATE TABLE normal AS {select}")
        except duckdb.InvalidInputException:
            if self.prepared.lines is None:
                raise
            raise IrregularTextError from None
        # rowid follows the order of the file: DuckDB keeps the insertion order
        row = "*" if self.prepared.numbered else f"rowid + 2 AS {ROW}, *"
        self.connection.execute(f"CREATE VIEW delivered AS SELECT {row} FROM normal")
        self.rows = self._count("normal") + len(self.prepared.ragged)
        if self.prepared.lines not in (None, self.rows):
            raise IrregularTextError
        if self.rows == 0:
            raise InputError(f"{self.name}: the file has a header and no rows; deliver the data or remove the file")

    def _padded_fields(self) -> list[ContractField]:
        return [f for f in self.fields if field_rules.pad_width(f) and f.name in self.columns]

    def _source(self) -> str:
        prepared = self.prepared
        if prepared.lines is None:
            return f"read_parquet({text(prepared.path)})"
        columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name in prepared.columns)
        return (
            f"read_csv({text(prepared.path)}, auto_detect = false, header = false, skip = 1, delim = ',', quote = '', "
            f"escape = '', strict_mode = true, null_padding = false, columns = {{{columns}}}, buffer_size = {BUFFER})"
        )

    def _delivered_text(self, field: ContractField) -> str:
        """A field as delivered text; one that the delivery leaves out is told by folder and file name, or missing."""
        parts = self.contract.parts
        if field.name not in self.columns:
            if field.name == self.contract.year_field:
                return f"'{self.year}'"
            return text(self.part) if parts and field.name == parts.field else "NULL::VARCHAR"
        column = quote(self.prepared.columns[self.columns[field.name]])
        if self.prepared.numbered or self.prepared.lines is not None:
            return column
        # in Parquet a whole float loses its '.0', so that 350062.0 is a code again
        return f"regexp_replace(CAST({column} AS VARCHAR), '^(-?[0-9]+)\\.0+$', '\\1')"

    # -- values and rows -----------------------------------------------------------------------------------------

    def _check_values(self) -> None:
        """Table `judged`: `_row`, each field typed, and for each field the rule it breaks (v_<field>, else null)."""
        con, fields = self.connection, self.fields
        values = {quote(f.name): typed_column(f) for f in fields}
        verdicts = {
            verdict_column(f): field_rules.verdict(f, self.contract, year=self.year, part=self.part) for f in fields
        }
        source = field_rules.with_typed(fields, "delivered")
        con.execute(f"CREATE TABLE judged AS SELECT {ROW}, {_columns(values | verdicts)} FROM ({source})")
        for field in fields:
            if field.not_above:
                other = self.contract.fields[field.not_above]
                con.execute(
                    f"UPDATE judged SET {verdict_column(field)} = 'not_above' WHERE {self._valid(field.name)} "
                    f"AND {self._valid(other.name)} AND {quote(field.name)} > {quote(other.name)}"
                )

    def _valid(self, field: str, table: str = "judged") -> str:
        """Condition: the value is there and breaks no rule of its own."""
        verdict = verdict_column(self.contract.fields[field])
        return f"({table}.{quote(field)} IS NOT NULL AND {table}.{verdict} IS NULL)"

    def _check_keys(self) -> None:
        """Table `row_faults`: (_row, field, rule) of rows that break a rule as a whole."""
        con, key = self.connection, self.contract.primary_key
        con.execute(f"CREATE TABLE row_faults ({ROW} BIGINT, field VARCHAR, rule VARCHAR)")
        if self.prepared.ragged:
            faults = [[row] for row in self.prepared.ragged]
            con.executemany("INSERT INTO row_faults VALUES (?, '', 'field_count')", faults)
        columns = ", ".join(quote(name) for name in key)
        valid = " AND ".join(self._valid(name) for name in key)
        doubled = f"SELECT {columns} FROM judged WHERE {valid} GROUP BY {columns} HAVING count(*) > 1"
        con.execute(
            f"INSERT INTO row_faults SELECT {ROW}, '{key[0]}', 'duplicate_key' FROM judged "
            f"SEMI JOIN ({doubled}) USING ({columns}) WHERE {valid}"
        )

    def _check_references(self, references: References) -> None:
        for key in self.contract.foreign_keys:
            there = read_files(references.files[key.references])
            targets = ", ".join(quote(name) for name in key.to)
            valid = " AND ".join(self._valid(name, "j") for name in key.fields)
            same = " AND ".join(f"k.{quote(t)} = j.{quote(f)}" for f, t in zip(key.fields, key.to, strict=True))
            self.connection.execute(
                f"INSERT INTO row_faults SELECT j.{ROW}, '{key.fields[0]}', '{FOREIGN_KEY}' FROM judged j "
                f"ANTI JOIN (SELECT {targets} FROM {there}) k ON {same} WHERE {valid}"
            )

    def _collect_violations(self, identifier_key: bytes) -> None:
        """Table `violations`: (_row, field, rule, reason, subject), an entry a broken rule.

        `subject` is the keyed hash of the row's student identifier, so that entries of one student can be told to
        belong together without the identifier.
        """
        con = self.connection
        clean = " AND ".join(f"{verdict_column(f)} IS NULL" for f in self.fields)
        con.execute(
            f"CREATE TABLE faulty AS SELECT {ROW} FROM row_faults UNION SELECT {ROW} FROM judged WHERE NOT ({clean})"
        )
        delivered = ", ".join(f"p.{quote(f.name)} AS {quote('t_' + f.name)}" for f in self.fields)
        con.execute(
            f"CREATE TABLE bad AS SELECT j.*, {delivered} FROM judged j "
            f"JOIN faulty USING ({ROW}) JOIN delivered p USING ({ROW})"
        )
        student = next((f for f in self.fields if f.type == "student_id"), None)
        subject = "NULL::VARCHAR"
        if student:
            subject = hashed(text(identifier_key.hex()), quote("t_" + student.name))
        entries = [
            f"SELECT {ROW}, '{f.name}' AS field, {verdict_column(f)} AS rule, "
            f"{field_rules.reason(f, year=self.year)} AS reason, {subject} AS subject "
            f"FROM bad WHERE {verdict_column(f)} IS NOT NULL"
            for f in self.fields
        ]
        entries.append(
            f"SELECT r.{ROW}, r.field, r.rule, CASE r.rule "
            "WHEN 'field_count' THEN 'the row has another number of values than the header' "
            "WHEN 'duplicate_key' THEN 'another row has the same key' "
            f"ELSE '{NO_SUCH_VALUE}' END, {subject} "
            f"FROM row_faults r LEFT JOIN bad USING ({ROW})"
        )
        con.execute(f"CREATE TABLE violations AS {' UNION ALL '.join(entries)}")

    # -- results -------------------------------------------------------------------------------------------------

    def _write(self, built: Path) -> list[Path]:
        """The files of accepted rows; at least one, so that there is always one to read."""
        columns = ", ".join(quote(f.name) for f in self.fields)
        good = f"SELECT '{self.delivery}' AS _delivery, {ROW}, {columns} FROM judged ANTI JOIN faulty USING ({ROW})"
        numbers = numbers_of(self.connection, f"(FROM judged ANTI JOIN faulty USING ({ROW}))") or [0]
        write_pieces(self.connection, good, built, numbers)
        bad = f"SELECT '{self.delivery}' AS _delivery, * FROM violations ORDER BY {ROW}, field, rule"
        write_rows(self.connection, bad, built / QUARANTINE)
        return [built / piece_name(number) for number in numbers]

    def _outcome(self, accepted: Sequence[Path], keys: Sequence[tuple[str, ...]]) -> Outcome:
        counts = self._rows("SELECT field, rule, count(*) FROM violations GROUP BY ALL ORDER BY ALL")
        read = {fold(self.prepared.header[position]) for position in self.columns.values()}
        others = [column.strip() for column in self.prepared.header if fold(column) not in read]
        return Outcome(
            rows=self.rows,
            accepted=self._count(read_files(accepted)),
            quarantined=self._count("faulty"),
            violations={(field, rule): n for field, rule, n in counts},
            repairs=self._repairs(),
            ignored=tuple(column for column in others if self.contract.ignores(column)),
            unknown=tuple(column for column in others if not self.contract.ignores(column)),
            keys={",".join(key): digest_of_keys(self.connection, accepted, key) for key in keys},
        )

    def _repairs(self) -> dict[str, int]:
        fields = self._padded_fields()
        if not fields:
            return {}
        counts = ", ".join(f"count(*) FILTER ({field_rules.repair_column(f)})" for f in fields)
        found = self._rows(f"SELECT {counts} FROM normal")[0]
        return {field.name: n for field, n in zip(fields, found, strict=True) if n}

    def _count(self, relation: str) -> int:
        return int(self._rows(f"SELECT count(*) FROM {relation}")[0][0])

    def _rows(self, sql: str) -> list[tuple]:  # type: ignore[type-arg]
        return self.connection.execute(sql).fetchall()


def _columns(expressions: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} AS {name}" for name, sql in expressions.items())


def digest_of_keys(con: duckdb.DuckDBPyConnection, accepted: Sequence[Path], key: tuple[str, ...]) -> str:
    """Digest of the set of key values: the same set, in any order, gives the same digest."""
    values = " || ',' || ".join(f"CAST({quote(name)} AS VARCHAR)" for name in key)
    distinct = f"SELECT DISTINCT {values} AS v FROM {read_files(accepted)}"
    count, mixed = con.execute(f"SELECT count(*), bit_xor(md5_number(v)) FROM ({distinct})").fetchall()[0]
    return f"{count}-{mixed or 0:032x}"


def write_empty(contract: Contract, path: Path) -> None:
    """A Parquet file with the columns of accepted rows and no row, for a collection of which nothing was delivered."""
    columns = {quote(f.name): f"CAST(NULL AS {field_rules.sql_type(f)})" for f in contract.fields.values()}
    with connect() as con:
        query = f"SELECT '' AS _delivery, 0::BIGINT AS {ROW}, {_columns(columns)} WHERE false"
        con.execute(f"COPY ({query}) TO {text(path)} (FORMAT parquet)")
