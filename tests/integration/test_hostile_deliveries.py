"""Deliveries are data: nothing in them is run, followed or shown as anything but text; nothing outside is touched."""

from __future__ import annotations

import csv
import io
import os
import resource
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.assistance.published import _read
from orchestration.commands.shared import table
from orchestration.errors import InputError
from orchestration.intake.landing import scan
from orchestration.intake.status import status
from orchestration.texts import is_unfit, printable
from orchestration.workbooks import write_workbook
from tests.integration.test_bad_deliveries import cells, workbook
from tests.support.workshop import CONTRACTS, ORGANISATIONS, Workshop, access, text

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a directory and students, to be copied."""
    folder = tmp_path_factory.mktemp("begun") / "shop"
    Workshop(folder).begin(20)
    return folder


@pytest.fixture
def shop(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A store beside a folder that must stay as it is; any share of a directory may be unfit."""
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "canary").write_text("alive")
    monkeypatch.chdir(watched)
    shutil.copytree(begun, tmp_path / "shop")
    yield Workshop(tmp_path / "shop", organisations="1")
    assert {path.name: path.read_text() for path in watched.iterdir()} == {"canary": "alive"}
    assert {path.name for path in tmp_path.iterdir()} == {"watched", "shop"}
    assert {path.name for path in (tmp_path / "shop").iterdir()} == {"home", "landing"}


def directory(names: Iterable[str]) -> list[list[object]]:
    """Rows of a directory with a school of each name."""
    schools = [
        ["2025", f"9101{i:04d}", n, "school", "91010000", "Alder", "Title I School"] for i, n in enumerate(names, 10)
    ]
    return [*cells(ORGANISATIONS.splitlines()), *schools]


def as_csv(rows: list[list[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue()


def entries(shop: Workshop, collection: str) -> list[tuple[str, str, str]]:
    """Field, rule and reason of what was set aside."""
    found = pq.read_table(shop.store.folder(shop.in_force(collection)) / "quarantine.parquet").to_pylist()
    return [(entry["field"], entry["rule"], entry["reason"]) for entry in found]


# -- texts -----------------------------------------------------------------------------------------------------------

FORMULAS = (
    '=HYPERLINK("http://x","Alder")',
    "=1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "＝1+1",
    "  =1+1",
)
UNSHOWN = (
    "\x1b[2J\x1b[31mAlder",
    "Al\nder",
    "Al\rder",
    "\x07",
    "Al\x9bder",
    "Alder\u202eloohcs",
    "\u2066Alder",
    "Al\u2028der",
)
KEPT = (
    "<script>alert(1)</script>",
    'O\'Brien & "Sons"; School',
    "'); DROP TABLE judged; --",
    "'; COPY (SELECT 1) TO 'canary'; --",
    "{{ 7*7 }} ${HOME} $(touch canary) `touch canary`",
    "../../canary",
    "[red]Alder[/red] :boom: %s %n {0}",
    "École Ä 学校 \U0001f600 e\u0301",
    "-5",
    "-",
    "x" * 200,
)


def test_names_that_a_program_would_act_on_are_set_aside_and_others_kept_to_the_letter(shop: Workshop) -> None:
    names = (*FORMULAS, *UNSHOWN, *KEPT, "x" * 201)
    shop.deliver("organisations.csv", as_csv(directory(names)))
    assert shop.take_in("organisations").refusals == ()
    rules = [(field, rule) for field, rule, _ in entries(shop, "organisations")]
    wanted = [*["formula"] * len(FORMULAS), *["characters"] * len(UNSHOWN), "max_length"]
    assert rules == [("org_name", rule) for rule in wanted]
    assert all(reason.isprintable() for *_, reason in entries(shop, "organisations"))
    kept = pq.read_table(shop.store.folder(shop.in_force("organisations")) / "accepted-000.parquet")
    assert tuple(kept["org_name"].to_pylist()[4:]) == KEPT
    assert [name for name in names if is_unfit(name)] == [*FORMULAS, *UNSHOWN]


def test_what_is_unfit_is_found_in_parquet_too(shop: Workshop) -> None:
    """A Parquet text may hold what no CSV may: a NUL byte."""
    rows = directory(["Al\0der"])
    columns = {str(name): [str(row[i]) for row in rows[1:]] for i, name in enumerate(rows[0])}
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    (shop.settings.landing / "2025" / "organisations.csv").unlink()
    shop.deliver("organisations.parquet", out.getvalue())
    assert shop.take_in("organisations").refusals == ()
    assert [(field, rule) for field, rule, _ in entries(shop, "organisations")] == [("org_name", "characters")]


def test_text_of_students_is_not_judged_by_how_a_spreadsheet_takes_it() -> None:
    """A mark of `-` or `+A` stays a mark: no text of a student's row leaves the home."""
    assert CONTRACTS["course_schedules"].names_students
    assert [c.collection for c in CONTRACTS.values() if c.source != "student" and c.names_students] == []


def test_published_lists_are_held_to_the_same(tmp_path: Path) -> None:
    file = tmp_path / "directory.csv"
    file.write_text('name,town\n"=HYPERLINK(1)",Alder\n')
    with pytest.raises(InputError, match=r"directory.csv: row 2: name begins like a formula"):
        _read(file, ("name", "town"))


def test_a_workbook_holds_text_as_text(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    values = [*FORMULAS, *UNSHOWN, "#REF!", "x" * 40_000]
    write_workbook(path, {"names": (("name",), [[value] for value in values])})
    found = [row[0] for row in openpyxl.load_workbook(path)["names"].iter_rows(min_row=2)]
    assert {cell.data_type for cell in found} <= {"s", "inlineStr"}
    assert [cell.value for cell in found[: len(FORMULAS)]] == list(FORMULAS)
    assert all(cell.quotePrefix for cell in found[:5])
    assert b"<f" not in zipfile.ZipFile(path).read(SHEET)


# -- lines that people read --------------------------------------------------------------------------------------------


def test_an_error_is_one_line_that_acts_on_no_terminal(shop: Workshop) -> None:
    shop.deliver("access_2.csv", text(["sasid,\x1b[2J\x1b]0;owned\x07\u202e," + access()[0], "1,2," + access(1)[1]]))
    [line] = shop.take_in("access").refusals
    assert line.isprintable()
    assert "column '\\x1b[2J\\x1b]0;owned\\x07\\u202e' is not in the contract" in line
    [stored] = shop.store.refusals(2025).values()
    assert stored["reason"] == line


@pytest.mark.parametrize(
    "name", [b"access\x1b[31m.csv", b"access\n.csv", b"access\xff.csv", "access\u202evsc.csv".encode()]
)
def test_a_file_name_that_cannot_be_shown_is_refused(shop: Workshop, name: bytes) -> None:
    folder = os.fsencode(shop.settings.landing / "2025")
    for place in (folder, os.fsencode(shop.settings.landing)):
        with open(os.path.join(place, name), "wb") as file:  # noqa: PTH118, PTH123 - a name of bytes
            file.write(text(access()).encode())
    problems = scan(shop.settings.landing, 2025, shop.contracts).problems
    assert problems == (
        f"2025/{printable(os.fsdecode(name))}: the name holds a character that cannot be shown; rename the file",
    )
    assert shop.take_in("access") == shop.take_in("access")
    assert shop.take_in("access").taken == ()
    found = status(shop.settings, shop.contracts, shop.register)
    assert found["years"]["2025"]["unrecognised"] == list(problems)
    assert len(found["strays"]) == 1
    assert found["strays"][0].isprintable()


def test_a_table_prints_brackets_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table("Title [b]", ["note"], [["[/red] [bold]x[/bold] :boom:"]])
    assert "[/red] [bold]x[/bold] :boom:" in capsys.readouterr().out


# -- files and archives ----------------------------------------------------------------------------------------------


Edit = Callable[[zipfile.ZipFile, zipfile.ZipFile], None]


def packed(edit: Edit, rows: list[list[object]] | None = None) -> bytes:
    """A good workbook (of access, unless `rows` are given), its parts written again by `edit`."""
    out = io.BytesIO()
    good = io.BytesIO(workbook(rows or cells(access(20))))
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        edit(old, new)
    return out.getvalue()


def part_of(name: str, change: Callable[[bytes], bytes]) -> Edit:
    def edit(old: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
        for entry in old.namelist():
            new.writestr(entry, change(old.read(entry)) if entry == name else old.read(entry))

    return edit


def part(name: str, change: Callable[[bytes], bytes]) -> bytes:
    return packed(part_of(name, change))


def with_more(old: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
    for entry in old.namelist():
        new.writestr(entry, old.read(entry))
    new.writestr("xl/vbaProject.bin", b"macro")
    new.writestr("../../canary", b"dead")
    new.writestr("xl/externalLinks/externalLink1.xml", b"<externalLink/>")


LAUGHS = b"<!DOCTYPE l [" + b"".join(
    b'<!ENTITY e%d "%s">' % (i, b"ha" if i == 0 else b"&e%d;" % (i - 1) * 10) for i in range(10)
)
SECRET = b'<!DOCTYPE l [<!ENTITY e9 SYSTEM "file:///etc/passwd">'


def with_entities(declared: bytes) -> bytes:
    return part(SHEET, lambda xml: declared + b"]>" + xml.replace(b"<t>school_year</t>", b"<t>&e9;</t>", 1))


NO_WORKBOOK = "not a readable workbook"
WORKBOOKS: dict[str, tuple[bytes, str]] = {
    "entities within entities": (with_entities(LAUGHS), "holds a document type"),
    "an entity from a file": (with_entities(SECRET), "holds a document type"),
    "UTF-16": (part(SHEET, lambda xml: xml.decode().encode("utf-16")), "or UTF-16"),
    "a formula, attributes turned": (
        part(SHEET, lambda xml: xml.replace(b'<c r="A2" t="inlineStr"><is>', b'<c t="str" r="A2"><f>1+1</f><is>', 1)),
        "cell A2 holds a formula",
    ),
    "a formula after its value": (
        part(SHEET, lambda xml: xml.replace(b'<c r="A2" t="inlineStr"><is>', b'<c r="A2"><v>2</v><f>1+1</f><is>', 1)),
        "cell A2 holds a formula",
    ),
    "a formula under a prefix": (
        part(SHEET, lambda xml: xml.replace(b'<c r="A2" t="inlineStr"><is>', b'<x:c r="A2"><x:f>1+1</x:f><is>', 1)),
        "cell A2 holds a formula",
    ),
    "no sheet data": (part(SHEET, lambda _: b"<worksheet>"), NO_WORKBOOK),
    "a cell nowhere": (part(SHEET, lambda xml: xml.replace(b'r="A2"', b'r="?"', 1)), NO_WORKBOOK),
    "no relations": (part("xl/_rels/workbook.xml.rels", lambda _: b"<x/>"), NO_WORKBOOK),
    "another kind of part": (part("[Content_Types].xml", lambda _: b"<Types/>"), NO_WORKBOOK),
}


@pytest.mark.filterwarnings("ignore:Workbook contains no")
@pytest.mark.parametrize("case", WORKBOOKS)
def test_a_hostile_workbook_is_refused_with_one_line(shop: Workshop, case: str) -> None:
    content, fragment = WORKBOOKS[case]
    before = shop.fingerprint()
    shop.deliver("access.xlsx", content)
    [line] = shop.take_in("access").refusals
    assert line.startswith("2025/access.xlsx: ")
    assert fragment in line
    assert shop.fingerprint() == before


def test_a_bomb_is_not_unpacked_into_memory(shop: Workshop) -> None:
    """A workbook of 150 kB that would be 150 MB costs a small part of that."""
    shop.deliver("access.xlsx", part(SHEET, lambda xml: xml + b" " * 150_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "expands past" in shop.take_in("access").refusals[0]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000, "kB"


def test_macros_links_and_paths_in_a_workbook_are_never_looked_at(shop: Workshop) -> None:
    shop.deliver("access.xlsx", packed(with_more))
    assert shop.take_in("access").refusals == ()
    assert shop.in_force("access").accepted == 20


def test_a_formula_that_no_pattern_finds_is_still_only_text(shop: Workshop) -> None:
    """The reader hands it on as its text, which then breaks the rule of the field."""
    book = packed(
        part_of(SHEET, lambda xml: xml.replace(b'<c r="C6" t="inlineStr"><is>', b'<c r="C6"><!-- --><f>1+1</f><is>')),
        directory(["Alder"]),
    )
    shop.deliver("organisations.xlsx", book)
    (shop.settings.landing / "2025" / "organisations.csv").unlink()
    assert shop.take_in("organisations").refusals == ()
    assert [(field, rule) for field, rule, _ in entries(shop, "organisations")] == [("org_name", "formula")]


@pytest.mark.parametrize(
    ("columns", "fragment"),
    [
        (1_000_000, "row 1 is longer than 1000000 bytes"),
        (130_000, "130000 columns, more than 1000"),
    ],
)
def test_a_file_of_very_many_columns_is_refused_at_its_header(shop: Workshop, columns: int, fragment: str) -> None:
    shop.deliver("access.csv", ",".join(f"c{i}" for i in range(columns)) + "\n" + "1," * columns + "\n")
    [line] = shop.take_in("access").refusals
    assert fragment in line


@pytest.mark.parametrize("target", ["/etc/passwd", "/proc/self/environ", "/dev/zero", "nowhere"])
def test_a_link_out_of_the_landing_folder_is_refused(shop: Workshop, target: str) -> None:
    (shop.settings.landing / "2025" / "access.csv").symlink_to(target)
    assert scan(shop.settings.landing, 2025, shop.contracts).problems == (
        "2025/access.csv: is a link; deliver the file itself",
    )
    assert shop.take_in("access").taken == ()


def test_a_year_that_is_a_link_is_refused(shop: Workshop, tmp_path: Path) -> None:
    """A year folder may be no way out either."""
    (shop.settings.landing / "2024").symlink_to(tmp_path / "watched")
    (tmp_path / "watched" / "access.csv").write_text(text(access()))
    problems = scan(shop.settings.landing, 2024, shop.contracts).problems
    (tmp_path / "watched" / "access.csv").unlink()
    assert "2024/access.csv: lies outside the landing folder; deliver the file itself" in problems
