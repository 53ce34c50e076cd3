"""The indicator room for Dagster: one partitioned asset, the indicator tables of a school year.

The only file of this room that knows Dagster. So far dbt is one step here; an asset a model comes with column lineage.
"""

from collections.abc import Mapping

import dagster as dg

from orchestration.errors import InputError
from orchestration.indicators.building import TABLES, build
from orchestration.intake.assets import STAGE_TAG, raw_key, school_years
from orchestration.intake.contracts import Contract
from orchestration.policy import Register
from orchestration.settings import Settings

GROUP = "student_indicators"
READS = ("sims", "access", "course_schedules", "graduation_cohorts", "dropouts")


def indicator_assets(
    settings: Settings, contracts: Mapping[str, Contract], register: Register
) -> list[dg.AssetsDefinition]:
    """The asset of each indicator table."""

    @dg.asset(
        key=["indicators", TABLES[0]],
        partitions_def=school_years(register),
        # the year's own and the year before: both are read as they are in force, none is made here
        deps=[dg.AssetDep(raw_key(name), partition_mapping=dg.IdentityPartitionMapping()) for name in READS],
        group_name=GROUP,
        owners=["team:accountability-office"],
        kinds={"dbt", "duckdb", "parquet"},
        description="Indicator results: a row an organisation, gradespan, student group and indicator. "
        "Rules in words: dbt_project/models/indicators/rules.md",
    )
    def indicator_results(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        year = int(context.partition_key)
        stage = context.run.tags.get(STAGE_TAG, "official")
        try:
            rows = build(year, stage, settings=settings, contracts=contracts, register=register)
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        folder = settings.home / "tables" / str(year)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": dg.MetadataValue.int(rows[TABLES[0]]),
                "tables": dg.MetadataValue.path(str(folder)),
            }
        )

    return [indicator_results]
