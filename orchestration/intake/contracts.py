"""Contracts: what a collection must look like. The single source for reading, generating, checking and documenting it.

Belongs here: loading and typing of ``raw/contracts/*.yml``. Does not: anything about a concrete delivery.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestration.errors import InputError

FieldType = Literal["text", "integer", "decimal", "code", "org_code", "student_id", "date", "year", "year_number"]
Source = Literal["student", "hub", "ledger"]
_RANGE = re.compile(r"^(\d+)-(\d+)$")
_YEAR_TOKEN = re.compile(r"\{Y([+-]\d)?\}")


class ContractField(BaseModel):
    """One field: its standard name, the collection's own element code, and what a value may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    code: str | None = None
    type: FieldType
    required: bool = False
    required_in: tuple[str, ...] = ()
    codes: dict[str, str] = Field(default_factory=dict)
    codes_from: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    not_above: str | None = None
    pattern: str | None = None
    max_length: int | None = None
    scale: int | None = None
    pad: int | None = None
    private: bool = False
    description: str

    def headers(self, year: int) -> tuple[str, ...]:
        """Column headers that stand for this field in a delivery of `year`, folded for comparison."""
        own = (self.code,) if self.code else ()
        return tuple(fold(expand_years(header, year)) for header in (self.name, *own))


class ForeignKey(BaseModel):
    """Fields whose values must exist in a key of another collection of the same year."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: tuple[str, ...]
    references: str
    to: tuple[str, ...]

    @property
    def of(self) -> str:
        """Name of the set of values, `sims(sasid)`."""
        return f"{self.references}({','.join(self.to)})"


class Parts(BaseModel):
    """A collection that comes in several files a year, told apart by one field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    names: dict[str, str]


class Contract(BaseModel):
    """One collection. `version` is a digest of the file: any change of a rule is a new version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: str
    title: str
    source: Source
    dataset: str | None = None
    description: str
    owner: str
    citation: str
    required: bool | tuple[str, ...] = False
    feeds: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    parts: Parts | None = None
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    year_field: str | None = None
    unknown_columns: Literal["refuse", "report"] = "refuse"
    ignored_columns: tuple[str, ...] = ()
    header_row: int = 1
    sheet: str | None = None
    fields: dict[str, ContractField]
    version: str

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        known = set(self.fields)
        for what, names in (
            ("primary_key", self.primary_key),
            ("year_field", (self.year_field,) if self.year_field else ()),
            ("parts.field", (self.parts.field,) if self.parts else ()),
            ("not_above", tuple(f.not_above for f in self.fields.values() if f.not_above)),
            *(("foreign_keys", key.fields) for key in self.foreign_keys),
        ):
            for name in names:
                if name not in known:
                    raise ValueError(f"{what} names the field '{name}', which the contract does not have")
        for field in self.fields.values():
            if field.type == "code" and not field.codes:
                raise ValueError(f"field '{field.name}' has type code but no codes")
        return self

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts of one year; a collection in one piece has the single part ''."""
        return tuple(self.parts.names) if self.parts else ("",)

    @property
    def names_students(self) -> bool:
        """Whether a row is of one student: then no text of it leaves the home."""
        return any(field.type == "student_id" for field in self.fields.values())

    @property
    def required_parts(self) -> tuple[str, ...]:
        """Parts without which a year is not complete."""
        if isinstance(self.required, tuple):
            return self.required
        return self.part_names if self.required else ()

    def header_map(self, year: int) -> dict[str, str]:
        """Folded header -> standard field name, for a delivery of `year`."""
        return {header: f.name for f in self.fields.values() for header in f.headers(year)}

    def ignores(self, header: str) -> bool:
        """True for a known element that this project never reads (a student's name, say)."""
        return any(fnmatch.fnmatch(fold(header), fold(p)) for p in self.ignored_columns)


def fold(header: str) -> str:
    """Fold a column header for comparison: case, surrounding blanks and repeated blanks do not count."""
    return " ".join(header.strip().casefold().split())


def expand_years(template: str, year: int) -> str:
    """Put a year into a header template: '{Y-1} ELA Achievement Baseline', 2025 -> '2024 ELA …'."""
    return _YEAR_TOKEN.sub(lambda m: str(year + int(m.group(1) or 0)), template)


def expand_codes(codes: dict[Any, Any]) -> dict[str, str]:
    """Expand ranges of codes: {'06-08': 'x'} -> {'06': 'x', '07': 'x', '08': 'x'}."""
    out: dict[str, str] = {}
    for code, meaning in codes.items():
        if m := _RANGE.match(str(code)):
            low, high = m.groups()
            out |= {str(n).zfill(len(low)): str(meaning) for n in range(int(low), int(high) + 1)}
        else:
            out[str(code)] = str(meaning)
    return out


def load_contract(path: Path, vocabulary: dict[str, dict[str, str]]) -> Contract:
    """Load one contract file. Raises InputError naming file and field."""
    raw = _read_yaml(path)
    try:
        parts = Parts(**raw["parts"]) if "parts" in raw else None
        lists = vocabulary | ({"parts": parts.names} if parts else {})
        for name, spec in raw["fields"].items():
            if source := spec.get("codes_from"):
                if source not in lists:
                    raise InputError(f"{path}: field '{name}': codes_from '{source}' is not a list of _vocabulary.yml")
                spec["codes"] = lists[source]
            spec["codes"] = expand_codes(spec.get("codes", {}))
            spec["name"] = name
        text = yaml.dump(raw, Dumper=yaml.CSafeDumper, sort_keys=True)  # the same as in Python, in a fifth of the time
        digest = hashlib.sha256(text.encode()).hexdigest()
        contract = Contract(**raw, version=digest[:12])
    except KeyError as error:
        raise InputError(f"{path}: the contract lacks {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None
    if contract.collection != path.stem:
        raise InputError(f"{path}: collection '{contract.collection}' must be the file's name")
    return contract


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Load every contract of a folder, in order of their foreign keys (a referenced one comes first)."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of contracts; run from a checkout or set ACCOUNTABILITY_CONTRACTS")
    vocabulary = {name: expand_codes(codes) for name, codes in _read_yaml(folder / "_vocabulary.yml").items()}
    found = {
        path.stem: load_contract(path, vocabulary)
        for path in sorted(folder.glob("*.yml"))
        if not path.name.startswith("_")
    }
    for contract in found.values():
        for key in contract.foreign_keys:
            target = found.get(key.references)
            if target is None or any(name not in target.fields for name in key.to):
                raise InputError(
                    f"{folder / contract.collection}.yml: foreign key on {', '.join(key.fields)} refers to "
                    f"{key.references}({', '.join(key.to)}), which no contract has"
                )
    return {name: found[name] for name in _reference_order(found.values())}


def _reference_order(contracts: Iterable[Contract]) -> list[str]:
    pending = {c.collection: {k.references for k in c.foreign_keys} for c in contracts}
    order: list[str] = []
    while pending:
        ready = sorted(name for name, needs in pending.items() if needs <= set(order))
        if not ready:
            raise InputError(f"contracts refer to each other in a circle: {', '.join(sorted(pending))}")
        order += ready
        pending = {name: needs for name, needs in pending.items() if name not in ready}
    return order


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)  # safe, in C
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {str(error).splitlines()[0]}") from None
    return content
