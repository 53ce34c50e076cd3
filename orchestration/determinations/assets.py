"""The determination room for Dagster: every table of a year's determinations, one set for each source.

The only file of this room that knows Dagster.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.determinations.building import ROOM, build, has_determinations
from orchestration.determinations.rendering import TABLES
from orchestration.errors import InputError
from orchestration.partitions import WRITER, nothing_made, school_years, table_group, table_key
from orchestration.policy import Register
from orchestration.settings import Settings

READS = (
    "indicator_results",
    "participation_results",
    "organisations",
    "designations",
    "recognitions",
    "published_targets",
)
DESCRIPTIONS = {
    "indicator_targets": "Target of every figure, published or generated, and next year's.",
    "indicator_points": "Points 0 to 4 with rating and the route that gave them.",
    "target_percentages": "Criterion-referenced target percentages by stage: column, gradespan, annual, cumulative.",
    "accountability_percentiles": "Percentiles 1 to 99 of schools and their student groups.",
    "determinations": "Category and reason of every organisation, with every ground.",
    "federal_designations": "CSI, TSI and ATSI of every school.",
    "determination_trace": "Every step that decided something: inputs, policy rows, outcome, upstream steps.",
}


def determination_assets(source: str, settings: Settings, register: Register) -> dg.AssetsDefinition:
    """The tables of one source."""

    @dg.multi_asset(
        name=f"{source}_{ROOM}",
        specs=[
            dg.AssetSpec(
                table_key(source, table),
                deps=[
                    dg.AssetDep(table_key(source, read), partition_mapping=dg.IdentityPartitionMapping())
                    for read in READS
                ],
                group_name=table_group(source, ROOM),
                owners=["team:accountability-office"],
                kinds={"python", "parquet"},
                description=DESCRIPTIONS[table],
                metadata={
                    "dagster/column_schema": dg.TableSchema(
                        [dg.TableColumn(name, str(kind)) for name, kind in columns.items()]
                    )
                },
            )
            for table, columns in TABLES.items()
        ],
        partitions_def=school_years(register),
        required_resource_keys={WRITER},
    )
    def tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        year = int(context.partition_key)
        if not has_determinations(register, year):
            yield from nothing_made(source, TABLES, f"the calendar has no determinations in {year}")
            return
        try:
            built = build(year, source, settings=settings, register=register)
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        for table in TABLES:
            yield dg.MaterializeResult(
                asset_key=table_key(source, table),
                data_version=dg.DataVersion(built.fingerprint),
                metadata={
                    "dagster/row_count": dg.MetadataValue.int(built.rows[table]),
                    "folder": dg.MetadataValue.path(str(built.folder)),
                    "made_now": dg.MetadataValue.bool(built.is_new),
                },
            )

    return tables
