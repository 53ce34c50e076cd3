"""The annual run as a Dagster job, one a source, by school year; and the pull of the hub as another.

Belongs here: what a job consists of, its tags. Does not: when one starts (`sensors`). The UI, the command line and the
sensors start the same jobs.
"""

from typing import TYPE_CHECKING

import dagster as dg

from orchestration.errors import InputError
from orchestration.intake import hub
from orchestration.intake.contracts import Contract
from orchestration.partitions import school_years
from orchestration.policy import Register
from orchestration.settings import Settings

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

SOURCES = ("student", "hub")
ROOMS = ("source", "models", "indicators", "determinations", "assistance", "publication")
"""What exists once for each source: asset groups are named `<source>_<room>`."""
SOURCE_TAG = "accountability/source"
"""Tag of a run that says whose deliveries it uses."""
STATE_TAG = "accountability/state"
"""Tag of a run that started by itself: the state of the data that asked for it (`refreshing.Refresh.key`)."""
PULL = "pull_hub"
WHOLE_AGAIN = {"dagster/retry_strategy": "ALL_STEPS"}
"""A run whose process died is started again as a whole: what still stands is not made again in any case."""


def job_name(source: str) -> str:
    """Name of the annual job of a source."""
    return f"annual_run_{source}"


def annual_jobs() -> "list[UnresolvedAssetJobDefinition]":
    """The annual job of each source: everything that depends on no other source's deliveries."""

    def others(source: str) -> dg.AssetSelection:
        return dg.AssetSelection.groups(*(f"{other}_{room}" for other in SOURCES if other != source for room in ROOMS))

    return [
        dg.define_asset_job(
            job_name(source),
            selection=dg.AssetSelection.all() - others(source),
            executor_def=dg.in_process_executor,
            description=f"Annual run of one school year from the {source} source, from deliveries to the release.",
            tags={SOURCE_TAG: source, **WHOLE_AGAIN},
        )
        for source in SOURCES
    ]


def pull_job(settings: Settings, contracts: dict[str, Contract], register: Register) -> dg.JobDefinition:
    """The hub's data sets of one school year into the landing folder: the only job that reaches for the network."""

    @dg.op(description="Fetches what is new on the hub; the same bytes as before are no delivery.")
    def fetch(context: dg.OpExecutionContext) -> None:
        try:
            results = hub.pull(int(context.partition_key), contracts, settings)
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        for result in results:
            context.log.info(f"{result.collection}: {result.state}, {result.rows} rows {result.message}".rstrip())

    @dg.job(
        name=PULL,
        partitions_def=school_years(register),
        executor_def=dg.in_process_executor,
        description="Fetches the hub's data sets of a school year into the landing folder.",
        tags=WHOLE_AGAIN,
    )
    def pull() -> None:
        fetch()

    return pull
