"""Dagster over a home that is there: making some of its assets, and what is stale in the graph then.

Belongs here: asking Dagster. Does not: any expectation.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from orchestration.definitions import build_defs
from orchestration.intake.assets import raw_key
from tests.support.workshop import Workshop


@dataclass(frozen=True)
class Lab:
    """A home with a Dagster instance of its own."""

    shop: Workshop
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    def run(self, year: int, assets: list[dg.AssetKey]) -> None:
        """Make some assets, without the gates: a small state need not pass them to be looked at."""
        definitions = build_defs(self.shop.settings)
        done = dg.materialize(
            [asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)],
            selection=dg.AssetSelection.assets(*assets),
            partition_key=str(year),
            instance=self.instance,
            resources=definitions.resources,
        )
        assert done.success

    def again(self, collection: str, year: int) -> None:
        """Deliver a collection without its last row, and take it in."""
        landed = self.shop.settings.landing / str(year) / f"{collection}.csv"
        landed.write_text("\n".join(landed.read_text().splitlines()[:-1]) + "\n")
        self.run(year, [raw_key(collection)])

    def stale(self, year: int, keys: list[dg.AssetKey]) -> dict[str, list[str]]:
        """Tables of the year that are there and stale, with the kinds of causes."""
        graph = build_defs(self.shop.settings).resolve_asset_graph()
        resolver = CachingStaleStatusResolver(self.instance, graph, LoadingContextForTest(self.instance))
        return {
            key.path[1]: [cause.category.value for cause in resolver.get_stale_causes(key, str(year))]
            for key in keys
            if resolver.get_status(key, str(year)) == StaleStatus.STALE
        }
