"""One suite on one table: frames computed by DuckDB, judged by Great Expectations, told as plain outcomes.

Belongs here: computing a frame, handing it over, taking results back. Does not: what is expected (the suites), or what
a failure means for a run (`gates`). An expectation that crashes, or that had nothing to look at, has not held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.engine import connect
from orchestration.errors import InputError
from orchestration.policy import Register
from orchestration.validation.frames import PRIOR, Frame
from orchestration.validation.library import configured_once, load_library
from orchestration.validation.suites import CRITICAL, STRUCTURE, Expectation, Suite, resolved

if TYPE_CHECKING:
    import pandas as pd

PASSED, FAILED, CRASHED, NOT_COMPARED = "passed", "failed", "crashed", "not_compared"
ROWS_KEPT = 1_000
"""Failing rows that are written out for one expectation; the count is always of all."""
FAULTS_READ = 50_000
"""Rows that are taken from a frame which holds only those at fault."""
_COLUMN_WORDS = ("column", "column_A", "column_B", "column_list")
_SPEAKING = (duckdb.BinderException, duckdb.CatalogException, duckdb.IOException, duckdb.ParserException)
"""Errors that name columns, tables and files. Others may quote a value and are named by their kind only."""


@dataclass(frozen=True)
class Outcome:
    """How one expectation ended. `rows` are the first failing rows, with the frame's columns."""

    table: str
    name: str
    type: str
    severity: str
    says: str
    rule: str
    owner: str
    status: str
    observed: str
    checked: int
    failing: int = 0
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    key: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """The key of the first failing row, for a line of text."""
        if not self.rows:
            return ""
        named = [f"{c} {v}" for c, v in zip(self.columns, self.rows[0], strict=True) if c in self.key]
        return f", first {', '.join(named)}" if named else ""

    @property
    def held(self) -> bool:
        """Whether it held, or could not be compared for a reason that is told."""
        return self.status in (PASSED, NOT_COMPARED)

    @property
    def stops(self) -> bool:
        """Whether the run must stop: a critical expectation that did not hold, or any that crashed."""
        return not self.held and (self.severity == CRITICAL or self.status == CRASHED)


class Tables:
    """Tables by name as DuckDB sees them. `private` columns can never get into a frame.

    What does not fit into memory goes into `spill`, a folder of the private home.
    """

    def __init__(
        self,
        files: Mapping[str, Sequence[Path]],
        private: frozenset[str] = frozenset(),
        spill: Path | None = None,
    ):
        self._private = private
        self._connection = connect(spill, memory_limit="1500MB", threads=2)
        self.names = set(files)
        for name, paths in files.items():
            listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
            self._connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}])")

    def add(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A small table from rows."""
        import pyarrow as pa

        made = pa.table({column: [row[n] for row in rows] for n, column in enumerate(columns)})
        self._connection.register(name, made)
        self.names.add(name)

    def columns(self, table: str) -> list[tuple[str, str]]:
        """Names and types of a table's columns."""
        return [(row[0], row[1]) for row in self._connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()]

    def frame(self, query: str) -> pd.DataFrame:
        """A query's rows. Raises InputError when a private column is among them."""
        relation = self._connection.sql(query)
        if seen := self._private & set(relation.columns):
            raise InputError(
                f"a frame may not hold the private column {', '.join(sorted(seen))}; use _delivery and _row"
            )
        return _as_pandas(relation)

    def number(self, query: str) -> int:
        """The one number that a query gives."""
        return int(self._connection.execute(query).fetchall()[0][0])

    def close(self) -> None:
        """Let go of memory and files."""
        self._connection.close()


def _as_pandas(relation: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    """The rows as `relation.df()` gives them, without making an object of each text: a quarter of its time."""
    import pandas as pd
    import pyarrow as pa

    columns = zip(relation.columns, map(str, relation.types), strict=True)
    exact = [
        f'"{name}"::DOUBLE AS "{name}"' for name, kind in columns if kind == "HUGEINT" or kind.startswith("DECIMAL")
    ]
    table = (relation.project(f"* REPLACE ({', '.join(exact)})") if exact else relation).to_arrow_table()
    kinds = (pd.Int8Dtype(), pd.Int16Dtype(), pd.Int32Dtype(), pd.Int64Dtype(), pd.BooleanDtype())
    gaps = {column.type for column in table.columns if column.null_count}  # kinds of which a value is missing somewhere
    nullable = {of: kind for kind in kinds if (of := pa.type_for_alias(kind.name.lower())) in gaps}
    return table.to_pandas(types_mapper=nullable.get, date_as_object=False)


def run_suite(
    suite: Suite, tables: Tables, frames: Mapping[str, Frame], register: Register, year: int, source: str
) -> list[Outcome]:
    """Every expectation of the suite, in its order."""
    found: dict[str, Outcome] = {}
    asked = [e for e in suite.expectations if not e.sources or source in e.sources]
    for name in dict.fromkeys(e.frame for e in asked):
        of_frame = [e for e in asked if e.frame == name]
        for expectation, outcome in _of_frame(suite, of_frame, tables, frames, register, year, source):
            found[expectation.name] = outcome
    return [found[e.name] for e in asked]


def _of_frame(
    suite: Suite,
    expectations: list[Expectation],
    tables: Tables,
    frames: Mapping[str, Frame],
    register: Register,
    year: int,
    source: str,
) -> Iterator[tuple[Expectation, Outcome]]:
    """The expectations of one frame, validated together."""
    name = expectations[0].frame
    frame = frames[name] if name and name != STRUCTURE else None
    try:
        if frame and (without := [table for table in frame.prior if table not in tables.names]):
            note = (
                f"not compared: there are no tables of {year - 1} ({', '.join(t.removeprefix(PRIOR) for t in without)})"
            )
            yield from ((e, _told(suite, e, NOT_COMPARED, note)) for e in expectations)
            return
        kwargs = {e.name: resolved(e, suite, register, year) for e in expectations}
        data, checked = _data(suite, expectations, frame, tables, register, year)
    except Exception as error:  # whatever stops a frame, it has not been judged
        yield from ((e, _told(suite, e, CRASHED, _reason(error))) for e in expectations)
        return
    if not checked:
        status, note = _nothing(suite, frame, register, year, source)
        yield from ((e, _told(suite, e, status, note)) for e in expectations)
        return
    results = _validated(data, expectations, kwargs)
    for e in expectations:
        yield e, _outcome(suite, e, results[e.name], data, checked, frame.key if frame else suite.key)


def _data(
    suite: Suite, expectations: list[Expectation], frame: Frame | None, tables: Tables, register: Register, year: int
) -> tuple[pd.DataFrame, int]:
    """What is looked at, and of how many things it tells."""
    if frame:
        query = frame.sql(register, year)
        if population := frame.population_sql(register, year):
            return tables.frame(f"SELECT * FROM ({query}) LIMIT {FAULTS_READ}"), tables.number(population)
        data = tables.frame(query)
        return data, len(data)
    there = tables.columns(suite.table)
    if expectations[0].frame == STRUCTURE:
        rows = ", ".join(f"('{column}', '{kind}')" for column, kind in there)
        return tables.frame(f"SELECT * FROM (VALUES {rows}) AS c (column_name, column_type)"), len(there)
    asked = [*suite.key, *(column for e in expectations for column in _columns(e))]
    names = [name for name, _ in there if name in asked]
    if not names:
        raise InputError(f"{suite.table} has none of the columns {', '.join(dict.fromkeys(asked))}")
    data = tables.frame(f"SELECT {', '.join(names)} FROM {suite.table}")
    return data, len(data)


def _columns(expectation: Expectation) -> list[str]:
    named = [expectation.kwargs[word] for word in _COLUMN_WORDS if word in expectation.kwargs]
    return [column for entry in named for column in (entry if isinstance(entry, list) else [entry])]


def _nothing(suite: Suite, frame: Frame | None, register: Register, year: int, source: str) -> tuple[str, str]:
    """What it means that there was nothing to look at."""
    word = register.row(year, "calendar", "determinations").value
    if word in suite.empty_in:
        return NOT_COMPARED, f"nothing to look at, which the suite allows in a year that the calendar calls {word}"
    if source in suite.empty_in:
        return NOT_COMPARED, f"nothing to look at, which the suite allows for source {source}"
    if frame and frame.empty:
        return NOT_COMPARED, f"nothing to look at: {frame.empty}"
    return FAILED, "there is not a single row to look at"


def _validated(
    data: pd.DataFrame, expectations: list[Expectation], kwargs: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Name of an expectation to the result of Great Expectations, or to the error that kept it from one."""
    whole = load_library()
    import great_expectations as gx
    from great_expectations.expectations.registry import get_expectation_impl

    results: dict[str, dict[str, Any]] = {}
    asked = []
    for e in expectations:
        try:
            asked.append(get_expectation_impl(e.type)(**kwargs[e.name], meta={"name": e.name}))
        except Exception as error:  # kwargs that it does not take
            results[e.name] = {"crashed": _reason(error)}
    try:
        suite = gx.ExpectationSuite("suite", expectations=asked)
        # positions of the failing rows; with them come all columns of the frame, its key among them
        with configured_once():
            done = whole.get_batch({"dataframe": data}).validate(suite, result_format={"result_format": "COMPLETE"})
    except Exception as error:  # then none of them was judged
        return results | {e.name: {"crashed": _reason(error)} for e in expectations if e.name not in results}
    for result in done.results:
        told: dict[str, Any] = {"success": result.success, "result": result.result}
        if message := _raised(result.exception_info):
            told = {"crashed": message}
        results[result.expectation_config.meta["name"]] = told
    return results


def _raised(info: Mapping[str, Any]) -> str:
    """What an expectation raised, or nothing. The messages name columns and metrics, not values."""
    entries = [info, *(entry for entry in info.values() if isinstance(entry, dict))]
    messages = [str(entry.get("exception_message")) for entry in entries if entry.get("raised_exception")]
    return "; ".join(dict.fromkeys(message.splitlines()[0] for message in messages if message))


def _outcome(
    suite: Suite, e: Expectation, result: Mapping[str, Any], data: pd.DataFrame, checked: int, key: tuple[str, ...]
) -> Outcome:
    if "crashed" in result:
        return _told(suite, e, CRASHED, result["crashed"], checked)
    found = result["result"]
    if result["success"]:
        return _told(suite, e, PASSED, _observed(found), checked)
    places = found.get("unexpected_index_list") or []
    rows = data.iloc[places[:ROWS_KEPT]]
    return Outcome(
        **_named(suite, e),
        status=FAILED,
        observed=_observed(found),
        checked=checked,
        failing=int(found.get("unexpected_count", len(places))),
        columns=tuple(map(str, rows.columns)) if len(places) else (),
        rows=tuple(tuple(map(_plain, row)) for row in rows.itertuples(index=False, name=None)),
        key=key,
    )


def _observed(found: Mapping[str, Any]) -> str:
    """What was seen, in a few words. A map expectation says how many rows did not fit."""
    if found.get("observed_value") is not None:
        value = _plain(found["observed_value"])
        return f"{value:g}" if isinstance(value, float) else str(value)[:200]
    counts = (("unexpected_count", "unexpected"), ("missing_count", "missing"))
    parts = [f"{found[name]} {words}" for name, words in counts if found.get(name)]
    for name in ("partial_unexpected_list", "partial_missing_list"):
        if "element_count" not in found and found.get(name):
            parts.append(f"{name.split('_')[1]}: {', '.join(map(str, found[name]))}"[:200])
    return "; ".join(parts) or "as expected"


def _plain(value: Any) -> Any:
    """A value that JSON and a workbook can hold: numpy scalars as Python's, nothing for not-a-number."""
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    value = value.item() if hasattr(value, "item") else value
    if value is None or str(value) in ("<NA>", "NaT", "nan"):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)


def _named(suite: Suite, e: Expectation) -> dict[str, Any]:
    return {
        "table": suite.table,
        "name": e.name,
        "type": e.type,
        "severity": e.severity,
        "says": e.says,
        "rule": e.rule,
        "owner": e.owner,
    }


def _told(suite: Suite, e: Expectation, status: str, observed: str, checked: int = 0) -> Outcome:
    return Outcome(**_named(suite, e), status=status, observed=observed, checked=checked)


def _reason(error: Exception) -> str:
    """An error in one line, without a value that it may quote."""
    if isinstance(error, (InputError, *_SPEAKING)):
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}" if str(error) else type(error).__name__
    return f"{type(error).__name__}; run the suite by hand to see it (expectations/README.md)"
