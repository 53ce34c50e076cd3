"""The gates for Dagster: a blocking asset check a room and source, by school year.

The only file of this room that knows Dagster. A check comes after every asset of its room and hangs on one that the
next room reads, so that the next room waits for it and does not begin when it fails or cannot be run. It blocks only
steps of the same run.
"""

import warnings

import dagster as dg

from orchestration.errors import InputError
from orchestration.partitions import STAGE_TAG, WRITER, school_years, table_key
from orchestration.policy import Register
from orchestration.settings import Settings
from orchestration.validation.gates import ROOMS, Report, validate
from orchestration.validation.reading import read_contracts

HANGS_ON = {
    "indicators": "indicator_results",
    "determinations": "determinations",
    "assistance": "assistance_assignments",
}
"""Room to the table that its check hangs on: one that the next room reads."""


def gate_checks(source: str, settings: Settings, register: Register) -> list[dg.AssetChecksDefinition]:
    """The gate after each room, for the tables made from `source`."""
    with warnings.catch_warnings():  # partitions of a check are new in Dagster; the tests hold what we need of them
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            _gate(room, source, *_assets(room, tables[source], source, settings), settings, register)
            for room, tables in ROOMS.items()
        ]


def _assets(
    room: str, tables: tuple[str, ...], source: str, settings: Settings
) -> tuple[dg.AssetKey, list[dg.AssetKey]]:
    """The asset that a room's check hangs on, and the others that it waits for."""
    if room in HANGS_ON:
        return table_key(source, HANGS_ON[room]), [table_key(source, t) for t in tables if t != HANGS_ON[room]]
    contracts = read_contracts(settings)
    own = [name for name, contract in contracts.items() if contract["source"] in (source, "ledger")]
    referred = {key["references"] for name in own for key in contracts[name].get("foreign_keys") or ()}
    # not one that another collection refers to: that one would wait for the check, and the check for it
    last = next(name for name in own if contracts[name]["source"] == source and name not in referred)
    return dg.AssetKey(["raw", last]), [dg.AssetKey(["raw", name]) for name in own if name != last]


def _gate(
    room: str, source: str, asset: dg.AssetKey, others: list[dg.AssetKey], settings: Settings, register: Register
) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset,
        name=f"gate_after_{room}",
        description=f"Suites of the room {room} (expectations/) by Great Expectations. Critical ones stop the run.",
        additional_deps=[dg.AssetDep(key, partition_mapping=dg.IdentityPartitionMapping()) for key in others],
        blocking=True,
        partitions_def=school_years(register),
        compute_kind="great_expectations",
        required_resource_keys={WRITER},
    )
    def gate(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        try:
            report = validate(
                room,
                int(context.partition_key),
                source,
                settings=settings,
                register=register,
                stage=context.run.tags.get(STAGE_TAG, "official"),
            )
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        for line in (*report.faults, *report.warnings):
            context.log.warning(line)
        return _result(report)

    return gate


def _result(report: Report) -> dg.AssetCheckResult:
    """What Dagster shows of a report. A warning does not fail the check; it stands in its metadata."""
    return dg.AssetCheckResult(
        passed=report.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "faults": dg.MetadataValue.text("\n".join(report.faults) or "none"),
            "warnings": dg.MetadataValue.text("\n".join(report.warnings) or "none"),
            "not_compared": dg.MetadataValue.text("\n".join(report.notes) or "none"),
            "expectations": dg.MetadataValue.int(len(report.outcomes)),
            "validated_now": dg.MetadataValue.bool(report.is_new),
            "report": dg.MetadataValue.path(str(report.folder / "report.html")),
            "failing_rows": dg.MetadataValue.path(str(report.folder / "failing_rows.xlsx")),
        },
    )
