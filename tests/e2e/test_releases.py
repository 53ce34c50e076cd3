"""From a run to a release and back: publishing, correcting, comparing, explaining, rebuilding, as people call it."""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from datetime import datetime
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest

from orchestration.publication.bundle.contents import OPEN
from orchestration.publication.checking import faults
from orchestration.releases import current, find, releases
from tests.e2e.test_cli import COMMAND, PROJECT, accountability
from tests.support.bundles import OPENLINEAGE, contents_of, forged, signed_again, traced, unpacked, verified
from tests.support.forgeries import FORGERIES, Forgery
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


@pytest.fixture(scope="module")
def corrected(state: Path) -> Path:
    """The same after one corrected value and another run."""
    if len(releases(state / "home", YEAR)) == 1:
        line = correction_of(state / "landing" / str(YEAR) / "mcas.csv")
        (state / "landing" / str(YEAR) / "corrections.csv").write_text(line)
        done = run(state)
        assert done.returncode == 0, done.stderr
    return state


@pytest.fixture(scope="module")
def bundles(corrected: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The auditor's bundle of the second release, the same made once more, and the public one; made side by side."""
    folder = tmp_path_factory.mktemp("bundles")
    words = [COMMAND, "release", "bundle", f"{YEAR}/{SECOND}", "--home", corrected / "home", "--out"]
    asked = {"auditor": (), "again": (), "public": ("--audience", "public", "--no-dbt")}
    made = {
        name: subprocess.Popen([*words, folder / f"{name}.zip", *more], cwd=folder, stderr=subprocess.PIPE, text=True)
        for name, more in asked.items()
    }
    said = {name: process.communicate(timeout=300)[1] for name, process in made.items()}
    assert [process.returncode for process in made.values()] == [0, 0, 0], said
    assert "steps of the trace" in said["auditor"]
    return {name: folder / f"{name}.zip" for name in asked}


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

    def test_killed_at_any_moment_another_home_ends_with_the_same_bytes(self, state: Path, tmp_path: Path) -> None:
        """Killed in the first year and in the second one, then left alone; `benchmarks/kills.py` tries many more."""
        words = [COMMAND, "run", "--year", str(YEAR), "--raw", state, "--home", tmp_path]
        ours, other = state / "home" / "published", tmp_path / "published"
        for year in (None, YEAR - 1):
            process = subprocess.Popen(
                words, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            deadline = time.monotonic() + 300
            while year and not (other / str(year) / "current").is_symlink():
                assert time.monotonic() < deadline, f"{year} was not published"
                time.sleep(0.1)
            time.sleep(5)  # intake of the first year; of the second one
            os.killpg(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, "it was at work"
            whole = releases(tmp_path)
            assert {release.folder for release in whole} == set(other.glob("*/student-*"))
            assert [fault for release in whole for fault in faults(release)] == []
        done = accountability("run", "--year", str(YEAR), "--raw", state, "--home", tmp_path)
        assert done.returncode == 0, done.stderr
        for year in (YEAR - 1, YEAR):
            assert bytes_of(other / str(year) / FIRST) == bytes_of(ours / str(year) / FIRST)
            assert [p.name for p in (other / str(year)).iterdir() if p.name.startswith(".")] == []

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


class TestBundle:
    def test_it_checks_out_with_python_alone(self, bundles: dict[str, Path], tmp_path: Path) -> None:
        place = unpacked(bundles["auditor"], tmp_path)
        done = verified(place)
        assert (done.returncode, done.stderr) == (0, "")
        held, _, made = done.stdout.splitlines()[-1].partition(" checks hold")[0].partition(" of ")
        assert held == made
        assert int(made) > 10_000
        assert "determinations made again" in done.stdout
        archive = verified(place, bundles["auditor"])
        assert (archive.returncode, archive.stdout) == (0, done.stdout)
        assert verified(place, tmp_path / "nothing.zip").returncode == 2
        tree = ast.parse((place / "verify.py").read_text(), feature_version=(3, 9))
        imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {getattr(node, "module", None) or node.names[0].name for node in imported}
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
        assert bundles["auditor"].stat().st_mode & 0o777 == 0o600

    def test_the_same_release_gives_the_same_bytes(self, bundles: dict[str, Path]) -> None:
        assert bundles["auditor"].read_bytes() == bundles["again"].read_bytes()
        with zipfile.ZipFile(bundles["auditor"]) as archive:
            top = f"auditor-{YEAR}-{SECOND}/"
            manifest = json.loads(archive.read(f"{top}dbt/manifest.json"))
            page = archive.read(f"{top}dbt/index.html").decode()
            assert f"{top}dbt/dbt_project/models/indicators/rules/achievement.md" in archive.namelist()
        assert manifest["nodes"]["model.accountability.indicator_results"]["columns"]
        assert "model.accountability.indicator_results" in page
        assert "INLINE DATA" not in page

    def test_no_identifier_and_no_place_of_this_machine_is_in_it(
        self, corrected: Path, bundles: dict[str, Path], tmp_path: Path
    ) -> None:
        """Every run of ten digits in every file, unpacked, against every student of the state."""
        students: set[bytes] = set()
        for file in (corrected / "landing").rglob("*.csv"):
            students |= {row["sasid"].encode() for row in csv.DictReader(file.open()) if row.get("sasid")}
        assert len(students) > 3000
        assert any(of in (corrected / "landing" / str(YEAR) / "corrections.csv").read_bytes() for of in students)
        for audience in ("auditor", "public"):
            place = unpacked(bundles[audience], tmp_path / audience)
            for file in (path for path in place.rglob("*") if path.is_file()):
                content = b"".join(contents_of(file))
                assert not students & set(re.findall(rb"(?=(\d{10}))", content)), file
                assert not [at for at in (corrected, PROJECT) if str(at).encode() in content], file

    def test_a_changed_added_or_missing_file_is_named(self, bundles: dict[str, Path], tmp_path: Path) -> None:
        place = unpacked(bundles["auditor"], tmp_path)
        table = place / "release" / "determinations.csv"
        spoiled = bytearray(table.read_bytes())
        spoiled[-20] ^= 1
        table.write_bytes(spoiled)
        (place / "release" / "note.txt").write_text("new")
        (place / "release" / "policy.csv").rename(tmp_path / "policy.csv")
        done = verified(place)
        assert done.returncode == 1
        for said in (
            "release/determinations.csv: has other bytes than bundle.json says",
            "release/note.txt: is not listed in bundle.json",
            "release/policy.csv: is missing",
        ):
            assert said in done.stdout
        assert re.fullmatch(r"\d+ of \d+ checks hold", done.stdout.splitlines()[-1])

    def test_a_figure_changed_with_its_digests_is_found_by_the_replay(
        self, bundles: dict[str, Path], tmp_path: Path
    ) -> None:
        """In the trace, and in a table of another organisation with the release's own manifest made to fit."""
        place = unpacked(bundles["auditor"], tmp_path)
        with traced(place) as steps:
            step = next(step for step in steps if step["kind"] == "annual" and step["outcome"]["kept"])
            step["outcome"] = {"kept": "12.3", "shown": "12"}
        table = place / "release" / "determinations.csv"
        rows = list(csv.DictReader(table.open(newline="")))
        row = next(row for row in rows if row["org_type"] == "school" and row["decided_by"] == "assistance_grounds")
        row["overall_classification"] = "Not requiring assistance or intervention"
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerows(rows)
        signed_again(place, table.name)
        done = verified(place)
        assert done.returncode == 1
        assert f"trace.jsonl.gz: {step['key']}: kept: 123/10 recorded" in done.stdout
        assert f"determinations.csv: {row['trace_key']}: overall_classification: Not requiring" in done.stdout
        assert "bytes" not in done.stdout
        assert "manifest" not in done.stdout

    @pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.__name__)
    def test_what_a_forger_left_out_or_put_in_is_named(
        self, bundles: dict[str, Path], tmp_path: Path, forgery: Forgery
    ) -> None:
        """Trace and table changed alike and every digest made to fit: organisation and ground are named."""
        place = unpacked(bundles["auditor"], tmp_path)
        wanted = forged(place, forgery)
        signed_again(place, "determinations.csv")
        done = verified(place)
        assert (done.returncode, done.stderr) == (1, "")
        lines = done.stdout.splitlines()
        for said in wanted:
            assert any(line.startswith(said) for line in lines), f"{said}: not found in {lines[:40]}"
        assert "bytes" not in done.stdout

    def test_the_public_one_holds_nothing_internal(
        self, corrected: Path, bundles: dict[str, Path], tmp_path: Path
    ) -> None:
        release = find(corrected / "home", f"{YEAR}/{SECOND}")
        place = unpacked(bundles["public"], tmp_path)
        files = {path.relative_to(place).as_posix(): path for path in place.rglob("*") if path.is_file()}
        assert {name for name in files if name.endswith(".csv") and "/public/" not in name} == {
            f"release/{name}.csv" for name in ("policy", "citations", "code")
        }
        assert files.keys() & {"trace.jsonl.gz", "release/determinations.csv"} == set()
        manifest = release.manifest
        secret = [of for name, of in manifest["files"].items() if name.split("/")[0] not in ("public", *OPEN)]
        secret += [entry[name] for entry in manifest["inputs"] for name in ("sha256", "accepted")]
        assert len(secret) > 60
        told = b"".join(path.read_bytes() for path in files.values())
        assert [digest for digest in secret if digest.encode() in told] == []
        done = verified(place)
        assert done.returncode == 0
        assert "the auditor's bundle is needed" in done.stdout
        assert bundles["public"].stat().st_mode & 0o777 == 0o644
        files["release/public/determinations.csv"].write_text("x")
        assert "release/public/determinations.csv: has other bytes" in verified(place).stdout

    @pytest.mark.parametrize("audience", ["auditor", "public"])
    def test_its_events_are_openlineage(self, bundles: dict[str, Path], tmp_path: Path, audience: str) -> None:
        place = unpacked(bundles[audience], tmp_path)
        events = [json.loads(line) for line in (place / "openlineage.jsonl").read_text().splitlines()]
        assert [error.message for event in events for error in OPENLINEAGE.iter_errors(event)] == []
        jobs: dict[str, list[str]] = {}
        for event in events:
            jobs.setdefault(event["job"]["name"], []).append(event["eventType"])
        rooms = ["source", "indicators", "determinations", "assistance"]
        names = ["annual_run_student", "intake", *rooms[1:], "publication", *(f"validation.{room}" for room in rooms)]
        assert jobs == {name: ["START", "COMPLETE"] for name in names}
        found = {(e["job"]["name"], e["eventType"]): e for e in events}
        gate = found["validation.determinations", "COMPLETE"]
        asserted = [a for of in gate["inputs"] for a in of["inputFacets"]["dataQualityAssertions"]["assertions"]]
        assert len(asserted) > 20
        assert all(of["success"] for of in asserted if of["severity"] == "error")
        made = {of["name"]: of for of in found["determinations", "COMPLETE"]["outputs"]}
        fields = made[f"student/{YEAR}/determinations"]["facets"]["schema"]["fields"]
        assert {"name": "percentile", "type": "int32"} in fields
        assert ("outputFacets" in made[f"student/{YEAR}/determinations"]) == (audience == "auditor")
        run = found["annual_run_student", "START"]
        assert gate["run"]["facets"]["parent"]["run"]["runId"] == run["run"]["runId"]
        assert datetime.fromisoformat(run["eventTime"]) < datetime.fromisoformat(gate["eventTime"])
        del gate["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0]["success"]
        assert not OPENLINEAGE.is_valid(gate)

    @pytest.mark.parametrize("audience", ["auditor", "public"])
    def test_every_column_is_traced_to_datasets_of_the_events(
        self, bundles: dict[str, Path], tmp_path: Path, audience: str
    ) -> None:
        """As the release has its lineage: through all models between, down to the fields of deliveries and to seeds."""
        place = unpacked(bundles[audience], tmp_path)
        events = [json.loads(line) for line in (place / "openlineage.jsonl").read_text().splitlines()]
        assert (place / "release" / "column_lineage.json").is_file()
        known = {of["name"] for event in events for of in (*event["inputs"], *event["outputs"])}
        made_from: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for made in (of for event in events for of in event["outputs"] if "columnLineage" in of["facets"]):
            for column, origins in made["facets"]["columnLineage"]["fields"].items():
                found = {(of["name"], of["field"]) for of in origins["inputFields"]}
                made_from[made["name"].rpartition("/")[2], column] = found
                assert found, f"{made['name']} {column}"
                assert {name for name, _ in found} <= known, f"{made['name']} {column}"
        value = made_from["indicator_results", "value"]
        assert {
            (f"accepted/{YEAR}/mcas", "ela_scaled_score"),
            (f"accepted/{YEAR}/sims/end_of_year", "days_in_attendance"),
            (f"accepted/{YEAR - 1}/sims/october_1", "school_code"),
            ("seeds/policy_indicators", "value"),
        } <= value
        assert (f"accepted/{YEAR}/mcas", "ela_test_status") in made_from["participation_results", "tested"]
        assert (f"accepted/{YEAR - 1}/mcas", "ela_test_status") in made_from["participation_results", "two_year_tested"]
        assert (f"accepted/{YEAR}/organisations", "org_name") in made_from["organisations", "org_name"]
        assert (f"student/{YEAR}/target_percentages", "shown") in made_from["determinations", "annual"]
        earlier = {name for name, _ in made_from["target_percentages", "kept"] if "/earlier/" in name}
        assert earlier == {f"student/earlier/release {YEAR - 1}"}
        for event in events:
            assert len({of["name"] for of in event["inputs"]}) == len(event["inputs"])

    def test_what_cannot_be_bundled_is_one_line(self, corrected: Path, tmp_path: Path) -> None:
        shutil.copytree(corrected / "home" / "published", tmp_path / "published", symlinks=True)
        file = tmp_path / "published" / str(YEAR) / FIRST / "determinations.csv"
        file.chmod(0o600)
        file.write_text(file.read_text() + "\n")
        (tmp_path / "folder.zip").mkdir()
        (tmp_path / "mine.csv").write_text("a,b\n")
        for words, said in (
            (("2025/student-official-999",), "there are: "),
            ((f"{YEAR}/{FIRST}",), f"{file}: has other bytes than the manifest says; 1 files are at fault"),
            ((f"{YEAR}/{SECOND}", "--out", file.with_name("new.zip")), "lies among the releases"),
            ((f"{YEAR}/{SECOND}", "--out", tmp_path / "folder.zip"), "is not a file"),
            (
                (f"{YEAR}/{SECOND}", "--out", tmp_path / "mine.csv"),
                f"{tmp_path / 'mine.csv'}: is there already and is no",
            ),
            ((f"{YEAR}/{SECOND}", "--out", tmp_path / "no" / "new.zip"), "there is no folder"),
        ):
            done = accountability("release", "bundle", *words, "--home", tmp_path)
            assert done.returncode == 1
            assert [line[:7] for line in done.stderr.splitlines()] == ["error: "]
            assert said in done.stderr
        assert list(tmp_path.rglob("*.zip")) == [tmp_path / "folder.zip"]
        assert (tmp_path / "mine.csv").read_text() == "a,b\n"
