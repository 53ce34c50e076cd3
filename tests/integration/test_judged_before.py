"""A delivery that refers to keys which came and went is judged by them alone where that can be told; what is kept is
what judging the delivered rows again gives, byte for byte."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from orchestration.identifiers import KEY_FILE
from orchestration.intake import judged_before, pieces, taking_in
from orchestration.intake.store import Snapshot
from tests.support.workshop import ACCESS_HEADER, ORGANISATIONS, YEAR, Workshop, sims, student, text

STUDENTS = 200
SCHOOLS = [f"9101{n:04d}" for n in range(1, 9)]
DIRECTORY = ORGANISATIONS.splitlines()[:3]


def directory(schools: list[str]) -> str:
    rows = [f"2025,{code},School {code},school,91010000,Alder,Title I School" for code in schools]
    return text([*DIRECTORY, *rows])


def students(part: str, numbers: list[int]) -> str:
    head, *rows = sims(part, STUDENTS).splitlines()
    return text([head, *(rows[n] for n in numbers)])


def row(number: int, school: str, grade: str = "04") -> str:
    return f"2025,{student(number)},{school},{grade},T,3.4,1"


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    shop = Workshop(tmp_path, access="1")
    shop.deliver("organisations.csv", directory(SCHOOLS[:6]))
    shop.deliver("sims_october_1.csv", students("october_1", [*range(100)]))
    shop.deliver("sims_end_of_year.csv", students("end_of_year", [*range(50, 150)]))
    for collection in ("organisations", "sims"):
        assert shop.take_in(collection).refusals == ()
    return shop


def taken(shop: Workshop, *rows: str) -> Snapshot:
    """The snapshot of an access delivery of 40 good rows and these."""
    shop.deliver("access.csv", text([ACCESS_HEADER, *(row(n, SCHOOLS[0]) for n in range(60, 100)), *rows]))
    return shop.take_in("access").taken[0].snapshot


def again(shop: Workshop, part: str, numbers: list[int]) -> str:
    """What becomes of access after another delivery of a part of sims."""
    shop.deliver(f"sims_{part}.csv", students(part, numbers))
    assert shop.take_in("sims").refusals == ()
    return shop.take_in("access").taken[0].state


def test_keys_that_no_row_is_about_come_and_go(shop: Workshop) -> None:
    before = taken(shop, row(160, SCHOOLS[0]), row(5, SCHOOLS[0], grade="ZZ"))
    assert before.quarantined == 2
    assert again(shop, "end_of_year", [*range(50, 149), 151]) == "held"
    after = shop.in_force("access")
    assert after.seq > before.seq
    assert (after.files, after.quarantined, after.received) == (before.files, before.quarantined, before.received)
    assert after.references != before.references
    assert shop.take_in("access").taken[0].state == "unchanged"


def test_a_key_that_another_part_still_has_is_not_gone(shop: Workshop) -> None:
    taken(shop)
    assert again(shop, "end_of_year", [*range(99, 150)]) == "held"
    assert again(shop, "october_1", [*range(99)]) == "held"
    assert again(shop, "end_of_year", [*range(100, 150)]) == "revalidated"
    assert shop.in_force("access").quarantined == 1


@pytest.mark.parametrize(
    ("rows", "numbers", "read"),
    [
        pytest.param([row(149, SCHOOLS[0])], range(50, 149), False, id="an accepted row loses its student"),
        pytest.param([row(150, SCHOOLS[0])], range(50, 151), True, id="a row set aside gets its student"),
        pytest.param([row(149, SCHOOLS[0], grade="ZZ")], range(50, 149), True, id="a row set aside loses its student"),
    ],
)
def test_only_a_row_that_was_set_aside_needs_the_delivery(
    shop: Workshop, rows: list[str], numbers: range, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, read_again = taken(shop, *rows), []
    prepare = taking_in.prepare
    monkeypatch.setattr(taking_in, "prepare", lambda *a, **k: (read_again.append(a[1]), prepare(*a, **k))[1])
    assert again(shop, "end_of_year", [*numbers]) == "revalidated"
    assert shop.in_force("access").violations != before.violations
    assert ("2025/access.csv" in read_again) == read


def test_too_many_lost_rows_are_refused(shop: Workshop) -> None:
    """Set aside for their references alone, they count against the tolerated share; what was in force stays."""
    shop = Workshop(shop.settings.home.parent / "strict", access="0.02")
    shop.deliver("organisations.csv", directory(SCHOOLS[:6]))
    shop.deliver("sims_end_of_year.csv", students("end_of_year", [*range(50, 150)]))
    for collection in ("organisations", "sims"):
        shop.take_in(collection)
    before = taken(shop)
    shop.deliver("sims_end_of_year.csv", students("end_of_year", [*range(61, 150)]))
    shop.take_in("sims")
    refusal = "2025/access.csv: 1 of 40 rows break the contract, more than the tolerated share 0.02; most often sasid"
    assert shop.take_in("access").refusals[0].startswith(refusal)
    assert shop.in_force("access") == before


def test_a_school_that_comes_matters_to_rows_set_aside_only(shop: Workshop) -> None:
    taken(shop)
    shop.deliver("organisations.csv", directory(SCHOOLS[:7]))
    shop.take_in("organisations")
    assert shop.take_in("access").taken[0].state == "held"
    taken(shop, row(1, SCHOOLS[7]))
    shop.deliver("organisations.csv", directory(SCHOOLS))
    shop.take_in("organisations")
    assert shop.take_in("access").taken[0].state == "revalidated"
    assert shop.in_force("access").quarantined == 0


def test_whoever_refers_to_what_was_lost_is_told(tmp_path: Path) -> None:
    """Students go with their school, and a row may lose both: the keys that are left, and what is said of the rows, are
    those of a store that never saw the school."""
    shop, fresh = (Workshop(tmp_path / name, access="1", sims="1") for name in ("shop", "fresh"))
    head, *rows = sims("end_of_year", 100).splitlines()
    rows[1::2] = [row.replace(SCHOOLS[0], SCHOOLS[1]) for row in rows[1::2]]
    for to in (shop, fresh):
        to.deliver("organisations.csv", directory(SCHOOLS[:2] if to is shop else SCHOOLS[:1]))
        to.deliver("sims_end_of_year.csv", text([head, *rows]))
        to.deliver("access.csv", text([ACCESS_HEADER, *(row(n, SCHOOLS[n % 2]) for n in range(60, 100))]))
        assert changed(to) == "new"
    assert shop.in_force("access").quarantined == 0
    shop.deliver("organisations.csv", directory(SCHOOLS[:1]))
    assert changed(shop) == "revalidated"
    there, expected = (to.store.in_force(YEAR, "sims", "official")["end_of_year"] for to in (shop, fresh))
    assert (there.keys, there.quarantined) == (expected.keys, 50)
    assert there.files["accepted-000.parquet"] == expected.files["accepted-000.parquet"]
    assert shop.in_force("access").quarantined == fresh.in_force("access").quarantined == 20
    lost = [("sasid", "foreign_key", 20), ("school_code", "foreign_key", 20)]
    assert shop.in_force("access").violations == fresh.in_force("access").violations == lost


@pytest.mark.parametrize("lost", ["own rows", "keys before"])
def test_what_was_damaged_is_never_held(shop: Workshop, lost: str) -> None:
    before = taken(shop)
    keys = shop.store.in_force(YEAR, "sims", "official")["end_of_year"]
    path = shop.store.folder(before if lost == "own rows" else keys) / "accepted-000.parquet"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-40] + bytes(40))
    assert again(shop, "end_of_year", [*range(50, 149)]) == "revalidated"
    assert shop.in_force("access").files == before.files


def test_only_pieces_that_lose_a_row_are_written(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows 2 to 42 in pieces of ten numbers: one row goes from the third piece, then both that are in the fifth."""
    monkeypatch.setattr(pieces, "PIECE", 10)
    written: list[int] = []
    write = judged_before.write_pieces
    monkeypatch.setattr(judged_before, "write_pieces", lambda *a: write(*a[:3], [written.append(n) or n for n in a[3]]))
    before = taken(shop, row(149, SCHOOLS[0]))
    assert before.accepted_files == [f"accepted-00{n}.parquet" for n in range(5)]
    assert (again(shop, "end_of_year", [*range(50, 81), *range(82, 150)]), written) == ("held", [])
    assert (again(shop, "october_1", [*range(81)]), written) == ("revalidated", [2])
    after = shop.in_force("access")
    assert [name for name in before.files if before.files[name] != after.files.get(name)] == [
        "accepted-002.parquet",
        "quarantine.parquet",
    ]
    assert (again(shop, "end_of_year", [*range(50, 81), *range(82, 98)]), written) == ("revalidated", [2])
    left = shop.in_force("access")
    assert left.accepted_files == [*before.accepted_files[:3], "accepted-003.parquet"]
    assert (left.accepted, left.quarantined) == (37, 4)
    assert shop.store.faults(left) == []


def test_a_delivery_that_loses_all_its_rows_is_refused(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where none of them lies in the first piece."""
    monkeypatch.setattr(pieces, "PIECE", 10)
    rows = [row(n, SCHOOLS[0], grade="ZZ" if n < 70 else "04") for n in range(60, 100)]
    shop.deliver("access.csv", text([ACCESS_HEADER, *rows]))
    before = shop.take_in("access").taken[0].snapshot
    assert before.accepted_files == [f"accepted-00{n}.parquet" for n in range(1, 5)]
    shop.deliver("sims_october_1.csv", students("october_1", [*range(70)]))
    shop.deliver("sims_end_of_year.csv", students("end_of_year", [*range(50, 70), *range(100, 150)]))
    assert shop.take_in("sims").refusals == ()
    (refusal,) = shop.take_in("access").refusals
    assert refusal.startswith("2025/access.csv: 40 of 40 rows break the contract")
    assert shop.in_force("access") == before


def test_a_snapshot_of_an_older_version_is_judged_again(shop: Workshop) -> None:
    """It has all accepted rows in one file, which every later room reads like pieces."""
    before = taken(shop, row(149, SCHOOLS[0]))
    folder = shop.store.folder(before)
    (folder / "accepted-000.parquet").rename(folder / "accepted.parquet")
    files = {name.replace("-000", ""): digest for name, digest in before.files.items()}
    older = replace(before, files=files)
    shop.store.write_json(shop.store.manifest_path(before), asdict(older))
    assert shop.store.faults(older) == []
    assert older.accepted_sha256 == before.accepted_sha256
    assert again(shop, "end_of_year", [*range(50, 149)]) == "revalidated"
    assert shop.in_force("access").accepted_files == ["accepted-000.parquet"]
    assert shop.in_force("access").accepted == 40


@pytest.mark.parametrize(("seed", "piece"), [(0, pieces.PIECE), (1, pieces.PIECE), (2, 7), (3, 7)])
def test_what_is_held_is_what_judging_again_gives(
    shop: Workshop, seed: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two stores, the same changes: one holds what it may, the other judges everything again."""
    monkeypatch.setattr(pieces, "PIECE", piece)
    chance, states = random.Random(seed), set()
    other = Workshop(shop.settings.home.parent, access="1")
    other.settings = other.settings.model_copy(update={"home": shop.settings.home.parent / "other"})
    other.store = type(shop.store)(other.settings.home)
    other.settings.home.mkdir()
    (other.settings.home / KEY_FILE).write_bytes((shop.settings.home / KEY_FILE).read_bytes())
    some = chance.sample([*range(60), *range(100, 170)], 12)
    taken(shop, *(row(n, chance.choice(SCHOOLS), chance.choice(["04", "04", "04", "ZZ"])) for n in some))
    for collection in ("organisations", "sims", "access"):
        other.take_in(collection)
    for _ in range(8):
        if chance.random() < 0.3:
            shop.deliver("organisations.csv", directory(sorted({SCHOOLS[0], *chance.sample(SCHOOLS, 6)})))
        part, first = chance.choice([("october_1", 0), ("end_of_year", 50)])
        gone = chance.sample(range(200), chance.choice([1, 9]))
        numbers = {*range(first, first + 100)} - {*gone} | {chance.randrange(200)}
        shop.deliver(f"sims_{part}.csv", students(part, sorted(numbers)))
        state = changed(shop)
        with monkeypatch.context() as patched:
            patched.setattr(taking_in, "judge_by_references", lambda *_: None)
            assert (changed(other) == "unchanged") == (state == "unchanged")
        states.add(state)
        assert shop.in_force("access").files == other.in_force("access").files
        assert shop.in_force("access").violations == other.in_force("access").violations
    assert {"held", "revalidated"} <= states


def changed(shop: Workshop) -> str:
    """What becomes of access once everything that has landed is taken in."""
    found = [shop.take_in(name) for name in ("organisations", "sims", "access")]
    assert all(intake.refusals == () for intake in found)
    return found[-1].taken[0].state
