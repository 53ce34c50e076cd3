"""Does the machine fit: memory, Dagster's folder, and nothing in the environment that would report to somebody?

Belongs here: what lies outside the home and the project. Does not: packages (`installation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from orchestration.doctor.findings import Finding, Site, failed, ok, warning
from orchestration.doctor.home import size

LEAST_MEMORY = 6 << 30
"""Bytes: DuckDB and dbt may take 3 GB each (`profiles.yml`), never at once; the rest is Python's and the system's."""
LEAST_CORES = 2
OFF = ("", "0", "false", "no", "off")
REPORTING = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "dbt",
    "DBT_ENGINE_SEND_ANONYMOUS_USAGE_STATS": "dbt",
    "GX_ANALYTICS_ENABLED": "Great Expectations",
}
"""Switches that are off when unset here (the project sets them), and send usage reports when on."""
ELSEWHERE = {
    "DBT_CLOUD_": "dbt",
    "GX_CLOUD_": "Great Expectations",
    "DAGSTER_CLOUD_": "Dagster",
    "DAGSTER_PLUS_": "Dagster",
    "OTEL_EXPORTER_": "OpenTelemetry",
    "SENTRY_DSN": "Sentry",
}
"""Beginnings of variables that connect a library to somebody's service."""


def memory(site: Site) -> Finding:
    """Memory and cores."""
    says = f"{site.machine.cores} cores, {size(site.machine.memory)} of memory"
    if site.machine.memory < LEAST_MEMORY or site.machine.cores < LEAST_CORES:
        wanted = f"a statewide year wants {LEAST_CORES} cores and {size(LEAST_MEMORY)}"
        return warning("machine", says, f"{wanted}; a smaller state runs with less")
    return ok("machine", says)


def dagster_folder(site: Site) -> Finding:
    """DAGSTER_HOME, if it is set, is the one of this home."""
    own, given = site.home / "dagster", site.machine.environment.get("DAGSTER_HOME")
    if given and Path(given).resolve() != own.resolve():
        advice = f"unset it or set it to {own}: else a UI shows other runs than those of this home"
        return warning("dagster", f"DAGSTER_HOME is {given}", advice)
    return ok("dagster", f"runs are kept in {own}; no run needs the webserver")


def dagster_reports(site: Site) -> Finding:
    """dagster.yaml of the home, where there is one, sends no usage report."""
    file = site.home / "dagster" / "dagster.yaml"
    if not file.exists():
        return ok("telemetry", f"{file}: is made by the first run, with reports off")
    advice = "write `telemetry: {enabled: false}` into it"
    try:
        content = yaml.safe_load(file.read_bytes()) or {}
    except yaml.YAMLError:
        return failed("telemetry", f"{file}: is not YAML", advice)
    section = content.get("telemetry") if isinstance(content, Mapping) else None
    if not isinstance(section, Mapping) or section.get("enabled") is not False:
        return failed("telemetry", f"{file}: does not switch Dagster's usage reports off", advice)
    return ok("telemetry", f"{file}: Dagster's usage reports are off")


def environment(site: Site) -> Finding:
    """No variable that would send anything out."""
    found = site.machine.environment
    on = [name for name in REPORTING if found.get(name, "").lower() not in OFF]
    on += [name for name in sorted(found) if found[name] and name.startswith(tuple(ELSEWHERE))]
    if on:
        return failed("environment", f"{', '.join(on)}: may send something out", f"unset {' '.join(on)}")
    return ok("environment", "no variable sends anything out")
