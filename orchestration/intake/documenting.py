"""Writes docs/collections.md from the contracts, so that the page cannot say anything else than what is checked."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from orchestration.intake.contracts import Contract, ContractField, load_contracts
from orchestration.policy import Register, load_register
from orchestration.settings import Settings

_TITLES = {"student": "Student source", "ledger": "Ledgers", "hub": "Hub source"}
_MANY_CODES = 8


def render(contracts: Iterable[Contract], register: Register) -> str:
    """The page as Markdown: a section a source, a table a collection, a row a field."""
    lines = [
        "# Collections",
        "",
        "Made from `raw/contracts/` by `make docs`; do not edit. What the rules mean: "
        "[raw/README.md](../raw/README.md).",
    ]
    everything = sorted(contracts, key=lambda c: c.collection)
    for source, title in _TITLES.items():
        lines += ["", f"## {title}"]
        for contract in everything:
            if contract.source == source:
                lines += _collection(contract, register)
    return "\n".join(lines) + "\n"


def _collection(contract: Contract, register: Register) -> list[str]:
    tolerance = register.decimal(register.school_years[-1], "quarantine_tolerance", contract.collection)
    facts = [
        f"Key: {', '.join(contract.primary_key)}",
        f"required: {', '.join(filter(None, contract.required_parts)) or ('yes' if contract.required else 'no')}",
        f"tolerated share of unfit rows: {tolerance}",
        f"owner: {contract.owner}",
    ]
    facts += [f"{', '.join(k.fields)} refers to {k.references}({', '.join(k.to)})" for k in contract.foreign_keys]
    facts += [f"parts: {', '.join(contract.part_names)}"] if contract.parts else []
    facts += [f"data set: {contract.dataset}"] if contract.dataset else []
    return [
        "",
        f"### {contract.collection}",
        "",
        f"{contract.title}. {contract.description} {'; '.join(facts)}. Source: {contract.citation}.",
        "",
        "| field | element | type | a value is | description |",
        "| --- | --- | --- | --- | --- |",
        *(_field(field) for field in contract.fields.values()),
    ]


def _field(field: ContractField) -> str:
    rules = ["required"] if field.required else [f"required in {part}" for part in field.required_in]
    if field.codes:
        codes = list(field.codes)
        shown = codes if len(codes) <= _MANY_CODES else [codes[0], codes[1], "…", codes[-1]]
        rules.append("one of " + ", ".join(shown))
    if field.minimum is not None or field.maximum is not None:
        low = "any" if field.minimum is None else f"{field.minimum:g}"
        rules.append(f"{low} to {'any' if field.maximum is None else f'{field.maximum:g}'}")
    rules += [f"{field.scale or 0} decimals"] if field.type == "decimal" else []
    rules += [f"form `{field.pattern}`"] if field.pattern else []
    rules += [f"at most {field.max_length} characters"] if field.max_length else []
    rules += [f"not above {field.not_above}"] if field.not_above else []
    rules += ["private"] if field.private else []
    cells = (field.name, field.code or "", field.type, "; ".join(rules), field.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    """Write the page to the path given as the only argument."""
    settings = Settings()
    page = render(load_contracts(settings.contracts).values(), load_register(settings.policy))
    Path(sys.argv[1]).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
