"""The publication room for Dagster: the release of a year, one asset for each source.

The only file of this room that knows Dagster.
"""

from pathlib import Path

import dagster as dg

from orchestration.errors import InputError
from orchestration.lineage.columns import column_lineage
from orchestration.partitions import STAGE_TAG, UP_TO_DATE, WHY, WRITER, school_years, table_group, table_key
from orchestration.policy import Register
from orchestration.publication.publishing import publish
from orchestration.settings import Settings
from orchestration.table_assets import LINEAGE, ROWS, SCHEMA, columns_said
from orchestration.tables import code_version_of

ROOM = "publication"


def release_asset(source: str, reads: list[dg.AssetKey], settings: Settings, register: Register) -> dg.AssetsDefinition:
    """The release of one source, made from the tables `reads`."""

    @dg.asset(
        key=table_key(source, "release"),
        deps=[dg.AssetDep(key, partition_mapping=dg.IdentityPartitionMapping()) for key in reads],
        group_name=table_group(source, ROOM),
        owners=["team:accountability-office"],
        kinds={"parquet", "csv"},
        code_version=code_version_of(Path(__file__).parent, settings.policy),
        description="Tables that passed every gate, with manifest, policy rows and changes; `current` moves last.",
        metadata=_tables_as_columns(source, [key.path[-1] for key in reads]),
        partitions_def=school_years(register),
        required_resource_keys={WRITER},
    )
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        stage = context.run.tags.get(STAGE_TAG, "official")
        try:
            done = publish(int(context.partition_key), source, stage, settings=settings, register=register)
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        manifest = done.release.manifest
        return dg.MaterializeResult(
            data_version=dg.DataVersion(manifest["content_sha256"]),
            metadata={
                "release": dg.MetadataValue.text(done.release.name),
                "folder": dg.MetadataValue.path(str(done.release.folder)),
                "made_now": dg.MetadataValue.bool(done.is_new),
                WHY: dg.MetadataValue.text("its content differs" if done.is_new else UP_TO_DATE),
                ROWS: dg.MetadataValue.int(sum(manifest["rows"].values())),
                **columns_said(context, context.asset_key),
            },
        )

    return release


def _tables_as_columns(source: str, tables: list[str]) -> dict[str, object]:
    """A release holds tables as a table holds columns, each as it was made: Dagster can follow a column into it."""
    lineage = column_lineage(source)
    schema = [dg.TableColumn(table, "table", f"{len(lineage[table])} columns, Parquet and CSV") for table in tables]
    deps = {table: [dg.TableColumnDep(table_key(source, table), name) for name in lineage[table]] for table in tables}
    return {SCHEMA: dg.TableSchema(schema), LINEAGE: dg.TableColumnLineage(deps)}
