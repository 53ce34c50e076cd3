"""A stand-in for the hub: serves CSV files on 127.0.0.1 with the Socrata query parameters that a pull uses.

    python -m tests.support.socrata --port 8123
    accountability pull --year 2018 --base-url http://127.0.0.1:8123

Files are named `<data set id>_<anything>.csv`; several of one id are one data set. Understood: `$where` (equalities
joined by `and`), `$select=count(*)`, `$order` (ascending), `$limit` (1,000 unless given), `$offset`. Without `$order`
the rows come in another order at every request, since the hub promises none. Anything else is HTTP 400, as there.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

REAL_FILES = Path(__file__).resolve().parents[3] / "shared" / "data" / "e2c"
_PATH = re.compile(r"/resource/([a-z0-9]{4}-[a-z0-9]{4})\.csv")
_EQUALITY = re.compile(r"\s*(\w+)\s*=\s*'((?:[^']|'')*)'\s*")
_PARAMETERS = {"$where", "$select", "$order", "$limit", "$offset"}

Rows = list[list[str]]


@dataclass(frozen=True)
class Request:
    """One request as it arrived. `kind`: page (ordered rows), count, or sample (anything else)."""

    dataset: str
    parameters: dict[str, str]
    headers: dict[str, str]

    @property
    def kind(self) -> str:
        if "$select" in self.parameters:
            return "count"
        return "page" if "$order" in self.parameters else "sample"

    @property
    def offset(self) -> int:
        return int(self.parameters.get("$offset", "0"))


@dataclass
class Answer:
    """An answer before it is sent; a fault changes it. `rows` includes the header; `body`, if set, replaces them."""

    rows: Rows = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/csv; charset=UTF-8"})
    body: bytes | None = None
    delay: float = 0.0
    """Seconds before the answer."""
    sent: float = 1.0
    """Share of the body that is sent before the connection is cut."""
    announced: bool = True
    """Whether Content-Length tells where the body ends."""

    def encoded(self) -> bytes:
        if self.body is not None:
            return self.body
        text = io.StringIO(newline="")
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(self.rows)
        return text.getvalue().encode()


Fault = Callable[[Answer], None]


@dataclass
class Planned:
    """A fault for the requests of one kind (all if ''), `times` times after letting `skip` of them pass."""

    fault: Fault
    kind: str = ""
    dataset: str = ""
    skip: int = 0
    times: int = 1

    def due(self, request: Request) -> bool:
        if self.kind not in ("", request.kind) or self.dataset not in ("", request.dataset) or not self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


def status(code: int, **headers: str) -> Fault:
    """Answer with another status; headers as keywords, `Retry_After="7"`."""

    def fault(answer: Answer) -> None:
        answer.status, answer.body = code, b'{"error": true}'
        answer.headers = {"Content-Type": "application/json"}
        answer.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    return fault


def cut(share: float = 0.5, *, announced: bool = True) -> Fault:
    """Send only a share of the body, then close the connection."""

    def fault(answer: Answer) -> None:
        answer.sent, answer.announced = share, announced

    return fault


def cut_in_a_value() -> Fault:
    """End inside a quoted value, yet with a line break and without a length that would give it away."""

    def fault(answer: Answer) -> None:
        answer.body, answer.announced = answer.encoded().rpartition(b'"')[0] + b"\n", False

    return fault


def slow(seconds: float) -> Fault:
    """Let the client wait."""

    def fault(answer: Answer) -> None:
        answer.delay = seconds

    return fault


def short(rows: int) -> Fault:
    """Send fewer rows than asked for although more exist."""

    def fault(answer: Answer) -> None:
        del answer.rows[rows + 1 :]

    return fault


def renamed(old: str, new: str) -> Fault:
    """Give a column another name."""

    def fault(answer: Answer) -> None:
        answer.rows[0] = [new if name == old else name for name in answer.rows[0]]

    return fault


def counted(value: str) -> Fault:
    """Answer count(*) with this value."""

    def fault(answer: Answer) -> None:
        answer.rows = [["count"], [value]]

    return fault


def html() -> Fault:
    """An error page that claims success."""

    def fault(answer: Answer) -> None:
        answer.body, answer.headers = b"<html>Down for maintenance</html>\n", {"Content-Type": "text/html"}

    return fault


def latin_1() -> Fault:
    """Text in another encoding than UTF-8."""

    def fault(answer: Answer) -> None:
        answer.rows[-1][-1] += "\xf6"
        answer.body = answer.encoded().decode().encode("latin-1")

    return fault


def header(name: str, value: str) -> Fault:
    """Add or replace a response header."""

    def fault(answer: Answer) -> None:
        answer.headers[name] = value

    return fault


class BadQueryError(Exception):
    """A query that the hub would answer with HTTP 400."""


class SocrataServer(ThreadingHTTPServer):
    """Serves the data sets of a folder. `requests` records what came; `faults` is what shall go wrong."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.tables = dict(load(folder))
        self.requests: list[Request] = []
        self.faults: list[Planned] = []
        self.last_modified = formatdate(0, usegmt=True)
        self.lock = threading.Lock()
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)

    def change(self, dataset: str) -> Rows:
        """Header and rows of a data set, to be edited in place; other servers of the same files keep theirs."""
        self.tables[dataset] = [list(row) for row in self.tables[dataset]]
        return self.tables[dataset]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away, which is what breaks and timeouts are."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def plan(self, fault: Fault, kind: str = "", *, dataset: str = "", skip: int = 0, times: int = 1) -> None:
        """Let something go wrong; see Planned."""
        self.faults.append(Planned(fault, kind, dataset, skip, times))

    def asked(self, kind: str) -> list[Request]:
        """Requests of one kind so far, in order."""
        return [request for request in self.requests if request.kind == kind]

    def answer(self, request: Request) -> Answer:
        """The answer to a request, its faults included."""
        with self.lock:
            self.requests.append(request)
            due = [planned.fault for planned in self.faults if planned.due(request)]
            turn = len(self.requests)
        answer = Answer()
        answer.headers["Last-Modified"] = self.last_modified
        try:
            answer.rows = query(self.tables[request.dataset], request.parameters, turn)
        except KeyError:
            status(404)(answer)
        except BadQueryError:
            status(400)(answer)
        for fault in due:
            fault(answer)
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else head and body, two writes, cost 40 ms a request
    server: SocrataServer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        found = _PATH.fullmatch(address.path)
        parameters = dict(parse_qsl(address.query, keep_blank_values=True))
        answer = self.server.answer(Request(found[1] if found else "", parameters, dict(self.headers.items())))
        if answer.delay:
            self.server.closing.wait(answer.delay)
        body = answer.encoded()
        self.send_response_only(answer.status)
        for name, value in ({"Date": self.date_time_string()} | answer.headers).items():
            self.send_header(name, value)
        if answer.announced:
            self.send_header("Content-Length", str(len(body)))
        self.close_connection = answer.sent < 1 or not answer.announced
        if self.close_connection:
            self.send_header("Connection", "close")
        try:
            self.end_headers()
            self.wfile.write(body[: int(len(body) * answer.sent)])
        except ConnectionError:
            self.close_connection = True  # a client that stopped waiting

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: `requests` is the log."""


@cache
def load(folder: Path) -> dict[str, Rows]:
    """Data set id -> header and rows, from every `<id>_*.csv`; columns of several files of one id are united."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: the real hub files are needed beside the project's folder")
    records: dict[str, list[dict[str, str]]] = {}
    for path in sorted(folder.glob("????-????_*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            records.setdefault(path.name[:9], []).extend(csv.DictReader(file))
    tables = {}
    for dataset, found in records.items():
        columns = list(dict.fromkeys(name for record in found for name in record))
        tables[dataset] = [columns, *([record.get(name, "") for name in columns] for record in found)]
    return tables


def query(table: Rows, parameters: dict[str, str], turn: int = 0) -> Rows:
    """Rows that answer a query, header first. Raises BadQueryError where the hub would answer 400."""
    if unknown := parameters.keys() - _PARAMETERS:
        raise BadQueryError(f"unknown parameters {unknown}")
    columns, rows = table[0], list(enumerate(table[1:]))
    if "$where" in parameters:
        for name, value in _equalities(parameters["$where"]):
            position = _position(columns, name)
            rows = [(number, row) for number, row in rows if row[position] == value]
    if "$select" in parameters:
        if parameters["$select"] != "count(*)":
            raise BadQueryError(f"cannot select {parameters['$select']}")
        return [["count"], [str(len(rows))]]
    if "$order" in parameters:
        for name in reversed(parameters["$order"].split(",")):
            if name == ":id":
                rows.sort(key=lambda pair: pair[0])
            else:
                position = _position(columns, name)
                rows.sort(key=lambda pair: pair[1][position])
    elif rows:
        rows = rows[turn % len(rows) :] + rows[: turn % len(rows)]
    try:
        offset, limit = int(parameters.get("$offset", "0")), int(parameters.get("$limit", "1000"))
    except ValueError as error:
        raise BadQueryError(str(error)) from None
    return [list(columns), *(row for _, row in rows[offset : offset + limit])]


def _equalities(where: str) -> Iterator[tuple[str, str]]:
    for clause in re.split(r"\band\b", where, flags=re.IGNORECASE):
        if not (found := _EQUALITY.fullmatch(clause)):
            raise BadQueryError(f"cannot read {where}")
        yield found[1], found[2].replace("''", "'")


def _position(columns: list[str], name: str) -> int:
    if name not in columns:
        raise BadQueryError(f"no such column: {name}")
    return columns.index(name)


@contextmanager
def serving(folder: Path = REAL_FILES, port: int = 0) -> Iterator[SocrataServer]:
    """Run a server in the background for the length of a `with`."""
    with SocrataServer(folder, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve hub files on 127.0.0.1 as a Socrata site would.")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--data", type=Path, default=REAL_FILES, help="folder of <data set id>_*.csv files")
    arguments = parser.parse_args()
    with SocrataServer(arguments.data, arguments.port) as server:
        print(f"{len(server.tables)} data sets at {server.url}, Ctrl-C ends")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.closing.set()


if __name__ == "__main__":
    main()
