"""What a run did, read from its events: each step with its time, rows and reason, the faults, the warnings.

Belongs here: events of Dagster turned into plain data, for the record, the log and the command line. Does not: writing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster import DagsterEventType, EventLogEntry

from orchestration.partitions import UP_TO_DATE, WHY

NOTHING = "none"
"""Word of a check that has no warnings."""
BLOCKED = "DagsterAssetCheckFailedError"
"""What a step raises whose blocking check failed; the check itself says why."""
READ = {
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_SKIPPED,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_CHECK_EVALUATION,
}


@dataclass
class StepDone:
    """One step. `made`: whether anything was made anew, None where the step makes nothing; `why`: what had changed.

    `seconds` by the run's clock; `peak_bytes`: memory of the run's processes while the step ran.
    """

    step: str
    outcome: str = "unfinished"
    seconds: float = 0.0
    peak_bytes: int | None = None
    rows: int | None = None
    made: bool | None = None
    why: str = ""
    started: float = 0.0


@dataclass
class Summary:
    """A run in short. `faults` and `warnings`: one line each."""

    steps: list[StepDone] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Whether every step that began or should have begun went well."""
        return bool(self.steps) and not self.faults and all(step.outcome == "succeeded" for step in self.steps)


def summary_of(
    instance: dg.DagsterInstance, run_id: str, peak: Callable[[float, float], int | None] = lambda *_: None
) -> Summary:
    """The summary of a run, also of one that is not over. `peak` gives the memory between two moments."""
    return _summary(instance.all_logs(run_id, of_type=READ), peak)


def step_under_way(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """The step of a run that has begun and not ended."""
    of_type = {DagsterEventType.STEP_START, DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE}
    last = instance.get_records_for_run(run_id, of_type=of_type, limit=1, ascending=False).records
    event = last[0].event_log_entry.get_dagster_event() if last else None
    return event.step_key if event and event.event_type == DagsterEventType.STEP_START else None


def _summary(entries: Iterable[EventLogEntry], peak: Callable[[float, float], int | None]) -> Summary:
    done, steps = Summary(), dict[str, StepDone]()
    for entry in entries:
        event = entry.get_dagster_event()
        step = steps.setdefault(str(event.step_key), StepDone(str(event.step_key)))
        match event.event_type:
            case DagsterEventType.STEP_START:
                step.started = entry.timestamp
            case DagsterEventType.STEP_SUCCESS | DagsterEventType.STEP_FAILURE:
                step.outcome = "succeeded" if event.event_type == DagsterEventType.STEP_SUCCESS else "failed"
                step.seconds = entry.timestamp - step.started
                step.peak_bytes = peak(step.started, entry.timestamp)
                if event.event_type == DagsterEventType.STEP_FAILURE:
                    done.faults += _step_faults(event)
            case DagsterEventType.STEP_SKIPPED:
                step.outcome = "skipped"
            case DagsterEventType.ASSET_MATERIALIZATION:
                _materialized(step, event.step_materialization_data.materialization.metadata)
            case DagsterEventType.ASSET_CHECK_EVALUATION:
                _checked(step, done, event.asset_check_evaluation_data)
    done.steps = list(steps.values())
    return done


def _materialized(step: StepDone, metadata: Any) -> None:
    """Add up what a step made: rows of all its tables; the first reason stands for all."""
    told = {name: value.value for name, value in metadata.items()}
    step.rows = (step.rows or 0) + int(told.get("dagster/row_count", 0))
    step.made = bool(step.made) or bool(told.get("made_now", False))
    if not step.why or step.why == UP_TO_DATE:
        step.why = str(told.get(WHY) or told.get("nothing_made") or "")


def _checked(step: StepDone, done: Summary, evaluation: Any) -> None:
    """What a check found: faults stop the run, warnings do not."""
    told = {name: value.value for name, value in evaluation.metadata.items()}
    if "validated_now" in told:
        step.made, step.rows = bool(told["validated_now"]), int(told["expectations"])
        step.why = step.why or ("its tables changed" if step.made else UP_TO_DATE)
    if told.get("warnings", NOTHING) != NOTHING:
        done.warnings += str(told["warnings"]).splitlines()
    if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR:
        place = evaluation.asset_key.to_user_string()
        done.faults.append(f"{place}: {evaluation.check_name}: {told.get('faults', 'did not pass')}")


def _step_faults(event: Any) -> list[str]:
    data = event.step_failure_data
    if data.error and data.error.cls_name == BLOCKED:
        return []
    if data.user_failure_data and data.user_failure_data.description:
        return list(data.user_failure_data.description.splitlines())
    if data.error:
        cause = data.error.cause or data.error
        return [f"{event.step_key}: {cause.message.strip().splitlines()[0]}"]
    return [f"{event.step_key}: failed without a word"]
