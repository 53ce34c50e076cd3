"""Which files that lie there are deliveries, whether they are taken now, and which one is in force afterwards."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.intake.landing import scan
from tests.support.workshop import ORGANISATIONS, Workshop, access, changed, text, with_access

pytestmark = pytest.mark.filterwarnings("error")

GOOD = text(access())


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return with_access(tmp_path)


def test_two_different_new_deliveries_at_once_are_both_refused(shop: Workshop) -> None:
    before = shop.fingerprint()
    shop.deliver("access_a.csv", text(access(200)))
    shop.deliver("access_b.csv", text(access(250)))
    line = shop.take_in("access").refusals[0]
    assert "2025/access_a.csv and 2025/access_b.csv" in line
    assert "leave one in place" in line
    assert shop.fingerprint() == before


def test_identical_bytes_under_another_name_are_no_new_delivery(shop: Workshop) -> None:
    before = shop.fingerprint()
    shop.deliver("access_again.csv", GOOD)
    assert shop.take_in("access").taken[0].state == "unchanged"
    assert shop.fingerprint() == before


def test_changed_bytes_are_a_new_version_and_the_old_one_stays(shop: Workshop) -> None:
    before = shop.fingerprint()
    old = shop.in_force("access")
    shop.deliver("access.csv", text(access(299)))
    new = shop.take_in("access").taken[0]
    assert new.state == "new"
    assert new.snapshot.seq > old.seq
    assert shop.in_force("access") == new.snapshot
    assert before.items() <= shop.fingerprint().items()
    assert shop.store.delivery(old.sha256).read_bytes() == GOOD.encode()


def test_an_earlier_delivery_that_is_put_back_is_news(shop: Workshop) -> None:
    """As often as it happens: whoever puts it back means it."""
    first, other = shop.in_force("access"), text(access(299))
    for content in (other, GOOD, other, GOOD):
        shop.deliver("access.csv", content)
        taken = shop.take_in("access").taken[0]
        assert taken.state == "new"
        assert shop.in_force("access") == taken.snapshot
        assert shop.store.delivery(taken.snapshot.sha256).read_text() == content
        assert shop.take_in("access").taken[0].state == "unchanged"
    last = shop.in_force("access")
    assert (last.sha256, last.files, last.seq) == (first.sha256, first.files, first.seq + 4)
    assert shop.store.faults(last) == []


def test_a_superseded_delivery_that_still_lies_there_is_no_news(shop: Workshop) -> None:
    shop.deliver("access_corrected.csv", text(access(299)))
    newer = shop.take_in("access").taken[0]
    assert newer.state == "new"
    os.utime(shop.settings.landing / "2025" / "access.csv")
    assert shop.take_in("access").taken == (replace(newer, state="unchanged"),)


def test_a_corrected_file_that_takes_the_old_name_is_no_news(shop: Workshop) -> None:
    """Nor does it come back into force once the next one has."""
    landed = shop.settings.landing / "2025"
    shop.deliver("access_corrected.csv", text(access(299)))
    corrected = shop.take_in("access").taken[0]
    (landed / "access_corrected.csv").rename(landed / "access.csv")
    assert shop.take_in("access").taken == (replace(corrected, state="unchanged"),)
    shop.deliver("access_corrected.csv", text(access(298)))
    newest = shop.take_in("access").taken[0]
    assert newest.state == "new"
    assert shop.take_in("access").taken == (replace(newest, state="unchanged"),)
    shop.deliver("access_corrected.csv", GOOD)  # in place of what is in force, though another name had it first
    assert shop.take_in("access").taken[0].state == "new"


def test_a_growing_file_waits(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file gets longer between the first look and the last: it is not taken, and taken once complete."""
    path = shop.deliver("access_2.csv", text(access(150)))
    before = shop.fingerprint()

    longer = path.read_text() + access(1, first=200)[1] + "\n"

    def grow(_: float) -> None:
        path.write_text(longer)

    patient = Workshop(shop.settings.home.parent, settle_seconds="1")
    with monkeypatch.context() as patch:
        patch.setattr("orchestration.intake.store.time.sleep", grow)
        assert "still growing" in patient.take_in("access").refusals[0]
    assert shop.fingerprint() == before
    assert shop.take_in("access").taken[0].snapshot.rows == 151


def test_an_unreadable_file_is_named(shop: Workshop, tmp_path: Path) -> None:
    path = shop.deliver("access_2.csv", text(access(150)))
    before = shop.fingerprint()
    path.chmod(0)
    if os.geteuid() != 0:
        line = shop.take_in("access").refusals[0]
    else:  # permissions do not bind the superuser: try as an ordinary user who owns the store
        for item in (tmp_path, *tmp_path.rglob("*")):
            if item != path:
                os.chown(item, 65534, -1)
        for parent in tmp_path.parents:
            if parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        os.seteuid(65534)
        try:
            line = shop.take_in("access").refusals[0]
        finally:
            os.seteuid(0)
    assert line == (
        "2025/access_2.csv: cannot be read (Permission denied); check the file and its permissions, deliver it again"
    )
    assert shop.fingerprint() == before


def test_a_link_is_never_followed(shop: Workshop, tmp_path: Path) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text(GOOD)
    (shop.settings.landing / "2025" / "access_2.csv").symlink_to(outside)
    (shop.settings.landing / "2025" / "folder").symlink_to(tmp_path)
    found = scan(shop.settings.landing, 2025, shop.contracts)
    assert found.problems == (
        "2025/access_2.csv: is a link; deliver the file itself",
        "2025/folder: is a link; deliver the file itself",
    )
    before = shop.fingerprint()
    assert [t.state for t in shop.take_in("access").taken] == ["unchanged"]
    assert shop.fingerprint() == before


def test_a_pipe_is_not_opened(shop: Workshop) -> None:
    os.mkfifo(shop.settings.landing / "2025" / "access_2.csv")
    assert scan(shop.settings.landing, 2025, shop.contracts).problems == (
        "2025/access_2.csv: is not a regular file; deliver a .csv, .csv.gz, .xlsx, .parquet file",
    )


def test_a_file_of_no_collection_is_named(shop: Workshop) -> None:
    shop.deliver("upload.csv", "a,b\n1,2\n")
    shop.deliver("notes.txt", "x")
    problems = scan(shop.settings.landing, 2025, shop.contracts).problems
    assert problems == (
        "2025/notes.txt: unknown format; deliver .csv, .csv.gz, .xlsx, .parquet",
        "2025/upload.csv: the name has no collection in it and its header fits no collection; "
        "name the file after its collection",
    )


def test_a_file_is_recognised_by_its_header(shop: Workshop) -> None:
    shop.deliver("upload.csv", text(access(299)))
    assert shop.take_in("access").taken[0].snapshot.file == "2025/upload.csv"


def test_a_collection_it_refers_to_must_be_there(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    shop.deliver("access.csv", GOOD)
    assert shop.take_in("access").refusals == (
        "2025/access.csv: needs organisations of 2025, of which nothing is accepted; deliver that first",
    )


def test_rows_are_judged_again_when_what_they_refer_to_changes(shop: Workshop) -> None:
    """A school that was missing from the directory is delivered: rows set aside for it come back without a new file."""
    shop.deliver("access.csv", text(changed(5, school_code="91010003")))
    assert shop.take_in("access").taken[0].snapshot.quarantined == 1
    shop.deliver("organisations.csv", ORGANISATIONS + "2025,91010003,Alder High,school,91010000,Alder,Title I School\n")
    shop.take_in("organisations")
    again = shop.take_in("access").taken[0]
    assert (again.state, again.snapshot.accepted, again.snapshot.quarantined) == ("revalidated", 300, 0)


def test_a_delivery_with_rows_set_aside_is_told_once(shop: Workshop) -> None:
    """What was taken in now is not told as standing already, too: its rows would be counted twice."""
    shop.deliver("access.csv", text(changed(5, school_code="91010003")))
    (taken,) = shop.take_in("access").taken
    assert (taken.state, taken.snapshot) == ("new", shop.in_force("access"))
    assert [(item.state, item.snapshot) for item in shop.take_in("access").taken] == [("unchanged", taken.snapshot)]


def test_a_part_that_cannot_be_told_is_refused(shop: Workshop) -> None:
    content = (shop.settings.landing / "2025" / "sims_october_1.csv").read_text() + "\n"
    shop.deliver("sims.csv", content)
    assert (
        "cannot tell the part; name it in the file name: october_1, march_1, end_of_year"
        in shop.take_in("sims").refusals[0]
    )
