"""What assets that are tables have in common: columns, lineage, dependencies, and what is said when one was made.

Belongs here: the same words about a table in every room. Does not: any asset, nor what is in a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import dagster as dg

from orchestration.lineage.columns import RAW, SEEDS, Lineage, column_lineage, upstream_tables
from orchestration.partitions import UP_TO_DATE, WHY, table_group, table_key
from orchestration.policy import Register
from orchestration.tables import Built, Changes

SCHEMA, LINEAGE, ROWS = "dagster/column_schema", "dagster/column_lineage", "dagster/row_count"
Columns = Mapping[str, tuple[str, str]]
"""Column to its type and its description (empty where there is none)."""


@cache
def key_of(source: str, name: str) -> dg.AssetKey:
    """Asset key of a name in the lineage: a collection, or a table made from `source`."""
    return dg.AssetKey(["raw", name.removeprefix(RAW)]) if name.startswith(RAW) else table_key(source, name)


def columns_metadata(source: str, table: str, columns: Columns, lineage: Lineage) -> dict[str, object]:
    """Schema and lineage of a table as Dagster shows them. Seeds and the table's own earlier release are no assets."""
    deps = {
        column: [
            dg.TableColumnDep(key_of(source, name), upstream)
            for name, upstream in lineage[table][column]
            if name != table and not name.startswith(SEEDS)
        ]
        for column in columns
    }
    schema = [dg.TableColumn(name, kind, text or None) for name, (kind, text) in columns.items()]
    return {SCHEMA: dg.TableSchema(schema), LINEAGE: dg.TableColumnLineage(deps)}


def table_specs(
    source: str,
    room: str,
    tables: Mapping[str, Mapping[str, object]],
    *,
    owner: str,
    descriptions: Mapping[str, str],
    code_version: str,
) -> list[dg.AssetSpec]:
    """Specs of the tables that a room makes in Python, each after those that its columns are made from.

    `tables`: table to column to type.
    """
    lineage = column_lineage(source)
    specs = []
    for table, columns in tables.items():
        kinds = {name: (str(kind), "") for name, kind in columns.items()}
        specs.append(
            dg.AssetSpec(
                table_key(source, table),
                deps=[_dep(source, name, tables) for name in upstream_tables(lineage[table], table)],
                group_name=table_group(source, room),
                owners=[f"team:{owner}"],
                kinds={"python", "parquet"},
                description=descriptions[table],
                code_version=code_version,
                metadata=columns_metadata(source, table, kinds, lineage),
            )
        )
    return specs


def _dep(source: str, name: str, own: Iterable[str]) -> dg.AssetDep:
    """A table of the room itself is made in the same step; any other is read as it is in force for the year."""
    mapping = None if name in own else dg.IdentityPartitionMapping()
    return dg.AssetDep(key_of(source, name), partition_mapping=mapping)


def table_result(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    version: str,
    rows: int | None,
    folder: Path,
    why: Changes,
    more: Mapping[str, dg.MetadataValue] | None = None,
) -> dg.MaterializeResult[None]:
    """What is said of a table of which `folder` holds the newest state; `rows` None where nobody counted.

    `why`: what had changed, so that it was made now; nothing if it was not.
    """
    metadata = {
        "folder": dg.MetadataValue.path(str(folder)),
        "made_now": dg.MetadataValue.bool(bool(why)),
        WHY: dg.MetadataValue.text(str(why) or UP_TO_DATE),
        **columns_said(context, key),
        **(more or {}),
    }
    if rows is not None:
        metadata[ROWS] = dg.MetadataValue.int(rows)
    return dg.MaterializeResult(asset_key=key, data_version=dg.DataVersion(version), metadata=metadata)


def room_results(
    context: dg.AssetExecutionContext,
    source: str,
    tables: Iterable[str],
    built: Built,
    more: Mapping[str, dg.MetadataValue] | None = None,
) -> Iterator[dg.MaterializeResult[None]]:
    """Results of the tables that a room makes in one go."""
    for table in tables:
        key = table_key(source, table)
        yield table_result(context, key, built.fingerprint, built.rows[table], built.folder, built.why, more)


def nothing_made(
    context: dg.AssetExecutionContext, source: str, tables: Iterable[str], reason: str
) -> Iterator[dg.MaterializeResult[None]]:
    """Results of a year in which a room has nothing to make. A skipped asset would keep the release from being made."""
    for table in tables:
        key = table_key(source, table)
        yield dg.MaterializeResult(
            asset_key=key,
            data_version=dg.DataVersion(reason),
            metadata={
                ROWS: dg.MetadataValue.int(0),
                "nothing_made": dg.MetadataValue.text(reason),
                **columns_said(context, key),
            },
        )


def years_read(register: Register, back: Iterable[int]) -> dg.PartitionMapping:
    """Mapping of a year to the years that it reads: so many years `back` each, as far as the calendar goes."""
    years, lags = register.school_years, sorted(set(back))
    if lags == [0]:
        return dg.IdentityPartitionMapping()
    found = {str(year): [str(year + lag) for lag in lags if year + lag in years] for year in years}
    return dg.StaticPartitionMapping({year: later for year, later in found.items() if later})


def columns_said(context: dg.AssetExecutionContext, key: dg.AssetKey) -> dict[str, dg.MetadataValue]:
    """Schema and lineage once more: the UI follows columns by what was said when a table was made."""
    said = context.assets_def.specs_by_key[key].metadata
    return {name: said[name] for name in (SCHEMA, LINEAGE)}
