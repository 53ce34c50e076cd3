"""A page of HTML as a reader has it: its tables by caption, its headings, and the text of each element of a kind."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(HTMLParser):
    """`tables` by caption: the texts of each row's cells. `texts`: (tag, class, text) of every closed element."""

    def __init__(self, path: Path):
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[str]]] = {}
        self.texts: list[tuple[str, str, str]] = []
        self._open: list[tuple[str, str, list[str]]] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("class") or "", []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of a drawing that holds nothing."""

    def handle_data(self, data: str) -> None:
        for _, _, text in self._open:
            text.append(data)

    def handle_endtag(self, tag: str) -> None:
        opened, kind, parts = self._open.pop()
        assert opened == tag, (opened, tag)
        text = " ".join("".join(parts).split())
        self.texts.append((tag, kind, text))
        if tag in ("td", "th"):
            self._rows[-1].append(text)
        elif tag == "caption":
            self._caption = text
        elif tag == "table":
            assert self._caption
            self.tables[self._caption] = self._rows

    def all(self, tag: str, kind: str | None = None) -> list[str]:
        """Texts of the elements of a tag, and of a class if one is named."""
        return [text for name, classes, text in self.texts if name == tag and (kind is None or kind in classes.split())]
