"""From a run to a release and back: publishing, correcting, comparing, explaining, rebuilding, as people call it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest

from orchestration.releases import MANIFEST, current, find, releases
from tests.e2e.test_cli import COMMAND, PROJECT, accountability
from tests.support.releases import bytes_of, correction_of

YEAR = 2025
FIRST, SECOND = "student-official-001", "student-official-002"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with landing/ and home/ after the annual run of two years."""
    folder = tmp_path_factory.mktemp("releases")
    made = accountability("generate", "--students", "3000", "--years", "2024-2025", "--out", folder / "landing")
    assert made.returncode == 0, made.stderr
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert f"Release: {folder / 'home' / 'published' / str(YEAR) / FIRST}" in done.stdout
    return folder


@pytest.fixture
def corrected(state: Path) -> Path:
    """The same after one corrected value and another run."""
    if len(releases(state / "home", YEAR)) == 1:
        line = correction_of(state / "landing" / str(YEAR) / "mcas.csv")
        (state / "landing" / str(YEAR) / "corrections.csv").write_text(line)
        done = run(state)
        assert done.returncode == 0, done.stderr
    return state


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return accountability("run", "--year", str(YEAR), "--raw", folder, "--home", folder / "home", *more)


class TestRelease:
    def test_it_holds_every_table_with_its_manifest_and_is_in_force(self, state: Path) -> None:
        release = current(state / "home", YEAR)
        assert release is not None
        manifest = release.manifest
        assert manifest["gates_passed"] == ["source", "indicators", "determinations", "assistance"]
        assert {"indicator_results", "determinations", "determination_trace", "assistance_eligibility"} <= {
            *manifest["rows"]
        }
        assert {i["collection"] for i in manifest["inputs"] if i["year"] == YEAR} >= {"sims", "mcas", "organisations"}
        shown = accountability("release", "show", f"{YEAR}/{FIRST}", "--home", state / "home")
        assert shown.returncode == 0, shown.stderr
        assert "files are as the manifest says" in shown.stderr
        listed = json.loads(accountability("release", "list", "--json", "--home", state / "home").stdout)
        assert {f"{YEAR}/{FIRST}", f"{YEAR - 1}/{FIRST}"} <= {entry["release"] for entry in listed}

    def test_the_same_again_makes_no_new_release(self, state: Path) -> None:
        before = bytes_of(state / "home" / "published")
        assert run(state).returncode == 0
        assert bytes_of(state / "home" / "published") == before

    def test_another_home_gives_the_same_bytes(self, state: Path, tmp_path: Path) -> None:
        done = accountability("run", "--year", str(YEAR), "--raw", state, "--home", tmp_path)
        assert done.returncode == 0, done.stderr
        ours, other = (bytes_of(home / "published" / str(YEAR) / FIRST) for home in (state / "home", tmp_path))
        assert other == ours

    def test_a_rebuild_has_the_same_bytes(self, state: Path) -> None:
        done = run(state, "--from-release", FIRST)
        assert done.returncode == 0, done.stdout + done.stderr
        same, _, whole = done.stdout.splitlines()[-1].split()[:3]
        assert same == whole
        assert int(same) > 30

    def test_a_changed_file_is_found(self, state: Path, tmp_path: Path) -> None:
        shutil.copytree(state / "home" / "published", tmp_path / "published", symlinks=True)
        file = tmp_path / "published" / str(YEAR) / FIRST / "determinations.csv"
        file.chmod(0o600)
        file.write_text(file.read_text() + "\n")
        done = accountability("release", "show", f"{YEAR}/{FIRST}", "--home", tmp_path)
        assert done.returncode == 1
        assert f"{file}: has other bytes than the manifest says" in done.stderr


class TestExplain:
    def test_a_school_is_explained_down_to_its_deliveries(self, state: Path) -> None:
        folder = find(state / "home", f"{YEAR}/{FIRST}").folder
        rows = pq.read_table(folder / "determinations.parquet").to_pylist()
        school = next(r for r in rows if r["org_type"] == "school" and r["decided_by"] == "progress")
        began = time.monotonic()
        done = accountability("explain", "--year", str(YEAR), "--org", school["org_code"], "--home", state / "home")
        assert time.monotonic() - began < 5
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{school['org_name']} ({school['org_code']}), {YEAR}: ")
        for words in (
            "annual percentage: ",
            "points: ",
            "figure: ",
            "numerator ",
            "delivery: 2025 mcas",
            "sha256 ",
            "[1]",
        ):
            assert words in done.stdout

    def test_the_other_forms_say_the_same(self, state: Path) -> None:
        folder = find(state / "home", f"{YEAR}/{FIRST}").folder
        code = next(r["org_code"] for r in pq.read_table(folder / "determinations.parquet").to_pylist())
        words = ("explain", "--year", str(YEAR), "--org", code, "--home", state / "home", "--format")
        document = json.loads(accountability(*words, "json").stdout)
        jsonschema.validate(document, json.loads((PROJECT / "docs" / "explanation.schema.json").read_text()))
        assert document["manifest_sha256"] == find(state / "home", f"{YEAR}/{FIRST}").sha256
        page = accountability(*words, "html").stdout
        assert document["tree"]["children"][0]["figure"].split(" / ")[0] in page
        assert "<script" not in page
        assert "http-equiv" in page

    def test_unknown_organisations_and_releases_are_one_line(self, state: Path) -> None:
        words = ("explain", "--year", str(YEAR), "--home", state / "home")
        for more, said in (
            (("--org", "99999999"), "no such organisation"),
            (("--org", "00000000", "--release", "x"), "there are: 2025/student-official-001"),
            (("--org", "00000000", "--indicator", "shoes"), "has no such step; indicators: "),
        ):
            done = accountability(*words, *more)
            assert done.returncode == 1
            assert done.stderr.startswith("error: ")
            assert said in done.stderr
            assert len(done.stderr.splitlines()) == 1


class TestCorrection:
    def test_a_correction_makes_a_release_that_tells_what_changed(self, corrected: Path, tmp_path: Path) -> None:
        home = corrected / "home"
        assert current(home, YEAR) == find(home, f"{YEAR}/{SECOND}")
        told = json.loads((find(home, f"{YEAR}/{SECOND}").folder / "changes" / "diff.json").read_text())
        assert [entry["key"].split()[1] for entry in told["inputs"]["added"]] == ["corrections"]
        assert told["policy"] == {"added": [], "removed": [], "changed": []}
        assert {"indicator_results", "applied_corrections"} <= {*told["tables"]}
        [applied] = pq.read_table(find(home, f"{YEAR}/{SECOND}").folder / "applied_corrections.parquet").to_pylist()
        book = tmp_path / "diff.xlsx"
        done = accountability(
            "release", "diff", f"{YEAR}/{FIRST}", f"{YEAR}/{SECOND}", "--home", home, "--workbook", book
        )
        assert done.returncode == 0, done.stderr
        assert "indicator_results: 0 rows added, 0 removed; value in" in done.stdout
        assert book.read_bytes()[:2] == b"PK"
        with (find(home, f"{YEAR}/{SECOND}").folder / "changes" / "figures.csv").open(newline="") as file:
            moved = [
                r["key"] for r in csv.DictReader(file) if r["table"] == "indicator_results" and r["column"] == "value"
            ]
        places = {applied["org_code"], applied["org_code"][:4] + "0000", "00000000"}
        assert moved
        assert {key.split("/")[1] for key in moved} <= places

    def test_the_trace_keeps_both_values(self, corrected: Path) -> None:
        home = corrected / "home"
        [applied] = pq.read_table(find(home, f"{YEAR}/current").folder / "applied_corrections.parquet").to_pylist()
        done = accountability("explain", "--year", str(YEAR), "--org", applied["org_code"], "--home", home)
        assert f"correction: mcas.ela_scaled_score: {applied['old_value']} → {applied['new_value']}" in done.stdout
        first = accountability(
            "explain", "--year", str(YEAR), "--org", applied["org_code"], "--release", FIRST, "--home", home
        )
        assert "correction: " not in first.stdout

    def test_a_correction_that_does_not_fit_leaves_the_release_in_force(self, corrected: Path) -> None:
        home, ledger = corrected / "home", corrected / "landing" / str(YEAR) / "corrections.csv"
        before, good = bytes_of(home / "published"), ledger.read_text()
        ledger.write_text(
            good.replace(",540,", ",541,", 1).replace("Rescored", "Rescored again") + good.splitlines()[1] + "\n"
        )
        done = run(corrected)
        assert done.returncode == 1
        assert [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert bytes_of(home / "published") == before
        ledger.write_text(good + "\n")


class TestFaults:
    def test_killed_at_any_moment_the_store_stays_valid_and_the_next_run_succeeds(
        self, state: Path, tmp_path: Path
    ) -> None:
        """The moments are spread over the whole run; `benchmarks/kills.py` tries many more."""
        before = bytes_of(state / "home" / "published")
        shutil.copytree(state / "home", tmp_path / "home", symlinks=True)
        shutil.copytree(state / "landing", tmp_path / "landing")
        landed = tmp_path / "landing" / str(YEAR) / "dropouts.csv"
        landed.write_text("\n".join(landed.read_text().splitlines()[:-1]) + "\n")
        words = [COMMAND, "run", "--year", str(YEAR), "--raw", tmp_path, "--home", tmp_path / "home"]
        for seconds in (4.0, 9.0, 16.0):
            process = subprocess.Popen(
                words, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            time.sleep(seconds)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            now = bytes_of(tmp_path / "home" / "published")
            assert {name: digest for name, digest in now.items() if name in before} == before
            release = current(tmp_path / "home", YEAR)
            assert release is not None
            assert (release.folder / MANIFEST).is_file()
        done = accountability("run", "--year", str(YEAR), "--raw", tmp_path, "--home", tmp_path / "home")
        assert done.returncode == 0, done.stderr
        left = [p.name for p in (tmp_path / "home" / "published" / str(YEAR)).iterdir() if p.name.startswith(".")]
        assert left == []

    def test_a_second_run_waits_for_the_first(self, state: Path) -> None:
        words = [COMMAND, "run", "--year", str(YEAR), "--raw", state, "--home", state / "home"]
        both = [
            subprocess.Popen(words, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        said = [process.communicate(timeout=300)[1] for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert any("another run is writing; waiting for it to end" in text for text in said)
