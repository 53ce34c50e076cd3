"""The auditor's pages: every figure is the table's, nothing withheld is on a public page, names are only data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.errors import InputError
from orchestration.explanation.page import fragments
from orchestration.explanation.reading import Dossier, Library
from orchestration.explanation.tree import explanation
from orchestration.pages import building
from orchestration.pages.building import SITE, build_pages
from orchestration.pages.reading import Source
from orchestration.pages.rendering import script
from orchestration.pages.wording import INDICATORS, label
from orchestration.releases import CURRENT, MANIFEST, Release, find
from tests.e2e.test_cli import COMMAND, PROJECT
from tests.support.html_pages import Page
from tests.support.published_state import BEFORE, LOWER, NAME, YEAR, change, published_state
from tests.support.releases import bytes_of
from tests.support.withheld import GROUPS, SPANS, WORD, withheld_cells

HOSTILE = "</script><script>document.title='taken'</script>\u2028\u2029\"'&<img src=x onerror=alert(1)>{{ 7*7 }}"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return published_state(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def home(release: Release) -> Path:
    return release.folder.parents[2]


@pytest.fixture(scope="module")
def whole(release: Release, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_pages(release, tmp_path_factory.mktemp("whole") / "site", home=home).folder


@pytest.fixture(scope="module")
def public(release: Release, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_pages(release, tmp_path_factory.mktemp("public") / "site", home=home, is_public=True).folder


@pytest.fixture
def copied(home: Path, tmp_path: Path) -> Release:
    """The release in a home of its own, to be spoiled."""
    shutil.copytree(home / "published", tmp_path / "home" / "published", symlinks=True)
    return find(tmp_path / "home", f"{YEAR}/{CURRENT}")


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / f"{table}.parquet").to_pylist()
    return found


def pages(site: Path) -> dict[str, Page]:
    return {path.stem: Page(path) for path in sorted((site / "org").iterdir())}


def shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


# --- What is there ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["whole", "public"])
def test_every_organisation_has_a_page_and_every_link_leads_somewhere(
    release: Release, variant: str, request: pytest.FixtureRequest
) -> None:
    site: Path = request.getfixturevalue(variant)
    codes = {row["org_code"] for row in rows(release.folder, "organisations")}
    assert {path.stem for path in (site / "org").iterdir()} == codes
    for path in site.rglob("*.html"):
        text = path.read_text()
        ids = set(re.findall(r' id="([^"]+)"', text))
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            file, _, place = link.partition("#")
            assert "//" not in link, (path, link)
            target = (path.parent / file).resolve() if file else path.resolve()
            assert target.is_file(), (path, link)
            if place:
                assert place in ids or f'id="{place}"' in target.read_text(), (path, link)
        assert "fetch(" not in text
    assert json.loads((site / SITE).read_text())["organisations"] == len(codes)
    assert "fetch(" not in "".join(path.read_text() for path in (site / "assets").iterdir())


def test_the_search_list_has_every_organisation(release: Release, whole: Path) -> None:
    text = (whole / "assets" / "organisations.js").read_text()
    listed = json.loads(text.split(" = ", 1)[1].rstrip().removesuffix(";"))
    known = {row["org_code"]: row["org_name"] for row in rows(release.folder, "organisations")}
    assert {code: name for code, name, *_ in listed} == known


# --- Figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["whole", "public"])
def test_figures_are_those_of_the_tables(release: Release, variant: str, request: pytest.FixtureRequest) -> None:
    site: Path = request.getfixturevalue(variant)
    folder = release.folder if variant == "whole" else release.folder / "public"
    seen = {code: page.tables for code, page in pages(site).items()}
    points = {
        (r["org_code"], r["gradespan"], r["student_group"], r["indicator"]): r for r in rows(folder, "indicator_points")
    }
    compared = 0
    for row in rows(folder, "indicator_results"):
        if row["student_group"] in GROUPS and row["org_code"] in seen:
            title = f"{GROUPS[row['student_group']]}, {SPANS[row['gradespan']]}"
            key = (row["org_code"], row["gradespan"], row["student_group"], row["indicator"])
            line = next(r for r in seen[row["org_code"]][title] if r[0] == INDICATORS[row["indicator"]])
            cells = [line[1], line[2], line[4] if variant == "whole" else line[3]]
            for said, value, status in zip(
                cells,
                (row["n"], row["value"], points[key]["points"]),
                (row["status"], row["status"], points[key]["status"]),
                strict=True,
            ):
                assert said == (shown(value) if value is not None else label(status).lower()), (key, line)
                compared += value is not None
    assert compared > 500
    for row in rows(folder, "target_percentages"):
        if row["student_group"] in GROUPS and row["stage"] != "gradespan":
            points_table = seen[row["org_code"]][f"Points earned and possible by indicator, {YEAR}"]
            figure = f"{row['shown']} %" if row["shown"] is not None else label(row["status"]).lower()
            if row["stage"] == "column":
                assert figure in line_of(points_table, "Percentage of possible points")
                if row["weighted_earned"] is not None:
                    assert {str(row["weighted_earned"]), str(row["weighted_possible"])} <= {
                        *line_of(points_table, "Weighted total")
                    }
            elif row["student_group"] == "all_students":
                assert line_of(points_table, f"{row['stage'].title()} target percentage {YEAR}") == [figure]
    for row in rows(folder, "accountability_percentiles"):
        if row["org_code"] in seen:
            name = Source(release, site, False).groups[row["student_group"]]
            table = seen[row["org_code"]][f"Percentile and target percentages of each student group, {YEAR}"]
            said = shown(row["percentile"]) if row["percentile"] is not None else label(row["status"]).lower()
            assert line_of(table, name)[0] == said
    for row in rows(folder, "determinations"):
        table = seen[row["org_code"]]["What was determined"]
        assert line_of(table, "Overall classification") == [row["overall_classification"]]
        assert line_of(table, "Reason for classification") == [row["reason"]]
        if row["percentile"] is not None:
            assert line_of(table, "Accountability percentile") == [shown(row["percentile"])]


def line_of(table: list[list[str]], name: str) -> list[str]:
    return next(row[1:] for row in table if row[0] == name)


def test_totals_and_weights_of_categories_are_those_of_the_trace(release: Release, whole: Path) -> None:
    seen = {code: page.tables for code, page in pages(whole).items()}
    compared = 0
    for step in rows(release.folder, "determination_trace"):
        if step["kind"] != "column" or step["student_group"] != "all_students" or step["status"] != "ok":
            continue
        table = seen[step["org_code"]][f"Points earned and possible by indicator, {YEAR}"]
        weights = {r["parameter"]: r["value"] for r in json.loads(step["parameters"]) if r["rule_id"] == "weight"}
        for category, (earned, possible) in json.loads(step["inputs"])["totals"].items():
            weight = next(value for name, value in weights.items() if name.endswith(f"_{category}"))
            line = line_of(table, f"{label(category)} total")
            place = len(line) // 2 if step["gradespan"] == "high" and table[0][1:] != ["High school grades"] else 0
            assert line[place : place + 3] == [str(earned), str(possible), f"{weight} %"], (step["key"], line)
            compared += 1
    assert compared > 40


def test_leaves_of_the_tree_are_the_figures_of_the_tables(release: Release, whole: Path) -> None:
    """On the page of every organisation, each by its place; every figure that the points table stands on is there."""
    figures: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    needed: dict[str, set[str]] = defaultdict(set)
    for row in rows(release.folder, "indicator_results"):
        place = ", ".join(row[name].replace("_", " ") for name in ("gradespan", "student_group", "indicator"))
        line = (
            f"numerator {row['numerator']}, denominator {row['denominator']}, n {row['n']}; data of {row['data_year']}"
        )
        value = str(row["value"]) if row["value"] is not None else row["status"].replace("_", " ")
        figures[row["org_code"]][place] = (value, line)
    for row in rows(release.folder, "indicator_points"):
        if row["student_group"] in GROUPS and row["points"] is not None:
            place = ", ".join(row[name].replace("_", " ") for name in ("gradespan", "student_group", "indicator"))
            needed[row["org_code"]].add(place)
    leaf = re.compile(
        r"<summary>figure: ([^<]+): <span class=figure>([^<]+)</span>(?: \([^<]+\))?</summary><p class=line>([^<]+)</p>"
    )
    found = 0
    for path in (whole / "org").iterdir():
        text = path.read_text()
        leaves = leaf.findall(text)
        assert len(leaves) == text.count("<summary>figure: ")
        for place, value, line in leaves:
            assert figures[path.stem][place] == (value, line), (path, place)
        assert {place for place, *_ in leaves} >= needed[path.stem], path
        found += len(leaves)
        assert "not in the trace" not in text
    assert found > 300


def test_grounds_say_on_which_side_of_the_threshold_a_figure_is(whole: Path) -> None:
    said = set()
    for code, page in pages(whole).items():
        for row in page.tables.get("Tests of the classification, met ones first", [])[1:]:
            if len(row) < 5 or not row[-1].endswith(("it", "below", "above", "begins")):
                continue
            outcome, _, figure, threshold, distance = row[-5:]
            apart = Decimal(figure) - Decimal(threshold)
            side = "below it" if apart < 0 else "above it" if apart > 0 else "exactly at it"
            assert side in distance.split(";")[0], (code, row)
            assert distance.startswith(str(abs(apart)) if apart else "exactly"), (code, row)
            said.add((distance.split("; ")[1], outcome))
    assert {("where the next band begins", "band reached"), ("met at it or above", "met")} <= said
    assert ("met below it", "not met") in said


def test_reading_many_gives_the_same_tree_as_reading_one(release: Release) -> None:
    library = Library(release)
    districts = [r["org_code"] for r in library.whole("organisations") if r["org_type"] == "district"]
    for code in [*districts[:4], *(r["org_code"] for r in library.whole("determinations")[-4:])]:
        alone = fragments(explanation(Dossier(release, code)))
        assert fragments(explanation(library.dossier(code))) == alone


def test_a_district_of_one_school_points_to_its_school(release: Release, whole: Path) -> None:
    single = {
        step["org_code"]: json.loads(step["inputs"])["only_school"]
        for step in rows(release.folder, "determination_trace")
        if step["kind"] == "classification" and "only_school" in step["inputs"]
    }
    assert single
    for district, school in single.items():
        text = (whole / "org" / f"{district}.html").read_text()
        assert f'<a href="{school}.html#grounds">{school}</a>' in text
        assert f"as its only school, {school}" in text
        assert f"explained at {school}" in text


def test_the_trend_has_the_year_before(release: Release, whole: Path) -> None:
    determined = {row["org_code"]: row for row in rows(release.folder, "determinations")}
    compared = 0
    for code, page in pages(whole).items():
        table = page.tables["Determinations by year, from the release of each"]
        annual, cumulative = (determined[code][name] for name in ("annual", "cumulative"))
        if annual is not None and annual > LOWER and cumulative > LOWER:
            assert [line[:3] for line in table[1:]] == [
                [str(BEFORE), str(annual - LOWER), str(cumulative - LOWER)],
                [str(YEAR), str(annual), str(cumulative)],
            ]
            points = page.tables.get(f"Points earned and possible by indicator, {YEAR}")
            assert points is None or line_of(points, f"Annual target percentage {BEFORE}") == [f"{annual - LOWER} %"]
            compared += 1
    assert compared > 20


def test_the_trend_keeps_to_the_release_that_was_read(copied: Release) -> None:
    """A later correction of the year before does not change what this release was made from."""
    folder = copied.folder.parents[1] / str(BEFORE)
    shutil.copytree(folder / NAME, folder / "student-official-002")
    (folder / CURRENT).unlink()
    (folder / CURRENT).symlink_to("student-official-002")
    home = copied.folder.parents[2]
    assert [e.release.name for e in Source(copied, home, False).earlier] == ["student-official-002"]
    manifest = copied.folder / MANIFEST
    manifest.chmod(0o600)
    manifest.write_text(
        json.dumps(json.loads(manifest.read_bytes()) | {"earlier_releases": {f"release {BEFORE}": f"{NAME} abc"}})
    )
    assert [e.release.name for e in Source(copied, home, False).earlier] == [NAME]


@pytest.mark.parametrize("variant", ["whole", "public"])
def test_the_overview_counts_every_school_once(release: Release, variant: str, request: pytest.FixtureRequest) -> None:
    index = Page(request.getfixturevalue(variant) / "index.html")
    schools = [r for r in rows(release.folder, "organisations") if r["org_type"] == "school"]
    determined = {r["org_code"]: r for r in rows(release.folder, "determinations")}
    regions = index.tables["Schools by region and overall classification"]
    assert regions[-1][-1] == shown(len(schools))
    for line in regions[1:-1]:
        there = [s for s in schools if (s["former_center"] or "No region on record") == line[0]]
        for category, count in zip(regions[0][1:-1], line[1:-1], strict=True):
            found = [s for s in there if determined[s["org_code"]]["overall_classification"] == category]
            assert count == shown(len(found))
    folder = release.folder if variant == "whole" else release.folder / "public"
    ranked = [r["percentile"] for r in rows(folder, "determinations") if r["percentile"]]
    bands = index.tables["Schools by accountability percentile and overall classification"]
    for line in bands[1:-1]:
        low, high = map(int, line[0].split("–"))
        assert line[-1] == shown(sum(low <= value <= high for value in ranked))
    assert bands[-1][-1] == shown(len(ranked))


# --- The public variant ----------------------------------------------------------------------------------------------


def test_public_pages_come_from_public_tables_alone(copied: Release, public: Path, tmp_path: Path) -> None:
    """With every other table gone they are the same, byte for byte."""
    for year in (YEAR, BEFORE):
        for path in (copied.folder.parents[1] / str(year) / NAME).glob("*.parquet"):
            path.unlink()
        shutil.rmtree(copied.folder.parents[1] / str(year) / NAME / "validation")
    site = build_pages(copied, tmp_path / "site", home=copied.folder.parents[2], is_public=True)
    assert bytes_of(site.folder) == bytes_of(public)
    with pytest.raises(InputError, match="is missing; the pages need it"):
        build_pages(copied, tmp_path / "other", home=copied.folder.parents[2])
    assert not (tmp_path / "other").exists()


def test_no_withheld_figure_is_in_a_public_page(release: Release, whole: Path, public: Path) -> None:
    """Byte by byte: what is withheld of an organisation stands nowhere on its page or on a list, unless it is also
    printed there as something else."""
    drawn = re.compile(r"<(?:rect|line|circle|text|pattern|svg)\b[^>]*>")  # places and sizes, not figures
    told = {path.stem: drawn.sub("", path.read_text()) for path in public.rglob("*.html")}
    withheld: dict[str, set[str]] = defaultdict(set)
    printed: dict[str, set[str]] = defaultdict(set)
    columns = {
        "indicator_results": ("value",),
        "target_percentages": ("kept", "weighted_earned", "weighted_possible"),
    }
    for table, names in columns.items():
        for inside, outside in zip(rows(release.folder, table), rows(release.folder / "public", table), strict=True):
            for name in names:
                if inside[name] is not None:
                    (printed if outside[name] is not None else withheld)[inside["org_code"]].add(str(inside[name]))
    searched = leaked = 0
    whole_told = {path.stem: drawn.sub("", path.read_text()) for path in whole.rglob("*.html")}
    for code, values in withheld.items():
        for value in values - printed[code]:
            found = re.compile(rf"(?<![\d.]){re.escape(value)}(?![\d.])")
            assert not found.search(told[code]), (code, value)
            searched += 1
            leaked += bool(found.search(whole_told[code]))
    assert searched > 300
    assert leaked > 50, "the search finds them where they are"


def test_no_withheld_count_or_percentage_is_in_a_cell(release: Release, whole: Path, public: Path) -> None:
    """Figures of a digit or two, which stand on a page as something else too, are looked for where they would be."""
    looked = withheld_cells(release, public)
    assert looked["indicator_results", "n"] > 100
    assert looked["indicator_points", "points"] > 20
    assert looked["target_percentages", "shown"] > 100
    assert looked["determinations", "annual"] > 10
    with pytest.raises(AssertionError):
        withheld_cells(release, whole)


def test_withheld_cells_say_so_with_the_reason_and_there_is_no_trace(release: Release, public: Path) -> None:
    """Each withheld row's cells read so; nothing of the trace, the deliveries or the targets is on a page."""
    seen = pages(public)
    said = 0
    for row in rows(release.folder / "public", "accountability_percentiles"):
        if row["status"] == WORD:
            table = seen[row["org_code"]].tables[f"Percentile and target percentages of each student group, {YEAR}"]
            name = Source(release, public, False).groups[row["student_group"]]
            assert line_of(table, name)[0] == WORD
            said += 1
    assert said > 50
    for path in public.rglob("*.html"):
        text = path.read_text()
        assert "count of fewer than 10 students" in text
        for word in ("<details", "numerator", "sha256 <", "trace", "delivery", ">Target<", "Explanation"):
            assert word not in text.replace("Manifest sha256 <code>", ""), (path, word)
    whole_names = {"indicator_targets", "determination_trace"}
    assert not whole_names & set(Source(release, public, True).tables._tables)
    with pytest.raises(InputError, match="public pages read public tables only"):
        _ = Source(release, public, True).library


# --- Names are data --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_public", [False, True])
def test_hostile_names_are_only_text(copied: Release, tmp_path: Path, *, is_public: bool) -> None:
    def renamed(row: dict[str, Any]) -> None:
        row["org_name"] = f"{row['org_code']} {HOSTILE}"
        for name in ("town", "overall_classification", "reason"):
            if name in row:
                row[name] = HOSTILE

    for folder in (copied.folder, copied.folder / "public"):
        for table in ("organisations", "determinations"):
            change(folder, table, renamed)
    site = build_pages(copied, tmp_path / "site", home=copied.folder.parents[2], is_public=is_public).folder
    for path in [*site.rglob("*.html"), site / "assets" / "organisations.js"]:
        text = path.read_text()
        assert "<script>" not in text, path
        assert "<img" not in text
        assert "49" not in re.findall(r"alert\(1\)[^<]{0,12}", text)
    code = rows(copied.folder, "organisations")[0]["org_code"]
    assert " ".join(f"{code} {HOSTILE}".split()) in Page(site / "org" / f"{code}.html").all("h1")
    listed = (site / "assets" / "organisations.js").read_bytes()
    assert not re.search("[<>&\u2028\u2029]", listed.decode())
    assert json.loads(listed.decode().split(" = ", 1)[1].rstrip().removesuffix(";"))[0][1] == f"{code} {HOSTILE}"


def test_a_script_value_reads_back_and_holds_nothing_that_ends_it() -> None:
    for value in (HOSTILE, "<!--", "]]>", "\\u003c", "\x7f\0", "é", None, [1, {"a": "</SCRIPT>"}]):
        text = script(value)
        assert json.loads(text) == value
        assert not re.search("[<>&\u2028\u2029\n]", text)


def test_a_code_that_cannot_name_a_file_is_refused(copied: Release, tmp_path: Path) -> None:
    def spoiled(row: dict[str, Any]) -> None:
        row["org_code"] = "../../x" if row["org_type"] == "state" else row["org_code"]

    change(copied.folder, "organisations", spoiled)
    with pytest.raises(InputError, match=r"org_code '\.\./\.\./x' cannot name a page"):
        build_pages(copied, tmp_path / "site", home=copied.folder.parents[2])
    assert not (tmp_path / "site").exists()


# --- Bytes and folders -----------------------------------------------------------------------------------------------


def test_two_builds_have_the_same_bytes(home: Path, whole: Path, public: Path, tmp_path: Path) -> None:
    """The second in a process of its own with another order of hashes, through the command."""
    for site, more in ((whole, []), (public, ["--public"])):
        out = tmp_path / site.parent.name
        done = subprocess.run(
            [COMMAND, "release", "pages", f"{YEAR}/{CURRENT}", "--home", home, "--out", out, *more],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": "3"},
        )
        assert done.returncode == 0, done.stderr
        assert f"{out / 'index.html'}: pages of " in done.stderr
        assert bytes_of(out) == bytes_of(site)


def test_whole_pages_are_for_their_owner_and_public_ones_for_all(whole: Path, public: Path) -> None:
    for site, folder, file in ((whole, 0o700, 0o600), (public, 0o755, 0o644)):
        for path in (site, *site.rglob("*")):
            assert path.stat().st_mode & 0o777 == (folder if path.is_dir() else file), path


def test_an_earlier_site_is_replaced_and_a_failure_leaves_it(
    release: Release, home: Path, public: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    build_pages(release, out, home=home, is_public=True)
    (out / "left.html").write_text("of an older release")

    def broken(source: Source) -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"half"
        raise OSError("No space left on device")

    before = bytes_of(out)
    with monkeypatch.context() as patch:
        patch.setattr(building, "files", broken)
        with pytest.raises(OSError, match="No space left"):
            build_pages(release, out, home=home, is_public=True)
    assert bytes_of(out) == before
    build_pages(release, out, home=home, is_public=True)
    assert bytes_of(out) == bytes_of(public)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_other_folders_are_left_alone(release: Release, home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    (tmp_path / "file").write_text("x")
    for out, said in (
        (tmp_path / "mine", "holds something that is not a site"),
        (tmp_path / "link", "is not a folder"),
        (tmp_path / "file", "is not a folder"),
        (release.folder / "site", "lies among the releases"),
        (release.folder.parent / CURRENT / "site", "lies among the releases"),
    ):
        with pytest.raises(InputError, match=said):
            build_pages(release, out, home=home)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert not (release.folder / "site").exists()
