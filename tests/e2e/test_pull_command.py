"""`accountability pull` as a user calls it, against a hub on this machine: the token is sent, and written nowhere."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.test_cli import TOKEN, accountability
from tests.support.socrata import serving


def test_the_token_reaches_the_hub_and_no_file_and_no_line(tmp_path: Path) -> None:
    landing, home = tmp_path / "landing", tmp_path / "home"
    landing.mkdir()
    with serving() as hub:
        words = ("pull", "--year", "2018", "--base-url", hub.url, "--raw", tmp_path, "--home", home)
        done = accountability(*words, env={"ACCOUNTABILITY_HUB_APP_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}, umask=0)
    assert done.returncode == 0, done.stderr
    assert {request.headers["X-App-Token"] for request in hub.requests} == {TOKEN}
    assert TOKEN not in done.stdout + done.stderr
    written = [path for folder in (landing, home) for path in folder.rglob("*")]
    assert {"2018", "pulls"} <= {path.name for path in written}
    assert [path for path in written if path.is_file() and TOKEN.encode() in path.read_bytes()] == []
    assert [path for path in (home, *written) if path != landing and path.stat().st_mode & 0o077] == []
