"""What follows from sums: the elimination against exact fractions, whatever the order, and how much it keeps."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.publication.elimination import Sums

Columns = list[dict[int, int]]


def rank(rows: list[list[Fraction]]) -> int:
    """By Gauss, in fractions."""
    rows, found = [list(row) for row in rows], 0
    for place in range(len(rows[0]) if rows else 0):
        pivot = next((row for row in rows[found:] if row[place]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rows.insert(found, pivot)
        for row in rows[found + 1 :]:
            times = row[place] / pivot[place]
            row[:] = [a - times * b for a, b in zip(row, pivot, strict=True)]
        found += 1
    return found


def follows(columns: Columns, sought: dict[int, int], equations: list[int]) -> bool:
    """Whether a sum of unknowns is a sum of the left sides of some equations: one more row adds nothing."""
    rows = [[Fraction(column.get(equation, 0)) for column in columns] for equation in equations]
    asked = [Fraction(sought.get(unknown, 0)) for unknown in range(len(columns))]
    return rank([*rows, asked]) == rank(rows)


coefficients = st.sampled_from((1, 1, 1, -1, -1, 2, -3))
systems = st.lists(st.dictionaries(st.integers(0, 5), coefficients, max_size=4), min_size=1, max_size=9)


@settings(max_examples=300, deadline=None)
@given(columns=systems, asked_after=st.integers(0, 9))
def test_determined_is_what_exact_fractions_say_however_often_it_is_asked(columns: Columns, asked_after: int) -> None:
    sums, everything = Sums(), list(range(6))
    for unknown, column in enumerate(columns):
        sums.take_in(unknown, column)
        if unknown >= asked_after:
            sums.question()
    sums.question()
    assert sums.question() == {}
    wanted = {unknown for unknown in range(len(columns)) if follows(columns, {unknown: 1}, everything)}
    assert sums.determined == wanted
    for unknown in wanted:
        lines = sums.derivation({unknown: 1})
        assert follows(columns, {unknown: 1}, lines)
        assert not lines or not follows(columns, {unknown: 1}, lines[1:])


@settings(max_examples=200, deadline=None)
@given(columns=systems.filter(lambda columns: len(columns) > 1))
def test_two_unknowns_that_always_move_together_have_a_difference_that_follows(columns: Columns) -> None:
    sums = Sums()
    for unknown, column in enumerate(columns):
        sums.take_in(unknown, column)
    moved = sums.question()
    together = moved.get(0, 0) == moved.get(1, 0)
    assert together == follows(columns, {0: 1, 1: -1}, list(range(6)))
    if together:
        assert follows(columns, {0: 1, 1: -1}, sums.derivation({0: 1, 1: -1}))


def test_a_state_keeps_few_coefficients() -> None:
    """Every count of 300 districts with five schools and seven groups each unknown: no more is kept than is given.

    Eliminated by rows, the sums over the state would each fill up with a term for nearly every district and group.
    """
    groups, schools, districts = range(8), range(5), range(300)  # group 0 is everyone
    equations: dict[tuple[object, ...], int] = {}
    for place in (*((d, s) for d in districts for s in schools), *((d,) for d in districts), ()):
        for kind in (*(() if len(place) == 2 else groups), "groups"):  # deepest first
            equations[*place, kind] = len(equations)
    sums, given = Sums(), 0
    places = (*((d, s) for d in districts for s in schools), *((d,) for d in districts))
    for unknown, (place, group) in enumerate((place, group) for place in places for group in groups):
        column = {equations[*place, "groups"]: 1 if group else -1, equations[*place[:-1], group]: 1}
        if len(place) == 1:
            column[equations[*place, group]] = -1
        given += len(column)
        sums.take_in(unknown, column)
    sums.question()
    assert not sums.determined
    print(f"{unknown + 1} unknowns, {given} coefficients given, {sums.size} kept")
    assert sums.size <= given
