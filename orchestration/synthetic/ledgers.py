"""Ledgers of decisions and of assistance: designations, recognitions, staff, plans.

Belongs here: rows that people keep by hand. Does not: deriving a decision from results.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestration.synthetic.anchors import Anchors
from orchestration.synthetic.organisations import STATE, Directory
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.writing import Table, text

SUPPORTS = ("modeling", "training", "coaching", "resources", "reviews", "data")
STRATEGIC = "Strategic Transformation"
Row = dict[str, str | None]


def designations(directory: Directory, years: Sequence[int], year: int, anchors: Anchors) -> Table:
    """Decisions taken by the end of a school year, those no longer in force with their last day.

    The neediest large districts are in receivership for good; a few schools are chronically underperforming and in
    receivership; more are underperforming, of which a third is released during the years and a few come later.
    """
    figures = anchors.ledgers
    first = years[0]
    rows: list[Row] = []

    def decide(code: str, designation: str, start: str, end: str | None = None) -> None:
        board = designation == "chronically_underperforming" and code.endswith("0000")
        if start <= f"{year}-06-30":
            rows.append(
                {
                    "org_code": code,
                    "designation": designation,
                    "effective_from": start,
                    "effective_until": end if end and end <= f"{year}-06-30" else None,
                    "decided_by": "Board of the fictional state" if board else "Commissioner of the fictional state",
                    "reason": "Persistently low results of the fictional organisation",
                    "citation": "Fictional decision of the generated state",
                }
            )

    for d in receivership_districts(directory, anchors):
        code = directory.district_code[d]
        decide(code, "chronically_underperforming", f"{first - 4}-11-29")
        decide(code, "receivership", f"{first - 3}-01-17")
    schools = _weakest_schools(directory, years, anchors)
    chronic = max(1, round(figures.chronically_underperforming_schools * len(directory.code)))
    under = max(3, round(figures.underperforming_schools * len(directory.code)))
    for s in schools[:chronic]:
        decide(directory.code[s], "chronically_underperforming", f"{first - 2}-10-23")
        decide(directory.code[s], "receivership", f"{first - 1}-07-01")
    for n, s in enumerate(schools[chronic : chronic + under]):
        middle = years[len(years) // 2]
        start = f"{middle - 1}-11-04" if n % 3 == 2 else f"{first - 2}-11-04"
        decide(directory.code[s], "underperforming", start, f"{middle}-05-28" if n % 3 == 1 else None)
    return _table(rows)


def recognitions(directory: Directory, year: int, anchors: Anchors, seed: int) -> Table:
    """Schools recognised in a year: the best few percent by what they add, with some chance; some on two grounds."""
    rng = generator(seed, year, Stream.RECOGNITIONS)
    effects = directory.effects
    merit = effects["level"] + 2 * effects["growth"] + rng.normal(0, 2, len(directory.code))
    merit[~directory.open_in(year)] = -np.inf
    count = max(1, round(anchors.ledgers.recognised_schools * len(directory.code)))
    rows: list[Row] = []
    for n, s in enumerate(np.argsort(-merit, kind="stable")[:count]):
        grounds = [("high_achievement", "high_growth", "exceeding_targets")[n % 3]]
        grounds += ["high_growth"] if n % 6 == 0 else []
        rows += [
            {
                "school_year": str(year),
                "org_code": directory.code[s],
                "ground": ground,
                "decided_by": "Commissioner of the fictional state",
                "citation": "Fictional list of recognised schools",
            }
            for ground in grounds
        ]
    return _table(rows)


def staff(directory: Directory, years: Sequence[int], anchors: Anchors) -> Table:
    """A row an Assistance Lead and district; each region has a free Lead and two Co-Directors; one Lead has left."""
    rows = [
        _person(lead, "assistance_lead", region, capacity, directory.district_code[d], years)
        for lead, region, capacity, d in _leads(directory, anchors)
    ]
    for n, region in enumerate(anchors.ledgers.regions):
        rows.append(_person(f"AL-9{n}1", "assistance_lead", region, 3, STATE, years))
        rows += [_person(f"CD-{n}{pair}", "co_director", region, 0, STATE, years) for pair in (1, 2)]
    left = _person("AL-999", "assistance_lead", next(iter(anchors.ledgers.regions)), 2, STATE, years)
    return _table([*rows, left | {"active_until": f"{years[0]}-01-31"}])


def plans(directory: Directory, year: int, anchors: Anchors, seed: int) -> Table:
    """Lines of the annual plans: two to four a district with a Lead, some for one of its schools."""
    rng = generator(seed, year, Stream.PLANS)
    low, high = anchors.ledgers.plans_per_district
    rows: list[Row] = []
    for lead, _, _, d in _leads(directory, anchors):
        schools = np.flatnonzero((directory.district == d) & directory.open_in(year))
        for n in range(int(rng.integers(low, high + 1))):
            planned = int(rng.integers(2, 40)) * 5
            status = ("active", "done", "planned", "cancelled")[int(rng.choice(4, p=[0.4, 0.35, 0.2, 0.05]))]
            delivered = {"done": planned, "active": planned // 2, "cancelled": 0}.get(status)
            agreed = f"{year - 1}-{int(rng.integers(8, 12)):02d}-{int(rng.integers(1, 29)):02d}"
            of_school = len(schools) > 0 and rng.random() < 0.6
            rows.append(
                {
                    "school_year": str(year),
                    "plan_id": f"{year}-{directory.district_code[d][:4]}-{n + 1}",
                    "district_code": directory.district_code[d],
                    "school_code": directory.code[int(rng.choice(schools))] if of_school else None,
                    "staff_id": lead,
                    "agreed_on": None if status == "planned" else agreed,
                    "support": SUPPORTS[int(rng.integers(len(SUPPORTS)))],
                    "unit": "days" if planned < 50 else "hours",
                    "planned": f"{planned}.0",
                    "delivered": None if delivered is None else f"{delivered}.0",
                    "status": status,
                }
            )
    return _table(rows)


def receivership_districts(directory: Directory, anchors: Anchors) -> list[int]:
    """The neediest of the larger half of the towns."""
    count = max(1, round(anchors.ledgers.receivership_districts * len(directory.districts)))
    large = range(max(1, directory.towns // 2))
    return sorted(large, key=lambda d: -directory.districts[d].need)[:count]


def region_of(directory: Directory, district: int, anchors: Anchors) -> str:
    """Region of a district: receiverships have their own, the others that of their county's former center."""
    if district in receivership_districts(directory, anchors):
        return STRATEGIC
    center = anchors.organisations.counties[directory.districts[district].county].former_center
    return next(region for region, centers in anchors.ledgers.regions.items() if center in centers)


def _leads(directory: Directory, anchors: Anchors) -> list[tuple[str, str, int, int]]:
    """(staff id, region, capacity, district) of every served district: the neediest towns, region by region."""
    figures = anchors.ledgers
    count = max(2, round(figures.districts_with_a_lead * directory.towns))
    neediest = sorted(range(directory.towns), key=lambda d: -directory.districts[d].need)[:count]
    served = list(dict.fromkeys([*receivership_districts(directory, anchors), *neediest]))
    out = []
    number = 0
    for region in figures.regions:
        waiting = [d for d in served if region_of(directory, d, anchors) == region]
        while waiting:
            capacity = figures.lead_capacity[number % len(figures.lead_capacity)]
            number += 1
            out += [(f"AL-{number:03d}", region, capacity, d) for d in waiting[:capacity]]
            waiting = waiting[capacity:]
    return out


def _person(staff_id: str, role: str, region: str, capacity: int, district: str, years: Sequence[int]) -> Row:
    return {
        "staff_id": staff_id,
        "role": role,
        "region": region,
        "capacity": str(capacity),
        "district_code": district,
        "active_from": f"{years[0] - 1}-07-02",
        "active_until": None,
    }


def _weakest_schools(directory: Directory, years: Sequence[int], anchors: Anchors) -> list[int]:
    """Schools with tested grades that are open throughout, outside receivership districts, weakest first."""
    taken = receivership_districts(directory, anchors)
    throughout = np.logical_and.reduce([directory.open_in(year) for year in years])
    able = throughout & (directory.high >= 3) & ~np.isin(directory.district, taken)
    weakness = 3 * directory.need - directory.effects["level"]
    return [int(s) for s in np.argsort(-weakness, kind="stable") if able[s]]


def _table(rows: list[Row]) -> Table:
    return {name: text([row[name] for row in rows]) for name in rows[0]}
