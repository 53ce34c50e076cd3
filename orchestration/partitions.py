"""What the assets of all rooms share: partitions by school year, keys of tables, run tags.

Belongs here: names that must be the same everywhere in Dagster. Does not: any asset.
"""

from collections.abc import Iterable, Iterator, Mapping

import dagster as dg

from orchestration.policy import Register
from orchestration.tables import Built

STAGE_TAG = "accountability/stage"
"""Run tag that says which deliveries a run may use: official ones only (the default), or preliminary ones too."""
WRITER = "writer"
"""Resource that every asset needs: one run at a time writes into a home."""

WHY = "why"
"""Metadata of a materialization: what had changed, so that it was made again."""
UP_TO_DATE = "up to date"


def school_years(register: Register) -> dg.StaticPartitionsDefinition:
    """The partitions of every asset: the school years of the policy register."""
    return dg.StaticPartitionsDefinition([str(year) for year in register.school_years])


def table_key(source: str, table: str) -> dg.AssetKey:
    """Asset key of a table made from the deliveries of `source`."""
    return dg.AssetKey([source, table])


def table_group(source: str, room: str) -> str:
    """Asset group of a room's tables made from `source`."""
    return f"{source}_{room}"


def made(
    source: str, tables: Iterable[str], built: Built, more: Mapping[str, dg.MetadataValue] | None = None
) -> Iterator[dg.MaterializeResult[None]]:
    """Results of a room's tables: where they are, their rows, whether and why they were made now, and `more`."""
    for table in tables:
        yield dg.MaterializeResult(
            asset_key=table_key(source, table),
            data_version=dg.DataVersion(built.fingerprint),
            metadata={
                "dagster/row_count": dg.MetadataValue.int(built.rows[table]),
                "folder": dg.MetadataValue.path(str(built.folder)),
                "made_now": dg.MetadataValue.bool(built.is_new),
                WHY: dg.MetadataValue.text(str(built.why) or UP_TO_DATE),
                **(more or {}),
            },
        )


def nothing_made(source: str, tables: Iterable[str], reason: str) -> Iterator[dg.MaterializeResult[None]]:
    """Results of a year in which a room has nothing to make. A skipped asset would keep the release from being made."""
    for table in tables:
        yield dg.MaterializeResult(
            asset_key=table_key(source, table),
            data_version=dg.DataVersion(reason),
            metadata={"dagster/row_count": dg.MetadataValue.int(0), "nothing_made": dg.MetadataValue.text(reason)},
        )
