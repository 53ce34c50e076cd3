"""The determination room for Dagster: every table of a year's determinations, one set for each source.

The only file of this room that knows Dagster.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from orchestration.determinations.building import ROOM, build, has_determinations
from orchestration.determinations.rendering import TABLES
from orchestration.errors import InputError
from orchestration.partitions import WRITER, school_years
from orchestration.policy import Register
from orchestration.settings import Settings
from orchestration.table_assets import nothing_made, room_results, table_specs
from orchestration.tables import code_version_of

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
        specs=table_specs(
            source,
            ROOM,
            TABLES,
            owner="accountability-office",
            descriptions=DESCRIPTIONS,
            code_version=code_version_of(Path(__file__).parent, settings.policy),
        ),
        partitions_def=school_years(register),
        required_resource_keys={WRITER},
    )
    def tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        year = int(context.partition_key)
        if not has_determinations(register, year):
            yield from nothing_made(context, source, TABLES, f"the calendar has no determinations in {year}")
            return
        try:
            built = build(year, source, settings=settings, register=register)
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        yield from room_results(context, source, TABLES, built)

    return tables
