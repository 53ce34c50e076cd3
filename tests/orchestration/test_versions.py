"""What is stale after a change: versions of data and code of each table, as computed and as Dagster shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from orchestration import synthetic
from orchestration.automation.jobs import job_name
from orchestration.definitions import build_defs
from orchestration.indicators import assets, versioning
from orchestration.indicators.correcting import APPLIED
from orchestration.indicators.versioning import code_versions, data_versions
from orchestration.intake.assets import raw_key
from orchestration.lineage.models import models_of
from orchestration.partitions import table_key
from orchestration.table_assets import LINEAGE, ROWS, SCHEMA
from tests.support.workshop import CONTRACTS, Workshop

YEAR = 2025
LAGS = {"dropouts": 1, "graduation_cohorts": 1}
STUDENT = [name for name, contract in CONTRACTS.items() if contract.source == "student"]


def inputs(**changed: int) -> list[dict[str, object]]:
    """A delivery of each collection and year; `changed`: the year in which a collection has other rows."""
    return [
        {"year": year, "collection": name, "part": "", "accepted": "other" if changed.get(name) == year else name}
        for name in STUDENT
        for year in (YEAR - 2, YEAR - 1, YEAR)
    ]


def changes(**changed: int) -> set[str]:
    before, after = (data_versions(YEAR, "student", given, LAGS, []) for given in (inputs(), inputs(**changed)))
    return {name for name in before if before[name] != after[name]}


def made_from(*names: str) -> set[str]:
    """Models and everything that is made from them."""
    found = set(names)
    for name, model in models_of("student").items():
        if found & set(model.parents):
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("changed", "models"),
    [
        ({"access": YEAR}, ("stg_access",)),
        ({"access": YEAR - 1}, ("stg_access_prior",)),
        ({"access": YEAR - 2}, ()),
        ({"dropouts": YEAR - 1}, ("stg_dropouts",)),
        ({"dropouts": YEAR}, ()),
    ],
)
def test_other_rows_change_what_is_made_from_them_and_nothing_else(
    changed: dict[str, int], models: tuple[str, ...]
) -> None:
    assert changes(**changed) == made_from(*models) | {APPLIED}


def test_another_macro_changes_the_code_of_what_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before, digest = code_versions("student"), versioning.sha256_of
    edited = "dbt_project/macros/exact.sql"
    monkeypatch.setattr(versioning, "sha256_of", lambda path: "x" if str(path).endswith(edited) else digest(path))
    after = code_versions("student")
    assert {name for name in before if before[name] != after[name]} == {"int_student_results", "participation_results"}


@dataclass(frozen=True)
class Lab:
    """A small state of two years, taken in, of which the models of the later year are built."""

    shop: Workshop
    instance: dg.DagsterInstance

    def run(self, year: int, assets: list[dg.AssetKey]) -> dg.ExecuteInProcessResult:
        job = build_defs(self.shop.settings).resolve_job_def(job_name("student"))
        result = job.execute_in_process(partition_key=str(year), instance=self.instance, asset_selection=assets)
        assert result.success
        return result

    def again(self, collection: str, year: int) -> None:
        """Deliver a collection without its last row, and take it in."""
        landed = self.shop.settings.landing / str(year) / f"{collection}.csv"
        landed.write_text("\n".join(landed.read_text().splitlines()[:-1]) + "\n")
        self.run(year, [raw_key(collection)])

    def stale(self, definitions: dg.Definitions) -> dict[str, list[str]]:
        """Tables of the year that are there and stale, with the kinds of causes."""
        graph = definitions.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(self.instance, graph, LoadingContextForTest(self.instance))
        keys = [table_key("student", name) for name in code_versions("student")]
        return {
            key.path[1]: [cause.category.value for cause in resolver.get_stale_causes(key, str(YEAR))]
            for key in keys
            if resolver.get_status(key, str(YEAR)) == StaleStatus.STALE
        }


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    shop = Workshop(tmp_path_factory.mktemp("lab"))
    synthetic.generate(shop.settings.landing, students=2_000, years=[YEAR - 1, YEAR], seed=4, contracts=shop.contracts)
    deliveries = [raw_key(name) for name, c in CONTRACTS.items() if c.source in ("student", "ledger")]
    with dg.instance_for_test() as instance:
        lab = Lab(shop, instance)
        lab.run(YEAR - 1, deliveries)
        lab.run(YEAR, [*deliveries, *(table_key("student", name) for name in code_versions("student"))])
        yield lab


def test_what_is_said_of_a_model_when_it_was_made(lab: Lab) -> None:
    assert lab.stale(build_defs(lab.shop.settings)) == {}
    versions = code_versions("student")
    for name, version in versions.items():
        event = lab.instance.get_latest_materialization_event(table_key("student", name))
        assert event is not None
        made = event.asset_materialization
        assert made is not None
        assert made.tags is not None
        assert made.tags["dagster/code_version"] == version
        assert len(made.tags["dagster/data_version"]) == 64
        assert {SCHEMA, LINEAGE, ROWS} <= set(made.metadata), name
    rows: dict[str, Any] = {}
    for name in ("stg_mcas", "int_subject_rules", "int_student_groups", "indicator_results"):
        event = lab.instance.get_latest_materialization_event(table_key("student", name))
        rows[name] = event.asset_materialization.metadata[ROWS].value  # type: ignore[union-attr]
    accepted = sum(s.accepted for s in lab.shop.store.in_force(YEAR, "mcas", "official").values())
    assert rows["stg_mcas"] == accepted
    assert min(rows.values()) > 0


def test_a_new_delivery_and_new_code_are_shown_where_they_go_in_and_nowhere_else(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = build_defs(lab.shop.settings)
    lab.again("access", YEAR)
    found = lab.stale(definitions)
    assert set(found) == {"stg_access", "stg_access_prior", APPLIED}, "a step has one mapping of years a collection"
    lab.again("dropouts", YEAR)
    assert lab.stale(definitions) == found, "the dropouts of the year are those of the next determination"
    lab.again("dropouts", YEAR - 1)
    assert set(lab.stale(definitions)) - set(found) == {"stg_dropouts"}
    before = lab.stale(definitions)
    edited = code_versions("student") | {"int_growth": "edited"}
    monkeypatch.setattr(
        assets, "code_versions", lambda source: edited if source == "student" else code_versions(source)
    )
    after = lab.stale(build_defs(lab.shop.settings))
    assert {name: after[name] for name in after if after[name] != before.get(name)} == {"int_growth": ["CODE"]}
