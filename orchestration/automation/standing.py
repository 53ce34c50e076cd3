"""How every year stands: its deliveries, its releases, what is stale and why. Reads only; takes no lock."""

from __future__ import annotations

from typing import Any

from orchestration.automation.jobs import SOURCES
from orchestration.automation.staleness import Pipeline, stale
from orchestration.intake.status import status
from orchestration.intake.store import Store
from orchestration.releases import releases


def standing(pipeline: Pipeline) -> dict[str, Any]:
    """The shape of `accountability status --json`: that of the intake's status, and for each year also

    releases: [{name, stage, source, in_force}], stale: {source: {inputs: [reasons], rules: [reasons]}} for each source
    of which anything is there; no reasons: the official release is up to date.
    """
    found = status(pipeline.settings, pipeline.contracts, pipeline.register)
    for text, year in found["years"].items():
        made = releases(pipeline.settings.home, int(text))
        year["releases"] = [
            {"name": r.name, "stage": r.stage, "source": r.source, "in_force": r.is_current} for r in made
        ]
        year["stale"] = {source: _stale(int(text), source, pipeline) for source in _sources(int(text), pipeline)}
    return found


def _sources(year: int, pipeline: Pipeline) -> list[str]:
    if year not in pipeline.register.school_years:
        return []
    there = {s.collection for s in Store(pipeline.settings.home).snapshots(year)}
    of = {name: contract.source for name, contract in pipeline.contracts.items()}
    return [source for source in SOURCES if any(of.get(name) == source for name in there)]


def _stale(year: int, source: str, pipeline: Pipeline) -> dict[str, list[str]]:
    changes = stale(year, source, "official", pipeline)
    return {"inputs": list(changes.inputs), "rules": list(changes.rules)}
