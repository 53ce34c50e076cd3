"""The indicator room for Dagster: the indicator tables of a school year, made by one dbt build for each source.

The only file of this room that knows Dagster. So far dbt is one step here; an asset a model comes with column lineage.
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from orchestration.errors import InputError
from orchestration.indicators.building import ROOM, SOURCES_READ, TABLES, build
from orchestration.intake.assets import raw_key
from orchestration.intake.contracts import Contract
from orchestration.partitions import STAGE_TAG, WRITER, made, school_years, table_group, table_key
from orchestration.policy import Register
from orchestration.settings import Settings

DESCRIPTIONS = {
    "indicator_results": "A row an organisation, gradespan, student group and indicator.",
    "participation_results": "A row an organisation, gradespan, student group and subject.",
    "organisations": "A row an organisation of the year, with its enrolment.",
    "designations": "The ledger of designations in force for the year, as delivered.",
    "recognitions": "The ledger of schools of recognition, as delivered.",
    "published_targets": "The Department's workbook of targets, as delivered; empty where there is none.",
    "applied_corrections": "Corrections that were applied to the records read, with both values.",
    "assistance_staff": "The ledger of Assistance Leads and Co-Directors with their districts, as delivered.",
    "assistance_plans": "The ledger of annual assistance plans, a row a support, as delivered.",
}


def indicator_assets(
    source: str, settings: Settings, contracts: Mapping[str, Contract], register: Register
) -> dg.AssetsDefinition:
    """The indicator tables of one source."""
    # the year's own deliveries and those of the years before: read as they are in force, none is made here
    reads = [
        dg.AssetDep(raw_key(name), partition_mapping=dg.IdentityPartitionMapping())
        for name, contract in contracts.items()
        if contract.source in (source, *SOURCES_READ)
    ]

    @dg.multi_asset(
        name=f"{source}_indicators",
        specs=[
            dg.AssetSpec(
                table_key(source, table),
                deps=reads,
                group_name=table_group(source, ROOM),
                owners=["team:accountability-office"],
                kinds={"dbt", "duckdb", "parquet"},
                description=f"{DESCRIPTIONS[table]} Rules in words: dbt_project/models/indicators/rules/",
            )
            for table in TABLES
        ],
        partitions_def=school_years(register),
        required_resource_keys={WRITER},
    )
    def tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        stage = context.run.tags.get(STAGE_TAG, "official")
        try:
            built = build(
                int(context.partition_key),
                stage,
                source=source,
                settings=settings,
                contracts=contracts,
                register=register,
            )
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        yield from made(source, TABLES, built)

    return tables
