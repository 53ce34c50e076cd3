"""Tables of two releases row by row: what plain Python finds in made-up ones, whatever their order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.files import sha256_of
from orchestration.policy import COLUMNS
from orchestration.publication.comparing import compare, moved_figures
from orchestration.publication.pairing import Side, side_by_side


@pytest.mark.parametrize("seed", range(12))
def test_rows_find_each_other_by_key_whatever_their_order(tmp_path: Path, seed: int) -> None:
    """Counts and cells as plain Python counts them; one kind of change a seed, and everything at once."""
    chance = random.Random(seed)
    before = {f"k{n:03d}": (chance.choice([None, n, 1.5]), chance.choice([None, "a", "b"])) for n in range(60)}
    after = dict(before)
    if seed % 4 in (1, 3):
        after |= dict.fromkeys(chance.sample(sorted(after), 5), (7.25, "z"))
    if seed % 4 in (2, 3):
        for key in chance.sample(sorted(after), 4):
            del after[key]
        after |= {f"new{n}": (1.0, "n") for n in range(4)}
    found, cells = _compared(tmp_path, before, after, chance if seed > 3 else None)
    expected = [
        (key, name, before[key][at], after[key][at])
        for at, name in enumerate(("number", "word"))
        for key in sorted(before.keys() & after.keys())
        if before[key][at] != after[key][at]
    ]
    assert [(key, column) for _, key, column, _, _ in cells] == [(key, name) for key, name, _, _ in expected]
    assert [cell[3:] for cell in cells] == [tuple(_text(v) for v in cell[2:]) for cell in expected]
    changed = {name: n for name in ("number", "word") if (n := sum(cell[1] == name for cell in expected))}
    counts = {"added": len(after.keys() - before.keys()), "removed": len(before.keys() - after.keys())}
    shown = {"rows": [60, len(after)], **counts, "changed": changed}
    assert found["tables"] == ({"things": shown} if changed or any(counts.values()) else {})


def test_a_key_that_stands_twice_tells_no_rows_apart(tmp_path: Path) -> None:
    rows = [("k1", 1.0, "a"), ("k1", 2.0, "a"), ("k2", 3.0, "c")]
    for folder, last in (("old", 3.0), ("new", 4.0)):
        _things(tmp_path / folder, [*rows[:2], ("k2", last, "c")])
    with side_by_side(_side(tmp_path / "old", 3), _side(tmp_path / "new", 3)) as pair:
        assert compare(pair)["tables"] == {"things": {"rows": [3, 3], "added": 1, "removed": 1, "changed": {}}}
        assert list(moved_figures(pair)) == []


Thing = tuple[float | None, str | None]


def _compared(
    folder: Path, before: dict[str, Thing], after: dict[str, Thing], chance: random.Random | None
) -> tuple[dict[str, Any], list[tuple[str, str, str, str | None, str | None]]]:
    """The difference of two made-up tables, in the order of their keys or by `chance`, and the cells that moved."""
    for name, things in (("old", before), ("new", after)):
        rows = [(key, *thing) for key, thing in things.items()]
        if chance:
            chance.shuffle(rows)
        _things(folder / name, rows)
    with side_by_side(_side(folder / "old", len(before)), _side(folder / "new", len(after))) as pair:
        return compare(pair), list(moved_figures(pair))


def _things(folder: Path, rows: list[tuple[str, float | None, str | None]]) -> None:
    folder.mkdir()
    columns = zip(("key", "number", "word"), zip(*rows, strict=True), strict=True)
    pq.write_table(pa.table({name: list(values) for name, values in columns}), folder / "things.parquet")
    (folder / "policy.csv").write_text(",".join(COLUMNS) + "\n")
    (folder / "code.csv").write_text("file,sha256\n")


def _side(folder: Path, rows: int) -> Side:
    digest = sha256_of(folder / "things.parquet")
    content = {"rows": {"things": rows}, "files": {"things.parquet": digest}, "inputs": [], "software": {}}
    return Side(folder.name, folder, content)


def _text(value: float | str | None) -> str | None:
    return None if value is None else str(float(value)) if isinstance(value, int | float) else value
