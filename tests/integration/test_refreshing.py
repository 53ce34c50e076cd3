"""Which year is due when files arrive: by content, once settled, the earliest first, never twice for the same state."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from orchestration.automation import refreshing
from orchestration.automation.cycle import cycle_of
from orchestration.automation.refreshing import Look, look, plan
from orchestration.automation.staleness import Pipeline, unknown
from orchestration.errors import InputError
from orchestration.tables import Basis, Changes
from tests.support.workshop import COMPLETE, CONTRACTS, ORGANISATIONS, Workshop, sims

AFTER = date(2026, 1, 1)
"""Past the official day of 2025."""


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def pipeline(shop: Workshop) -> Pipeline:
    return Pipeline(shop.settings, CONTRACTS, shop.register)


@pytest.fixture
def stale_if_landed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rooms behind the deliveries are up to date: only what has landed and is not in the store makes a year due."""

    def stale(year: int, source: str, stage: str, pipeline: Pipeline, digest: Callable[[Path], str]) -> Changes:
        return Changes(tuple(what for what, _ in unknown(year, source, stage, pipeline, digest)))

    monkeypatch.setattr(refreshing, "stale", stale)


def deliver(shop: Workshop, year: int, *names: str, text: str = "x") -> None:
    for name in names or COMPLETE:
        shop.deliver(f"{name}.csv", f"{text} of {name} {year}\n", year)


def settled(pipeline: Pipeline, before: Look | None = None) -> Look:
    return look(pipeline, look(pipeline, before or Look()))


def due(pipeline: Pipeline, seen: Look, day: date = AFTER) -> list[tuple[int, str]]:
    return [(refresh.year, refresh.stage) for refresh in plan("student", seen, day, pipeline).refreshes]


@pytest.mark.usefixtures("stale_if_landed")
class TestArrival:
    def test_a_file_counts_once_two_looks_found_it_the_same(self, shop: Workshop, pipeline: Pipeline) -> None:
        deliver(shop, 2025)
        first = look(pipeline, Look())
        told = plan("student", first, AFTER, pipeline)
        assert told.refreshes == ()
        assert "mcas.csv" in told.waiting[0]
        assert told.waiting[0].endswith("still arriving")
        assert due(pipeline, look(pipeline, first)) == [(2025, "official")]

    def test_a_growing_file_holds_its_year_and_later_ones_but_no_earlier_one(
        self, shop: Workshop, pipeline: Pipeline
    ) -> None:
        for year in (2023, 2024, 2025):
            deliver(shop, year)
        seen = settled(pipeline)
        growing = shop.settings.landing / "2024" / "mcas.csv"
        with growing.open("a") as file:
            file.write("more\n")
        seen = look(pipeline, seen)
        assert due(pipeline, seen) == [(2023, "official")]
        assert due(pipeline, look(pipeline, seen)) == [(2023, "official"), (2024, "official"), (2025, "official")]

    def test_the_content_decides_not_the_time_of_the_file(self, shop: Workshop, pipeline: Pipeline) -> None:
        shop.deliver("organisations.csv", ORGANISATIONS)
        shop.take_in("organisations")
        path = shop.settings.landing / "2025" / "organisations.csv"
        seen = settled(pipeline)
        os.utime(path, (1, 1))
        seen = settled(pipeline, seen)
        assert unknown(2025, "student", "official", pipeline, seen.digest) == []
        times = path.stat()
        path.write_text(ORGANISATIONS.swapcase())  # as many bytes, and the old times put back
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert path.stat().st_size == times.st_size
        seen = settled(pipeline, seen)
        assert [what for what, _ in unknown(2025, "student", "official", pipeline, seen.digest)] == [
            "2025 organisations"
        ]

    @pytest.mark.parametrize("moment", [0, 4_000_000_000])
    def test_a_clock_that_is_wrong_changes_nothing(self, shop: Workshop, pipeline: Pipeline, moment: int) -> None:
        deliver(shop, 2025)
        for path in (shop.settings.landing / "2025").iterdir():
            os.utime(path, (moment, moment))
        assert due(pipeline, look(pipeline, Look())) == []
        assert due(pipeline, settled(pipeline)) == [(2025, "official")]

    def test_the_same_bytes_under_another_name_start_nothing(self, shop: Workshop, pipeline: Pipeline) -> None:
        shop.deliver("organisations.csv", ORGANISATIONS)
        shop.take_in("organisations")
        shop.deliver("organisations_again.csv", ORGANISATIONS)
        assert unknown(2025, "student", "official", pipeline, settled(pipeline).digest) == []

    def test_a_refused_delivery_does_not_make_its_year_due_again(self, shop: Workshop, pipeline: Pipeline) -> None:
        shop.begin()
        shop.deliver("dropouts.csv", "not,a,delivery\n")
        assert [what for what, _ in unknown(2025, "student", "official", pipeline)] == ["2025 dropouts"]
        assert shop.take_in("dropouts").refusals
        assert unknown(2025, "student", "official", pipeline) == []

    def test_years_come_out_in_order_whatever_order_they_arrived_in(self, shop: Workshop, pipeline: Pipeline) -> None:
        for year in (2025, 2023, 2024):
            deliver(shop, year)
        assert due(pipeline, settled(pipeline)) == [(2023, "official"), (2024, "official"), (2025, "official")]

    def test_a_year_waits_for_what_it_must_have(self, shop: Workshop, pipeline: Pipeline) -> None:
        deliver(shop, 2024)
        deliver(shop, 2025, *COMPLETE[:-1])
        told = plan("student", settled(pipeline), AFTER, pipeline)
        assert [refresh.year for refresh in told.refreshes] == [2024]
        assert told.waiting == ("2025: waits for dropouts (official)",)

    def test_one_source_does_not_make_the_other_due(self, shop: Workshop, pipeline: Pipeline) -> None:
        deliver(shop, 2025)
        seen = settled(pipeline)
        assert plan("hub", seen, AFTER, pipeline).refreshes == ()


@pytest.mark.usefixtures("stale_if_landed")
class TestKey:
    def key(self, pipeline: Pipeline, seen: Look) -> str:
        return plan("student", seen, AFTER, pipeline).refreshes[0].key

    def test_another_delivery_is_another_state(self, shop: Workshop, pipeline: Pipeline) -> None:
        deliver(shop, 2025)
        seen = settled(pipeline)
        before = self.key(pipeline, seen)
        assert self.key(pipeline, look(pipeline, seen)) == before
        deliver(shop, 2025, "dropouts", text="other")
        assert self.key(pipeline, settled(pipeline, seen)) != before

    def test_taking_in_what_has_landed_is_the_same_state(self, shop: Workshop, pipeline: Pipeline) -> None:
        """So a run that failed at a gate is not asked for again."""
        deliver(shop, 2025)
        shop.deliver("organisations.csv", ORGANISATIONS)
        shop.deliver("sims_october_1.csv", sims("october_1", 300))
        seen = settled(pipeline)
        before = self.key(pipeline, seen)
        shop.take_in("organisations")
        shop.take_in("sims")
        assert shop.store.snapshots(2025)
        assert shop.store.refusals(2025), "the year has a delivery that was refused meanwhile"
        assert self.key(pipeline, seen) == before

    def test_an_earlier_delivery_that_is_put_back_is_another_state_each_time(
        self, shop: Workshop, pipeline: Pipeline
    ) -> None:
        deliver(shop, 2025)
        shop.deliver("organisations.csv", ORGANISATIONS)
        shop.take_in("organisations")
        texts = [sims("october_1", 300), sims("october_1", 299)]
        seen, keys = settled(pipeline), []
        for text in texts * 3:
            shop.deliver("sims_october_1.csv", text)
            seen = settled(pipeline, seen)
            news = unknown(2025, "student", "official", pipeline, seen.digest)
            assert "2025 sims october_1" in [what for what, _ in news]
            keys.append(self.key(pipeline, seen))
            assert shop.take_in("sims").taken[0].state == "new"
            news = unknown(2025, "student", "official", pipeline, seen.digest)
            assert "2025 sims october_1" not in [what for what, _ in news]
        assert len({*keys}) == len(keys)


@pytest.mark.usefixtures("stale_if_landed")
@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2025-08-14", []),
        ("2025-08-15", ["preliminary"]),
        ("2025-09-28", ["preliminary"]),
        ("2025-09-29", ["official"]),
    ],
)
def test_the_calendar_says_which_stage(shop: Workshop, pipeline: Pipeline, day: str, expected: list[str]) -> None:
    deliver(shop, 2025)
    told = plan("student", settled(pipeline), date.fromisoformat(day), pipeline)
    assert [refresh.stage for refresh in told.refreshes] == expected
    assert bool(told.waiting) != bool(expected)


def test_a_preliminary_delivery_does_for_a_preliminary_run_only(shop: Workshop, pipeline: Pipeline) -> None:
    deliver(shop, 2025, *(f"{name}_preliminary" for name in COMPLETE))
    seen = settled(pipeline)
    assert len(unknown(2025, "student", "preliminary", pipeline, seen.digest)) == len(COMPLETE)
    assert unknown(2025, "student", "official", pipeline, seen.digest) == []


def test_only_data_make_a_year_due(shop: Workshop, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(shop, 2025)
    seen = settled(pipeline)
    monkeypatch.setattr(refreshing, "stale", lambda *_: Changes(rules=("policy_points.csv changed",)))
    assert plan("student", seen, AFTER, pipeline).refreshes == ()
    monkeypatch.setattr(refreshing, "stale", lambda *_: Changes(inputs=("2024 sims changed",)))
    assert plan("student", seen, AFTER, pipeline).refreshes[0].why == "2024 sims changed"


def test_a_look_survives_the_cursor(shop: Workshop, pipeline: Pipeline) -> None:
    deliver(shop, 2025)
    seen = settled(pipeline)
    assert Look.from_json(seen.to_json()) == seen
    assert Look.from_json(None) == Look()


def test_a_cycle_out_of_order_names_its_row(tmp_path: Path) -> None:
    register = Workshop(tmp_path, official_from="2025-08-20").register
    with pytest.raises(InputError, match=r"policy_cycle\.csv: row \d+: the cycle of 2025 must run"):
        cycle_of(register, 2025)
    with pytest.raises(InputError, match=r"policy_cycle\.csv: row \d+: value 'soon' of cycle\.official_from"):
        cycle_of(Workshop(tmp_path, official_from="soon").register, 2025)


def test_reasons_name_what_is_new_gone_and_changed() -> None:
    record = Basis("room", 2025, "student", {"a": "1", "b": "1"}, {"x.py": "1"}).record()
    now = Basis("room", 2025, "student", {"a": "2", "c": "1"}, {"x.py": "2"})
    changes = now.since(record)
    assert changes == Changes(("a changed", "b gone", "c new"), ("x.py changed",))
    assert str(changes) == "a changed; b gone; c new; x.py changed"
    assert not now.since(now.record())
    many = Basis("room", 2025, "student", {str(n): "1" for n in range(9)}, {})
    assert str(many.since(record)).startswith("0 new; 1 new; 2 new; 3 new; and 7 more")
    assert str(many.since(None)) == "made for the first time"
