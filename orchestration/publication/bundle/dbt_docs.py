"""What dbt knows of its project, for a bundle: its manifest, its documentation page and the files they describe.

Belongs here: asking dbt and taking out what differs from run to run. Does not: building a model; no data is read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from orchestration.errors import InputError
from orchestration.publication.code import changed_since
from orchestration.settings import PROJECT

FOLDER = "dbt_project"
ENDINGS = (".sql", ".yml", ".md", ".csv")
POLICY = "seeds/policy"
"""Left out: the bundle has the rows of the release in policy.csv."""
KEPT = ("dbt_schema_version", "dbt_version", "project_name", "adapter_type", "quoting")
"""Of the manifest's metadata. The rest are clocks, identifiers of the invocation and the environment."""
OF_THIS_MACHINE = {"created_at": 0, "root_path": FOLDER}
"""Entries anywhere in the manifest to what they become."""
EMPTY: dict[str, Any] = {"metadata": {}, "nodes": {}, "sources": {}, "errors": None}
"""A catalog lists a database's tables; the work database is gone, columns and types are in the manifest."""


def changed_models(release: Path) -> tuple[str, ...]:
    """dbt's files that are other now than when the release was made."""
    return tuple(name for name in changed_since(release) if name.startswith(f"{FOLDER}/"))


class Asking:
    """dbt reading its project in a process of its own, while the caller does something else."""

    def __init__(self, year: int, source: str) -> None:
        self._work = tempfile.TemporaryDirectory()
        project = str(PROJECT / FOLDER)
        command = [
            *(str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "--quiet", "--no-partial-parse"),
            *("--log-path", f"{self._work.name}/logs", "parse", "--project-dir", project, "--profiles-dir", project),
            *("--target-path", f"{self._work.name}/target"),
            *("--vars", json.dumps({"school_year": year, "source": source})),
        ]
        quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
        nowhere = subprocess.DEVNULL
        self._process = subprocess.Popen(command, env=os.environ | quiet, stdout=nowhere, stderr=nowhere)  # noqa: S603

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._work.cleanup()

    def answer(self) -> Iterator[tuple[str, bytes]]:
        """Name in the bundle and bytes of each file. Raises InputError when dbt cannot read the project."""
        if self._process.wait():
            raise InputError(
                f"{PROJECT / FOLDER}: dbt cannot read it; run `dbt parse --project-dir {FOLDER}` to see why"
            )
        found = json.loads((Path(self._work.name) / "target" / "manifest.json").read_bytes())
        manifest, catalog = (json.dumps(of, sort_keys=True) for of in (_lasting(found), EMPTY))
        yield "dbt/manifest.json", manifest.encode()
        page = (files("dbt") / "task" / "docs" / "index.html").read_text(encoding="utf-8")
        for place, text in (("MANIFEST", manifest), ("CATALOG", catalog)):
            page = page.replace(f'"{place}.JSON INLINE DATA"', text.replace("</", "<\\/"))
        yield "dbt/index.html", page.encode()
        for path in sorted((PROJECT / FOLDER).rglob("*")):
            name = path.relative_to(PROJECT / FOLDER).as_posix()
            if path.suffix in ENDINGS and not name.startswith(POLICY):
                yield f"dbt/{FOLDER}/{name}", path.read_bytes()


def _lasting(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest without moments, identifiers of the invocation and folders; telemetry stays off on the page."""
    metadata = {name: manifest["metadata"][name] for name in KEPT}
    lasting: dict[str, Any] = _lasting_part(manifest)
    return lasting | {"metadata": metadata | {"send_anonymous_usage_stats": False}}


def _lasting_part(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: OF_THIS_MACHINE.get(name, _lasting_part(of)) for name, of in part.items()}
    return [_lasting_part(of) for of in part] if isinstance(part, list) else part
