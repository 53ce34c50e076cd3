"""The hub over HTTP: one data set, page by page, its bytes kept exactly as they were sent.

Belongs here: requests, retries, paging, the stored pages of an unfinished or finished pull. Does not:
contracts, what a column means, the landing folder (`hub.py`). Errors name the trouble and what to do; the
caller, who knows the data set, puts its name before them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import cast

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
    wait_fixed,
    wait_random,
)

from orchestration.errors import InputError
from orchestration.files import write_whole

_log = logging.getLogger(__name__)
_MANIFEST = "pull.json"
_REDIRECTS = 5
_TRY_AGAIN = {202, 429}  # 202: the hub is still preparing the answer
_ADVICE = {
    400: "the hub does not understand the query, check the contract's column names against the data set",
    401: "check ACCOUNTABILITY_HUB_APP_TOKEN",
    403: "check ACCOUNTABILITY_HUB_APP_TOKEN and whether it is public",
    404: "the hub has no such data set, check `dataset` in the contract and the base URL",
}


@dataclass(frozen=True)
class Limits:
    """How patient and how trusting a pull is."""

    tries: int = 6
    """Requests made for one answer before giving up."""
    timeout: float = 60.0
    """Seconds to wait for a connection, or for the next bytes of an answer."""
    longest_wait: float = 120.0
    """Seconds; the most that backoff or a Retry-After may ask for (a jitter of up to 1 s comes on top)."""
    max_bytes: int = 256 * 2**20
    """Bytes; a larger answer is refused."""


@dataclass(frozen=True)
class Page:
    """One whole CSV answer: its exact bytes, its columns and its number of data rows."""

    body: bytes
    header: tuple[str, ...]
    rows: int
    last_modified: str | None
    """When the hub last changed the data set, in its own words; None if it does not say."""


@dataclass(frozen=True)
class Plan:
    """What an unfinished pull must agree on with the hub to be continued; `limit` and `rows` in rows."""

    url: str
    where: str
    order: str
    limit: int
    rows: int
    header: tuple[str, ...]
    last_modified: str | None


@dataclass(frozen=True)
class StoredPage:
    """One page on disk: file name, number of rows before it, its own rows, sha256 of its bytes."""

    file: str
    offset: int
    rows: int
    sha256: str


class _TransientError(Exception):
    """A failure that may pass. `retry_after`: seconds the hub asked to wait, if it did."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class _ChangedError(InputError):
    """The data set is not the one that the pull began with."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: the data set changed while it was read, nothing was delivered, pull again")


@dataclass(frozen=True)
class Source:
    """Reads the data set `name` at `url`. A retry is logged as a warning; `sleep` waits for it, in seconds."""

    client: httpx.Client
    name: str
    url: str
    limits: Limits
    sleep: Callable[[float], None]

    def get(self, parameters: Mapping[str, str]) -> Page:
        """Ask for CSV, trying again where that can help. Raises InputError when it can't be had."""
        retrying = Retrying(
            stop=stop_after_attempt(self.limits.tries),
            wait=self._wait,
            retry=retry_if_exception_type(_TransientError),
            sleep=self.sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            return retrying(self._get_once, parameters)
        except _TransientError as failure:
            raise InputError(
                f"{failure}: gave up after {self.limits.tries} tries, pull again later (it continues here)"
            ) from None

    def count(self, where: str) -> int:
        """Number of rows that satisfy `where`, as the hub counts them."""
        page = self.get({"$select": "count(*)", "$where": where})
        records = list(csv.reader(io.StringIO(page.body.decode("utf-8-sig"))))
        if page.rows != 1 or len(records[1]) != 1 or not records[1][0].isdecimal():
            raise InputError("the hub did not answer count(*) with a number, check the base URL")
        return int(records[1][0])

    def _get_once(self, parameters: Mapping[str, str]) -> Page:
        request = self.client.build_request("GET", self.url, params=dict(parameters))
        try:
            for _ in range(_REDIRECTS + 1):
                response = self.client.send(request, stream=True)
                try:
                    if response.next_request is None:
                        return self._read(response)
                    # Followed by hand: the token must never travel to another host.
                    if _origin(response.next_request.url) != _origin(request.url):
                        raise InputError(
                            f"redirected to another host, {response.next_request.url.host}: "
                            "if that is the hub's new address, give it as the base URL"
                        )
                    request = response.next_request
                finally:
                    response.close()
        except httpx.TimeoutException:
            raise _TransientError(f"no answer within {self.limits.timeout:g} s") from None
        except (httpx.ConnectError, httpx.ProxyError) as error:
            raise _TransientError(f"cannot connect ({error})") from None
        except httpx.TransportError:
            raise _TransientError("the connection was cut") from None
        raise InputError(f"more than {_REDIRECTS} redirects, check the base URL")

    def _read(self, response: httpx.Response) -> Page:
        status, headers = response.status_code, response.headers
        if status in _TRY_AGAIN or status >= 500:
            raise _TransientError(f"HTTP {status}", _retry_after(headers))
        if status != 200:
            raise InputError(f"HTTP {status}: {_ADVICE.get(status, 'open the address in a browser to see why')}")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "text/csv":
            raise InputError(f"the hub sent {kind!r} instead of text/csv (an error page?), check the base URL")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise InputError("the hub compressed an answer asked for as it is, check for a proxy between")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self.limits.max_bytes:
                raise InputError(
                    f"the answer exceeds {self.limits.max_bytes} bytes, ask for smaller pages or allow more"
                )
        if headers.get("content-length", str(len(body))) != str(len(body)):
            raise _TransientError("the connection was cut")
        return _parse(bytes(body), headers.get("last-modified"))

    def _tell(self, state: RetryCallState) -> None:
        pause = state.next_action.sleep if state.next_action else 0.0
        message = "%s: %s at try %d of %d, waiting %.0f s"
        _log.warning(message, self.name, _failure(state), state.attempt_number, self.limits.tries, pause)

    def _wait(self, state: RetryCallState) -> float:
        longest = self.limits.longest_wait
        if (asked := _failure(state).retry_after) is not None:
            return (wait_fixed(min(asked, longest)) + wait_random(0, 1))(state)
        return wait_exponential_jitter(initial=1, max=longest, jitter=1)(state)


def fetch_pages(source: Source, folder: Path, plan: Plan, on_page: Callable[[int, int], None]) -> list[StoredPage]:
    """Bring every page of `plan` into `folder`, keeping those that an interrupted pull of the same plan left.

    `on_page(pages, rows)` is called after each page with what is stored so far. The next page starts after the rows
    really received, so a page shorter than asked for loses nothing. Raises InputError if the rows and the hub's count,
    asked again at the end, don't agree, or header or version change between pages; the stored pages are then dropped.
    """
    left = _resumable(folder, plan)
    pages: list[StoredPage] = []
    received = 0
    try:
        while received < plan.rows:
            page = left.get(received)
            if page is None or not _sound(folder, page):
                page = left[received] = _fetch_page(source, folder, plan, number=len(pages), offset=received)
                _write_manifest(folder, plan, left.values())  # those still ahead too: a pull may break twice
            pages.append(page)
            received += page.rows
            on_page(len(pages), received)
        if received != plan.rows:
            raise _ChangedError(f"{received} rows received where the hub counted {plan.rows}")
        if (now := source.count(plan.where)) != plan.rows:
            raise _ChangedError(f"the hub counted {plan.rows} rows at the start and {now} at the end")
    except _ChangedError:
        shutil.rmtree(folder)
        raise
    _write_manifest(folder, plan, pages)
    return pages


def assemble(folder: Path, pages: Iterable[StoredPage]) -> Iterator[bytes]:
    """The whole data set in chunks: the header once, then the rows of every page, byte for byte.

    Raises InputError if a stored page is no longer what was received.
    """
    for number, page in enumerate(pages):
        body = (folder / page.file).read_bytes()
        if hashlib.sha256(body).hexdigest() != page.sha256:
            raise InputError(f"{folder / page.file}: changed after it was stored, pull again")
        yield body if number == 0 else body[body.index(b"\n") + 1 :]


def _fetch_page(source: Source, folder: Path, plan: Plan, *, number: int, offset: int) -> StoredPage:
    page = source.get({"$where": plan.where, "$order": plan.order, "$limit": str(plan.limit), "$offset": str(offset)})
    if page.header != plan.header:
        moved = sorted(set(page.header) ^ set(plan.header))
        raise _ChangedError(f"page {number} has another header ({', '.join(map(repr, moved)) or 'another order'})")
    if page.last_modified != plan.last_modified:
        raise _ChangedError(f"page {number} comes from another version ({page.last_modified})")
    if page.rows == 0:
        raise _ChangedError(f"no more rows after {offset} where the hub counted {plan.rows}")
    file = f"page-{number:05d}.csv"
    write_whole(folder / file, [page.body])
    return StoredPage(file, offset, page.rows, hashlib.sha256(page.body).hexdigest())


def _resumable(folder: Path, plan: Plan) -> dict[int, StoredPage]:
    """Pages of an interrupted pull of the same plan, by offset; anything else in the folder is removed."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        if manifest.pop("pages_of") == json.loads(json.dumps(asdict(plan))):
            return {page["offset"]: StoredPage(**page) for page in manifest["pages"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # no manifest, or not one of ours: begin afresh
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return {}


def _write_manifest(folder: Path, plan: Plan, pages: Iterable[StoredPage]) -> None:
    manifest = {"pages_of": asdict(plan), "pages": [asdict(page) for page in pages]}
    write_whole(folder / _MANIFEST, [json.dumps(manifest, indent=1).encode()])


def _sound(folder: Path, page: StoredPage) -> bool:
    try:
        return hashlib.sha256((folder / page.file).read_bytes()).hexdigest() == page.sha256
    except OSError:
        return False


def _parse(body: bytes, last_modified: str | None) -> Page:
    """Read the header and count the rows. An answer without Content-Length can end anywhere: then it is
    cut.
    """
    if not body.endswith(b"\n"):
        raise _TransientError("the answer ends in the middle of a line")
    try:
        records = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        header = tuple(next(records))
        rows = sum(1 for record in records if record)
    except UnicodeDecodeError:
        raise InputError("the hub sent text that is not UTF-8") from None
    except csv.Error as error:
        raise _TransientError(f"the answer is not whole CSV ({error})") from None
    if any("\n" in column for column in header):
        raise InputError("a column name holds a line break, report it to the hub")
    return Page(body, header, rows, last_modified)


def _failure(state: RetryCallState) -> _TransientError:
    # Only _TransientError is ever retried, so a waiting state always has one.
    return cast(_TransientError, state.outcome.exception() if state.outcome else None)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds of a Retry-After; a date is read against the answer's own Date, so that no clock is needed."""
    value: str = headers.get("retry-after", "")
    now: str = headers.get("date", "")
    if value.isdecimal():
        return float(value)
    try:
        pause = parsedate_to_datetime(value) - parsedate_to_datetime(now)
    except (ValueError, TypeError):
        return None
    return max(pause.total_seconds(), 0.0)
