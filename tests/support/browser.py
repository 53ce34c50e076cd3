"""A headless Chromium of the system, and what a page is asked about its accessibility.

Belongs here: starting it, checks written by hand. Does not: what a page of the project shows.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

NEEDED = ("chromium", "chromedriver")
LEAST_CONTRAST = 4.5

FAULTS = r"""
const faults = [];
const say = (element, what) => faults.push(`${what}: ${element.outerHTML.slice(0, 120)}`);
const words = (e, attribute) => (e.getAttribute(attribute) || "").split(/\s+/).filter(Boolean);
const named = (e) => words(e, "aria-labelledby").map((id) => document.getElementById(id)?.textContent || "").join(" ");
const name = (e) => (e.getAttribute("aria-label") || named(e) || e.textContent || "").trim();
if (!document.documentElement.lang) say(document.documentElement, "no language");
if (!document.title.trim()) faults.push("no title");
if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
let level = 0;
for (const h of document.querySelectorAll("h1,h2,h3,h4,h5,h6")) {
  const own = Number(h.tagName[1]);
  if (own > level + 1) say(h, "a heading level is skipped");
  if (!h.textContent.trim()) say(h, "an empty heading");
  level = own;
}
const ids = new Set();
for (const e of document.querySelectorAll("[id]")) { if (ids.has(e.id)) say(e, "an id twice"); ids.add(e.id); }
for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"])
  for (const e of document.querySelectorAll(`[${attribute}]`))
    for (const id of e.getAttribute(attribute).split(/\s+/)) if (!ids.has(id)) say(e, `${attribute} leads nowhere`);
for (const e of document.querySelectorAll("input,select,textarea"))
  if (!e.labels.length && !e.getAttribute("aria-label")) say(e, "a field without label");
for (const e of document.querySelectorAll("a[href],button,summary")) if (!name(e)) say(e, "nothing to call it by");
for (const e of document.querySelectorAll("nav,section,[role=group],[role=img],[role=region]"))
  if (!name(e) || (e.tagName === "NAV" && !e.getAttribute("aria-label"))) say(e, "a place without name");
for (const e of document.querySelectorAll("img:not([alt])")) say(e, "a picture without words");
for (const e of document.querySelectorAll("svg:not([role=img])"))
  if (!e.closest("[aria-hidden=true]")) say(e, "a drawing without words");
for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) say(e, "an order of its own");
for (const list of document.querySelectorAll("ul,ol"))
  for (const e of list.children) if (e.tagName !== "LI") say(e, "in a list, no item");
for (const table of document.querySelectorAll("table")) {
  if (!table.caption || !table.caption.textContent.trim()) say(table, "a table without caption");
  for (const th of table.querySelectorAll("th")) {
    if (!["row", "col", "rowgroup", "colgroup"].includes(th.scope)) say(th, "a header without scope");
    if (!th.textContent.trim()) say(th, "an empty header");
  }
  const width = (row) => [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0);
  const widest = Math.max(...[...table.rows].map(width));
  const spanned = table.querySelector("[rowspan]");
  for (const row of table.rows) {
    if (!spanned && width(row) !== widest) say(row, "a row of another width");
    const isBody = row.parentElement.tagName !== "THEAD";
    if (isBody && !spanned && row.cells[0].tagName !== "TH") say(row, "a row without header");
  }
  for (const td of table.querySelectorAll("tbody td, tfoot td")) {
    if (!td.textContent.trim() && td.className !== "empty" && !td.classList.contains("text")) say(td, "an empty cell");
  }
}
return faults;
"""

CONTRAST = r"""
const parse = (text) => {
  const parts = text.match(/[\d.]+/g).map(Number);
  return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
};
const light = (rgb) => {
  const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const found = parse(getComputedStyle(e).backgroundColor);
    if (found.alpha === 1) return found.rgb;
  }
  return [255, 255, 255];
};
let least = 99, worst = "", count = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.closest("script,title,pattern")) continue;
  if (!element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  const ink = parse(element.namespaceURI.endsWith("svg") ? style.fill : style.color).rgb;
  const [one, two] = [light(ink), light(behind(element))];
  const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  count += 1;
  if (ratio < least) { least = ratio; worst = walker.currentNode.data.trim(); }
}
return [least, worst, count];
"""


@contextmanager
def browser(profile: Path) -> Iterator[WebDriver]:
    """A browser without network whose window is that of a small computer. Fails when it is not installed."""
    found = [shutil.which(name) for name in NEEDED]
    if None in found:
        pytest.fail("the tests of the pages need a browser: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = str(found[0])
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(found[1])))
    try:
        yield driver
    finally:
        driver.quit()


def faults(driver: WebDriver) -> list[str]:
    """What a person with a screen reader or a keyboard would stumble over."""
    found: list[str] = driver.execute_script(FAULTS)
    return found


def contrast(driver: WebDriver) -> tuple[float, str, int]:
    """The least contrast of a visible text with what is behind it, that text, and how many were looked at."""
    least, worst, count = driver.execute_script(CONTRAST)
    return float(least), str(worst), int(count)


def colours(driver: WebDriver, scheme: str) -> None:
    """Have the page shown as a person sees it who prefers light or dark."""
    media: dict[str, Any] = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
