"""What the tests of releases share: the bytes below a folder, and a ledger of one correction."""

from __future__ import annotations

import csv
from pathlib import Path

from orchestration.files import sha256_of

LEDGER = "collection,record_key,field,old_value,new_value,decided_by,reason,effective_from,expires_on,citation"


def bytes_of(folder: Path) -> dict[str, str]:
    """Every file below `folder` with its digest; a link to a folder with where it points."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file() and not path.parent.is_symlink():
            found[name] = sha256_of(path)
    return found


def correction_of(mcas: Path) -> str:
    """A ledger that gives one tested student in the middle of the scale an ELA score of 540."""
    with mcas.open(newline="") as file:
        rows = list(csv.DictReader(file))
    score = "ela_scaled_score" if "ela_scaled_score" in rows[0] else "escaleds"
    row = next(r for r in rows if r[score] and 480 <= int(r[score]) <= 520)
    key = f"sasid={row['sasid']}"
    change = f"mcas,{key},ela_scaled_score,{row[score]},540,Office of assessment,Rescored,2025-08-01,,Decision 12"
    return f"{LEDGER}\n{change}\n"
