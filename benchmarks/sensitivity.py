"""How many classifications another plausible value of an inferred policy parameter would change; run by hand.

Belongs here: one determination of a year for each row of ``sensitivity.csv``, held against that of the register as it
is. Does not: any judgement which value is right. What is decided before determinations (indicators) stays as it is.

    python -m benchmarks.sensitivity --home HOME --year 2025
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import replace
from pathlib import Path

from orchestration.determinations import building
from orchestration.determinations.determining import determine
from orchestration.determinations.reading import Inputs, read_inputs
from orchestration.determinations.year_rules import year_rules
from orchestration.errors import InputError
from orchestration.policy import Register, load_register
from orchestration.settings import Settings
from orchestration.tables import folder_of

OTHERS = Path(__file__).with_suffix(".csv")


def changed(register: Register, year: int, rule: str, parameter: str, value: str) -> Register:
    """The register with another value in force in `year`."""
    found = register.row(year, rule, parameter)
    return Register(tuple(replace(row, value=value) if row is found else row for row in register.rows))


def inputs_of(home: Path, register: Register, year: int) -> Inputs:
    """What the determinations of `year` read in this home, from student records."""
    rules = year_rules(register, year)
    prior = rules.scoring.percentages.prior_year if rules.scoring else None
    years = sorted({year, *building._years_back(rules)}, reverse=True)
    tables = {y: folder_of(home, building.INDICATORS, "student", y) for y in years}
    return read_inputs(year, tables, folder_of(home, building.ROOM, "student", prior) if prior else None)


def decided(inputs: Inputs, register: Register, year: int) -> dict[str, tuple[str | None, str | None]]:
    """Organisation to its overall classification and reason."""
    done = determine(inputs, year_rules(register, year))
    return {row.org_code: (row.overall_classification, row.reason) for row in done.determinations}


def main() -> None:
    """Print a row for each other value: how many organisations have another classification, another reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--year", type=int, required=True)
    given = parser.parse_args()
    register = load_register(Settings().policy)
    inputs = inputs_of(given.home, register, given.year)
    usual = decided(inputs, register, given.year)
    print(f"| rule.parameter | value | other | classifications of {len(usual)} | reasons | why |", flush=True)
    print("| --- | --- | --- | --- | --- | --- |")
    with OTHERS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rule, parameter, value = row["rule_id"], row["parameter"], row["value"]
            now = register.row(given.year, rule, parameter).value
            if now == value:
                raise InputError(f"{OTHERS}: {rule}.{parameter}: {value} is the value in force, not another one")
            other = decided(inputs, changed(register, given.year, rule, parameter, value), given.year)
            overall = sum(other[org][0] != usual[org][0] for org in usual)
            reasons = sum(other[org] != usual[org] for org in usual)
            print(f"| {rule}.{parameter} | {now} | {value} | {overall} | {reasons} | {row['why']} |", flush=True)


if __name__ == "__main__":
    main()
