"""The report of a gate: nothing of a row becomes a formula or markup, and the page is accessible."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import openpyxl

from orchestration.validation.reporting import PAGE, REPORT, WORKBOOK, write_report
from orchestration.validation.running import CRASHED, FAILED, PASSED, Outcome

NAMES = ("=HYPERLINK('x')", "+1", "-1", "@sum", "<script>alert(1)</script>", "bell\x07", None, 7, 1.5, True)


def outcome(status: str, severity: str = "critical", name: str = "a_name", **other: object) -> Outcome:
    base = {"table": "a_table", "type": "expect", "says": "What <must> hold.", "rule": "a rule", "owner": "somebody"}
    return Outcome(name=name, severity=severity, status=status, observed="seen", checked=3, **base, **other)  # type: ignore[arg-type]


class Page(HTMLParser):
    """Names of the elements, and whatever is loaded from elsewhere."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs


def write(folder: Path, *outcomes: Outcome) -> None:
    write_report(folder, room="indicators", source="student", year=2025, passed=False, outcomes=outcomes)


def test_text_in_a_workbook_stays_text(tmp_path: Path) -> None:
    failed = outcome(
        FAILED, failing=len(NAMES), columns=("org_name",), rows=tuple((n,) for n in NAMES), key=("org_name",)
    )
    write(tmp_path, failed, outcome(PASSED, name="other"))
    book = openpyxl.load_workbook(tmp_path / WORKBOOK)
    assert book.sheetnames == ["summary", "1 a_name"]
    cells = [row[0] for row in book["1 a_name"].iter_rows()]
    assert [cell.value for cell in cells] == ["org_name", *NAMES[:5], "bell", *NAMES[6:]]
    assert {cell.data_type for cell in cells[1:7]} == {"s"}, "no formula"
    assert [c.value for c in book["summary"][2]][:6] == ["1 a_name", "a_table", "a_name", "critical", "somebody", 10]


def test_sheets_of_long_and_equal_names_are_kept_apart(tmp_path: Path) -> None:
    name = "an_expectation_with_a_very_long_name"
    rows = {"failing": 1, "columns": ("a",), "rows": ((1,),)}
    write(tmp_path, outcome(FAILED, name=name, **rows), outcome(FAILED, name=name, **rows))
    assert len(openpyxl.load_workbook(tmp_path / WORKBOOK).sheetnames) == 3


def test_the_page_is_whole_and_accessible(tmp_path: Path) -> None:
    failed = outcome(FAILED, failing=len(NAMES), columns=("org_name",), rows=tuple((n,) for n in NAMES))
    write(tmp_path, failed, outcome(CRASHED, "warning", "crashes"), outcome(FAILED, "warning", "warns"))
    text = (tmp_path / PAGE).read_text()
    page = Page(text)
    assert "script" not in page.elements
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "What &lt;must&gt; hold." in text
    assert ("lang", "en") in page.attributes
    assert page.elements.count("h1") == page.elements.count("main") == page.elements.count("title") == 1
    assert page.elements.count("caption") == page.elements.count("table")
    assert page.elements.count("th") == sum(1 for name, _ in page.attributes if name == "scope")
    assert not [
        value for name, value in page.attributes if name == "src" or (name == "href" and value and value[0] != "#")
    ]
    assert "The run stops here." in text
    assert text.count(">could not be run<") == 1, "words say it, not colour alone"


def test_json_says_everything(tmp_path: Path) -> None:
    write(tmp_path, outcome(FAILED, failing=1, columns=("a",), rows=(("é",),), key=("a",)))
    content = json.loads((tmp_path / REPORT).read_text(encoding="utf-8"))
    assert content["outcomes"][0]["rows"] == [["é"]]
    assert (content["room"], content["source"], content["year"], content["passed"]) == (
        "indicators",
        "student",
        2025,
        False,
    )
