"""Two computations: the pipeline and the oracle judge the same deliveries alike, row by row and value by value."""

from __future__ import annotations

import datetime
import random
import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.intake import pieces
from orchestration.intake.preparing import Limits, prepare
from orchestration.intake.validating import Judge, Outcome
from orchestration.intake.validating import References as AcceptedFiles
from orchestration.settings import PROJECT
from tests.oracle import strategies
from tests.oracle.intake_oracle import References, Verdict, judge
from tests.support.workshop import CONTRACTS

YEAR = 2025
FOLDER = PROJECT / "raw" / "contracts"
LIMITS = Limits(
    max_columns=1000, max_expanded_bytes=1 << 30, max_expansion_ratio=1000, max_line_bytes=1 << 20, settle_seconds=0
)


def references_of(count: int) -> References:
    return {
        ("organisations", ("org_code",)): {(f"{number * 37 % 10**8:08d}",) for number in range(count)},
        ("sims", ("sasid",)): {(f"{number * 7919 % 10**10:010d}",) for number in range(count)},
    }


def last_part(collection: str) -> str:
    return CONTRACTS[collection].part_names[-1]


def pipeline(collection: str, delivery: bytes, part: str, references: References) -> tuple[Outcome, Verdict]:
    """The pipeline's judgement in the oracle's shape."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        files = {}
        for (target, names), keys in references.items():
            columns = {name: pa.array([key[i] for key in keys], pa.string()) for i, name in enumerate(names)}
            files[target] = [work / f"{target}.parquet"]
            pq.write_table(pa.table(columns), files[target][0])
        (work / "delivered").write_bytes(delivery)
        contract = CONTRACTS[collection]
        prepared = prepare(work / "delivered", f"{collection}.csv", work, LIMITS, header_row=contract.header_row)
        judged = Judge(contract, prepared, name="x.csv", year=YEAR, part=part, delivery="d", work=work)
        built = work / "built"
        built.mkdir()
        outcome = judged.judge(AcceptedFiles(files), b"key", built, [])
        accepted = {
            row.pop("_row"): {name: as_text(value) for name, value in row.items() if name != "_delivery"}
            for name in pieces.accepted_names(path.name for path in built.iterdir())
            for row in pq.read_table(built / name).to_pylist()
        }
        entries = pq.read_table(built / pieces.QUARANTINE).to_pylist()
        violations = {(entry["_row"], entry["field"], entry["rule"]) for entry in entries}
        assert len(violations) == len(entries)
        return outcome, Verdict(outcome.rows, accepted, violations, outcome.repairs)


def as_text(value: object) -> str | None:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return None if value is None else str(value)


def check(collection: str, delivery: bytes, references: References) -> Verdict:
    part = last_part(collection)
    expected = judge(FOLDER / f"{collection}.yml", delivery, year=YEAR, part=part, references=references)
    outcome, found = pipeline(collection, delivery, part, references)
    assert found.violations == expected.violations
    assert found.accepted.keys() == expected.accepted.keys()
    for row, values in expected.accepted.items():
        assert found.accepted[row] == values
    assert found.repairs == expected.repairs
    assert outcome.rows == outcome.accepted + outcome.quarantined == expected.delivered
    assert list(found.accepted) == sorted(found.accepted), "accepted rows keep the order of the delivery"
    return expected


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 50)


@pytest.mark.parametrize("collection", CONTRACTS)
def test_large_deliveries_are_judged_alike(collection: str) -> None:
    references = references_of(1500)
    seen = 0
    for seed, rate in ((1, 0.0), (2, 0.05), (3, 0.4)):
        delivery = strategies.random_delivery(
            FOLDER / f"{collection}.yml",
            YEAR,
            last_part(collection),
            references,
            700,
            random.Random(f"{collection}{seed}"),
            rate,
        )
        seen += len(check(collection, delivery, references).violations)
    assert seen > 100


@pytest.mark.parametrize("collection", ["sims", "mcas", "assistance_plans", "published_targets", "hub_enrollment"])
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_awkward_deliveries_are_judged_alike(collection: str, data: st.DataObject) -> None:
    references = references_of(20)
    part = last_part(collection)
    delivery = data.draw(strategies.deliveries(FOLDER / f"{collection}.yml", YEAR, part, references))
    check(collection, delivery, references)
