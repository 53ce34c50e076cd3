"""The assistance room for Dagster: every table of a year's assistance, one set for each source.

The only file of this room that knows Dagster.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from orchestration.assistance.building import ROOM, build, has_assistance, has_places
from orchestration.assistance.writing import TABLES
from orchestration.errors import InputError
from orchestration.partitions import WRITER, school_years
from orchestration.policy import Register
from orchestration.settings import Settings
from orchestration.table_assets import nothing_made, room_results, table_specs
from orchestration.tables import code_version_of

DESCRIPTIONS = {
    "assistance_eligibility": "Every school and district with a claim this year or last, its grounds and region.",
    "assistance_assignments": "The Assistance Lead of every district with a claim to one, with loads.",
    "assistance_optimality": "What each objective of the assignment reached, its bound and the gap, by region.",
    "assistance_leadership": "Co-Directors of each region and their span; Leads that are missing.",
    "assistance_equity": "Load of each Lead and office before and after, Gini coefficient, largest over smallest.",
    "assistance_plan_checks": "Every line of the annual plans with the checks it fails.",
    "assistance_plan_review": "Supports with counts of what was measured where they went; no claim about causes.",
}


def assistance_assets(source: str, settings: Settings, register: Register) -> dg.AssetsDefinition:
    """The tables of one source."""

    @dg.multi_asset(
        name=f"{source}_{ROOM}",
        specs=table_specs(
            source,
            ROOM,
            TABLES,
            owner="statewide-system-of-support",
            descriptions=DESCRIPTIONS,
            code_version=code_version_of(Path(__file__).parent, settings.policy),
        ),
        partitions_def=school_years(register),
        required_resource_keys={WRITER},
    )
    def tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        year = int(context.partition_key)
        if not has_assistance(register, year):
            yield from nothing_made(context, source, TABLES, f"the calendar has no determinations in {year}")
            return
        try:
            if not has_places(year, source, settings):
                reason = "the organisations have neither town nor county; deliver the school directory"
                yield from nothing_made(context, source, TABLES, reason)
                return
            built = build(year, source, settings=settings, register=register)
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        for statement in built.lacking:
            context.log.warning(statement)
        yield from room_results(
            context, source, TABLES, built, {"regions_short_of_leads": dg.MetadataValue.int(len(built.lacking))}
        )

    return tables
