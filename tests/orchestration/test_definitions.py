"""The pipeline as Dagster sees it: assets with owner, partitions and lineage; jobs that stop where they must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.automation.jobs import SOURCES, job_name
from orchestration.definitions import build_defs
from orchestration.intake.assets import raw_key
from orchestration.intake.store import Store
from orchestration.lineage.models import load_models, models_of
from orchestration.partitions import STAGE_TAG
from orchestration.settings import PROJECT
from orchestration.table_assets import LINEAGE, SCHEMA
from tests.support.workshop import CONTRACTS, ORGANISATIONS, Workshop, access, sims, student, text


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def deliver_all(shop: Workshop) -> None:
    """A delivery of every required student collection."""
    shop.deliver("organisations.csv", ORGANISATIONS)
    shop.deliver("sims_october_1.csv", sims("october_1", 300))
    shop.deliver("sims_end_of_year.csv", sims("end_of_year", 300))
    shop.deliver("access.csv", text(access()))
    mcas = "adminyear,sasid,sprp_dis,sprp_sch,grade,eteststat,escaleds"
    shop.deliver("mcas.csv", text([mcas, *(f"2025,{student(i)},91010000,91010002,06,T,50{i}" for i in range(9))]))
    courses = (
        f"SCS02,SCS03,SCS04,SCS05,SCS06,SCS07,SCS08,SCS09,SCS10,SCS11\n{student(1)},91010002,ALG,02052,1,41,ENR,G,1,1\n"
    )
    shop.deliver("course_schedules.csv", courses)
    cohorts = "cohort_span,cohort_year,sasid,school_code,outcome,race_ethnicity,low_income,english_learner,disability"
    shop.deliver("graduation_cohorts.csv", text([cohorts, f"4,2025,{student(1)},91010002,graduated,01,0,0,0"]))
    shop.deliver("dropouts.csv", f"sasid,school_code,grade,reason\n{student(2)},91010002,11,34\n")


def run(shop: Workshop, instance: dg.DagsterInstance, stage: str = "official") -> dg.ExecuteInProcessResult:
    """The job as far as the deliveries: a few rows by hand would pass no gate after that."""
    job = build_defs(shop.settings).resolve_job_def(job_name("student"))
    deliveries = [raw_key(name) for name, contract in CONTRACTS.items() if contract.source in ("student", "ledger")]
    return job.execute_in_process(
        partition_key="2025",
        instance=instance,
        raise_on_error=False,
        tags={STAGE_TAG: stage},
        asset_selection=deliveries,
    )


def test_one_asset_a_collection_with_owner_partitions_lineage_and_schema() -> None:
    graph = build_defs().resolve_asset_graph()
    raw = {key for key in graph.get_all_asset_keys() if key.path[0] == "raw"}
    assert raw == {raw_key(name) for name in CONTRACTS}
    for name, contract in CONTRACTS.items():
        node = graph.get(raw_key(name))
        assert node.owners == [f"team:{contract.owner}"]
        assert node.code_version == contract.version
        assert node.parent_keys == {raw_key(key.references) for key in contract.foreign_keys}
        assert node.partitions_def is not None
        assert "2025" in node.partitions_def.get_partition_keys()
        columns = node.metadata["dagster/column_schema"].columns
        assert [column.name for column in columns] == list(contract.fields)
        assert all(column.description for column in columns)


def test_nothing_is_said_of_an_asset_by_halves() -> None:
    """Owner, kinds, group, description, code version and columns of every asset; lineage of every table."""
    definitions = build_defs()
    graph, lacking = definitions.resolve_asset_graph(), []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        columns = [column.name for column in node.metadata[SCHEMA].columns] if SCHEMA in node.metadata else []
        said = {
            "owners": node.owners,
            "kinds": [tag for tag in node.tags if tag.startswith("dagster/kind/")],
            "group": node.group_name not in (None, "default"),
            "description": node.description,
            "code version": node.code_version,
            "columns": columns,
            "lineage": key.path[0] == "raw" or list(node.metadata[LINEAGE].deps_by_column) == columns,
        }
        lacking += [f"{key.to_user_string()}: {what}" for what, found in said.items() if not found]
    assert lacking == []


def test_lineage_leads_along_the_graph_to_columns_that_are_there() -> None:
    graph = build_defs().resolve_asset_graph()
    columns = {
        key: {column.name for column in graph.get(key).metadata[SCHEMA].columns} for key in graph.get_all_asset_keys()
    }
    for key in columns:
        node = graph.get(key)
        lineage = node.metadata.get(LINEAGE)
        deps = [dep for found in lineage.deps_by_column.values() for dep in found] if lineage else []
        assert [d for d in deps if d.column_name not in columns.get(d.asset_key, ())] == [], key
        assert {d.asset_key for d in deps} <= node.parent_keys, key


def test_each_model_is_an_asset_of_the_sources_that_it_says_something_in() -> None:
    graph = build_defs().resolve_asset_graph()
    for source in SOURCES:
        keys = {key.path[1] for key in graph.get_all_asset_keys() if key.path[0] == source}
        assert keys >= set(models_of(source))
        assert not keys & (set(load_models()) - set(models_of(source)))
    student, hub = (graph.get(dg.AssetKey([source, "indicator_results"])).parent_keys for source in SOURCES)
    assert student == {dg.AssetKey(["student", "int_student_results"])}
    assert hub == {dg.AssetKey(["hub", "int_hub_results"])}
    assert graph.get(dg.AssetKey(["student", "stg_mcas"])).parent_keys == {raw_key("mcas"), raw_key("corrections")}


def test_a_step_depends_on_the_years_that_it_reads() -> None:
    """Deliveries of the year before mark a year's models stale; those that lie a year behind are not the year's own."""
    graph = build_defs().resolve_asset_graph()
    years = {}
    for name, collection in (
        ("stg_mcas", "mcas"),
        ("stg_dropouts", "dropouts"),
        ("stg_organisations", "organisations"),
    ):
        node = graph.get(dg.AssetKey(["student", name]))
        mapping = node.partition_mappings.get(raw_key(collection))
        assert mapping is not None
        assert node.partitions_def is not None
        wanted = node.partitions_def.subset_with_partition_keys(["2025"])
        upstream = mapping.get_upstream_mapped_partitions_result_for_partitions(
            wanted, node.partitions_def, node.partitions_def
        )
        years[name] = sorted(upstream.partitions_subset.get_partition_keys())
    assert years == {"stg_mcas": ["2024", "2025"], "stg_dropouts": ["2024"], "stg_organisations": ["2025"]}


def test_each_source_has_its_job_and_nothing_of_the_other_source() -> None:
    definitions = build_defs()
    for source in SOURCES:
        keys = definitions.resolve_job_def(job_name(source)).asset_layer.executable_asset_keys
        sources = {CONTRACTS[key.path[1]].source for key in keys if key.path[0] == "raw"}
        assert source in sources
        assert not ({key.path[0] for key in keys} | sources) & (set(SOURCES) - {source})


def test_a_run_materialises_with_sha256_as_data_version_and_counts(shop: Workshop) -> None:
    deliver_all(shop)
    with dg.instance_for_test() as instance:
        result = run(shop, instance)
        assert result.success
        snapshot = shop.in_force("mcas")
        event = instance.get_latest_materialization_event(raw_key("mcas"))
    assert event is not None
    materialization = event.asset_materialization
    assert materialization is not None
    assert materialization.partition == "2025"
    assert materialization.tags is not None
    assert materialization.tags["dagster/data_version"] == snapshot.sha256
    metadata = {name: value.value for name, value in materialization.metadata.items()}
    assert metadata["dagster/row_count"] == metadata["delivered_rows"] == 9
    assert metadata["quarantined_rows"] == 0
    assert Path(str(metadata["manifest"])) == shop.store.manifest_path(snapshot)
    assert Path(str(metadata["manifest"])).is_file()


def test_a_refused_delivery_stops_everything_that_refers_to_it(shop: Workshop) -> None:
    deliver_all(shop)
    shop.deliver("sims_october_1.csv", "DOE002,DOE015\n")
    with dg.instance_for_test() as instance:
        result = run(shop, instance)
        done = {event.asset_key.path[1] for event in result.get_asset_materialization_events() if event.asset_key}
    assert not result.success
    assert "organisations" in done
    assert not done & {"sims", "mcas", "access", "course_schedules", "dropouts"}
    assert shop.store.snapshots(2025, "mcas") == []


def test_a_missing_required_collection_fails_by_name(shop: Workshop) -> None:
    deliver_all(shop)
    (shop.settings.landing / "2025" / "dropouts.csv").unlink()
    with dg.instance_for_test() as instance:
        result = run(shop, instance)
        failure = next(iter(result.filter_events(lambda event: event.is_step_failure)))
    assert failure.step_key == "raw__dropouts"
    assert failure.step_failure_data.user_failure_data is not None
    description = failure.step_failure_data.user_failure_data.description
    assert description == f"{shop.settings.landing / '2025'}: no official delivery of dropouts for 2025; put one there"


def test_an_official_run_does_not_take_preliminary_data(shop: Workshop) -> None:
    deliver_all(shop)
    landed = shop.settings.landing / "2025" / "dropouts.csv"
    landed.rename(landed.with_name("dropouts_preliminary.csv"))
    with dg.instance_for_test() as instance:
        official, preliminary = run(shop, instance), run(shop, instance, "preliminary")
    failed = [event.step_key for event in official.filter_events(lambda event: event.is_step_failure)]
    assert failed == ["raw__dropouts"]
    assert preliminary.success
    assert shop.store.in_force(2025, "dropouts", "official") == {}
    assert shop.store.in_force(2025, "dropouts", "preliminary")[""].stage == "preliminary"


def test_a_damaged_store_fails_the_blocking_check(shop: Workshop) -> None:
    deliver_all(shop)
    with dg.instance_for_test() as instance:
        assert run(shop, instance).success
        kept = shop.store.delivery(shop.in_force("organisations").sha256)
        kept.chmod(0o600)
        kept.write_bytes(b"tampered")
        result = run(shop, instance)
        failed = [e for e in result.get_asset_check_evaluations() if not e.passed]
        done = {event.asset_key.path[1] for event in result.get_asset_materialization_events() if event.asset_key}
    assert not result.success
    assert [(e.asset_key, e.check_name) for e in failed] == [(raw_key("organisations"), "snapshots_intact")]
    assert "sims" not in done, "nothing that refers to a damaged snapshot is made"


def test_a_delivery_that_could_not_be_read_is_tried_again_and_a_bad_one_is_not(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.settings = shop.settings.model_copy(update={"retry_after": 0.1})
    deliver_all(shop)
    shop.deliver("dropouts.csv", "not,a,delivery\n")
    tried: list[str] = []
    copy_in = Store.copy_in

    def unsteady(self: Store, source: Path, name: str, *rest: Any) -> tuple[Path, str]:
        tried.append(name)
        if tried == ["2025/organisations.csv"]:
            raise OSError(5, "Input/output error")
        return copy_in(self, source, name, *rest)

    monkeypatch.setattr(Store, "copy_in", unsteady)
    with dg.instance_for_test() as instance:
        result = run(shop, instance)
    failed = [event.step_key for event in result.filter_events(lambda event: event.is_step_failure)]
    assert failed == ["raw__dropouts"]
    assert [tried.count(f"2025/{name}.csv") for name in ("organisations", "dropouts")] == [2, 1]


def test_the_workspace_file_loads() -> None:
    """What `dagster dev` reads from the top of the checkout."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "dagster"), "definitions", "validate", "-w", "workspace.yaml"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location accountability" in done.stderr + done.stdout
