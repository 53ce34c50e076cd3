"""The intake room for Dagster: one partitioned asset a collection, with a blocking check that its snapshots are intact.

The only file of this room that knows Dagster.
"""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import dagster as dg

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract
from orchestration.intake.store import Snapshot, Store
from orchestration.intake.taking_in import CollectionIntake, TakenIn, summary
from orchestration.partitions import STAGE_TAG, UP_TO_DATE, WHY, WRITER, school_years
from orchestration.policy import Register
from orchestration.settings import Settings

GROUPS = {"student": "student_source", "hub": "hub_source", "ledger": "ledgers"}
AT_A_TIME = 2
"""Snapshots whose bytes are digested at a time."""
_COLUMN_TYPES = {
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "year": "integer",
    "year_number": "integer",
}


def raw_key(collection: str) -> dg.AssetKey:
    """Asset key of a collection."""
    return dg.AssetKey(["raw", collection])


def raw_assets(settings: Settings, contracts: Mapping[str, Contract], register: Register) -> list[dg.AssetsDefinition]:
    """One asset a collection: its snapshots in force, by school year."""
    return [_raw_asset(contract, settings, contracts, register) for contract in contracts.values()]


def _raw_asset(
    contract: Contract, settings: Settings, contracts: Mapping[str, Contract], register: Register
) -> dg.AssetsDefinition:
    intact = dg.AssetCheckSpec(
        "snapshots_intact",
        asset=raw_key(contract.collection),
        blocking=True,
        description="Bytes in force have the manifest's sha256; delivered = accepted + quarantined, counted again.",
    )

    @dg.asset(
        key=raw_key(contract.collection),
        partitions_def=school_years(register),
        required_resource_keys={WRITER},
        retry_policy=dg.RetryPolicy(max_retries=2, delay=settings.retry_after, backoff=dg.Backoff.EXPONENTIAL),
        deps=[raw_key(key.references) for key in contract.foreign_keys],
        group_name=GROUPS[contract.source],
        description=f"{contract.title}. {contract.description}\n\nSource: {contract.citation}",
        owners=[f"team:{contract.owner}"],
        kinds={"file", "duckdb", "parquet"},
        code_version=contract.version,
        check_specs=[intact],
        metadata={
            "dagster/column_schema": _column_schema(contract),
            "contract": f"raw/contracts/{contract.collection}.yml",
        },
    )
    def take_in(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        year = int(context.partition_key)
        try:
            intake = CollectionIntake(
                contract.collection, year, contracts=contracts, register=register, settings=settings
            ).run()
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        stage = context.run.tags.get(STAGE_TAG, "official")
        faults = [*intake.refusals, *_lacking(contract, year, stage, register, settings)]
        if faults:
            raise dg.Failure("\n".join(faults), allow_retries=intake.may_pass)
        for item in intake.taken:
            context.log.info(summary(item.snapshot, item.state))
        store = Store(settings.home)
        # what this run reads; `accountability doctor --deep` looks at superseded ones too
        in_force = store.in_force(year, contract.collection, stage).values()
        news = {item.snapshot.seq for item in intake.taken if item.state in ("new", "revalidated")}
        with ThreadPoolExecutor(AT_A_TIME) as readers:
            told = readers.map(lambda of: store.faults(of, digested_now=of.seq in news), in_force)
            faults = [fault for lines in told for fault in lines]
        check = dg.AssetCheckResult(
            check_name=intact.name,
            passed=not faults,
            metadata={"faults": dg.MetadataValue.text("\n".join(faults) or "none")},
        )
        yield _result(intake.taken, store, check)

    return take_in


def _lacking(contract: Contract, year: int, stage: str, register: Register, settings: Settings) -> list[str]:
    """One line for each required part of which a run of `stage` has nothing to use."""
    if register.suspended(year, contract.collection):
        return []
    present = Store(settings.home).in_force(year, contract.collection, stage)
    what = "official delivery" if stage == "official" else "delivery"
    folder = settings.landing / str(year)
    return [
        f"{folder}: no {what} of {f'{contract.collection} {part}'.strip()} for {year}; put one there"
        for part in contract.required_parts
        if part not in present
    ]


def _result(taken: tuple[TakenIn, ...], store: Store, check: dg.AssetCheckResult) -> dg.MaterializeResult[None]:
    snapshots = [item.snapshot for item in taken]
    news = [f"{item.snapshot.part} {item.state}".strip() for item in taken if item.state != "unchanged"]
    metadata: dict[str, dg.MetadataValue] = {
        "made_now": dg.MetadataValue.bool(bool(news)),
        WHY: dg.MetadataValue.text("; ".join(news) or UP_TO_DATE),
        "dagster/row_count": dg.MetadataValue.int(sum(s.accepted for s in snapshots)),
        "delivered_rows": dg.MetadataValue.int(sum(s.rows for s in snapshots)),
        "quarantined_rows": dg.MetadataValue.int(sum(s.quarantined for s in snapshots)),
        "delivered_bytes": dg.MetadataValue.int(sum(s.bytes for s in snapshots)),
    }
    if snapshots:
        lines = [
            f"| {s.part or 'all'} | {s.stage} | {s.rows} | {s.accepted} | {s.quarantined} | `{s.sha256}` |"
            for s in snapshots
        ]
        head = "| part | stage | delivered | accepted | quarantined | sha256 |\n| --- | --- | --- | --- | --- | --- |\n"
        metadata["snapshots"] = dg.MetadataValue.md(head + "\n".join(lines))
        metadata["manifest"] = dg.MetadataValue.path(str(store.manifest_path(snapshots[-1])))
    return dg.MaterializeResult(
        metadata=metadata, data_version=dg.DataVersion(data_version(snapshots)), check_results=[check]
    )


def data_version(snapshots: list[Snapshot]) -> str:
    """The delivery's sha256; for several parts or stages one digest over theirs; 'none' when nothing was delivered."""
    if len(snapshots) == 1:
        return snapshots[0].sha256
    lines = "\n".join(f"{s.part} {s.stage} {s.sha256}" for s in snapshots)
    return hashlib.sha256(lines.encode()).hexdigest() if snapshots else "none"


def _column_schema(contract: Contract) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=_COLUMN_TYPES.get(field.type, "text"),
                description=f"{field.description} [{field.code}]" if field.code else field.description,
                constraints=dg.TableColumnConstraints(
                    nullable=not field.required, unique=contract.primary_key == (field.name,)
                ),
            )
            for field in contract.fields.values()
        ]
    )
