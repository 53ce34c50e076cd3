"""The annual run as a Dagster job, one a source, by school year. The UI and the command line start the same."""

from __future__ import annotations

import dagster as dg

SOURCES = ("student", "hub")
ROOMS = ("source", "models", "indicators", "determinations", "assistance", "publication")
"""What exists once for each source: asset groups are named `<source>_<room>`."""


def job_name(source: str) -> str:
    """Name of the annual job of a source."""
    return f"annual_run_{source}"


def annual_jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    """The annual job of each source: everything that depends on no other source's deliveries."""

    def others(source: str) -> dg.AssetSelection:
        return dg.AssetSelection.groups(*(f"{other}_{room}" for other in SOURCES if other != source for room in ROOMS))

    return [
        dg.define_asset_job(
            job_name(source),
            selection=dg.AssetSelection.all() - others(source),
            executor_def=dg.in_process_executor,
            description=f"Annual run of one school year from the {source} source, as far as the pipeline reaches.",
        )
        for source in SOURCES
    ]
