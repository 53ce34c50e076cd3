"""What is thrown away: work files that a run left when it was killed, and old history of runs.

Belongs here: what may go, and when. Does not: deliveries, snapshots, releases and run records; those stay for good.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus

from orchestration.indicators.last_build import FOLDER as LAST_BUILDS
from orchestration.settings import Settings

A_DAY = 86_400.0
AT_ONCE = 50
"""Old runs that one run forgets: it must not take long."""
OVER = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)


def tidy(settings: Settings) -> list[Path]:
    """Remove work files that nobody uses any more: what was removed. The caller is the only one who writes.

    Scratch of a reader (`build/`) is left alone for a day, since readers take no lock. The database of a year's last
    build (`models/`) goes after the days that the settings say.
    """
    home = settings.home
    links = {p.resolve() for room in ("tables", "validation") for p in (home / room).glob("*/*/*") if p.is_symlink()}
    left = [p for room in ("tables", "validation") for p in (home / room).glob("*/*/.made-*") if p not in links]
    left += (home / "published").glob("*/.made-*")
    left += [p for p in (home / "build").glob("*") if _age(p) > A_DAY]
    left += [p for p in (home / LAST_BUILDS).glob("*/*") if _age(p) > settings.keep_builds * A_DAY]
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return left


def _age(path: Path) -> float:
    """Seconds since a file, or a name in a folder, last changed."""
    return time.time() - path.lstat().st_mtime


def forget_history(instance: dg.DagsterInstance, settings: Settings) -> int:
    """Delete the oldest runs from Dagster's history that ended before the days kept: how many."""
    before = datetime.now(UTC) - timedelta(days=settings.keep_history)
    old = instance.get_run_records(
        dg.RunsFilter(statuses=list(OVER), updated_before=before), limit=AT_ONCE, ascending=True
    )
    for record in old:
        instance.delete_run(record.dagster_run.run_id)
    return len(old)
