"""What starts runs by itself: a sensor on the landing folder, one on the hub, a daily schedule. Off until switched on.

Belongs here: asking for a run of a job. Does not: which year is due (`refreshing`), the calendar (`cycle`).
"""

import json
from collections.abc import Iterator
from datetime import date

import dagster as dg
from dagster import DagsterRunStatus

from orchestration.automation.abandoned import settle_abandoned
from orchestration.automation.cycle import cycle_of
from orchestration.automation.jobs import PULL, SOURCES, STATE_TAG, job_name
from orchestration.automation.refreshing import Look, Plan, look, plan
from orchestration.automation.staleness import Pipeline
from orchestration.errors import InputError
from orchestration.intake import hub
from orchestration.intake.landing import landed_years, scan
from orchestration.partitions import STAGE_TAG

UNDER_WAY = (
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)


def sensor_name(source: str) -> str:
    """Name of the sensor on the landing folder for a source."""
    return f"arrivals_{source}"


def sensors(pipeline: Pipeline) -> list[dg.SensorDefinition]:
    """The sensors on landing folder and hub."""
    return [*(_landing_sensor(source, pipeline) for source in SOURCES), _hub_sensor(pipeline)]


def schedules(pipeline: Pipeline) -> list[dg.ScheduleDefinition]:
    """The daily look at the calendar, one a source."""
    return [_calendar_schedule(source, pipeline) for source in SOURCES]


def _status(pipeline: Pipeline) -> dg.DefaultSensorStatus:
    """Off in a clone; on where ACCOUNTABILITY_AUTOMATION says so."""
    return dg.DefaultSensorStatus.RUNNING if pipeline.settings.automation else dg.DefaultSensorStatus.STOPPED


def _landing_sensor(source: str, pipeline: Pipeline) -> dg.SensorDefinition:
    @dg.sensor(
        name=sensor_name(source),
        job_name=job_name(source),
        minimum_interval_seconds=pipeline.settings.look_every,
        default_status=_status(pipeline),
        description="Runs the years whose deliveries have arrived or changed, by content, the earliest first.",
    )
    def arrivals(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        settle_abandoned(context.instance, pipeline.settings)
        seen = look(pipeline, Look.from_json(context.cursor))
        requests, reason = _asked(plan(source, seen, date.today(), pipeline), source, context.instance)
        return dg.SensorResult(run_requests=requests, skip_reason=reason, cursor=seen.to_json())

    return arrivals


def _calendar_schedule(source: str, pipeline: Pipeline) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"calendar_{source}",
        job_name=job_name(source),
        cron_schedule=pipeline.settings.calendar_cron,
        execution_timezone="America/New_York",
        default_status=dg.DefaultScheduleStatus(_status(pipeline).value),
        description="Makes the preliminary and the official release of a year when the policy's calendar says so.",
    )
    def calendar(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        settle_abandoned(context.instance, pipeline.settings)
        seen = look(pipeline, look(pipeline, Look()))  # twice: what changes between them is left alone
        requests, reason = _asked(
            plan(source, seen, context.scheduled_execution_time.date(), pipeline), source, context.instance
        )
        yield from requests
        if reason:
            yield reason

    return calendar


def _asked(due: Plan, source: str, instance: dg.DagsterInstance) -> tuple[list[dg.RunRequest], dg.SkipReason | None]:
    """The run to ask for, one at a time, or why there is none."""
    if active := instance.get_run_records(dg.RunsFilter(job_name=job_name(source), statuses=list(UNDER_WAY)), limit=1):
        return [], dg.SkipReason(f"run {active[0].dagster_run.run_id} is under way; what is due after it will be seen")
    waiting = list(due.waiting)
    for refresh in due.refreshes:
        if instance.get_run_records(dg.RunsFilter(tags={STATE_TAG: refresh.key}), limit=1):
            waiting.append(f"{refresh.year}: was run with these data and did not succeed; see `accountability status`")
            continue
        tags = {STAGE_TAG: refresh.stage, STATE_TAG: refresh.key, "accountability/why": refresh.why[:250]}
        return [dg.RunRequest(run_key=refresh.key, partition_key=str(refresh.year), tags=tags)], None
    return [], dg.SkipReason("; ".join(waiting) or "everything is up to date")


def _hub_sensor(pipeline: Pipeline) -> dg.SensorDefinition:
    @dg.sensor(
        name="arrivals_on_the_hub",
        job_name=PULL,
        minimum_interval_seconds=pipeline.settings.ask_hub_every,
        default_status=_status(pipeline),
        description="Pulls a year when the hub says that one of its data sets has changed.",
    )
    def hub_arrivals(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        before: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        known, requests = dict(before), []
        for year in _hub_years(pipeline, date.today()):
            try:
                state = hub.state_of(year, pipeline.contracts, pipeline.settings)
            except InputError as error:
                reason = dg.SkipReason(f"{year}: the hub cannot be asked: {error}")
                return dg.SensorResult(skip_reason=reason, cursor=context.cursor)
            if before.get(str(year)) != state:
                known[str(year)] = state
                requests.append(dg.RunRequest(run_key=f"{year}-{state}", partition_key=str(year)))
        skip = None if requests else dg.SkipReason("the hub says that nothing has changed")
        return dg.SensorResult(run_requests=requests, skip_reason=skip, cursor=json.dumps(known))

    return hub_arrivals


def _hub_years(pipeline: Pipeline, day: date) -> list[int]:
    """Years of which hub deliveries have landed, and the newest one whose cycle has begun."""
    landing, register = pipeline.settings.landing, pipeline.register
    begun = [y for y in register.school_years if cycle_of(register, y).stage_on(day)]
    landed = [
        year
        for year in landed_years(landing)
        if any(
            pipeline.contracts[a.collection].source == "hub" for a in scan(landing, year, pipeline.contracts).arrivals
        )
    ]
    return sorted({*landed, *begun[-1:]} & {*register.school_years})
