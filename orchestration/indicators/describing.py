"""Writes the schema.yml of models that pass accepted rows on, so that dbt describes a column as its contract does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from orchestration.intake.contracts import Contract, load_contracts
from orchestration.policy import Register, load_register
from orchestration.settings import PROJECT, Settings

MODELS = PROJECT / "dbt_project" / "models"
FOLDERS = ("staging", "ledgers")
"""Folders below `MODELS` of which every model passes on the accepted rows of one collection."""

PASSES_ON = re.compile(r"select \* from \{\{ (snapshot|prior_snapshot|hub_snapshot)\('(\w+)'(?:, '(\w+)')?\) \}\}")
_STORE = {
    "_delivery": "Delivery that the row came in: sha256 of the file",
    "_row": "Number of the row in its file",
}
_BEFORE = {0: "the year", 1: "the year before", 2: "two years before"}


def render(folder: Path, contracts: Mapping[str, Contract], register: Register) -> str:
    """The schema.yml of a folder. Columns stand at the first model of a collection; another of it refers to them."""
    lags = {row.parameter: int(row.value) for row in register.rows if row.rule_id == "data_lag"}
    lines = ["# Made from raw/contracts/ by `make docs`; do not edit.", "models:"]
    seen: set[str] = set()
    for path in sorted(folder.glob("*.sql")):
        found = PASSES_ON.fullmatch(path.read_text(encoding="utf-8").strip())
        if found is None:
            raise ValueError(f"{path}: does not pass on the accepted rows of one collection")
        macro, collection, indicator = found.groups()
        contract = contracts[collection]
        year = _BEFORE[1 if macro == "prior_snapshot" else lags.get(collection, 0)]
        if indicator:
            year = f"the year that {indicator} takes"
        lines += [
            f"  - name: {path.stem}",
            f"    description: {_text(f'Accepted rows of {collection}, delivered for {year}. {contract.description}')}",
        ]
        if collection in seen:
            lines.append(f"    columns: *{collection}")
            continue
        lines.append(f"    columns: &{collection}")
        lines += _store_columns(is_first=not seen)
        lines += [f"      - {{name: {f.name}, description: {_text(f.description)}}}" for f in contract.fields.values()]
        seen.add(collection)
    return "\n".join(lines) + "\n"


def _store_columns(*, is_first: bool) -> list[str]:
    """Columns that the store adds to every collection."""
    if not is_first:
        return [f"      - *{name}" for name in _STORE]
    return [f"      - &{name} {{name: {name}, description: {_text(text)}}}" for name, text in _STORE.items()]


def _text(words: str) -> str:
    """Words as a double-quoted YAML scalar."""
    return json.dumps(words, ensure_ascii=False)


def main() -> None:
    """Write the files of every folder of `FOLDERS`."""
    settings = Settings()
    contracts, register = load_contracts(settings.contracts), load_register(settings.policy)
    for folder in FOLDERS:
        (MODELS / folder / "schema.yml").write_text(render(MODELS / folder, contracts, register), encoding="utf-8")


if __name__ == "__main__":
    main()
