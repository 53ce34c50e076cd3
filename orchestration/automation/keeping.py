"""What holds a home for a run, from its first step to its last: one writer at a time, and a record of what it did.

Belongs here: the lock, the record, memory and time, the log, telling somebody. Does not: any step. Whoever starts the
job, the command line, the UI or a sensor, gets all of it, since every asset needs this resource.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.automation.jobs import SOURCE_TAG, SOURCES
from orchestration.automation.logs import logged
from orchestration.automation.metering import Watch, metered
from orchestration.automation.notifying import notify
from orchestration.automation.retention import forget_history, tidy
from orchestration.automation.summary import Summary, step_under_way, summary_of
from orchestration.errors import InputError
from orchestration.files import exclusive, private_folder
from orchestration.intake.store import Store, now
from orchestration.partitions import STAGE_TAG
from orchestration.processes import this_process
from orchestration.releases import newest
from orchestration.settings import Settings

PATIENCE = 4 * 3600.0
"""Seconds that a run waits for the one before it."""
LOCK = ".run.lock"
PARTITION_TAG = "dagster/partition"
LOG = logging.getLogger(__name__)


def writer(settings: Settings) -> dg.ResourceDefinition:
    """The resource that holds the home for a run. The system lets go of it when the process ends, however it ends."""

    @dg.resource(description="Holds the home: one run writes at a time, and what it did is written down.")
    def held(context: dg.InitResourceContext) -> Iterator[None]:
        if context.run is None or context.instance is None:
            raise dg.DagsterInvariantViolationError("the home is held by runs only")
        with kept(context.instance, context.run, settings):
            yield

    return held


@contextmanager
def kept(instance: dg.DagsterInstance, run: dg.DagsterRun, settings: Settings) -> Iterator[None]:
    """Hold the home and keep the record of a run while the block runs."""
    record = RunRecord(run, settings)
    lock = private_folder(settings.home, settings.home) / LOCK

    def told() -> None:
        LOG.warning("%s: another run is writing; waiting for it to end", settings.home)

    try:
        with exclusive(lock, PATIENCE, told):
            tidy(settings)
            record.write(state="running")
            watch = Watch(lambda: step_under_way(instance, run.run_id), settings.step_limit, settings.grace)
            with logged(settings.home, record.about), metered(watch) as meter:
                try:
                    yield
                finally:
                    summary = summary_of(instance, run.run_id, meter.peak)
                    if watch.stuck:
                        summary.faults = [watch.stuck]
                    record.end(summary)
            forget_history(instance, settings)
    except TimeoutError:
        fault = f"{settings.home}: another run is writing and does not end; see `accountability status`"
        record.end(Summary(faults=[fault]))
        raise InputError(fault) from None


class RunRecord:
    """`<home>/runs/<number>-<year>.json`: what a run is, while it runs, and what came of it."""

    def __init__(self, run: dg.DagsterRun, settings: Settings):
        tags = run.tags
        self.settings, self.store = settings, Store(settings.home)
        year = tags.get(PARTITION_TAG, "")
        self.about: dict[str, Any] = {
            "run_id": run.run_id,
            "year": int(year) if year.isdigit() else 0,  # an ad-hoc run over several years
            "source": tags.get(SOURCE_TAG) or next((s for s in SOURCES if run.job_name.endswith(s)), ""),
            "stage": tags.get(STAGE_TAG, "official"),
        }
        self._before = self._release()
        self._content = {**self.about, "process": this_process(), "started": now(), "state": "waiting"}
        self.path: Path = self.store.begin_run(self.about["year"], self._content)

    def write(self, **news: Any) -> None:
        """Write the record anew with what is known by now."""
        self._content |= news
        self.store.write_json(self.path, self._content)

    def end(self, summary: Summary) -> None:
        """Write down what came of the run, and tell whoever wants to be told."""
        release = self._release()
        made = release is not None and release != self._before
        year, stage = self.about["year"], self.about["stage"]
        self.write(
            state="succeeded" if summary.succeeded else "failed",
            succeeded=summary.succeeded,
            ended=now(),
            faults=summary.faults,
            warnings=summary.warnings,
            release=release,
            release_is_new=made,
            snapshots=[
                {k: v for k, v in asdict(s).items() if k in ("seq", "collection", "part", "stage", "sha256")}
                for s in self.store.used(year, stage)
            ],
            steps=[asdict(step) for step in summary.steps],
        )
        if made or not summary.succeeded:
            told = {name: self._content[name] for name in ("run_id", "year", "source", "stage", "release", "faults")}
            notify({"event": "release_made" if made else "run_failed", **told}, self.settings)

    def _release(self) -> str | None:
        if not self.about["year"]:
            return None
        found = newest(self.settings.home, self.about["year"], self.about["source"], self.about["stage"])
        return found.name if found else None
