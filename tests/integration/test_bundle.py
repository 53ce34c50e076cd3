"""Bundles of releases that lack something: determinations, a record of the run, the models they were made with.

Belongs here: small homes written by hand. Does not: a whole release and its verifier (tests/e2e/test_releases).
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.publication.bundle import dbt_docs
from orchestration.publication.bundle.contents import Audience, run_times, told
from orchestration.publication.bundle.lineage_events import events
from orchestration.publication.bundle.making import make_bundle
from orchestration.publication.code import LIST, read_code
from orchestration.publication.publishing import publish
from orchestration.releases import Release
from tests.support.bundles import OPENLINEAGE, unpacked, verified
from tests.support.small_home import YEAR, SmallHome


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """A preliminary release of indicator tables alone."""
    home = SmallHome(tmp_path / "home")
    home.room(
        "indicators", YEAR, "student", home._indicators(YEAR), [home._delivery(YEAR, name) for name in home.collections]
    )
    for room in ("source", "indicators"):
        home.gate(room, YEAR, "student", passed=True)
    return publish(YEAR, "student", "preliminary", settings=home.settings, register=home.register).release


@pytest.mark.parametrize("audience", Audience)
def test_without_determinations_the_files_alone_are_checked(
    release: Release, tmp_path: Path, audience: Audience
) -> None:
    out, home = tmp_path / "bundle.zip", release.folder.parents[2]
    make_bundle(release, out, Audience.public, home=home, with_dbt=False)  # an earlier one makes room
    made = make_bundle(release, out, audience, home=home, with_dbt=False)
    assert (made.steps, made.size) == (0, out.stat().st_size)
    place = unpacked(out, tmp_path / "unpacked")
    done = verified(place)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2].startswith("No trace: ")
    assert sha256_of(place / "bundle.json") == made.sha256
    assert made.sha256 in done.stdout
    assert "not there: it was not asked for" in (place / "README.md").read_text()
    assert all(OPENLINEAGE.is_valid(event) for event in events(told(release, audience, home)))
    (place / "release" / "manifest.json").unlink()
    broken = verified(place)
    assert broken.returncode == 1
    assert "release/manifest.json: is missing" in broken.stdout
    assert broken.stderr == ""


def test_an_archive_that_was_cut_off_or_holds_a_file_twice_does_not_hold(release: Release, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    make_bundle(release, out, Audience.auditor, home=release.folder.parents[2], with_dbt=False)
    place = unpacked(out, tmp_path / "unpacked")
    whole = out.read_bytes()
    out.write_bytes(whole[: len(whole) // 2])
    assert verified(place, out).returncode == 2
    spoiled = bytearray(whole)
    spoiled[whole.index(b"/release/policy.csv") + 500] ^= 1
    out.write_bytes(spoiled)
    said = verified(place, out)
    assert said.returncode == 1
    assert "release/policy.csv: has other bytes than bundle.json says: sha256 unreadable" in said.stdout


def test_a_file_that_is_no_bundle_is_not_overwritten(release: Release, tmp_path: Path) -> None:
    """Whatever it is: text, an archive of something else, a bundle cut off; and nothing is left beside it."""
    out, home = tmp_path / "figures.zip", release.folder.parents[2]
    make_bundle(release, out, Audience.public, home=home, with_dbt=False)
    whole = out.read_bytes()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("figures/bundle.json", json.dumps({"release": "mine"}))
        archive.writestr("figures/of_my_own.csv", "a,b")
    for content in (b"", b"my figures", (tmp_path / "other.zip").read_bytes(), whole[: len(whole) // 2]):
        out.write_bytes(content)
        with pytest.raises(InputError) as raised:
            make_bundle(release, out, Audience.public, home=home, with_dbt=False)
        assert str(raised.value) == (
            f"--out {out}: is there already and is no audit bundle; move it away or name another file"
        )
        assert out.read_bytes() == content
    out.write_bytes(whole)
    make_bundle(release, out, Audience.public, home=home, with_dbt=False)
    assert out.read_bytes() == whole
    assert {path.name for path in tmp_path.iterdir()} == {"home", "figures.zip", "other.zip"}


def test_times_are_those_of_the_record_of_the_run_that_made_the_release(release: Release) -> None:
    """Not of one that failed, or found nothing changed, before or after: it names the newest release too."""
    home = release.folder.parents[2]
    os.utime(release.folder / "manifest.json", (0, 86_400))
    assert run_times(release, home) == ("1970-01-02T00:00:00+00:00",) * 2
    (home / "runs").mkdir()
    record = {"year": YEAR, "source": "student", "stage": "preliminary", "release": release.name}
    made: dict[str, object] = {"release_is_new": True}
    others: list[dict[str, object]] = [{"release": None}, made | {"stage": "official"}, {"release_is_new": False}]

    def recorded(*runs: dict[str, object]) -> tuple[str, str]:
        for number, changed in enumerate(runs):
            content = record | {"started": f"2025-10-0{number + 1}", "ended": f"2025-10-1{number}"} | changed
            (home / "runs" / f"00000{number}-{YEAR}.json").write_text(json.dumps(content))
        return run_times(release, home)

    assert recorded(*others) == ("1970-01-02T00:00:00+00:00",) * 2
    assert recorded(*others, made | {"succeeded": False}, made) == ("2025-10-04", "2025-10-13")
    # Records that do not say whether the run made it.
    assert recorded(*others, {"succeeded": False}, {"succeeded": True}) == ("2025-10-05", "2025-10-14")
    assert recorded(*others, {"succeeded": False}, {}) == ("2025-10-05", "2025-10-14")


def test_models_that_changed_since_are_not_passed_off_as_those_of_the_release(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dbt_docs.changed_models(release.folder) == ()
    model = next(name for name in read_code(release.folder) if name.startswith("dbt_project/models/"))
    monkeypatch.setattr(dbt_docs, "changed_since", lambda folder: (model, "orchestration/cli.py"))
    out = tmp_path / "bundle.zip"
    make_bundle(release, out, Audience.auditor, home=release.folder.parents[2])
    place = unpacked(out, tmp_path / "unpacked")
    assert not (place / "dbt").exists()
    assert f"changed since the release was made (1 files, first {model})" in (place / "README.md").read_text()
    assert (place / "release" / LIST).is_file()


def test_rerunning_gives_other_run_identifiers_only_for_other_content(release: Release) -> None:
    known = told(release, Audience.auditor, release.folder.parents[2])
    other = replace(known, manifest={**known.manifest, "content_sha256": "0" * 64})
    ids, again, others = ([event["run"]["runId"] for event in events(of)] for of in (known, known, other))
    assert ids == again
    assert not {*ids} & {*others}
