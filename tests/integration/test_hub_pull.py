"""Pulling from a hub that behaves, and from one that does not. Nothing leaves the machine, nothing really waits."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from orchestration.errors import InputError
from orchestration.intake.contracts import load_contracts
from orchestration.intake.hub import PulledDataset, PullError, PullProgress, pull
from orchestration.intake.hub_paging import Limits
from orchestration.settings import PROJECT, Settings
from tests.support import socrata
from tests.support.socrata import REAL_FILES, Answer, Fault, SocrataServer, serving

CONTRACTS = load_contracts(PROJECT / "raw" / "contracts")
YEAR = 2018
DROPOUT, ROWS = "cmm7-ttbg", 405  # small enough for many pages, and not required
ATTENDANCE = "ak6h-9k7x"  # not required
ENROLLMENT = "t8td-gens"  # required
TOKEN = "token-that-nobody-may-see"
NEW_YEAR = "Thu, 01 Jan 2026 00:00:00 GMT"
HALF_A_MINUTE_ON = "Thu, 01 Jan 2026 00:00:30 GMT"


@dataclass
class Bench:
    """One home and one landing folder before one hub, with the waits that were asked for."""

    hub: SocrataServer
    settings: Settings
    waits: list[float] = field(default_factory=list)

    def pull(self, *collections: str, year: int = YEAR, **options: Any) -> list[PulledDataset]:
        given: dict[str, Any] = {"base_url": self.hub.url, "sleep": self.waits.append} | options
        given["transport"] = httpx.HTTPTransport(verify=False)  # past any proxy of the environment
        return pull(year, CONTRACTS, self.settings, collections=collections, **given)

    def dropout(self, **options: Any) -> PulledDataset:
        """Pull one data set of 405 rows in pages of 100."""
        [result] = self.pull("hub_dropout", **({"page_size": 100} | options))
        return result

    def break_after(self, pages: int) -> None:
        """Begin that pull and stop it, as a kill would, once so many pages are stored."""

        def progress(now: PullProgress) -> None:
            if now.pages == pages:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.dropout(progress=progress)
        self.hub.requests.clear()

    def expected(self) -> bytes:
        """The data set of the year in one answer, in the order of its key."""
        parameters = {"$where": f"sy='{YEAR}'", "$order": "sy,org_code,stu_grp,:id", "$limit": "100000"}
        return Answer(socrata.query(self.hub.tables[DROPOUT], parameters)).encoded()

    def offsets(self) -> list[int]:
        return [request.offset for request in self.hub.asked("page")]

    @property
    def landing(self) -> Path:
        return self.settings.landing / str(YEAR) / f"{DROPOUT}_dropout.csv"

    @property
    def pages(self) -> Path:
        return self.settings.home / "pulls" / str(YEAR) / DROPOUT


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    settings = Settings(home=tmp_path / "home", landing=tmp_path / "raw", hub_app_token=SecretStr(TOKEN))
    with serving() as hub:
        yield Bench(hub, settings)


class TestRealYear:
    def test_every_data_set_arrives_with_the_rows_of_the_year(self, bench: Bench) -> None:
        results = bench.pull(page_size=1000)
        assert [r.dataset for r in results] == [c.dataset for c in CONTRACTS.values() if c.dataset]
        arrived = [result for result in results if result.state == "delivered"]
        assert {r.collection.removeprefix("hub_") for r in arrived} == {
            *("attendance", "advanced_coursework", "dropout", "enrollment", "graduation_rates", "mcas_achievement")
        }
        for result in arrived:
            with next(REAL_FILES.glob(f"{result.dataset}_*.csv")).open(encoding="utf-8", newline="") as file:
                there = sum(record["sy"] == str(YEAR) for record in csv.DictReader(file))
            assert result.path is not None
            with result.path.open(encoding="utf-8", newline="") as file:
                here = list(csv.DictReader(file))
            assert result.rows == len(here) == there > 0
            assert {record["sy"] for record in here} == {str(YEAR)}
            assert result.path.name == f"{result.dataset}_{result.collection.removeprefix('hub_')}.csv"

    def test_no_rows_for_the_year_is_reported_and_writes_nothing(self, bench: Bench) -> None:
        [result] = bench.pull("hub_accountability")
        assert (result.state, result.message) == ("empty", f"no rows for {YEAR}")
        assert not bench.settings.landing.exists()
        assert not bench.settings.home.exists()

    def test_a_required_data_set_without_rows_is_an_error_after_the_others(self, bench: Bench) -> None:
        with pytest.raises(PullError, match=r"i9w6-niyt \(hub_mcas_achievement\): no rows for 2024$") as caught:
            bench.pull("hub_mcas_achievement", "hub_attendance", "hub_accountability", year=2024)
        assert sorted(r.state for r in caught.value.results) == ["delivered", "empty", "empty"]
        assert (bench.settings.landing / "2024" / f"{ATTENDANCE}_attendance.csv").is_file()


class TestBytes:
    def test_pages_are_kept_as_sent_described_and_private(self, bench: Bench) -> None:
        bench.dropout()
        manifest = json.loads((bench.pages / "pull.json").read_text())
        assert [page["rows"] for page in manifest["pages"]] == [100, 100, 100, 100, 5]
        for request, page in zip(bench.hub.asked("page"), manifest["pages"], strict=True):
            body = (bench.pages / page["file"]).read_bytes()
            assert body == Answer(socrata.query(bench.hub.tables[DROPOUT], request.parameters)).encoded()
            assert hashlib.sha256(body).hexdigest() == page["sha256"]
        plan = manifest["pages_of"]
        assert (plan["url"], plan["rows"], plan["limit"]) == (f"{bench.hub.url}/resource/{DROPOUT}.csv", ROWS, 100)
        assert plan["header"] == bench.hub.tables[DROPOUT][0]
        for path in (bench.settings.home, *bench.settings.home.rglob("*")):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path

    @pytest.mark.parametrize("page_size", [37, 81, 404, 405, 406])
    def test_any_page_size_delivers_the_same_bytes(self, bench: Bench, page_size: int) -> None:
        result = bench.dropout(page_size=page_size)
        assert bench.landing.read_bytes() == bench.expected()
        assert result.sha256 == hashlib.sha256(bench.expected()).hexdigest()
        assert bench.offsets() == list(range(0, ROWS, page_size))
        assert {r.parameters["$order"] for r in bench.hub.asked("page")} == {"sy,org_code,stu_grp,:id"}
        assert {r.headers["Accept-Encoding"] for r in bench.hub.requests} == {"identity"}

    def test_line_breaks_and_quotes_inside_values_survive(self, bench: Bench) -> None:
        for number, row in enumerate(bench.hub.change(DROPOUT)[1:]):
            row[3] = f'School "{number}",\r\nsecond line\nÉcole'
        assert bench.dropout().rows == ROWS
        assert bench.landing.read_bytes() == bench.expected()

    def test_second_pull_of_the_same_data_leaves_the_landing_file_alone(self, bench: Bench) -> None:
        bench.dropout()
        os.utime(bench.landing, (1, 1))
        result = bench.dropout()
        assert (result.state, result.rows, result.path) == ("unchanged", ROWS, bench.landing)
        assert bench.landing.stat().st_mtime == 1
        assert [path.name for path in bench.pages.parent.iterdir()] == [DROPOUT]

    def test_a_corrected_value_is_delivered_though_the_count_is_the_same(self, bench: Bench) -> None:
        bench.dropout()
        bench.hub.change(DROPOUT)[1][6] = "9999"
        assert bench.dropout().state == "delivered"
        assert bench.landing.read_bytes() == bench.expected()
        assert b"9999" in (bench.pages / "page-00000.csv").read_bytes()


class TestResume:
    def test_only_missing_pages_are_fetched_after_a_break(self, bench: Bench) -> None:
        bench.break_after(3)
        bench.break_after(1)  # and again, before it came to anything new
        assert not bench.landing.exists()
        bench.dropout()
        assert bench.offsets() == [300, 400]
        assert bench.landing.read_bytes() == bench.expected()

    def test_a_damaged_page_is_fetched_again(self, bench: Bench) -> None:
        bench.break_after(4)
        partial = bench.pages.with_name(f"{DROPOUT}.partial")
        (partial / "page-00001.csv").write_bytes(b"damaged\n")
        (partial / "page-00002.csv").unlink()
        bench.dropout()
        assert bench.offsets() == [100, 200, 400]
        assert bench.landing.read_bytes() == bench.expected()

    @pytest.mark.parametrize("what", ["page size", "count", "version", "header", "manifest"])
    def test_a_pull_of_something_else_begins_afresh(self, bench: Bench, what: str) -> None:
        bench.break_after(2)
        size = 150 if what == "page size" else 100
        if what == "count":
            del bench.hub.change(DROPOUT)[-1]
        elif what == "version":
            bench.hub.last_modified = NEW_YEAR
        elif what == "header":
            bench.hub.change(DROPOUT)[0][-1] = "a_new_name"
        elif what == "manifest":
            (bench.pages.with_name(f"{DROPOUT}.partial") / "pull.json").write_text("[]")
        bench.dropout(page_size=size)
        assert bench.offsets() == list(range(0, ROWS, size))
        assert bench.landing.read_bytes() == bench.expected()


class TestTransientFaults:
    @pytest.mark.parametrize("kind", ["sample", "count", "page"])
    @pytest.mark.parametrize(
        "fault",
        [
            *(socrata.status(code) for code in (503, 500, 429, 202)),
            *(socrata.cut(), socrata.cut(0), socrata.cut(0.5, announced=False), socrata.cut_in_a_value()),
        ],
        ids=["503", "500", "429", "202", "cut", "cut at once", "cut without a length", "cut in a value"],
    )
    def test_a_passing_fault_costs_a_wait_and_no_row(self, bench: Bench, fault: Fault, kind: str) -> None:
        bench.hub.plan(fault, kind, times=3)
        assert bench.dropout().state == "delivered"
        assert bench.landing.read_bytes() == bench.expected()
        assert len(bench.waits) == 3
        assert bench.waits == sorted(bench.waits), "each wait is longer than the one before"
        assert len({wait % 1 for wait in bench.waits}) == 3, "waits have a jitter"

    def test_a_timeout_is_tried_again_and_told(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        bench.hub.plan(socrata.slow(5), "page")
        assert bench.dropout(limits=Limits(timeout=0.15)).state == "delivered"
        assert f"{DROPOUT}: no answer within 0.15 s at try 1 of 6, waiting " in caplog.text

    @pytest.mark.parametrize(
        ("asked", "least"), [("7", 7), ("86400", 120), ("soon", 1), (HALF_A_MINUTE_ON, 30), (NEW_YEAR, 0)]
    )
    def test_retry_after_is_honoured_and_capped(self, bench: Bench, asked: str, least: float) -> None:
        bench.hub.plan(socrata.status(429, Retry_After=asked, Date=NEW_YEAR), "page")
        assert bench.dropout().state == "delivered"
        [wait] = bench.waits
        assert least <= wait <= least + 1

    def test_it_gives_up_with_one_line(self, bench: Bench) -> None:
        bench.hub.plan(socrata.status(503), "page", times=99)
        assert bench.dropout().message.startswith("HTTP 503: gave up after 6 tries, ")
        assert (len(bench.hub.asked("page")), len(bench.waits)) == (6, 5)
        nobody = bench.dropout(base_url="http://127.0.0.1:1", limits=Limits(tries=2))
        assert nobody.message.startswith("cannot connect ")


class TestFinalFaults:
    @pytest.mark.parametrize(
        ("code", "advice"),
        [(400, "column names"), (403, "ACCOUNTABILITY_HUB_APP_TOKEN"), (404, "`dataset`"), (410, "browser")],
    )
    def test_other_4xx_are_not_tried_again(self, bench: Bench, code: int, advice: str) -> None:
        bench.hub.plan(socrata.status(code), "page")
        message = bench.dropout().message
        assert message.startswith(f"HTTP {code}: ")
        assert advice in message
        assert len(bench.hub.asked("page")) == 1

    @pytest.mark.parametrize(
        ("fault", "message"),
        [
            (socrata.html(), "'text/html' instead of text/csv"),
            (socrata.header("Content-Encoding", "gzip"), "compressed"),
            (socrata.header("Last-Modified", NEW_YEAR), "another version"),
            (socrata.renamed("dist_code", "district"), "another header ('dist_code', 'district')"),
            (socrata.short(0), "no more rows after 200"),
            (socrata.latin_1(), "not UTF-8"),
        ],
        ids=["html", "gzip", "version", "header", "no rows", "latin-1"],
    )
    def test_a_wrong_page_in_the_middle_publishes_nothing(self, bench: Bench, fault: Fault, message: str) -> None:
        bench.dropout()
        before = {path: path.read_bytes() for path in (bench.landing, *bench.pages.iterdir())}
        bench.hub.change(DROPOUT)[1][6] = "9999"
        bench.hub.plan(fault, "page", skip=2)
        assert message in bench.dropout().message
        assert {path: path.read_bytes() for path in before} == before
        assert list(bench.landing.parent.iterdir()) == [bench.landing]

    def test_an_answer_that_is_too_large_is_refused(self, bench: Bench) -> None:
        assert "exceeds 5000 bytes" in bench.dropout(limits=Limits(max_bytes=5000)).message

    def test_all_failures_are_listed_and_the_rest_is_delivered(self, bench: Bench) -> None:
        bench.hub.plan(socrata.status(403), dataset=ATTENDANCE)
        bench.hub.plan(socrata.html(), dataset=ENROLLMENT)
        with pytest.raises(PullError) as caught:
            bench.pull("hub_attendance", "hub_enrollment", "hub_dropout", "hub_teachers")
        clauses = str(caught.value).removeprefix(f"pull of {YEAR} is incomplete: ").split("; ")
        assert sorted(clause.partition(",")[0] for clause in clauses) == [
            "4684-cw3t (hub_teachers): HTTP 404: the hub has no such data set",
            "ak6h-9k7x (hub_attendance): HTTP 403: check ACCOUNTABILITY_HUB_APP_TOKEN and whether it is public",
            "t8td-gens (hub_enrollment): the hub sent 'text/html' instead of text/csv (an error page?)",
        ]
        assert bench.landing.is_file()

    def test_a_folder_that_can_not_be_written_fails_that_data_set(self, bench: Bench) -> None:
        bench.settings.landing.write_text("in the way")
        result = bench.dropout()
        assert result.state == "failed"
        assert str(bench.landing.parent) in result.message


class TestCounts:
    @pytest.mark.parametrize("lengths", [{0: 60}, {1: 1}, {4: 2}, {0: 99, 2: 1, 3: 50}])
    def test_short_pages_in_the_middle_lose_nothing(self, bench: Bench, lengths: dict[int, int]) -> None:
        for page, rows in lengths.items():
            bench.hub.plan(socrata.short(rows), "page", skip=page)
        assert bench.dropout().state == "delivered"
        assert bench.landing.read_bytes() == bench.expected()

    @pytest.mark.parametrize("rows", [404, 406])
    def test_a_count_that_differs_at_the_end_delivers_nothing(self, bench: Bench, rows: int) -> None:
        bench.hub.plan(socrata.counted(str(rows)), "count", skip=1)
        message = bench.dropout().message
        assert message.startswith(f"the hub counted {ROWS} rows at the start and {rows} at the end: ")
        assert message.endswith("changed while it was read, nothing was delivered, pull again")
        assert not bench.landing.exists()
        bench.hub.requests.clear()
        assert bench.dropout().state == "delivered"
        assert bench.offsets() == [0, 100, 200, 300, 400], "the next pull starts again"

    @pytest.mark.parametrize(
        ("count", "message"),
        [("500", "no more rows after 405"), ("350", "400 rows received"), ("many", "count(*) with a number")],
    )
    def test_a_count_that_can_not_be_right_delivers_nothing(self, bench: Bench, count: str, message: str) -> None:
        bench.hub.plan(socrata.counted(count), "count", times=99)
        assert message in bench.dropout().message
        assert not bench.landing.exists()


class TestSchemaDrift:
    def renamed(self, bench: Bench, old: str, new: str) -> PulledDataset:
        socrata.renamed(old, new)(Answer(bench.hub.change(DROPOUT)))
        return bench.dropout()

    @pytest.mark.parametrize("column", ["sy", "stu_grp", "dist_code"])
    def test_a_required_column_that_is_missing_is_named(self, bench: Bench, column: str) -> None:
        message = self.renamed(bench, column, "renamed").message
        assert message.startswith(f"required column '{column}' is missing (perhaps renamed, ")
        assert "'renamed'" in message
        assert not bench.hub.asked("page")
        assert not bench.landing.exists()

    def test_other_changes_are_reported_and_delivered(self, bench: Bench) -> None:
        result = self.renamed(bench, "drpout_pct_all", "rate")
        assert result.state == "delivered"
        assert {"optional column 'drpout_pct_all' is missing", "column 'rate' is not in the contract"} < {*result.drift}

    def test_a_column_that_comes_twice_is_refused(self, bench: Bench) -> None:
        assert "'org_code' comes twice" in self.renamed(bench, "org_name", "Org_Code").message


class TestSecurity:
    def test_the_token_is_sent_and_appears_nowhere_else(
        self, bench: Bench, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        caplog.set_level(logging.DEBUG)
        bench.hub.plan(socrata.status(503), "page")
        bench.hub.plan(socrata.status(403), dataset=ENROLLMENT)
        with pytest.raises(PullError) as caught:
            bench.pull("hub_dropout", "hub_enrollment")
        assert {request.headers["X-App-Token"] for request in bench.hub.requests} == {TOKEN}
        told = [caplog.text, str(caught.value), repr(caught.value.results)]
        told += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
        assert len(told) > 3
        assert not [text for text in told if TOKEN in text]

    def test_without_a_token_no_header_is_sent(self, bench: Bench) -> None:
        bench.settings = bench.settings.model_copy(update={"hub_app_token": None})
        bench.dropout()
        assert not [request for request in bench.hub.requests if "X-App-Token" in request.headers]

    @pytest.mark.parametrize("token", ["sécret", "secret\nX-Other: 1", " secret"])
    def test_a_token_that_can_not_be_one_is_refused_unrepeated(self, bench: Bench, token: str) -> None:
        bench.settings = bench.settings.model_copy(update={"hub_app_token": SecretStr(token)})
        with pytest.raises(InputError, match="ACCOUNTABILITY_HUB_APP_TOKEN") as caught:
            bench.dropout()
        assert "cret" not in str(caught.value)

    def test_a_redirect_to_another_host_is_not_followed(self, bench: Bench) -> None:
        with serving() as other:
            bench.hub.plan(socrata.status(302, Location=f"{other.url}/resource/{DROPOUT}.csv"), "page")
            assert "redirected to another host" in bench.dropout().message
            assert not other.requests

    def test_a_redirect_on_the_same_host_is_followed_but_not_for_ever(self, bench: Bench) -> None:
        bench.hub.plan(socrata.status(307, Location=f"/resource/{DROPOUT}.csv?$limit=1"), "sample", times=5)
        assert bench.dropout().state == "delivered"
        bench.hub.plan(socrata.status(307, Location=f"/resource/{DROPOUT}.csv?$limit=1"), "sample", times=6)
        assert "more than 5 redirects" in bench.dropout().message

    @pytest.mark.parametrize(
        "url", ["ftp://a", "a", "https://", "https://me:secret@a", "https://a?secret=1", "http://a:x", "http://a..b"]
    )
    def test_a_base_url_that_will_not_do_is_refused_unrepeated(self, bench: Bench, url: str) -> None:
        with pytest.raises(InputError, match="--base-url: ") as caught:
            bench.dropout(base_url=url)
        assert "secret" not in str(caught.value)

    def test_arguments_that_will_not_do_are_named(self, bench: Bench) -> None:
        with pytest.raises(InputError, match=r"no hub data set named mcas, choose from .*hub_dropout"):
            bench.pull("mcas")
        with pytest.raises(InputError, match="page size 0"):
            bench.dropout(page_size=0)
