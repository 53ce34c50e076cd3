# ruff: noqa: E501
"""The doctor finds each thing that can be wrong, says it in one line with what to do, and changes nothing."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.automation.keeping import LOCK
from orchestration.doctor.contents import RUN_LOCK
from orchestration.doctor.examining import CHECKS, answer, examine
from orchestration.doctor.findings import Machine, Site
from orchestration.doctor.home import PACKED_FACTOR, ROOM_FACTOR, kind_of
from orchestration.settings import PROJECT, Settings
from tests.e2e.test_cli import accountability
from tests.support.small_home import YEAR, SmallHome
from tests.support.workshop import Workshop

RELEASE = "student-official-002"
LOCAL = "/dev/sda1 / ext4 rw 0 0\n"


def locked(name: str) -> str | None:
    """Every package as the lock has it, as far as the checks can tell."""
    lines = (PROJECT / "requirements.lock").read_text().splitlines()
    return next((line.split("==")[1].split()[0] for line in lines if line.startswith(f"{name}==")), None)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Landing, store and two releases, as runs leave them."""
    folder = tmp_path_factory.mktemp("built")
    small = SmallHome(folder / "home")
    small.publish()
    small.percentile = 5
    small.publish()
    Workshop(folder).begin(20)
    return folder


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Site:
    """A copy of it on a machine in order, with a dbt that only starts."""
    folder = tmp_path / "site"
    shutil.copytree(built, folder, symlinks=True)
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.with_name("dbt").write_text('#!/bin/sh\n[ "$DO_NOT_TRACK" = 1 ]\n')
    program.with_name("dbt").chmod(0o700)
    machine = Machine(
        program=program, cores=2, memory=8 << 30, mounts=LOCAL, environment={}, installed=locked, free=lambda _: 4 << 30
    )
    return Site(Settings(home=folder / "home", landing=folder / "landing"), machine)


def everything(site: Site) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mode, path.read_bytes())
        for path in sorted(site.home.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@pytest.mark.parametrize("deep", [False, True])
def test_all_is_well_where_all_is_well_and_nothing_changes(site: Site, deep: bool) -> None:
    before = everything(site)
    found = examine(replace(site, is_deep=deep))
    assert [finding.check for finding in found] == list(CHECKS)
    assert [finding for finding in found if finding.state != "ok" or finding.advice] == []
    assert everything(site) == before


def test_a_home_that_is_not_there_yet_is_well_too(site: Site, tmp_path: Path) -> None:
    new = Settings(home=tmp_path / "new" / "home", landing=site.settings.landing)
    assert {f.check for f in examine(replace(site, settings=new)) if f.state != "ok"} == set()
    assert not (tmp_path / "new").exists()


# -- what can be wrong ---------------------------------------------------------------------------------------------------

Spoil = Callable[[Site], Site]
"""Does harm to a site and gives it back, or one with another machine or project."""


def machine(**other: object) -> Spoil:
    return lambda site: replace(site, machine=replace(site.machine, **other))


def project(**files: str | None) -> Spoil:
    """Another project folder: the pyproject, lock and expectations of this one, with `files` in their place."""

    def spoil(site: Site) -> Site:
        folder = site.home.parent / "project"
        shutil.copytree(PROJECT / "expectations", folder / "expectations")
        for name in ("pyproject.toml", "requirements.lock"):
            shutil.copyfile(PROJECT / name, folder / name)
        for name, content in files.items():
            path = folder / name.replace("__", "/").replace("_yml", ".yml")
            if content is None:
                shutil.rmtree(path)
            else:
                path.write_text(content)
        return replace(site, project=folder)

    return spoil


def settings(**folders: str) -> Spoil:
    """A folder of the project copied, and one file of it spoilt: `policy="rules.csv"`."""

    def spoil(site: Site) -> Site:
        [(name, file)] = folders.items()
        copy = site.home.parent / name
        shutil.copytree(getattr(site.settings, name), copy)
        (copy / file).write_text("nonsense: [\n")
        return replace(site, settings=site.settings.model_copy(update={name: copy}))

    return spoil


def at(pattern: str, harm: Callable[[Path], object]) -> Spoil:
    """Harm to the first path of the site's folder that fits."""

    def spoil(site: Site) -> Site:
        harm(next(path for path in sorted(site.home.parent.glob(pattern))))
        return site

    return spoil


def write(name: str, content: str) -> Spoil:
    def spoil(site: Site) -> Site:
        path = site.home / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(content)
        path.chmod(0o600)
        return site

    return spoil


def longer(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"x")


def doubled(path: Path) -> None:
    other = path.with_name("00001-copy.json")
    shutil.copyfile(path, other)
    other.chmod(0o600)


def of_another_version(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "another": 1}))


def points_to(name: str) -> Callable[[Path], None]:
    def harm(link: Path) -> None:
        link.unlink()
        link.symlink_to(name)

    return harm


NFS = LOCAL + "server:/share /{} nfs4 rw 0 0\n"
CASES: dict[str, tuple[str, str, Spoil, str]] = {
    "an older Python": ("python", "failed", machine(python=(3, 10)), "Python 3.10; wanted >=3.11"),
    "a package is missing": ("packages", "failed", machine(installed=lambda n: None if n == "duckdb" else "1"), "duckdb"),
    "a package is newer": ("packages", "warning", machine(installed=lambda n: "99" if n == "duckdb" else locked(n)), "duckdb 99 (locked "),
    "no lock": ("packages", "failed", lambda s: replace(s, project=s.home), "pyproject.toml: No such file"),
    "no dbt": ("dbt", "failed", machine(program=Path("/nowhere/python")), "/nowhere/dbt: is not there"),
    "a contract": ("contracts", "failed", settings(contracts="mcas.yml"), "mcas.yml: not YAML"),
    "the policy": ("policy", "failed", settings(policy="rules.csv"), "rules.csv"),
    "no suites": ("suites", "failed", project(expectations=None), "expectations"),
    "a suite": ("suites", "failed", project(expectations__raw_mcas_yml="x"), "raw_mcas"),
    "a file for a home": ("home", "failed", lambda s: replace(s, settings=Settings(home=s.machine.program.with_name("dbt"))), "is no folder"),
    "a home of another user": ("home", "failed", machine(user=12345), "belongs to another user"),
    "an open folder": ("modes", "failed", at("home/published", lambda p: p.chmod(0o750)), "published: open to group or others (1 "),
    "an open file": ("modes", "failed", at("home/manifest/*/*/*.json", lambda p: p.chmod(0o604)), ".json: open to group"),
    "little room": ("disk", "failed", machine(free=lambda _: 1 << 30), "1.1 GB free; 2.1 GB wanted"),
    "a network home": ("file system", "failed", lambda s: machine(mounts=NFS.format(s.home.parent.relative_to("/")))(s), "home on nfs4"),
    "a network landing": ("file system", "warning", lambda s: machine(mounts=NFS.format(s.settings.landing.relative_to("/")))(s), "landing on nfs4"),
    "no list of mounts": ("file system", "warning", machine(mounts=""), "cannot be told"),
    "no landing": ("landing", "warning", at("landing", shutil.rmtree), "no such folder"),
    "a manifest row": ("manifest", "failed", at("home/manifest/*/*/*.json", lambda p: p.write_text("{")), "not valid JSON"),
    "a row of another version": ("manifest", "failed", at("home/manifest/*/*/*.json", of_another_version), "not one of this version"),
    "a number twice": ("manifest", "failed", at("home/manifest/*/*/00001*.json", doubled), "number 1 stands there twice"),
    "no snapshot": ("manifest", "failed", at("home/snapshots/*/*/*/accepted-000.parquet", Path.unlink), "accepted-000.parquet: is missing"),
    "a delivery is gone": ("manifest", "failed", at("home/deliveries/*", Path.unlink), "is gone from the store"),
    "a delivery is longer": ("manifest", "failed", at("home/deliveries/*", longer), "another length"),
    "no year": ("manifest", "failed", write("manifest/old/x.json", "{}"), "is no school year"),
    "an older release in force": ("current", "failed", at("home/published/*/current", points_to("student-official-001")), f"not {RELEASE}"),
    "a link to nothing": ("current", "failed", at("home/published/*/current", points_to("gone")), "names no complete release"),
    "no link": ("current", "failed", at("home/published/*/current", Path.unlink), "names none"),
    "a file of a release is gone": ("releases", "failed", at(f"home/published/*/{RELEASE}/policy.csv", Path.unlink), "policy.csv: is missing"),
    "a manifest of nothing": ("releases", "failed", at(f"home/published/*/{RELEASE}/manifest.json", lambda p: (p.chmod(0o600), p.write_text("[]"))), "is not a manifest"),
    "scratch": ("left over", "warning", write("build/tmp1/build.duckdb", "x" * 2_000_000), "1 folders or files, 2.0 MB"),
    "half a table": ("left over", "warning", write("tables/indicators/student/.made-x/a.csv", ""), ".made-x"),
    "little memory": ("machine", "warning", machine(memory=2 << 30), "2.1 GB of memory"),
    "another Dagster": ("dagster", "warning", machine(environment={"DAGSTER_HOME": "/elsewhere"}), "/elsewhere"),
    "reports of Dagster": ("telemetry", "failed", write("dagster/dagster.yaml", "nux: {enabled: false}\n"), "usage reports off"),
    "no YAML": ("telemetry", "failed", write("dagster/dagster.yaml", "a: [\n"), "is not YAML"),
    "reports of dbt": ("environment", "failed", machine(environment={"DBT_SEND_ANONYMOUS_USAGE_STATS": "True"}), "DBT_SEND"),
    "a service": ("environment", "failed", machine(environment={"GX_CLOUD_ACCESS_TOKEN": "secret"}), "GX_CLOUD_ACCESS_TOKEN"),
}  # fmt: skip
DEEP: dict[str, tuple[str, str, Spoil, str]] = {
    "dbt does not start": ("dbt", "failed", lambda s: (s.machine.program.with_name("dbt").write_text("#!/bin/sh\nexit 3\n"), s)[1], "exit status 3"),
    "a byte of a release": ("releases", "failed", at(f"home/published/*/{RELEASE}/policy.csv", longer), "has other bytes"),
    "a byte of a snapshot": ("manifest", "failed", at("home/snapshots/*/*/*/accepted-000.parquet", longer), "has other bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", [*CASES, *DEEP])
def test_what_is_wrong_is_found_in_one_line(site: Site, case: str) -> None:
    check, state, spoil, fragment = (CASES | DEEP)[case]
    spoilt = spoil(replace(site, is_deep=case in DEEP))
    finding = answer(check, spoilt)
    assert (finding.check, finding.state) == (check, state), finding
    assert fragment in finding.says
    assert finding.advice
    assert (finding.says + finding.advice).isprintable()
    assert "secret" not in finding.says + finding.advice


def test_every_check_but_the_lock_has_been_seen_to_find_something() -> None:
    """The lock is tried below, with a home whose locks do not hold."""
    assert {check for check, *_ in CASES.values()} == {*CHECKS} - {"locks"}


@pytest.mark.parametrize(
    ("holds", "says"), [(False, "two processes can hold one lock"), (OSError(95, "Not supported"), "cannot be locked")]
)
def test_a_lock_that_does_not_hold_is_found(
    site: Site, monkeypatch: pytest.MonkeyPatch, holds: object, says: str
) -> None:
    def flock(_file: object, _how: int) -> None:
        if isinstance(holds, OSError):
            raise holds

    monkeypatch.setattr(fcntl, "flock", flock)
    finding = answer("locks", site)
    assert finding.state == "failed"
    assert says in finding.says


def test_scratch_of_a_run_that_is_writing_is_no_fault(site: Site) -> None:
    assert RUN_LOCK == LOCK
    write("work/x/delivered", "x")(site)
    write(LOCK, "")(site)
    with (site.home / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert answer("left over", site).says == "a run is writing"
    assert answer("left over", site).state == "warning"


def test_the_longest_mount_point_counts_and_names_may_hold_blanks(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    mounts = LOCAL + f"x {str(folder).replace(' ', chr(92) + '040')} cifs rw 0 0\nx {tmp_path}/a tmpfs rw 0 0\n"
    assert (kind_of(folder / "new", mounts), kind_of(tmp_path, mounts)) == ("cifs", "ext4")


def test_more_landed_wants_more_room(site: Site) -> None:
    with (site.settings.landing / "2025" / "big.csv").open("wb") as file:
        os.truncate(file.fileno(), 2 << 30)
    assert f"{ROOM_FACTOR * 2.147:.1f} GB wanted" in answer("disk", site).says
    assert answer("disk", site).state == "failed"
    (site.settings.landing / "2025" / "big.csv").rename(site.settings.landing / "2025" / "big.csv.gz")
    assert f"{PACKED_FACTOR * 2.147:.1f} GB wanted" in answer("disk", site).says


def test_the_command_prints_a_line_a_check_and_fails_when_one_does(site: Site) -> None:
    words = ("doctor", "--home", site.home, "--raw", site.settings.landing)
    done = accountability(*words, env={"DAGSTER_HOME": ""})
    assert [line.split()[0] for line in done.stdout.splitlines()].count("failed") == 0, done.stdout
    assert done.returncode == 0
    (site.home / "published" / str(YEAR) / "current").unlink()
    done = accountability(*words, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["failed"] == 1
    assert [entry["check"] for entry in found["checks"] if entry["state"] == "failed"] == ["current"]
