"""What Great Expectations is handed is what DuckDB's own way to pandas gives, value by value."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from orchestration.validation.running import Tables, _plain

COLUMNS = "(small, whole, large, exact, day, text, flag, rate, moment, nothing)"
FULL = (
    "(1::TINYINT, 1, 10::BIGINT, 0.07::DECIMAL(9,2), DATE '2024-10-01', 'a', true, 1.5::DOUBLE, "
    "TIMESTAMP '2024-10-01 08:00:00', NULL::VARCHAR)"
)
GAPS = "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
OTHER = "(3, 3, 12, 1.10, DATE '2025-02-28', 'ü', false, 0.1, NULL, NULL)"
ROWS = f"SELECT * FROM (VALUES {FULL}, {OTHER}) AS t {COLUMNS}"
QUERIES = {
    "whole": ROWS,
    "gaps": f"SELECT * FROM (VALUES {FULL}, {GAPS}, {OTHER}) AS t {COLUMNS}",
    "no row": f"{ROWS} WHERE whole > 99",
    "sums": f'SELECT sum(whole) AS total, avg(exact) AS mean, sum(exact) AS "the sum", count(*) AS n FROM ({ROWS})',
    "hundredths": "SELECT (i / 100)::DECIMAL(18,2) AS exact, i::HUGEINT * 7 AS huge FROM range(20000) AS t (i)",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_frame_holds_the_values_that_duckdb_gives(query: str) -> None:
    found = Tables({}).frame(query)
    with duckdb.connect() as con:
        expected = con.sql(query).df()
    assert list(found.columns) == list(expected.columns)
    assert _values(found) == _values(expected)
    for column in expected.columns:
        numbers = pd.api.types.is_numeric_dtype(expected[column])
        assert pd.api.types.is_numeric_dtype(found[column]) == numbers, "a number is compared as one"
        assert pd.api.types.is_float_dtype(found[column]) == pd.api.types.is_float_dtype(expected[column]), column


def _values(frame: pd.DataFrame) -> list[list[object]]:
    return [[_plain(value) for value in row] for row in frame.itertuples(index=False, name=None)]
