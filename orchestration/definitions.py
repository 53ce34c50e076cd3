"""Assembles the pipeline for Dagster. The only module that knows every room."""

from __future__ import annotations

import dagster as dg

from orchestration.assistance import writing as assistance
from orchestration.assistance.assets import assistance_assets
from orchestration.automation.history import wait_for_locked_files
from orchestration.automation.jobs import SOURCES, annual_jobs, pull_job
from orchestration.automation.keeping import writer
from orchestration.automation.sensors import schedules, sensors
from orchestration.automation.staleness import Pipeline
from orchestration.determinations import rendering as determinations
from orchestration.determinations.assets import determination_assets
from orchestration.indicators import building as indicators
from orchestration.indicators.assets import indicator_assets
from orchestration.intake.assets import raw_assets
from orchestration.intake.contracts import load_contracts
from orchestration.partitions import WRITER, table_key
from orchestration.policy import load_register
from orchestration.publication.assets import release_asset
from orchestration.settings import Settings
from orchestration.validation.checks import gate_checks


def _tables(source: str) -> list[dg.AssetKey]:
    """Keys of the tables that a release holds."""
    tables = (*indicators.TABLES, *determinations.TABLES, *assistance.TABLES)
    return [table_key(source, table) for table in tables]


def build_defs(settings: Settings | None = None) -> dg.Definitions:
    """All assets, checks and jobs over the folders of `settings` (default: from the environment).

    Raises InputError naming file and row when a contract or the policy register is not in order.
    """
    settings = settings or Settings()
    contracts = load_contracts(settings.contracts)
    register = load_register(settings.policy)
    pipeline = Pipeline(settings, contracts, register)
    return dg.Definitions(
        assets=[
            *raw_assets(settings, contracts, register),
            *(indicator_assets(source, settings, contracts, register) for source in SOURCES),
            *(determination_assets(source, settings, register) for source in SOURCES),
            *(assistance_assets(source, settings, register) for source in SOURCES),
            *(release_asset(source, _tables(source), settings, register) for source in SOURCES),
        ],
        asset_checks=[check for source in SOURCES for check in gate_checks(source, settings, register)],
        jobs=[*annual_jobs(), pull_job(settings, contracts, register)],
        sensors=sensors(pipeline),
        schedules=schedules(pipeline),
        resources={WRITER: writer(settings)},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Entry point of workspace.yaml."""
    wait_for_locked_files()
    return build_defs()
