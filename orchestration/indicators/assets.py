"""The indicator room for Dagster: an asset a dbt model and table of a school year, made by one dbt build a source.

The only file of this room that knows Dagster. The models are known from `orchestration.lineage`, so that definitions
load without dbt. A model of the other source is left out: it says nothing in this one's build.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import dagster as dg

from orchestration.errors import InputError
from orchestration.indicators.building import ROOM, SOURCES_READ, TABLES, build, lags_of
from orchestration.indicators.correcting import COLUMNS, LEDGER
from orchestration.indicators.versioning import code_versions
from orchestration.intake.assets import raw_key
from orchestration.intake.contracts import Contract
from orchestration.lineage.columns import column_lineage
from orchestration.lineage.models import Model, models_of
from orchestration.partitions import STAGE_TAG, WRITER, school_years, table_group, table_key
from orchestration.policy import Register
from orchestration.settings import Settings
from orchestration.table_assets import Columns, columns_metadata, table_result, years_read
from orchestration.tables import Changes

RULES = "dbt_project/models/indicators/rules/"
MODELS_GROUP = "models"
"""Group of the models that are not handed on: they stand before the tables of the room."""
DESCRIPTIONS = {
    "indicator_results": "A row an organisation, gradespan, student group and indicator.",
    "participation_results": "A row an organisation, gradespan, student group and subject.",
    "organisations": "A row an organisation of the year, with its enrolment.",
    "designations": "The ledger of designations in force for the year, as delivered.",
    "recognitions": "The ledger of schools of recognition, as delivered.",
    "published_targets": "The Department's workbook of targets, as delivered; empty where there is none.",
    "applied_corrections": "Corrections that were applied to the records read, with both values.",
    "assistance_staff": "The ledger of Assistance Leads and Co-Directors with their districts, as delivered.",
    "assistance_plans": "The ledger of annual assistance plans, a row a support, as delivered.",
}


def indicator_assets(
    source: str, settings: Settings, contracts: Mapping[str, Contract], register: Register
) -> dg.AssetsDefinition:
    """The models and indicator tables of one source."""
    models, versions = models_of(source), code_versions(source)
    deliveries = _deliveries(source, models, contracts, register)
    specs = [
        dg.AssetSpec(
            table_key(source, name),
            deps=_deps(source, models.get(name), deliveries),
            group_name=table_group(source, ROOM if name in TABLES else MODELS_GROUP),
            owners=["team:accountability-office"],
            kinds={"duckdb", "dbt" if name in models else "python", *(["parquet"] if name in TABLES else [])},
            description=_description(name, models.get(name)),
            code_version=version,
            metadata=columns_metadata(source, name, _columns(models.get(name), contracts), column_lineage(source)),
        )
        for name, version in versions.items()
    ]

    @dg.multi_asset(
        name=f"{source}_indicators",
        specs=specs,
        partitions_def=school_years(register),
        required_resource_keys={WRITER},
    )
    def tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        stage = context.run.tags.get(STAGE_TAG, "official")
        try:
            built = build(
                int(context.partition_key),
                stage,
                source=source,
                settings=settings,
                contracts=contracts,
                register=register,
            )
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        rows = built.models | built.rows
        for name, version in built.versions.items():
            why = built.why if name in built.made else Changes()
            yield table_result(context, table_key(source, name), version, rows.get(name), built.folder, why)

    return tables


def _description(name: str, model: Model | None) -> str:
    text = DESCRIPTIONS.get(name) or (model.description if model else "")
    sql = [file for file in model.files if file.startswith("models/")] if model else []
    return " ".join([text, *(f"SQL: dbt_project/{file}; rules in words: {RULES}" for file in sql)])


def _columns(model: Model | None, contracts: Mapping[str, Contract]) -> Columns:
    """Columns of a model, or of applied_corrections. One that is passed on is described by its contract."""
    if model is None:
        return {column: (kind, "") for column, kind in COLUMNS.items()}
    fields = contracts[model.reads].fields if model.reads else {}
    return {
        column: (kind, fields[column].description if column in fields else text)
        for column, (kind, text) in model.columns.items()
    }


def _deliveries(
    source: str, models: Mapping[str, Model], contracts: Mapping[str, Contract], register: Register
) -> dict[str, dg.AssetDep]:
    """Collection to the dependency on it: deliveries are read as they are in force, of the years that the step reads.

    A step has one mapping of years for each asset that it reads, whichever of its models read it.
    """
    lags = lags_of(register)
    back: dict[str, set[int]] = defaultdict(set)
    for model in models.values():
        if model.reads:
            for collection in (model.reads, LEDGER):
                back[collection].add(model.years_back(lags))
    own = [name for name, contract in contracts.items() if contract.source in (source, *SOURCES_READ)]
    return {name: dg.AssetDep(raw_key(name), partition_mapping=years_read(register, back[name] or {0})) for name in own}


def _deps(source: str, model: Model | None, deliveries: Mapping[str, dg.AssetDep]) -> list[dg.AssetDep]:
    """What a model is made from, or applied_corrections, which may name a record of any collection.

    Models that pass rows on pass them on corrected. Models are made in the same step, those of the other source not.
    """
    if model is None:
        return list(deliveries.values())
    if model.reads:
        return [deliveries[name] for name in sorted({model.reads, LEDGER})]
    return [dg.AssetDep(table_key(source, parent)) for parent in model.parents if parent in models_of(source)]
