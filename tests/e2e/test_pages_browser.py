"""The auditor's pages in a real browser, opened from disk: by mouse, by keyboard, and by what hinders nobody."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from orchestration.releases import CURRENT
from tests.e2e.test_cli import accountability
from tests.support.browser import LEAST_CONTRAST, browser, colours, contrast, faults
from tests.support.published_state import YEAR, change, published_state

HOSTILE = "<b>Bold</b></script><img src=x onerror=\"document.title='taken'\">\u2028 Academy"
FOCUS = """
const e = document.activeElement;
const style = getComputedStyle(e);
return [e.tagName, (e.id || e.textContent.trim()).slice(0, 60), style.outlineStyle, parseFloat(style.outlineWidth)];
"""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], dict[str, dict[str, Any]], str]:
    """The whole and the public site, the organisations by code, and the code of the one with the hostile name."""
    folder = tmp_path_factory.mktemp("state")
    release = published_state(folder, students=3_000)
    rows = {row["org_code"]: row for row in pq.read_table(release.folder / "organisations.parquet").to_pylist()}
    hostile = max(code for code, row in rows.items() if row["org_type"] == "school")

    def renamed(row: dict[str, Any]) -> None:
        if row["org_code"] == hostile:
            row["org_name"] = HOSTILE

    change(release.folder, "organisations", renamed)
    change(release.folder / "public", "organisations", renamed)
    made = {}
    for name, more in (("whole", []), ("public", ["--public"])):
        made[name] = folder / name
        words = ("release", "pages", f"{YEAR}/{CURRENT}", "--home", folder / "home", "--out", made[name], *more)
        done = accountability(*words)
        assert done.returncode == 0, done.stderr
    return made, rows, hostile


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def driver(running: WebDriver) -> Iterator[WebDriver]:
    """The browser, asked afterwards whether a page had an error or looked beyond the folder."""
    running.set_window_size(1200, 900)
    running.get_log("browser")
    yield running
    assert running.get_log("browser") == []
    names = running.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(name.startswith("file://") for name in names)


def search(driver: WebDriver, words: str) -> list[str]:
    """Type into the search field; the names that are found."""
    field = driver.find_element(By.ID, "query")
    field.clear()
    field.send_keys(words)
    return [link.text for link in driver.find_elements(By.CSS_SELECTOR, "#results a")]


def keys(driver: WebDriver, *pressed: str) -> None:
    driver.switch_to.active_element.send_keys(*pressed)


def opened(driver: WebDriver, file: str) -> None:
    WebDriverWait(driver, 10).until(lambda d: d.current_url.split("#")[0].endswith(file))


def school(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A school whose figures are explained down to deliveries: the largest."""
    return max((r for r in rows.values() if r["org_type"] == "school"), key=lambda r: (r["enrolment"], r["org_code"]))


def test_a_school_is_found_by_name_and_opened_by_mouse(driver: WebDriver, sites: Any) -> None:
    made, rows, _ = sites
    one = school(rows)
    driver.get((made["whole"] / "index.html").as_uri())
    found = search(driver, one["org_name"].upper())
    assert found[0] == one["org_name"]
    assert driver.find_element(By.ID, "found").text == f"{len(found)} found"
    driver.find_element(By.CSS_SELECTOR, "#results a").click()
    opened(driver, f"{one['org_code']}.html")
    assert driver.find_element(By.TAG_NAME, "h1").text == one["org_name"]
    driver.find_element(By.LINK_TEXT, rows[one["district_code"]]["org_name"]).click()
    opened(driver, f"{one['district_code']}.html")
    assert one["org_name"] in driver.find_element(By.ID, "schools").text


def test_the_search_says_how_many_and_none(driver: WebDriver, sites: Any) -> None:
    made, rows, _ = sites
    driver.get((made["public"] / "index.html").as_uri())
    assert search(driver, "zzzz nothing") == []
    assert driver.find_element(By.ID, "found").text == "0 found"
    districts = {row["org_name"] for row in rows.values() if row["org_type"] == "district"}
    assert search(driver, "5001 0000")[0] in districts
    everything = search(driver, "50")
    assert len(everything) == 20
    assert driver.find_element(By.ID, "found").text.endswith(" found, the first 20 are shown")


def test_the_whole_way_by_keyboard(driver: WebDriver, sites: Any) -> None:
    """From the skip link to the search field, through what is found, to a school, its tree and its policy rows."""
    made, rows, _ = sites
    one = school(rows)
    driver.get((made["whole"] / "index.html").as_uri())
    order = []
    for _ in range(5):
        keys(driver, Keys.TAB)
        order.append(driver.execute_script(FOCUS))
    assert [name for _, name, *_ in order] == [
        "Skip to the content",
        f"Accountability {YEAR}",
        "Search",
        "All organisations",
        "query",
    ]
    assert all(style != "none" and width >= 2 for *_, style, width in order)
    keys(driver, one["org_code"][:5])
    assert len(driver.find_elements(By.CSS_SELECTOR, "#results a")) > 1
    keys(driver, Keys.ARROW_DOWN)
    assert driver.switch_to.active_element.tag_name == "a"
    keys(driver, Keys.ARROW_UP)
    assert driver.switch_to.active_element.get_attribute("id") == "query"
    keys(driver, Keys.ARROW_DOWN, Keys.ESCAPE)
    assert driver.switch_to.active_element.get_attribute("value") == ""
    keys(driver, one["org_code"], Keys.ENTER)
    opened(driver, f"{one['org_code']}.html")
    keys(driver, Keys.TAB, Keys.ENTER)  # the skip link
    assert driver.switch_to.active_element.get_attribute("id") == "main"
    tree = driver.find_element(By.ID, "tree")
    inner = tree.find_elements(By.TAG_NAME, "details")
    assert sum(one.get_attribute("open") is not None for one in inner) < len(inner) / 2
    first = tree.find_element(By.CSS_SELECTOR, "details:not([open]) > summary")
    driver.execute_script("arguments[0].focus()", first)
    keys(driver, Keys.ENTER)
    assert first.find_element(By.XPATH, "..").get_attribute("open") is not None
    keys(driver, Keys.SPACE)
    assert first.find_element(By.XPATH, "..").get_attribute("open") is None


def test_the_tree_opens_down_to_the_deliveries_and_leads_to_the_policy_rows(driver: WebDriver, sites: Any) -> None:
    made, rows, _ = sites
    driver.get((made["whole"] / "org" / f"{school(rows)['org_code']}.html").as_uri())
    leaf = driver.find_element(By.XPATH, "//summary[starts-with(., 'delivery: ')]")
    assert not leaf.is_displayed()
    driver.find_element(By.XPATH, "//button[.='Open all']").click()
    assert leaf.is_displayed()
    link = driver.find_elements(By.CSS_SELECTOR, "#tree a[href^='#rule-']")[1]
    rule = str(link.get_attribute("href")).partition("#")[2]
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
    link.click()
    WebDriverWait(driver, 5).until(lambda d: d.find_element(By.ID, rule).is_displayed())
    driver.find_element(By.XPATH, "//button[.='Close all']").click()
    assert not leaf.is_displayed()


def test_a_hostile_name_is_shown_and_does_nothing(driver: WebDriver, sites: Any) -> None:
    made, _, hostile = sites
    for site in made.values():
        driver.get((site / "index.html").as_uri())
        shown = " ".join(HOSTILE.split())
        assert [" ".join(name.split()) for name in search(driver, "onerror")] == [shown]
        assert driver.find_elements(By.CSS_SELECTOR, "#results b, #results img") == []
        keys(driver, Keys.ENTER)
        opened(driver, f"{hostile}.html")
        assert " ".join(driver.find_element(By.TAG_NAME, "h1").text.split()) == shown
        assert driver.find_elements(By.CSS_SELECTOR, "main b, main img") == []
        assert "taken" not in driver.title.replace(HOSTILE, "").replace(shown, "")
        driver.get((site / "all.html").as_uri())
        assert shown in " ".join(driver.find_element(By.TAG_NAME, "table").text.split())


@pytest.mark.parametrize("variant", ["whole", "public"])
def test_nothing_hinders_anybody(driver: WebDriver, sites: Any, variant: str) -> None:
    made, rows, hostile = sites
    one = school(rows)
    codes = [one["org_code"], one["district_code"], "00000000", hostile]
    for file in ("index.html", "all.html", *(f"org/{code}.html" for code in codes)):
        driver.get((made[variant] / file).as_uri())
        driver.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        if file == "index.html":
            search(driver, "50")
        assert faults(driver) == [], file
        for scheme in ("light", "dark"):
            colours(driver, scheme)
            least, worst, count = contrast(driver)
            assert least >= LEAST_CONTRAST, (file, scheme, worst, least)
            assert count > 20
        colours(driver, "light")


def test_a_phone_shows_the_page_without_moving_it_sideways(driver: WebDriver, sites: Any) -> None:
    """Wide tables move within themselves, and can be reached by keyboard then."""
    made, rows, _ = sites
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        for file in ("index.html", f"org/{school(rows)['org_code']}.html"):
            driver.get((made["whole"] / file).as_uri())
            assert driver.execute_script("return document.documentElement.scrollWidth") <= 360, file
            wide = [
                box
                for box in driver.find_elements(By.CSS_SELECTOR, ".scroll")
                if driver.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth", box)
            ]
            assert wide
            assert all(box.get_attribute("tabindex") == "0" for box in wide)
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_scripts_everything_is_there(driver: WebDriver, sites: Any) -> None:
    made, rows, _ = sites
    one = school(rows)
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get((made["whole"] / "index.html").as_uri())
        driver.find_element(By.LINK_TEXT, "All organisations on one page").click()
        driver.find_element(By.LINK_TEXT, one["org_name"]).click()
        opened(driver, f"{one['org_code']}.html")
        first = driver.find_element(By.CSS_SELECTOR, "#tree details:not([open])")
        first.find_element(By.TAG_NAME, "summary").click()
        assert first.get_attribute("open") is not None
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_paper_has_no_field_and_the_same_figures(driver: WebDriver, sites: Any) -> None:
    made, rows, _ = sites
    driver.get((made["whole"] / "org" / f"{school(rows)['org_code']}.html").as_uri())
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not driver.find_element(By.CSS_SELECTOR, ".buttons").is_displayed()
        assert driver.find_element(By.CSS_SELECTOR, "#points table").is_displayed()
        paper = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def printed(driver: WebDriver, page: Path) -> str:
    """The text of a page that is laid out for print; the driver's own text leaves out what is closed on a screen."""
    driver.get(page.as_uri())
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        text: str = driver.execute_script("return document.body.innerText")
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    return text


def sheets(driver: WebDriver, page: Path) -> int:
    """How many sheets of paper a page of the site takes."""
    driver.get(page.as_uri())
    paper = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    return len(re.findall(rb"/Type\s*/Page\b", paper))


def test_paper_has_the_closed_parts_of_an_explanation(driver: WebDriver, sites: Any, tmp_path: Path) -> None:
    """A closed part of the tree is printed too, down to the deliveries, on the site and in a page of `explain`."""
    made, rows, _ = sites
    code = school(rows)["org_code"]
    words = ("explain", "--year", str(YEAR), "--org", code, "--format", "html", "--home", made["whole"].parent / "home")
    alone = tmp_path / "explained.html"
    alone.write_text(accountability(*words).stdout)
    for page in (made["whole"] / "org" / f"{code}.html", alone):
        digest = re.findall(r"sha256 ([0-9a-f]{64})", page.read_text())[0]
        text = printed(driver, page)
        for said in (digest, "numerator ", "delivery: ", "how it is counted"):
            assert said in text, (page, said)
    bare = tmp_path / "bare.html"
    bare.write_text(alone.read_text().replace("::details-content", "::of-no-kind"))
    assert digest not in printed(driver, bare), "it is the style that opens them"
    assert sheets(driver, alone) > sheets(driver, bare)
