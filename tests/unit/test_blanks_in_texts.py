"""Whether a text has a blank around a value is told from all of its bytes, wherever they break into pieces."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.intake import preparing
from orchestration.intake.preparing import Limits, prepare

LIMITS = Limits(
    max_columns=10, max_expanded_bytes=1 << 20, max_expansion_ratio=10, max_line_bytes=1 << 10, settle_seconds=0
)
VALUES = st.text("a1é \t", max_size=4)


def has_blanks(text: str, chunk: int) -> bool:
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(preparing, "CHUNK", chunk):
        path = Path(folder) / "delivered"
        path.write_bytes(text.encode())
        return prepare(path, "delivered.csv", Path(folder), LIMITS).has_blanks


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4), st.integers(1, 9), st.sampled_from(["\n", "\r\n"]))
def test_none_is_overlooked(rows: list[tuple[str, str]], chunk: int, end: str) -> None:
    text = "".join(f"{one},{other}{end}" for one, other in [("left", "right"), *rows])
    for last in (text, text.removesuffix("\n").removesuffix("\r")):
        found = any(value != value.strip(" \t") for row in rows for value in row)
        if "\t" not in text:
            assert has_blanks(last, chunk) == found
        assert has_blanks(last, chunk) or not found


@pytest.mark.parametrize("chunk", [1, 2, 5, 1 << 20])
@pytest.mark.parametrize(("text", "found"), [("a b,c d\n1,2\n", False), ("a,b\n1,2 ", True), ("a,b\n 1,2", True)])
def test_a_blank_inside_a_value_is_none_around_it(text: str, found: bool, chunk: int) -> None:
    assert has_blanks(text, chunk) is found
