"""All checks in the order in which one would look, and their answers.

Belongs here: the list; turning a check that breaks down into an answer. Does not: any check.
"""

from __future__ import annotations

from orchestration.doctor import contents, home, installation, surroundings
from orchestration.doctor.findings import Check, Finding, Site, failed
from orchestration.errors import InputError

CHECKS: dict[str, Check] = {
    "python": installation.python,
    "packages": installation.packages,
    "dbt": installation.dbt,
    "contracts": installation.contracts,
    "policy": installation.policy,
    "suites": installation.suites,
    "home": home.ownership,
    "modes": home.modes,
    "disk": home.room,
    "file system": home.file_systems,
    "locks": home.locks,
    "landing": home.landing,
    "manifest": contents.manifest,
    "current": contents.links,
    "releases": contents.release_files,
    "left over": contents.left_over,
    "machine": surroundings.memory,
    "dagster": surroundings.dagster_folder,
    "telemetry": surroundings.dagster_reports,
    "environment": surroundings.environment,
}


def examine(site: Site) -> list[Finding]:
    """An answer a check, in their order. A check that meets what it did not expect has failed."""
    return [answer(name, site) for name in CHECKS]


def answer(name: str, site: Site) -> Finding:
    """The answer of one check."""
    try:
        return CHECKS[name](site)
    except InputError as error:
        return failed(name, str(error), "correct what it names")
    except OSError as error:
        where = error.filename or site.home
        return failed(name, f"{where}: {error.strerror or type(error).__name__}", "make it readable for this user")
