"""Pull: bring the hub's data sets of one year into the landing folder.

Belongs here: which data sets, whether their columns fit the contract, the delivery and the report of a
pull. Does not: HTTP and paging (`hub_paging.py`), checking of values (that is intake, the same for every
delivery).

`<home>/pulls/<year>/<data set>/` keeps the pages behind the present delivery, byte for byte, with
`pull.json`. A pull under way collects in `<data set>.partial` beside it: what a break leaves there is
continued, and what is delivered keeps its evidence until the next delivery stands.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import httpx
from pydantic import SecretStr

from orchestration.errors import InputError
from orchestration.files import private_folder, write_whole
from orchestration.intake.contracts import Contract, fold
from orchestration.intake.hub_paging import Limits, Plan, Source, assemble, fetch_pages
from orchestration.settings import Settings

ASKING = Limits(tries=2, timeout=10, longest_wait=2)
"""A question that can be asked again in a while is not worth much patience."""
_DATASET_ID = re.compile(r"[a-z0-9]{4}-[a-z0-9]{4}")


@dataclass(frozen=True)
class PullProgress:
    """Where one data set stands: pages and rows that are stored, rows that the hub counts."""

    collection: str
    dataset: str
    pages: int
    received: int
    total: int


@dataclass(frozen=True)
class PulledDataset:
    """What became of one data set.

    `delivered` and `unchanged` (the landing file already had these bytes) carry path, rows, pages and
    sha256; `empty` (the hub has no rows of that year) and `failed` carry a message of one line. `drift`
    lists the optional columns that are missing and the columns that the contract does not know.
    """

    collection: str
    dataset: str
    state: Literal["delivered", "unchanged", "empty", "failed"]
    rows: int = 0
    pages: int = 0
    path: Path | None = None
    sha256: str | None = None
    drift: list[str] = field(default_factory=list)
    message: str = ""


class PullError(InputError):
    """A required data set is missing. `results` holds every data set of the pull, delivered ones too."""

    def __init__(self, message: str, results: list[PulledDataset]) -> None:
        super().__init__(message)
        self.results = results


def pull(
    year: int,
    contracts: Mapping[str, Contract],
    settings: Settings,
    *,
    base_url: str | None = None,
    collections: Sequence[str] = (),
    page_size: int = 50_000,
    progress: Callable[[PullProgress], None] | None = None,
    limits: Limits | None = None,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[PulledDataset]:
    """Deliver the hub's data sets of `year` to `<landing>/<year>/`, one file each.

    Every data set is tried, each for itself, in the order of the contracts: one that fails leaves its landing file as
    it was. `collections` limits the pull to some contracts; `page_size` is in rows; `progress` is told of each stored
    page (waits for a retry are log lines). `transport` and `sleep` stand in for the network and the clock.

    Raises PullError (an InputError) at the end if a data set required by its contract failed or is empty,
    with one clause for each that went wrong; InputError at once for a bad base URL, token, page size or
    collection name.
    """
    if page_size < 1:
        raise InputError(f"page size {page_size}: must be 1 row or more")
    base = _checked_base(base_url or settings.hub_url)
    chosen = _chosen(contracts, collections)
    limits = limits or Limits()
    with _client(settings.hub_app_token, limits, transport) as client:
        job = _Job(year, settings, base, client, limits, page_size, sleep, progress or (lambda _: None))
        results = [_attempt(job, contract, dataset) for contract, dataset in chosen]
    _raise_if_incomplete(year, contracts, results)
    return results


def state_of(
    year: int,
    contracts: Mapping[str, Contract],
    settings: Settings,
    *,
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Digest of what the hub says of its data sets of `year`: when each changed last, and how many rows it counts.

    The same digest twice: nothing has to be pulled. Two small questions a data set; one that the hub does not have
    counts as such. Raises InputError when the hub cannot be asked.
    """
    base, told = _checked_base(settings.hub_url), []
    with _client(settings.hub_app_token, ASKING, transport) as client:
        for contract, dataset in _chosen(contracts, ()):
            source = Source(client, dataset, f"{base}/resource/{dataset}.csv", ASKING, time.sleep)
            try:
                changed = source.get({"$limit": "1"}).last_modified
                told.append([dataset, changed, source.count(f"{contract.year_field}='{year}'")])
            except InputError:
                if contract.required:
                    raise
                told.append([dataset, None, None])
    return hashlib.sha256(json.dumps([base, year, told]).encode()).hexdigest()


@dataclass(frozen=True)
class _Job:
    """What all data sets of one pull share."""

    year: int
    settings: Settings
    base: str
    client: httpx.Client
    limits: Limits
    page_size: int
    sleep: Callable[[float], None]
    report: Callable[[PullProgress], None]


def _attempt(job: _Job, contract: Contract, dataset: str) -> PulledDataset:
    """Pull one data set; its trouble becomes its result, so that the others still get their turn."""
    try:
        return _pull_one(job, contract, dataset)
    except InputError as error:
        message = str(error)
    except OSError as error:
        message = f"{error.filename}: {error.strerror}, free space or correct the rights and pull again"
    return PulledDataset(contract.collection, dataset, "failed", message=message)


def _pull_one(job: _Job, contract: Contract, dataset: str) -> PulledDataset:
    progress = partial(PullProgress, contract.collection, dataset)
    result = partial(PulledDataset, contract.collection, dataset)
    url = f"{job.base}/resource/{dataset}.csv"
    source = Source(job.client, dataset, url, job.limits, job.sleep)

    # The header comes first: a query that names a missing column would only be answered with HTTP 400.
    sample = source.get({"$limit": "1"})
    drift = _drift(contract, job.year, sample.header)
    where = f"{contract.year_field}='{job.year}'"
    rows = source.count(where)
    if rows == 0:
        return result("empty", drift=drift, message=f"no rows for {job.year}")

    order = ",".join((*contract.primary_key, ":id"))
    plan = Plan(url, where, order, job.page_size, rows, sample.header, sample.last_modified)
    home = job.settings.home
    kept = private_folder(home / "pulls" / str(job.year), home) / dataset
    unfinished = kept.with_name(f"{dataset}.partial")
    pages = fetch_pages(source, unfinished, plan, lambda stored, so_far: job.report(progress(stored, so_far, rows)))
    path = job.settings.landing / str(job.year) / f"{dataset}_{contract.collection.removeprefix('hub_')}.csv"
    sha256 = _digest(assemble(unfinished, pages))
    unchanged = path.is_file() and _digest([path.read_bytes()]) == sha256
    if not unchanged:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, assemble(unfinished, pages))
    if kept.exists():
        shutil.rmtree(kept)
    unfinished.rename(kept)
    return result("unchanged" if unchanged else "delivered", rows, len(pages), path, sha256, drift)


def _drift(contract: Contract, year: int, header: Sequence[str]) -> list[str]:
    """Compare the hub's columns with the contract: a line for each tolerable difference, else InputError."""
    known = contract.header_map(year)
    found = [known.get(fold(column), column) for column in header]
    unknown = [name for name in found if name not in contract.fields and not contract.ignores(name)]
    missing = [name for name in contract.fields if name not in found]
    if lost := [n for n in missing if contract.fields[n].required or n in contract.primary_key]:
        hint = f" (perhaps renamed, the contract does not know {_quoted(unknown)})" if unknown else ""
        raise InputError(
            f"required column {_quoted(lost)} is missing{hint}, "
            f"adapt raw/contracts/{contract.collection}.yml if the hub changed for good"
        )
    if doubled := sorted({name for name in found if found.count(name) > 1}):
        raise InputError(f"column {_quoted(doubled)} comes twice, report it to the hub")
    return [
        *(f"optional column {name!r} is missing" for name in missing),
        *(f"column {name!r} is not in the contract" for name in unknown),
    ]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))  # repr: a header comes from outside and may hold control characters


def _chosen(contracts: Mapping[str, Contract], collections: Sequence[str]) -> list[tuple[Contract, str]]:
    """Contracts to pull with their data set ids."""
    hub = {name: (c, c.dataset) for name, c in contracts.items() if c.source == "hub" and c.dataset}
    for contract, dataset in hub.values():
        if not _DATASET_ID.fullmatch(dataset) or not contract.year_field:
            raise InputError(
                f"contract {contract.collection}: a hub data set needs an id like abcd-1234 and a year_field"
            )
    if unknown := [name for name in collections if name not in hub]:
        raise InputError(f"no hub data set named {', '.join(unknown)}, choose from {', '.join(hub)}")
    return [pair for name, pair in hub.items() if not collections or name in collections]


def _checked_base(base_url: str) -> str:
    """The base URL without a trailing slash. Never repeats it in an error: it could hold a password."""
    try:
        url = httpx.URL(base_url)
        url.host.encode("idna")  # what the resolver will do with it
    except (httpx.InvalidURL, UnicodeError):
        raise InputError("--base-url: is not a URL, give one like https://host") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise InputError("--base-url: must begin with https:// or http:// and name a host")
    if url.userinfo or url.query or url.fragment:
        raise InputError("--base-url: must hold no user, password, query or fragment, give the address alone")
    return base_url.rstrip("/")


def _client(token: SecretStr | None, limits: Limits, transport: httpx.BaseTransport | None) -> httpx.Client:
    headers = {"Accept": "text/csv", "Accept-Encoding": "identity"}  # identity: what arrives is what is kept
    if secret := token.get_secret_value() if token else "":
        if not (secret.isascii() and secret.isprintable()) or secret != secret.strip():
            # Refused here, since the HTTP library would repeat an illegal header in its error.
            raise InputError("ACCOUNTABILITY_HUB_APP_TOKEN holds blanks or characters that a token can't have")
        headers["X-App-Token"] = secret
    return httpx.Client(headers=headers, timeout=limits.timeout, transport=transport, follow_redirects=False)


def _digest(chunks: Iterable[bytes]) -> str:
    sha256 = hashlib.sha256()
    for chunk in chunks:
        sha256.update(chunk)
    return sha256.hexdigest()


def _raise_if_incomplete(year: int, contracts: Mapping[str, Contract], results: list[PulledDataset]) -> None:
    wrong = [r for r in results if r.state == "failed" or (r.state == "empty" and contracts[r.collection].required)]
    if any(contracts[result.collection].required for result in wrong):
        clauses = "; ".join(f"{result.dataset} ({result.collection}): {result.message}" for result in wrong)
        raise PullError(f"pull of {year} is incomplete: {clauses}", results)
