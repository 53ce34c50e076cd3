"""Runs whose process ended without a word: killed, or the machine stopped. They are told from runs that are at work.

Belongs here: finding them, marking them in the record and in Dagster. Does not: starting them again; with the daemon,
Dagster does that for a run that it launched.
"""

from __future__ import annotations

import dagster as dg

from orchestration.automation.notifying import notify
from orchestration.intake.store import Store, now
from orchestration.processes import is_alive
from orchestration.settings import Settings

FAULT = "its process ended without a word (killed, or the machine stopped); run it again, nothing half-made is in force"


def settle_abandoned(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """Mark every run as failed that its record calls unfinished and whose process is gone: their run ids."""
    store, found = Store(settings.home), []
    for path, record in store.unfinished_runs():
        if is_alive(record["process"]):
            continue
        run = instance.get_run_by_id(record["run_id"])
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, FAULT)
        store.write_json(path, record | {"state": "abandoned", "succeeded": False, "ended": now(), "faults": [FAULT]})
        told = {name: record[name] for name in ("run_id", "year", "source", "stage")}
        notify({"event": "run_failed", **told, "release": None, "faults": [FAULT]}, settings)
        found.append(record["run_id"])
    return found
