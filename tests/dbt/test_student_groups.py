"""The groups of every profile that there can be, worked out a second time."""

from __future__ import annotations

import itertools

import duckdb

from tests.support.dbt_runs import Run

RACES = {
    "white": range(1, 2), "black": range(2, 3), "asian": range(3, 4), "american_indian": range(4, 5),
    "pacific_islander": range(5, 6), "multi_race": range(6, 32), "hispanic": range(32, 64),
}  # fmt: skip
"""Student group to its codes (layouts, SIMS DOE010): Hispanic of whatever race, more than one race, one race."""


def groups(code: int, low_income: bool, learner: bool, disabled: bool) -> set[str]:
    """Groups of a student with these attributes; code 0 is none."""
    found = {"all_students"} | {race for race, codes in RACES.items() if code in codes}
    flags = {"low_income": low_income, "el_and_former_el": learner, "students_with_disabilities": disabled}
    found |= {group for group, has in flags.items() if has}
    return found | ({"high_needs"} if any(flags.values()) else set())


def test_every_profile_has_its_groups_once(built: Run) -> None:
    expected = []
    for code, *flags in itertools.product(range(64), (False, True), (False, True), (False, True)):
        letters = "".join(letter if has else "-" for letter, has in zip("led", flags, strict=True))
        profile = (f"{code:02}" if code else "--") + letters
        expected += [(profile, group) for group in groups(code, *flags)]
    with duckdb.connect(str(built.database), read_only=True) as con:
        rows = con.execute("SELECT profile, student_group FROM int_profile_groups").fetchall()
    assert len(rows) > 512 * 2
    assert sorted(rows) == sorted(expected)
