"""What a text from outside may hold before people, terminals and spreadsheets see it.

Belongs here: the two patterns that a text is held against, and how an unshowable character is shown. Does not: which
fields they are for. Both patterns mean the same to Python and to DuckDB.
"""

from __future__ import annotations

import re

CONTROL = "[\\x00-\\x1F\\x7F-\\x9F\u2028\u2029\u202a-\u202e\u2066-\u2069]"
"""A character that breaks a line, moves a terminal's cursor or turns the direction of what follows."""
FORMULA = "[=@\uff1d\uff20\uff0b\uff0d].+|[+-].*[A-Za-z(|!].*"
"""A whole text that a spreadsheet would run when it opens a CSV file. A number with its sign is none."""


def is_unfit(text: str) -> bool:
    """Whether a text may not stand where people read it. Blanks around it do not count, as at intake."""
    stripped = text.strip(" \t")
    return bool(re.search(CONTROL, stripped) or re.fullmatch(FORMULA, stripped))


def printable(text: str) -> str:
    """The text on one line: each character that cannot be shown as its escape, so that it acts on no terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
