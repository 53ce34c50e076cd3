"""What the tests of determinations share: the project's policy, and a policy with some rows changed."""

from __future__ import annotations

from dataclasses import replace

from orchestration.policy import EVERY, PolicyRow, Register, load_register
from orchestration.settings import PROJECT

REGISTER = load_register(PROJECT / "dbt_project" / "seeds" / "policy")
YEARS = (2018, 2019, 2022, 2023, 2024, 2025)


def changed(*rows: tuple[str, str, str], register: Register = REGISTER, year: int | None = None) -> Register:
    """The register with other values: (rule, parameter, value), in the row that there is, of `year` where given."""
    found = list(register.rows)
    for rule, parameter, value in rows:
        places = [
            n
            for n, row in enumerate(found)
            if (row.rule_id, row.parameter) == (rule, parameter)
            and (year is None or row.policy_year in (str(year), EVERY))
        ]
        assert places, f"no row {rule}.{parameter}"
        for n in places:
            found[n] = replace(found[n], value=value)
    return Register(tuple(found))


def without(rule: str, parameter: str, year: int | None = None) -> Register:
    """The register without a row."""
    kept = [
        row
        for row in REGISTER.rows
        if (row.rule_id, row.parameter) != (rule, parameter)
        or (year is not None and row.policy_year not in (str(year), EVERY))
    ]
    assert len(kept) < len(REGISTER.rows), f"no row {rule}.{parameter}"
    return Register(tuple(kept))


def added(rule: str, parameter: str, value: str, file: str, year: str = EVERY) -> Register:
    """The register with one more row."""
    row = PolicyRow(year, rule, parameter, value, "word", "project", "inferred", f"{file}: row 999")
    return Register((*REGISTER.rows, row))
