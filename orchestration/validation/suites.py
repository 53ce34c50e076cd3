"""Suites: ``expectations/<table>.yml`` read and checked, and their kwargs with the policy rows of a year put in.

Belongs here: what a suite may say. Does not: running it (`running`), or which suites a room needs (`gates`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from orchestration.errors import InputError
from orchestration.policy import Register
from orchestration.validation.frames import Frame

CRITICAL, WARNING = "critical", "warning"
STRUCTURE = "structure"
"""Frame of every table: a row a column with `column_name` and `column_type`."""
_SUITE = {"table", "about", "key", "empty_in", "expectations"}
_ENTRY = {"name", "type", "frame", "kwargs", "severity", "rule", "owner", "says", "sources"}
_NEEDED = ("name", "type", "severity", "rule", "owner", "says")


@dataclass(frozen=True)
class Expectation:
    """One thing that must hold. `frame` is None where the table itself is looked at; no `sources`: every one."""

    name: str
    type: str
    kwargs: Mapping[str, Any]
    frame: str | None
    severity: str
    rule: str
    owner: str
    says: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """What must hold of one table. `empty_in`: calendar words and sources of which it may be empty."""

    table: str
    about: str
    key: tuple[str, ...]
    empty_in: tuple[str, ...]
    expectations: tuple[Expectation, ...]
    file: Path


def load_suite(file: Path, frames: Mapping[str, Frame]) -> Suite:
    """Read and check one suite. Raises InputError naming file and entry."""
    try:
        content = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)  # safe, in C
    except OSError:
        raise InputError(f"{file}: there is no suite of this table; write one (expectations/README.md)") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(f"{file}: not valid YAML{f', line {mark.line + 1}' if mark else ''}") from None
    if not isinstance(content, dict) or set(content) - _SUITE:
        raise InputError(f"{file}: a suite has {', '.join(sorted(_SUITE))}, and nothing else")
    for word in ("table", "about", "key"):
        if not content.get(word):
            raise InputError(f"{file}: '{word}' is missing")
    if content["table"] != file.stem:
        raise InputError(f"{file}: table '{content['table']}' must be named like the file")
    entries = content.get("expectations") or []
    if not entries:
        raise InputError(f"{file}: the suite has no expectation; a table that nothing is expected of cannot pass")
    expectations = tuple(_expectation(file, number, entry, frames) for number, entry in enumerate(entries, 1))
    names = [e.name for e in expectations]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise InputError(f"{file}: two expectations are named {', '.join(sorted(doubled))}")
    return Suite(
        table=content["table"],
        about=content["about"],
        key=tuple(content["key"]),
        empty_in=tuple(content.get("empty_in") or ()),
        expectations=expectations,
        file=file,
    )


def _expectation(file: Path, number: int, entry: object, frames: Mapping[str, Frame]) -> Expectation:
    if not isinstance(entry, dict):
        raise InputError(f"{file}: expectation {number} is not a mapping")
    where = f"{file}: expectation {number} ({entry.get('name', 'without a name')})"
    if unknown := set(entry) - _ENTRY:
        raise InputError(
            f"{where}: unknown {', '.join(sorted(map(str, unknown)))}; known are {', '.join(sorted(_ENTRY))}"
        )
    for word in _NEEDED:
        if not str(entry.get(word) or "").strip():
            raise InputError(f"{where}: '{word}' is missing")
    if entry["type"] not in known_types():
        raise InputError(f"{where}: type '{entry['type']}' is not an expectation of Great Expectations")
    if entry["severity"] not in (CRITICAL, WARNING):
        raise InputError(f"{where}: severity '{entry['severity']}' is neither {CRITICAL} nor {WARNING}")
    if (frame := entry.get("frame")) and frame != STRUCTURE and frame not in frames:
        raise InputError(f"{where}: there is no frame '{frame}' in {file.parent / 'frames'}")
    return Expectation(
        name=entry["name"],
        type=entry["type"],
        kwargs=entry.get("kwargs") or {},
        frame=frame,
        severity=entry["severity"],
        rule=entry["rule"],
        owner=entry["owner"],
        says=" ".join(entry["says"].split()),
        sources=tuple(entry.get("sources") or ()),
    )


def known_types() -> frozenset[str]:
    """Names of the expectations that Great Expectations has, without importing it."""
    spec = find_spec("great_expectations")
    places = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return frozenset(f.stem for place in places for f in (Path(place) / "expectations" / "core").glob("expect_*.py"))


def resolved(expectation: Expectation, suite: Suite, register: Register, year: int) -> dict[str, Any]:
    """The kwargs with policy rows put in. Raises InputError naming file, entry and the row that is missing.

    `{policy: [rule, parameter]}` is a value, `{words: [rule, parameter]}` its words, `{values: rule}` the values of all
    rows of a rule, `{parameters: rule}` their names, `{year: 0}` the school year (`-1` the one before); a list may mix
    them with plain values.
    """
    try:
        return {name: _value(value, register, year) for name, value in expectation.kwargs.items()}
    except InputError as error:
        raise InputError(f"{suite.file}: {expectation.name}: {error}") from None


def _value(value: object, register: Register, year: int) -> Any:
    if isinstance(value, list):
        return [item for entry in value for item in _listed(_value(entry, register, year))]
    if not isinstance(value, dict):
        return value
    if set(value) == {"year"}:
        return year + int(value["year"])
    if set(value) == {"policy"}:
        return _number(register.row(year, *value["policy"]).value)
    if set(value) == {"words"}:
        return register.row(year, *value["words"]).value.split()
    if set(value) in ({"values"}, {"parameters"}):
        ((kind, rule),) = value.items()
        rows = list(_rows(rule, register, year))
        if not rows:
            raise InputError(f"policy: no row of rule {rule} for {year}")
        return [row.value if kind == "values" else row.parameter for row in rows]
    raise InputError(f"{value} is none of policy, words, values, parameters, year")


def _rows(rule: str, register: Register, year: int) -> Iterator[Any]:
    return (row for row in register.rows if row.rule_id == rule and register.find(year, rule, row.parameter) == row)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
