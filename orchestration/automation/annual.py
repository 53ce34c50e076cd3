"""One annual run in this process: which years are run, in which order, and what came of each.

Belongs here: the order of years, starting the job, reading its record. Does not: what a run writes down (`keeping`).
"""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from orchestration.automation.abandoned import settle_abandoned
from orchestration.automation.history import wait_for_locked_files
from orchestration.automation.jobs import job_name
from orchestration.automation.staleness import Pipeline, stale
from orchestration.errors import InputError
from orchestration.files import private_folder
from orchestration.indicators.dbt_running import reading_ahead
from orchestration.intake.landing import landed_years
from orchestration.intake.store import Snapshot, Store
from orchestration.intake.taking_in import unrecognised
from orchestration.partitions import STAGE_TAG
from orchestration.settings import Settings

OFFICIAL = "official"


@dataclass(frozen=True)
class YearResult:
    """How one year's job ended. `faults` and `warnings`: one line each; `snapshots`: those a run of this stage uses.

    `steps`: what the record says of each step; none when the year was `up_to_date` and no run was made.
    """

    year: int
    snapshots: tuple[Snapshot, ...]
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    why: str = ""
    up_to_date: bool = False
    record: Path | None = None

    @property
    def succeeded(self) -> bool:
        return not self.faults


@dataclass(frozen=True)
class AnnualRun:
    """Result of `run`: the year asked for, and the earlier years that were brought up to date before it."""

    result: YearResult
    earlier: tuple[YearResult, ...]


def run(year: int, source: str, stage: str, *, definitions: dg.Definitions, pipeline: Pipeline) -> AnnualRun:
    """Run `year`, after every earlier landed year of the calendar that is stale, since later figures look back.

    An earlier year that fails is reported and does not stop this one.
    """
    instance = dagster_instance(pipeline.settings)
    settle_abandoned(instance, pipeline.settings)
    landed = landed_years(pipeline.settings.landing)
    past = [y for y in landed if y < year and y in pipeline.register.school_years]
    # later years look back at official figures only
    earlier = tuple(_brought_up_to_date(y, source, definitions, instance, pipeline) for y in past)
    return AnnualRun(_run_year(year, source, stage, definitions, instance, pipeline), earlier)


def dagster_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance that keeps run history below the home folder, shared with a UI started on the same home."""
    wait_for_locked_files()
    folder = private_folder(settings.home / "dagster", settings.home)
    configuration = folder / "dagster.yaml"
    if not configuration.exists():
        shutil.copyfile(Path(__file__).with_name("dagster.yaml"), configuration)
    os.environ["DAGSTER_HOME"] = str(folder.resolve())
    return dg.DagsterInstance.get()


def _brought_up_to_date(
    year: int, source: str, definitions: dg.Definitions, instance: dg.DagsterInstance, pipeline: Pipeline
) -> YearResult:
    problems = unrecognised(year, pipeline.settings, pipeline.contracts)
    if problems or stale(year, source, OFFICIAL, pipeline):
        return _run_year(year, source, OFFICIAL, definitions, instance, pipeline)
    return YearResult(year, _used(year, OFFICIAL, pipeline), up_to_date=True)


def _run_year(
    year: int,
    source: str,
    stage: str,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
) -> YearResult:
    why = str(stale(year, source, stage, pipeline))
    job = definitions.resolve_job_def(job_name(source))
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the log is in the instance
    run_id, interrupted = str(uuid.uuid4()), None
    try:
        with reading_ahead() if why else nullcontext():
            job.execute_in_process(
                quiet,
                instance=instance,
                partition_key=str(year),
                tags={STAGE_TAG: stage},
                run_id=run_id,
                raise_on_error=False,
            )
    except (SQLAlchemyError, OSError) as error:
        fault = getattr(error, "orig", None) or getattr(error, "strerror", None) or type(error).__name__
        raise InputError(
            f"{pipeline.settings.home}: the run cannot be written down ({fault}); make room, see that the folder can "
            "be written and run again; nothing half-made is in force"
        ) from None
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as error:  # by a person, or by the watch
        interrupted = error
    store = Store(pipeline.settings.home)
    path, record = store.run_of(year, run_id)
    if interrupted and not record.get("faults"):
        raise interrupted
    problems = unrecognised(year, pipeline.settings, pipeline.contracts)
    faults = [*problems, *record.get("faults", [])]
    if not faults and not record.get("succeeded"):
        faults.append(f"run {run_id} of {year} failed; see its log in the Dagster UI")
    if problems and path:
        store.write_json(path, record | {"state": "failed", "succeeded": False, "faults": faults})
    return YearResult(
        year,
        _used(year, stage, pipeline),
        tuple(faults),
        tuple(record.get("warnings", ())),
        tuple(record.get("steps", ())),
        why,
        record=path,
    )


def _used(year: int, stage: str, pipeline: Pipeline) -> tuple[Snapshot, ...]:
    return tuple(Store(pipeline.settings.home).used(year, stage))
