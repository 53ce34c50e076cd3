"""The publication room for Dagster: the release of a year, one asset for each source.

The only file of this room that knows Dagster.
"""

import dagster as dg

from orchestration.errors import InputError
from orchestration.partitions import STAGE_TAG, UP_TO_DATE, WHY, WRITER, school_years, table_group, table_key
from orchestration.policy import Register
from orchestration.publication.publishing import publish
from orchestration.settings import Settings

ROOM = "publication"


def release_asset(source: str, reads: list[dg.AssetKey], settings: Settings, register: Register) -> dg.AssetsDefinition:
    """The release of one source, made from the tables `reads`."""

    @dg.asset(
        key=table_key(source, "release"),
        deps=[dg.AssetDep(key, partition_mapping=dg.IdentityPartitionMapping()) for key in reads],
        group_name=table_group(source, ROOM),
        owners=["team:accountability-office"],
        kinds={"parquet", "csv"},
        description="Tables that passed every gate, with manifest, policy rows and changes; `current` moves last.",
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
                "dagster/row_count": dg.MetadataValue.int(sum(manifest["rows"].values())),
            },
        )

    return release
