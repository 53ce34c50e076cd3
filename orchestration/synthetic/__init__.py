"""A fictional state: student-level deliveries of any size, for tests, benchmarks and demonstrations.

Belongs here: inventing data that satisfies the contracts. Does not: reading deliveries or computing a rate.
No organisation, student or result is real; only statewide averages are shaped after published ones (anchors.yml).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from orchestration.intake.contracts import Contract

FileFormat = Literal["csv", "parquet"]


@dataclass(frozen=True)
class GeneratedFile:
    """One file that was written. `rows` counts its data rows, planted defects included."""

    path: Path
    year: int
    collection: str
    part: str
    rows: int


def generate(
    out: Path,
    *,
    students: int,
    years: Sequence[int],
    seed: int,
    contracts: dict[str, Contract],
    file_format: FileFormat = "csv",
    defects: int = 0,
    progress: Callable[[str], None] | None = None,
) -> list[GeneratedFile]:
    """Write the deliveries of `years` for a state of about `students` students to `out`/<year>/.

    The same arguments always give the same bytes. With `defects`, that many faults are planted and listed in
    `out`/_planted_defects.csv. Raises InputError before anything is written when an argument makes no sense or a
    target folder already holds files.
    """
    from orchestration.synthetic.run import generate_state

    return generate_state(
        out,
        students=students,
        years=years,
        seed=seed,
        contracts=contracts,
        file_format=file_format,
        defects=defects,
        progress=progress,
    )
