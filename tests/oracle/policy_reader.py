"""The policy rows as the oracle reads them: a small reader of its own, since what is read is data and not code."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "dbt_project" / "seeds" / "policy"


@dataclass(frozen=True)
class Policy:
    """Value by (policy year or 'every', rule, parameter)."""

    values: dict[tuple[str, str, str], str]

    def find(self, year: int, rule: str, parameter: str) -> str | None:
        """The value of a parameter in `year`, or None."""
        return self.table(year, rule).get(parameter)

    def get(self, year: int, rule: str, parameter: str) -> str:
        """The value of a parameter that must have one in `year`."""
        return self.table(year, rule)[parameter]

    def table(self, year: int, rule: str) -> dict[str, str]:
        """Parameter -> value of a whole rule in `year`: the rows of that year, and those of every year."""
        return {
            parameter: value
            for (row_year, row_rule, parameter), value in self.values.items()
            if row_rule == rule and row_year in ("every", str(year))
        }

    def but(self, rule: str, parameter: str, value: str, year: str = "every") -> Policy:
        """The same policy with one value changed, for an example."""
        return Policy(self.values | {(year, rule, parameter): value})


def read_policy(folder: Path = FOLDER) -> Policy:
    """Every row of the policy files."""
    values: dict[tuple[str, str, str], str] = {}
    for path in sorted(folder.glob("policy_*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                values[row["policy_year"], row["rule_id"], row["parameter"]] = row["value"]
    return Policy(values)


PROJECT_POLICY = read_policy()
