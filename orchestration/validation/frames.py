"""Frames: what a suite looks at when the table itself is not enough (sums, comparisons, rows at fault).

Belongs here: reading ``expectations/frames/<name>.sql`` and its header, and putting policy rows into it. Does not:
judging; an expectation does.

A header is a block of comment lines `-- word: text`:
    about       what a row is
    key         columns that name a row
    reads       tables read; `prior_<table>` is last year's, and a frame without it is reported as not compared
    population  a query for the number of things looked at, where the frame holds only those at fault
    empty       what it means when nothing was looked at; without this line that is a failure
In the query `{{ policy('rule', 'parameter') }}` is a value as text, `{{ words('rule', 'parameter') }}` a list of its
words, `{{ year }}` the school year; the table policy_rows holds every row in force.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import InputError
from orchestration.policy import Register

FOLDER = "frames"
PRIOR = "prior_"
_HEADER = re.compile(r"^-- (\w+): (.+)$")
_MORE = re.compile(r"^--   +(\S.*)$")
_WORDS = ("about", "key", "reads", "population", "empty")
_CALL = re.compile(r"\{\{\s*(policy|words)\(\s*'(\w+)',\s*'(\w+)'\s*\)\s*\}\}")
_YEAR = re.compile(r"\{\{\s*year\s*\}\}")


@dataclass(frozen=True)
class Frame:
    """A query over tables by name, with what its header says."""

    name: str
    file: Path
    about: str
    key: tuple[str, ...]
    reads: tuple[str, ...]
    population: str | None
    empty: str | None
    query: str

    @property
    def prior(self) -> tuple[str, ...]:
        """Last year's tables that it reads."""
        return tuple(table for table in self.reads if table.startswith(PRIOR))

    def sql(self, register: Register, year: int) -> str:
        """The query of a year. Raises InputError naming a policy row that is missing."""
        return _filled(self.query, register, year)

    def population_sql(self, register: Register, year: int) -> str | None:
        """The query for the number of things looked at."""
        return _filled(self.population, register, year) if self.population else None


def load_frames(folder: Path) -> dict[str, Frame]:
    """Every frame of a folder of suites, by name. Raises InputError naming file and header line."""
    return {file.stem: _load(file) for file in sorted((folder / FOLDER).glob("*.sql"))}


def _load(file: Path) -> Frame:
    found: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8").splitlines()
    last = ""
    for number, line in enumerate(lines):
        if match := _HEADER.match(line):
            last = match[1]
            if last not in _WORDS:
                raise InputError(f"{file}: line {number + 1}: '{last}' is not one of {', '.join(_WORDS)}")
            found[last] = match[2]
        elif last and (more := _MORE.match(line)):
            found[last] += f" {more[1]}"
        else:
            break
    for word in ("about", "key", "reads"):
        if word not in found:
            raise InputError(f"{file}: the header has no line '-- {word}: …'")
    query = "\n".join(line for line in lines if not line.startswith("--")).strip()
    if not query:
        raise InputError(f"{file}: there is no query below the header")
    return Frame(
        name=file.stem,
        file=file,
        about=found["about"],
        key=tuple(found["key"].replace(",", " ").split()),
        reads=tuple(found["reads"].replace(",", " ").split()),
        population=found.get("population"),
        empty=found.get("empty"),
        query=query,
    )


def _filled(query: str, register: Register, year: int) -> str:
    def value(match: re.Match[str]) -> str:
        text = register.row(year, match[2], match[3]).value
        if match[1] == "policy":
            return _quoted(text)
        return f"({', '.join(_quoted(word) for word in text.split())})"

    return _YEAR.sub(str(year), _CALL.sub(value, query))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
