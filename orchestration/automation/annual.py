"""One annual run in this process: which years are taken in, what came of it, what is written down about it."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg

from orchestration.automation.jobs import job_name
from orchestration.files import private_folder
from orchestration.intake.landing import landed_years
from orchestration.intake.store import Snapshot, Store, now
from orchestration.partitions import STAGE_TAG
from orchestration.policy import Register
from orchestration.releases import newest
from orchestration.settings import Settings

OFFICIAL = "official"
NOTHING = "none"
"""Word of a check that has no warnings."""


@dataclass(frozen=True)
class YearResult:
    """How one year's job ended. `faults` and `warnings`: one line each; `snapshots`: those a run of this stage uses."""

    year: int
    faults: tuple[str, ...]
    snapshots: tuple[Snapshot, ...]
    warnings: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        return not self.faults


@dataclass(frozen=True)
class AnnualRun:
    """Result of `run`: the year asked for, and the earlier years that were brought up to date before it."""

    result: YearResult
    earlier: tuple[YearResult, ...]
    record: Path


def run(
    year: int,
    source: str,
    stage: str,
    *,
    definitions: dg.Definitions,
    settings: Settings,
    register: Register,
    problems: dict[int, tuple[str, ...]],
) -> AnnualRun:
    """Run `year`, after every earlier landed year of the calendar, since later figures look back.

    An earlier year that fails is reported and does not stop this one. `problems` are the unrecognised files by year.
    """
    instance = dagster_instance(settings)

    def one(y: int, at: str) -> tuple[YearResult, Path]:
        started = now()
        result = _run_year(y, source, at, definitions, instance, settings, problems.get(y, ()))
        return result, _record(result, source, at, started, settings)

    past = [y for y in landed_years(settings.landing) if y < year and y in register.school_years]
    earlier = tuple(one(y, OFFICIAL)[0] for y in past)  # later years look back at official figures only
    result, record = one(year, stage)
    return AnnualRun(result, earlier, record)


def _record(result: YearResult, source: str, stage: str, started: str, settings: Settings) -> Path:
    """Write down what a year's run used and how it ended."""
    release = newest(settings.home, result.year, source, stage)
    snapshots = [
        {k: v for k, v in asdict(s).items() if k in ("seq", "collection", "part", "stage", "sha256")}
        for s in result.snapshots
    ]
    return Store(settings.home).record_run(
        result.year,
        {
            "year": result.year,
            "source": source,
            "stage": stage,
            "started": started,
            "ended": now(),
            "succeeded": result.succeeded,
            "faults": list(result.faults),
            "warnings": list(result.warnings),
            "release": release.name if release else None,
            "snapshots": snapshots,
        },
    )


def dagster_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance that keeps run history below the home folder, shared with a UI started on the same home."""
    folder = private_folder(settings.home / "dagster", settings.home)
    configuration = folder / "dagster.yaml"
    if not configuration.exists():
        shutil.copyfile(Path(__file__).with_name("dagster.yaml"), configuration)
    os.environ["DAGSTER_HOME"] = str(folder.resolve())
    return dg.DagsterInstance.get()


def _run_year(
    year: int,
    source: str,
    stage: str,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    settings: Settings,
    problems: tuple[str, ...],
) -> YearResult:
    job = definitions.resolve_job_def(job_name(source))
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the log is in the instance
    result = job.execute_in_process(
        quiet, instance=instance, partition_key=str(year), tags={STAGE_TAG: stage}, raise_on_error=False
    )
    faults = [*problems, *_step_faults(result), *_check_faults(result)]
    if not result.success and not faults:
        faults.append(f"run {result.run_id} of {year} failed; see its log in the Dagster UI")
    store = Store(settings.home)
    collections = {s.collection for s in store.snapshots(year)}
    used = [s for name in sorted(collections) for s in store.in_force(year, name, stage).values()]
    return YearResult(year, tuple(faults), tuple(used), tuple(_warnings(result)))


def _step_faults(result: dg.ExecuteInProcessResult) -> list[str]:
    lines = []
    for event in result.filter_events(lambda e: e.is_step_failure):
        data = event.step_failure_data
        if data.error and data.error.cls_name == "DagsterAssetCheckFailedError":
            continue  # the check says why
        if data.user_failure_data and data.user_failure_data.description:
            lines += data.user_failure_data.description.splitlines()
        elif data.error:
            cause = data.error.cause or data.error
            lines.append(f"{event.step_key}: {cause.message.strip().splitlines()[0]}")
    return lines


def _warnings(result: dg.ExecuteInProcessResult) -> list[str]:
    """What gates found and let pass."""
    found = (evaluation.metadata.get("warnings") for evaluation in result.get_asset_check_evaluations())
    return [line for entry in found if entry and entry.value != NOTHING for line in str(entry.value).splitlines()]


def _check_faults(result: dg.ExecuteInProcessResult) -> list[str]:
    return [
        f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}: {evaluation.metadata['faults'].value}"
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]
