"""What is known of the models without dbt is what dbt compiles; lineage follows a value to the fields delivered."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.indicators.cataloguing import catalogue, computed_lineage
from orchestration.lineage.columns import COMPUTED, RAW, SEEDS, column_lineage
from orchestration.lineage.models import CATALOGUE, load_models, models_of
from orchestration.lineage.rendering import rendered
from tests.support.dbt_runs import Run
from tests.support.workshop import CONTRACTS


def without_others(manifest: dict[str, Any], model: str) -> dict[str, Any]:
    """A manifest of one model and the seeds."""
    nodes = {k: n for k, n in manifest["nodes"].items() if n["resource_type"] == "seed" or n["name"] == model}
    return manifest | {"nodes": nodes}


def fields_behind(table: str, column: str) -> set[tuple[str, str]]:
    """Fields of collections that a column goes back to, through every model."""
    lineage, behind, found = column_lineage(), [(table, column)], set()
    while behind:
        pair = behind.pop()
        if pair in found:
            continue
        found.add(pair)
        if not pair[0].startswith((RAW, SEEDS)):
            behind += lineage[pair[0]][pair[1]]
    return {pair for pair in found if pair[0].startswith(RAW)}


def test_both_files_are_what_dbt_compiles(built: Run) -> None:
    manifest = built.read("manifest")
    page = rendered(catalogue(manifest, built.database, CONTRACTS), 3)
    assert CATALOGUE.read_text(encoding="utf-8") == page, "run `make docs`"
    assert COMPUTED.read_text(encoding="utf-8") == rendered(computed_lineage(manifest, built.database)), (
        "run `make docs`"
    )


def test_another_column_in_the_sql_is_another_lineage(built: Run) -> None:
    manifest = without_others(built.read("manifest"), "int_growth")
    node = next(n for n in manifest["nodes"].values() if n["name"] == "int_growth")
    before = computed_lineage(manifest, built.database)["int_growth"]
    assert before["growth"] == ["stg_mcas.ela_growth_percentile", "stg_mcas.math_growth_percentile"]
    node["compiled_code"] = node["compiled_code"].replace("ela_growth_percentile", "ela_scaled_score")
    after = computed_lineage(manifest, built.database)["int_growth"]
    assert after["growth"] == ["stg_mcas.ela_scaled_score", "stg_mcas.math_growth_percentile"]


def test_a_model_that_neither_refers_nor_passes_on_is_refused(built: Run) -> None:
    manifest = without_others(built.read("manifest"), "stg_access")
    next(n for n in manifest["nodes"].values() if n["name"] == "stg_access")["raw_code"] = "select 1 as sasid"
    with pytest.raises(ValueError, match=r"stg_access\.sql: does not pass on"):
        catalogue(manifest, built.database, CONTRACTS)


def test_every_name_in_the_lineage_exists() -> None:
    lineage = column_lineage()
    fields = {f"{RAW}{name}": set(contract.fields) for name, contract in CONTRACTS.items()}
    known = {table: set(columns) for table, columns in lineage.items()} | fields
    pairs = {pair for columns in lineage.values() for found in columns.values() for pair in found}
    unknown = [(t, c) for t, c in pairs if not t.startswith(SEEDS) and c not in known[t]]
    assert unknown == []


@pytest.mark.parametrize(
    ("table", "column", "fields"),
    [
        ("int_chronic_absenteeism", "is_met", {"raw/sims.days_in_attendance", "raw/sims.days_in_membership"}),
        ("int_growth", "growth", {"raw/mcas.ela_growth_percentile", "raw/mcas.math_growth_percentile"}),
        (
            "int_student_groups",  # a constant in each part of a UNION, one looked up in a seed, of the latest row
            "student_group",
            {
                *("raw/sims.low_income", "raw/sims.english_learner", "raw/sims.former_english_learner"),
                *("raw/sims.disability", "raw/sims.race_ethnicity"),
                *("raw/sims.collection_period", "raw/sims.school_code"),
            },
        ),
        ("int_hub_annual_dropout", "figure", {"raw/hub_dropout.drpout_pct_all"}),
        ("organisations", "town", {"raw/organisations.town", "raw/hub_school_directory.town"}),
    ],
)
def test_a_column_goes_back_to_the_fields_of_its_rule(table: str, column: str, fields: set[str]) -> None:
    assert {".".join(pair) for pair in fields_behind(table, column)} == fields


def test_a_count_goes_back_to_what_chooses_its_rows() -> None:
    """Who should have been tested hangs on the word of the test status, which stands in no expression of the count."""
    fields = fields_behind("participation_results", "should_test")
    assert {("raw/mcas", "ela_test_status"), ("raw/mcas", "grade"), ("raw/sims", "low_income")} <= fields


def test_a_category_goes_back_to_records() -> None:
    fields = {name for name, _ in fields_behind("determinations", "overall_classification")}
    assert {"raw/mcas", "raw/sims", "raw/access", "raw/designations", "raw/hub_attendance"} <= fields


def test_models_of_a_source_stand_in_order_and_say_where_their_delivery_lies() -> None:
    for source, other in (("student", "hub"), ("hub", "student")):
        names = list(models_of(source))
        for name, model in models_of(source).items():
            assert [p for p in model.parents if p in names[names.index(name) :]] == [], "parents first"
            assert model.reads is None or CONTRACTS[model.reads].source != other
    lags = {"dropouts": 1, "hub_graduation_rates_five_year": 2}
    back = {name: model.years_back(lags) for name, model in load_models().items() if model.reads}
    assert {name for name, years in back.items() if years == 1} == {
        *("stg_sims_prior", "stg_mcas_prior", "stg_access_prior", "stg_dropouts")
    }
    assert [name for name, years in back.items() if years == 2] == ["stg_hub_graduation_rates_five_year"]
