"""What may become a release, which one is in force, and what two of them differ in."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.publication.checking import faults
from orchestration.publication.comparing import compare
from orchestration.publication.diff_report import text, write_diff
from orchestration.publication.pairing import side_by_side, side_of
from orchestration.releases import current, find, releases
from orchestration.settings import PROJECT
from orchestration.tables import folder_of
from tests.support.releases import bytes_of
from tests.support.small_home import OTHER, SCHOOL, YEAR, SmallHome


@pytest.fixture
def home(tmp_path: Path) -> SmallHome:
    return SmallHome(tmp_path)


class TestPublishing:
    def test_a_release_holds_its_tables_and_is_in_force(self, home: SmallHome) -> None:
        done = home.publish()
        assert done.is_new
        assert done.release.name == "student-official-001"
        assert current(home.settings.home, YEAR) == done.release
        assert faults(done.release) == []
        assert {p.name for p in done.release.folder.glob("*.parquet")} == {
            f"{table}.parquet" for table in done.release.manifest["rows"]
        }

    def test_a_release_says_what_each_column_is_made_from(self, home: SmallHome) -> None:
        release = home.publish().release
        found = json.loads((release.folder / "column_lineage.json").read_bytes())
        assert "column_lineage.json" in release.manifest["files"]
        assert set(release.manifest["rows"]) <= set(found)
        assert ["accountability_percentiles", "percentile"] in found["determinations"]["percentile"]
        assert found["stg_mcas"]["ela_scaled_score"] == [["raw/mcas", "ela_scaled_score"]]
        assert not [name for name in found if name.startswith(("stg_hub", "int_hub"))], "nothing of the other source"
        other = home.publish(source="hub").release
        found = json.loads((other.folder / "column_lineage.json").read_bytes())
        assert found["indicator_results"]["value"] == [["int_hub_results", "value"]]

    def test_the_same_content_is_the_same_release(self, home: SmallHome) -> None:
        first = home.publish()
        before = bytes_of(home.settings.home / "published")
        again = home.publish()
        assert (again.release, again.is_new) == (first.release, False)
        assert bytes_of(home.settings.home / "published") == before

    def test_what_a_gate_stopped_goes_into_no_later_year(self, home: SmallHome) -> None:
        home.write(YEAR - 1, passed=False)
        home.write()
        reads = {f"indicators {y}": home.record("indicators", y, "student")["fingerprint"] for y in (YEAR - 1, YEAR)}
        home.room("determinations", YEAR, "student", home.determinations(YEAR), reads)
        home.gate("determinations", YEAR, "student", passed=True)
        with pytest.raises(InputError, match=r"indicators/student/2024: the gate of indicators has not passed these"):
            home.again()
        home.gate("indicators", YEAR - 1, "student", passed=True)
        assert home.again().is_new

    def test_two_processes_give_the_same_bytes(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from tests.support.small_home import SmallHome\n"
            "print(SmallHome(Path(sys.argv[1])).publish().release.sha256)"
        )
        said = [
            subprocess.run(
                [sys.executable, "-c", code, str(tmp_path / name)],
                cwd=PROJECT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for name in ("one", "two")
        ]
        assert said[0] == said[1]
        assert len(said[0].strip()) == 64

    def test_current_is_repaired_after_a_kill_before_it_moved(self, home: SmallHome) -> None:
        release = home.publish().release
        link = release.folder.parent / "current"
        link.unlink()
        (release.folder.parent / ".made-left").mkdir()
        assert not home.again().is_new
        assert link.resolve() == release.folder.resolve()
        assert not (release.folder.parent / ".made-left").exists()

    def test_an_official_release_goes_before_a_preliminary_and_student_before_hub(self, home: SmallHome) -> None:
        home.publish("preliminary")
        assert current(home.settings.home, YEAR).name == "student-preliminary-001"
        official = home.publish().release
        assert current(home.settings.home, YEAR) == official
        home.percentile = 40
        home.publish("preliminary")
        home.publish(source="hub")
        assert current(home.settings.home, YEAR) == official
        assert [r.name for r in releases(home.settings.home, YEAR)] == [
            "hub-official-001",
            "student-official-001",
            "student-preliminary-001",
            "student-preliminary-002",
        ]


class TestRefusals:
    """Each leaves what was published before as it was."""

    @pytest.fixture
    def standing(self, home: SmallHome) -> dict[str, str]:
        home.publish()
        home.percentile = 9
        home.write()
        return bytes_of(home.settings.home / "published")

    def refused(self, home: SmallHome, standing: dict[str, str], message: str) -> None:
        with pytest.raises(InputError, match=message):
            home.again()
        assert bytes_of(home.settings.home / "published") == standing

    @pytest.mark.parametrize("room", ["source", "indicators", "determinations", "assistance"])
    def test_a_gate_that_did_not_pass(self, home: SmallHome, standing: dict[str, str], room: str) -> None:
        home.gate(room, YEAR, "student", passed=False)
        self.refused(home, standing, f"the gate of {room} did not pass; nothing was published")

    def test_a_gate_that_was_not_asked(self, home: SmallHome, standing: dict[str, str]) -> None:
        (home.settings.home / "validation" / "assistance" / "student" / str(YEAR)).unlink()
        self.refused(home, standing, "the gate of assistance has not been asked")

    def test_tables_that_the_gate_did_not_see(self, home: SmallHome, standing: dict[str, str]) -> None:
        file = folder_of(home.settings.home, "determinations", "student", YEAR) / "determinations.parquet"
        file.write_bytes(file.read_bytes() + b" ")
        self.refused(home, standing, "the gate of determinations has not seen this determinations")

    def test_a_table_that_is_gone(self, home: SmallHome, standing: dict[str, str]) -> None:
        (folder_of(home.settings.home, "determinations", "student", YEAR) / "target_percentages.parquet").unlink()
        self.refused(home, standing, "target_percentages.parquet: is missing")

    def test_tables_made_from_others_than_those_that_lie_there(self, home: SmallHome, standing: dict[str, str]) -> None:
        home.room("indicators", YEAR, "student", {"organisations": [{"org_code": OTHER}]}, [])
        home.gate("indicators", YEAR, "student", passed=True)
        self.refused(home, standing, "changed since the tables of 2025 were made from it")

    def test_no_tables_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="there are no tables of 2025; run that year first"):
            SmallHome(tmp_path).again()


class TestStages:
    def test_the_list_of_recognised_schools_may_lack_before_the_official_release_only(self, home: SmallHome) -> None:
        home.collections.remove("recognitions")
        assert home.publish("preliminary").is_new
        with pytest.raises(
            InputError, match="recognitions: nothing was delivered for 2025, which the policy wants from the"
        ):
            home.again("official")
        assert [r.stage for r in releases(home.settings.home, YEAR)] == ["preliminary"]
        assert home.publish(year=2022).is_new, "a year without classifications recognises no school"

    def test_a_category_must_be_filled_from_the_preliminary_release_on(
        self, home: SmallHome, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tests.support.small_home.CATEGORIES", (None, None))
        home.write()
        with pytest.raises(InputError, match=r"determinations\.overall_classification: empty in 2 rows of status ok"):
            home.again("preliminary")


class TestComparing:
    @pytest.fixture
    def two(self, home: SmallHome) -> SmallHome:
        home.publish()
        home.percentile = 9
        home.annual = Decimal("61.5")
        home.publish()
        return home

    def test_a_category_is_followed_to_the_step_where_its_change_began(self, two: SmallHome) -> None:
        old, new = (side_of(r) for r in releases(two.settings.home, YEAR))
        with side_by_side(old, new) as pair:
            found = compare(pair)
        [change] = found["categories"]
        assert change["org_code"] == SCHOOL
        assert change["to"]["reason"] == "In need of focused/targeted support"
        assert [step["key"] for step in change["began_at"]] == [f"{YEAR}/{SCHOOL}/percentile/all_students"]
        assert change["began_at"][0]["outcome"] == {"percentile": [11, 9]}
        assert found["tables"]["determinations"] == {
            "rows": [2, 2],
            "added": 0,
            "removed": 0,
            "changed": {"overall_classification": 1, "reason": 1, "percentile": 1},
        }
        assert json.loads((new.folder / "changes" / "diff.json").read_text()) == json.loads(json.dumps(found))

    def test_the_text_and_the_workbook_say_the_same(self, two: SmallHome, tmp_path: Path) -> None:
        old, new = (side_of(r) for r in releases(two.settings.home, YEAR))
        with side_by_side(old, new) as pair:
            lines = list(text(compare(pair)))
            for name in ("a.xlsx", "b.xlsx"):
                write_diff(tmp_path / name, pair)
        assert "policy: the same" in lines
        assert any(line.startswith(f"  {SCHOOL}: Not requiring") for line in lines)
        assert f"    began at {YEAR}/{SCHOOL}/percentile/all_students: percentile 11 → 9" in lines
        assert sha256_of(tmp_path / "a.xlsx") == sha256_of(tmp_path / "b.xlsx")
        book = openpyxl.load_workbook(tmp_path / "a.xlsx")
        moved = list(book["figures"].iter_rows(values_only=True))[1:]
        assert ("target_percentages", f"{YEAR}/{SCHOOL}/annual/all_students", "kept", "60.0", "61.5") in moved

    def test_a_release_does_not_differ_from_itself(self, two: SmallHome) -> None:
        side = side_of(releases(two.settings.home, YEAR)[0])
        with side_by_side(side, side) as pair:
            assert list(text(compare(pair)))[1:] == ["no difference"]

    def test_the_next_year_lists_restated_annuals(self, two: SmallHome) -> None:
        later = two.publish(year=YEAR + 1).release
        lines = (later.folder / "changes" / "restated_annuals.csv").read_text().splitlines()
        assert lines[1] == f"{SCHOOL},all_students,student-official-001,60.0,student-official-002,61.5"
        assert len(lines) == 3

    def test_an_unknown_release_lists_what_there_is(self, two: SmallHome) -> None:
        with pytest.raises(InputError, match="there are: 2025/student-official-001, 2025/student-official-002"):
            find(two.settings.home, f"{YEAR}/official")
