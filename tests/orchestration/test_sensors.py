"""What starts runs by itself: off until switched on; one run at a time, for a state that was not asked for before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import dagster as dg
import pytest

from orchestration.automation import refreshing
from orchestration.automation.jobs import PULL, STATE_TAG, job_name
from orchestration.automation.sensors import schedules, sensor_name, sensors
from orchestration.automation.staleness import Pipeline, unknown
from orchestration.definitions import build_defs
from orchestration.intake.landing import landed_files
from orchestration.partitions import STAGE_TAG
from orchestration.settings import Settings
from orchestration.tables import Changes
from tests.support import socrata
from tests.support.socrata import SocrataServer, serving
from tests.support.workshop import COMPLETE, CONTRACTS, Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as found:
        yield found


@pytest.fixture(autouse=True)
def _stale_if_landed(monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(year: int, source: str, stage: str, pipeline: Pipeline, digest: Callable[[Path], str]) -> Changes:
        return Changes(tuple(what for what, _ in unknown(year, source, stage, pipeline, digest)))

    monkeypatch.setattr(refreshing, "stale", stale)


@cache
def repository() -> dg.RepositoryDefinition:
    """The jobs that a request may name."""
    return build_defs().get_repository_def()


class Sensor:
    """A sensor as the daemon looks through it: again and again, with the cursor of the look before."""

    def __init__(self, name: str, settings: Settings, shop: Workshop, instance: dg.DagsterInstance):
        pipeline = Pipeline(settings, CONTRACTS, shop.register)
        self.definition = next(sensor for sensor in sensors(pipeline) if sensor.name == name)
        self.instance, self.cursor = instance, None

    def look(self) -> tuple[list[dg.RunRequest], str | None]:
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor, repository_def=repository())
        told = self.definition.evaluate_tick(context)
        self.cursor = told.cursor
        return list(told.run_requests or ()), told.skip_message


def test_everything_is_off_in_a_clone_and_on_by_one_switch() -> None:
    for settings, running in ((Settings(), False), (Settings(automation=True), True)):
        definitions = build_defs(settings)
        states = [sensor.default_status.value == "RUNNING" for sensor in definitions.sensors or ()]
        states += [schedule.default_status.value == "RUNNING" for schedule in definitions.schedules or ()]
        assert len(states) == 5
        assert set(states) == {running}


def test_one_run_is_asked_for_at_a_time_the_earliest_year_first(shop: Workshop, instance: dg.DagsterInstance) -> None:
    for year in (2025, 2024):
        for name in COMPLETE:
            shop.deliver(f"{name}.csv", f"{name} of {year}\n", year)
    sensor = Sensor(sensor_name("student"), shop.settings, shop, instance)
    requests, reason = sensor.look()
    assert requests == []
    assert reason is not None
    assert "still arriving" in reason
    [request], _ = sensor.look()
    assert (request.partition_key, request.tags[STAGE_TAG]) == ("2024", "official")
    assert "2024 access; 2024 course_schedules" in request.tags["accountability/why"]

    at_work = instance.create_run_for_job(
        dg.job(name=job_name("student"))(lambda: None), tags=dict(request.tags), status=dg.DagsterRunStatus.STARTED
    )
    requests, reason = sensor.look()
    assert requests == []
    assert reason == f"run {at_work.run_id} is under way; what is due after it will be seen"

    instance.report_run_failed(at_work, "a gate stopped it")
    [request], _ = sensor.look()
    assert request.partition_key == "2025", "the year that failed is not tried again with the same data"
    shop.deliver("mcas.csv", "corrected\n", 2024)
    sensor.look()
    [request], _ = sensor.look()
    assert request.partition_key == "2024", "other data are another try"
    assert request.tags[STATE_TAG] != at_work.tags[STATE_TAG]


def test_a_landing_folder_that_cannot_be_read_starts_nothing_and_breaks_nothing(
    shop: Workshop, instance: dg.DagsterInstance
) -> None:
    sensor = Sensor(sensor_name("student"), shop.settings, shop, instance)
    assert sensor.look() == ([], "everything is up to date")
    shop.settings.landing.parent.mkdir(exist_ok=True)
    shop.settings.landing.write_text("a file where a folder should be")
    assert sensor.look() == ([], "everything is up to date")


def test_the_calendar_asks_on_its_day(shop: Workshop, instance: dg.DagsterInstance) -> None:
    for name in COMPLETE:
        shop.deliver(f"{name}.csv", f"{name}\n", 2025)
    pipeline = Pipeline(shop.settings, CONTRACTS, shop.register)
    calendar = next(schedule for schedule in schedules(pipeline) if schedule.name == "calendar_student")
    stages = []
    for day in ("2025-08-01", "2025-08-20", "2025-09-29"):
        moment = datetime.fromisoformat(f"{day}T06:00:00-04:00")
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=moment, repository_def=repository()
        )
        told = calendar.evaluate_tick(context)
        stages += [request.tags[STAGE_TAG] for request in told.run_requests] or [told.skip_message]
    assert stages == ["2025: opens on 2025-08-15", "preliminary", "official"]


class TestHub:
    @pytest.fixture
    def server(self) -> Iterator[SocrataServer]:
        with serving() as found:
            yield found

    def sensor(self, server: SocrataServer, shop: Workshop, instance: dg.DagsterInstance) -> Sensor:
        landed = shop.deliver("n2xa-p822_graduation_rates.csv", "sy\n", 2018)
        assert landed_files(shop.settings.landing, 2018) == [landed]
        settings = shop.settings.model_copy(update={"hub_url": server.url})
        return Sensor("arrivals_on_the_hub", settings, shop, instance)

    def test_a_year_is_pulled_when_the_hub_says_that_something_changed(
        self, server: SocrataServer, shop: Workshop, instance: dg.DagsterInstance
    ) -> None:
        sensor = self.sensor(server, shop, instance)
        requests, _ = sensor.look()
        assert sensor.definition.job_name == PULL
        assert "2018" in [request.partition_key for request in requests]
        assert sensor.look() == ([], "the hub says that nothing has changed")
        server.change("n2xa-p822").append(["2018", *server.tables["n2xa-p822"][1][1:]])
        [request], _ = sensor.look()
        assert request.partition_key == "2018"
        assert set(json.loads(sensor.cursor or "")) >= {"2018"}

    def test_a_hub_that_does_not_answer_is_said_and_asked_again(
        self, server: SocrataServer, shop: Workshop, instance: dg.DagsterInstance
    ) -> None:
        sensor = self.sensor(server, shop, instance)
        server.plan(socrata.status(503), times=99)
        requests, reason = sensor.look()
        assert requests == []
        assert reason is not None
        assert reason.startswith("2018: the hub cannot be asked: HTTP 503: gave up after 2 tries")
        assert sensor.cursor is None
