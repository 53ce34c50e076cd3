"""A home with small tables written by hand, judged by gates that only say what they are told: for tests of releases."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from orchestration.determinations.trace import value_text
from orchestration.files import sha256_of
from orchestration.policy import Register, load_register
from orchestration.publication.publishing import Published, publish
from orchestration.settings import Settings
from orchestration.tables import folder_of, replacing

YEAR = 2025
SCHOOL, OTHER = "91010001", "91010002"
CATEGORIES = ("Not requiring assistance or intervention", "Requiring assistance or intervention")
Rows = list[dict[str, Any]]


class SmallHome:
    """Tables of two schools. `percentile` decides the category of the first one; change it and write again."""

    def __init__(self, folder: Path):
        self.settings = Settings(home=folder, landing=folder / "landing")
        self.register: Register = load_register(self.settings.policy)
        self.percentile = 11
        self.annual = Decimal("60.0")
        self.collections = ["sims", "mcas", "recognitions"]

    def write(self, year: int = YEAR, source: str = "student", *, passed: bool = True) -> None:
        """Tables of every room, then gates that passed or did not."""
        self.room(
            "indicators", year, source, self._indicators(year), [self._delivery(year, c) for c in self.collections]
        )
        reads = {f"indicators {year}": self.record("indicators", year, source)["fingerprint"]}
        self.room("determinations", year, source, self.determinations(year), reads)
        self.room(
            "assistance", year, source, {"assistance_eligibility": [{"school_year": year, "org_code": SCHOOL}]}, {}
        )
        for room in ("source", "indicators", "determinations", "assistance"):
            self.gate(room, year, source, passed=passed)

    def publish(self, stage: str = "official", year: int = YEAR, source: str = "student") -> Published:
        """Write the tables and publish them."""
        self.write(year, source)
        return publish(year, source, stage, settings=self.settings, register=self.register)

    def again(self, stage: str = "official", year: int = YEAR, source: str = "student") -> Published:
        """Publish what lies there."""
        return publish(year, source, stage, settings=self.settings, register=self.register)

    def room(self, room: str, year: int, source: str, tables: dict[str, Rows], inputs: object) -> None:
        """The tables of one room with their record."""
        folder = folder_of(self.settings.home, room, source, year)
        rows = {name: len(found) for name, found in tables.items()}
        fingerprint = sha256_text(json.dumps([tables, inputs], default=str))
        with replacing(folder, self.settings.home, {"fingerprint": fingerprint, "inputs": inputs, "rows": rows}) as new:
            for name, found in tables.items():
                table = pa.Table.from_pylist([self._filled(name, row) for row in found])
                pq.write_table(table, new / f"{name}.parquet")
                pyarrow.csv.write_csv(table, new / f"{name}.csv")

    def gate(self, room: str, year: int, source: str, *, passed: bool) -> None:
        """What the gate of a room says of the tables as they lie there."""
        folder = self.settings.home / "validation" / room / source / str(year)
        files = folder_of(self.settings.home, room, source, year).glob("*.parquet")
        digests = {file.stem: [sha256_of(file)] for file in files}
        with replacing(folder, self.settings.home, {"fingerprint": "f", "inputs": digests}) as new:
            (new / "report.json").write_text(json.dumps({"passed": passed}))
            (new / "report.html").write_text("<p>report</p>")

    def record(self, room: str, year: int, source: str = "student") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (folder_of(self.settings.home, room, source, year) / "record.json").read_bytes()
        )
        return found

    def _filled(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        """The row with every column that the public variant of its table needs."""
        words = {rule: self.register.find(YEAR, rule, table) for rule in ("public_columns", "public_figures")}
        texts, figures = (row.value.split() if row else [] for row in words.values())
        return dict.fromkeys(texts, "x") | dict.fromkeys(figures, 50) | {"status": "ok"} | row

    def _delivery(self, year: int, collection: str) -> dict[str, object]:
        sha = sha256_text(f"{year} {collection}")
        return {
            "year": year, "collection": collection, "part": "", "stage": "official", "file": f"{year}/{collection}.csv",
            "sha256": sha, "accepted": sha,
        }  # fmt: skip

    def _indicators(self, year: int) -> dict[str, Rows]:
        places = [(SCHOOL, "school"), (OTHER, "school"), ("91010000", "district"), ("00000000", "state")]
        common = [{"school_year": year, "org_code": code, "org_type": kind} for code, kind in places]
        counted = {"gradespan": "non_high", "student_group": "all_students", "n": 100}
        return {
            "indicator_results": [
                row
                | counted
                | {"indicator": "ela_achievement", "measure": "percent", "value": Decimal("50.0"), "data_year": year}
                | {"numerator": 50, "denominator": 100}
                for row in common
            ],
            "participation_results": [
                row
                | counted
                | {"subject": "ela", "should_test": 100, "tested": 100, "not_tested": 0, "rate": 100}
                | {"two_year_should_test": 200, "two_year_rate": 100}
                for row in common
            ],
            "organisations": [
                row
                | {"org_name": f"Place {row['org_code']}", "district_code": "91010000", "schools": 2}
                | {"enrolment_non_high": 100, "enrolment_high": 0}
                for row in common
            ],
        }

    def determinations(self, year: int) -> dict[str, Rows]:
        rows = [self._determined(year, SCHOOL, self.percentile), self._determined(year, OTHER, 50)]
        steps = [
            step for code, value in ((SCHOOL, self.percentile), (OTHER, 50)) for step in self._steps(year, code, value)
        ]
        annual = {"school_year": year, "student_group": "all_students", "stage": "annual"}
        percentages = [
            annual | {"org_code": code, "kept": self.annual, "trace_key": f"{year}/{code}/annual/all_students"}
            for code in (SCHOOL, OTHER)
        ]
        return {"determinations": rows, "determination_trace": steps, "target_percentages": percentages}

    def _determined(self, year: int, code: str, percentile: int) -> dict[str, Any]:
        low = percentile <= 10
        return {
            "school_year": year, "org_code": code, "overall_classification": CATEGORIES[low],
            "reason": "In need of focused/targeted support" if low else "Moderate progress toward targets",
            "percentile": percentile, "status": "ok", "trace_key": f"{year}/{code}/classification",
        }  # fmt: skip

    def _steps(self, year: int, code: str, percentile: int) -> Rows:
        key = f"{year}/{code}/percentile/all_students"
        common = {"school_year": year, "org_code": code, "parameters": "[]", "status": "ok"}
        return [
            common | {"key": key, "inputs": "{}", "outcome": value_text({"percentile": percentile}), "upstream": "[]"},
            common
            | {
                "key": f"{year}/{code}/classification",
                "inputs": value_text({"percentile": percentile}),
                "outcome": value_text({"low": percentile <= 10}),
                "upstream": json.dumps([key]),
            },
        ]


def sha256_text(text: str) -> str:
    """Digest of a text."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
