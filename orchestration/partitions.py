"""What the assets of all rooms share: partitions by school year, keys of tables, run tags.

Belongs here: names that must be the same everywhere in Dagster. Does not: any asset.
"""

import dagster as dg

from orchestration.policy import Register

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
