"""Eligibility and the assignment of Leads a second time, from the Board memorandum and the rulebook, by brute force.

Written without the room's code: plain dictionaries, every assignment enumerated, no solver. The seed's figures stand
here as numbers; the room reads them from the policy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LOWEST = 10
DIRECT_OVERSIGHT = {"chronically_underperforming", "receivership"}
FOCUSED, BROAD = "In need of focused/targeted support", "In need of broad/comprehensive support"
REQUIRING = "Requiring assistance or intervention"
WESTERN = {"Berkshire", "Franklin", "Hampshire", "Hampden", "Worcester"}
EASTERN = {"Barnstable", "Bristol", "Dukes", "Essex", "Middlesex", "Nantucket", "Norfolk", "Plymouth", "Suffolk"}
OWN_REGION = "Strategic Transformation"

Row = Mapping[str, Any]


def grounds(organisations: Sequence[Row], determinations: Sequence[Row]) -> dict[str, set[str]]:
    """Code to the grounds of its claim; codes without a claim are absent."""
    kind = {row["org_code"]: row["org_type"] for row in organisations}
    home = {row["org_code"]: row["district_code"] for row in organisations}
    found: dict[str, set[str]] = {code: set() for code in kind}
    for row in determinations:
        code = row["org_code"]
        if kind.get(code) not in ("school", "district"):
            continue
        if kind[code] == "school" and row["percentile"] is not None and row["percentile"] <= LOWEST:
            found[code].add("lowest_percentile")
        if row["reason"] == FOCUSED:
            found[code].add("focused_targeted")
        elif row["reason"] == BROAD:
            found[code].add("broad_comprehensive")
        elif row["overall_classification"] == REQUIRING:
            found[code].add("requires_assistance")
        if DIRECT_OVERSIGHT & set((row["designations"] or "").split("; ")):
            found[code].add("strategic")
    for code, own in list(found.items()):
        if kind[code] == "school":
            found[home[code]] |= {f"school/{ground}" for ground in own}
    return {code: own for code, own in found.items() if own}


def needs_lead(own: set[str], year: int) -> bool:
    """2018: a school in the lowest tenth, or designated; from 2023: any school that requires assistance."""
    designated = {"broad_comprehensive", "strategic"}
    if own & designated or own & {f"school/{ground}" for ground in ("lowest_percentile", *designated)}:
        return True
    return year >= 2023 and bool(own & {"school/focused_targeted", "school/requires_assistance"})


def change(now: Mapping[str, Any], before: Mapping[str, Any] | None, code: str) -> str:
    if before is None:
        return "no_prior_year"
    return {(1, 0): "entered", (1, 1): "continuing", (0, 1): "exited"}[code in now, code in before]


def region(organisation: Row, determinations: Sequence[Row]) -> str:
    """By county, unless the organisation or its district is under direct oversight."""
    for row in determinations:
        under = DIRECT_OVERSIGHT & set((row["designations"] or "").split("; "))
        if under and row["org_code"] in (organisation["org_code"], organisation["district_code"]):
            return OWN_REGION
    county = organisation["county"].removesuffix(" County")
    assert county in WESTERN | EASTERN
    return "West/Central" if county in WESTERN else "Coastal"


def best(
    loads: Sequence[int], rooms: Sequence[int], current: Iterable[tuple[int, int]]
) -> tuple[tuple[int, ...], dict[int, int]]:
    """The best of all assignments and its figures: served, kept, load served, largest load, smallest load.

    Every district has one Lead or none, no Lead more than there is room for, as few Leads idle as can be. Then, in this
    order: most districts served, most relationships kept, most load served, smallest largest load, largest
    smallest load (where nobody needs to be idle).
    """
    pairs = set(current)
    enough = len(loads) >= len(rooms)
    winner: tuple[tuple[int, ...], dict[int, int]] | None = None
    for choice in itertools.product([None, *range(len(rooms))], repeat=len(loads)):
        found = {d: lead for d, lead in enumerate(choice) if lead is not None}
        counts = [sum(lead == n for lead in found.values()) for n in range(len(rooms))]
        if any(count > room for count, room in zip(counts, rooms, strict=True)):
            continue
        if (enough and min(counts, default=1) < 1) or (not enough and max(counts, default=0) > 1):
            continue
        own = [sum(loads[d] for d, lead in found.items() if lead == n) for n in range(len(rooms))]
        figures = (
            len(found),
            sum(pair in pairs for pair in found.items()),
            sum(own),
            -max(own),
            min(own) if enough else 0,
        )
        if winner is None or figures > winner[0]:
            winner = figures, found
    assert winner is not None
    return winner
