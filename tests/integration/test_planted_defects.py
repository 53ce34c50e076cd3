"""The generator plants defects and lists them; intake finds every one of them and nothing else."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq
import pytest

from orchestration import synthetic
from tests.support.workshop import Workshop

YEARS = [2024, 2025]


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_every_planted_defect_is_found_and_none_other(tmp_path: Path, file_format: Literal["csv", "parquet"]) -> None:
    shop = Workshop(tmp_path)
    synthetic.generate(
        shop.settings.landing,
        students=12_000,
        years=YEARS,
        seed=7,
        contracts=shop.contracts,
        file_format=file_format,
        defects=45,
    )
    found = set()
    for year in YEARS:
        for collection in [n for n, c in shop.contracts.items() if c.source != "hub"]:
            intake = shop.take_in(collection, year)
            assert intake.refusals == ()
            for item in intake.taken:
                s = item.snapshot
                assert s.rows == s.accepted + s.quarantined
                entries = pq.read_table(shop.store.folder(s) / "quarantine.parquet").to_pylist()
                found |= {(s.file, e["_row"], e["field"], e["rule"]) for e in entries}
    with (shop.settings.landing / "_planted_defects.csv").open() as file:
        planted = {(row["file"], int(row["row"]), row["field"], row["rule"]) for row in csv.DictReader(file)}
    assert len({(file, row) for file, row, _, _ in planted}) >= 45
    assert found == planted
