"""Is the program itself whole: interpreter, packages, dbt, contracts, policy, suites?

Belongs here: what a new checkout or an upgrade can get wrong. Does not: data (`home`, `contents`).
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from typing import Any

from orchestration.doctor.findings import Finding, Site, failed, ok, warning
from orchestration.intake.contracts import load_contracts
from orchestration.policy import load_register
from orchestration.validation.frames import load_frames
from orchestration.validation.suites import load_suite

FOR_PEOPLE = ("dagster-webserver", "dagster-dg-cli")
"""Packages without which every run works all the same: they serve the UI."""
SETUP = "run `make setup`"
_LISTED = 4


def python(site: Site) -> Finding:
    """Interpreter against requires-python."""
    wanted = _project(site)["requires-python"]
    least = re.fullmatch(r">=(\d+)\.(\d+)", wanted)
    here = ".".join(map(str, site.machine.python))
    if least and site.machine.python >= (int(least[1]), int(least[2])):
        return ok("python", f"Python {here}; wanted {wanted}")
    return failed("python", f"Python {here}; wanted {wanted}", "make the environment anew with `make setup PYTHON=…`")


def packages(site: Site) -> Finding:
    """The direct dependencies against requirements.lock."""
    names = [re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in _project(site)["dependencies"]]
    there = {name: site.machine.installed(name) for name in names}
    if missing := [name for name in names if there[name] is None and name not in FOR_PEOPLE]:
        return failed("packages", f"not installed: {_some(missing)}", SETUP)
    locked = _locked(site)
    differing = [name for name in names if there[name] and there[name] not in locked.get(name, ())]
    if other := [f"{name} {there[name]} (locked {' or '.join(locked.get(name, ['not']))})" for name in differing]:
        return warning("packages", f"other versions than requirements.lock: {_some(other)}", SETUP)
    return ok("packages", f"{len(names)} direct dependencies are as requirements.lock says")


def dbt(site: Site) -> Finding:
    """The dbt program beside the interpreter. Starting it costs seconds, so it is started when every byte is read."""
    program = site.machine.program.with_name("dbt")
    if not os.access(program, os.X_OK):
        return failed("dbt", f"{program}: is not there or not executable", SETUP)
    if not site.is_deep:
        return ok("dbt", f"{program} is there (--deep starts it)")
    quiet = {**site.machine.environment, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    done = subprocess.run([program, "--help"], capture_output=True, env=quiet, timeout=120, check=False)  # noqa: S603
    if done.returncode:
        return failed("dbt", f"{program}: does not start (exit status {done.returncode})", SETUP)
    return ok("dbt", f"{program} starts")


def contracts(site: Site) -> Finding:
    """Every contract loads."""
    found = load_contracts(site.settings.contracts)
    return ok("contracts", f"{len(found)} contracts load")


def policy(site: Site) -> Finding:
    """The policy register loads, every row with its citation and rule."""
    register = load_register(site.settings.policy)
    years = register.school_years
    return ok("policy", f"{len(register.rows)} policy rows load, school years {years[0]} to {years[-1]}")


def suites(site: Site) -> Finding:
    """Every suite of expectations loads, with the queries that it looks at."""
    folder = site.project / "expectations"
    frames = load_frames(folder)
    found = [load_suite(file, frames) for file in sorted(folder.glob("*.yml"))]
    if not found:
        return failed("suites", f"{folder}: no suite of expectations", "restore the folder from the repository")
    return ok("suites", f"{len(found)} suites of expectations load")


def _project(site: Site) -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((site.project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return content


def _locked(site: Site) -> dict[str, list[str]]:
    """Package to its locked versions: the lock holds one for every Python or system that needs another."""
    locked: dict[str, list[str]] = {}
    for line in (site.project / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"([A-Za-z0-9._-]+)==([^ ;]+)", line):
            locked.setdefault(found[1], []).append(found[2])
    return locked


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
