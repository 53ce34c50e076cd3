"""How many districts and schools a state of a given size has, and which grades and seats each school gets.

Belongs here: the plan, without names or codes. Does not: students.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from orchestration.synthetic.anchors import Anchors, GradeCut, Growth, Organisations, draw
from orchestration.synthetic.rng import Stream, generator

PRE_K, KINDERGARTEN, LAST_GRADE, BEYOND = -1, 0, 12, 13
NEEDIEST = 0.97
"""Place of an alternative high school: students of the neediest neighbourhoods attend it."""


@dataclass
class DistrictPlan:
    """A district before it has a name. `share`: of all students who live there, 0 for sectors without residents."""

    kind: str
    share: float = 0.0
    need: float = 0.0
    county: str = ""
    regional: int | None = None
    cohort: float = 0.0


@dataclass
class SchoolPlan:
    """A school before it has a name. `seats`: students a grade; `place`: where in a town its students live, 0 to 1."""

    district: int
    low: int
    high: int
    seats: float
    place: float = 0.5
    alternative: bool = False
    opened: int | None = None
    closed: int | None = None


def plan(
    students: int, years: tuple[int, ...], seed: int, anchors: Anchors
) -> tuple[list[DistrictPlan], list[SchoolPlan]]:
    """Plan districts (towns by falling size, regionals, charters, vocationals, virtuals) and their schools."""
    figures = anchors.organisations
    rng = generator(seed, 0, Stream.LAYOUT)
    counts = _district_counts(students, figures)
    grades = sum(1 for grade in anchors.population.grades if KINDERGARTEN <= grade <= LAST_GRADE)
    residents = students * (1 - sum(figures.seats.values()))
    districts = _towns(counts, residents / grades, anchors, rng)
    for kind in ("academic_regional", "charter", "vocational", "virtual"):
        districts += [DistrictPlan(kind) for _ in range(counts[kind])]
    _join_regionals(districts, counts, figures.member_towns_per_regional)
    _place_sectors(districts, figures, rng)

    cuts = _grade_cuts(districts, figures, rng)
    others = [
        school
        for kind in ("academic_regional", "charter", "vocational", "virtual")
        for school in _sector(kind, districts, students, figures, rng)
    ]
    wanted = _grown(figures.schools, students, figures.reference_students) - len(others)
    scale = _scale(districts, cuts, wanted, figures)
    towns = [
        school
        for index, cut in cuts.items()
        for school in _town_schools(index, districts[index].cohort, cut, scale, years, figures, rng)
    ]
    return districts, towns + others


def _grown(growth: Growth, students: int, reference: int) -> int:
    size: float = growth.reference * (students / reference) ** growth.exponent
    return max(growth.minimum, round(size))


def _district_counts(students: int, figures: Organisations) -> dict[str, int]:
    total = _grown(figures.districts, students, figures.reference_students)
    least = {"charter": 2, "vocational": 1, "academic_regional": 1, "virtual": 1}
    counts = {kind: max(least[kind], round(share * total)) for kind, share in figures.shares.items()}
    counts["public"] = max(3, total - sum(counts.values()))
    return counts


def _towns(counts: dict[str, int], cohort: float, anchors: Anchors, rng: np.random.Generator) -> list[DistrictPlan]:
    """Towns by falling size, lognormal by quantile so that a small state has large and small ones too."""
    figures, count = anchors.organisations, counts["public"]
    quantiles = [NormalDist().inv_cdf(1 - (i + 0.5) / count) for i in range(count)]
    size = np.exp(figures.town_size_sigma * np.array(quantiles) + rng.normal(0, figures.town_size_chance, count))
    size = np.sort(size / size.sum())[::-1]
    need = anchors.groups.town_need["size"] * np.array(quantiles)
    need += rng.normal(0, anchors.groups.town_need["chance"], count)
    county = draw(rng, {name: c.share for name, c in figures.counties.items()}, count)
    names = list(figures.counties)
    return [
        DistrictPlan(
            "public", share=float(size[i]), need=float(need[i]), county=names[county[i]], cohort=float(cohort * size[i])
        )
        for i in range(count)
    ]


def _join_regionals(districts: list[DistrictPlan], counts: dict[str, int], per_regional: float) -> None:
    """The smallest towns become members of an academic regional, in its county."""
    towns, regionals = counts["public"], counts["academic_regional"]
    members = min(towns - 2, max(1, round(per_regional * regionals)))
    for j, town in enumerate(range(towns - members, towns)):
        regional = towns + j % regionals
        districts[town].regional = regional
        if j < regionals:
            districts[regional].county = districts[town].county
        districts[town].county = districts[regional].county
        districts[regional].cohort += districts[town].cohort
        districts[regional].need += districts[town].need / members * regionals


def _place_sectors(districts: list[DistrictPlan], figures: Organisations, rng: np.random.Generator) -> None:
    """Put charters, vocationals and virtuals into the county of a town drawn by size (the first: the largest town)."""
    towns = {i: d.share for i, d in enumerate(districts) if d.kind == "public"}
    for kind in figures.seats:
        own = [d for d in districts if d.kind == kind]
        homes = draw(rng, towns, len(own))
        for n, district in enumerate(own):
            home = districts[0 if n == 0 else int(homes[n])]
            district.county, district.need = home.county, home.need


def _grade_cuts(districts: list[DistrictPlan], figures: Organisations, rng: np.random.Generator) -> dict[int, GradeCut]:
    """How each town cuts its grades; the two largest take the first kind, members of a regional end early."""
    cuts: dict[int, GradeCut] = {}
    drawn = draw(rng, {i: cut.share for i, cut in enumerate(figures.grade_cuts)}, len(districts))
    last = figures.member_town_last_grade
    for i, district in enumerate(districts):
        if district.kind != "public":
            continue
        cut = figures.grade_cuts[0 if i < 2 else int(drawn[i])]
        if district.regional is not None:
            cut = GradeCut(elementary=last, middle=last, share=0)
        elif district.cohort > cut.largest_cohort:
            cut = figures.grade_cuts[0]
        cuts[i] = cut
    return cuts


def _numbers(cohort: float, cut: GradeCut, scale: float, city: bool, figures: Organisations) -> dict[str, int]:
    """Schools of a town by level. The largest town (`city`) has at least one of each special kind."""
    per = {level: size * scale for level, size in figures.cohort_per_school.items()}
    has_high = cut.middle >= 8 or cut.share > 0
    return {
        "elementary": max(6 if city else 1, round(cohort / per["elementary"])),
        "middle": max(1, round(cohort / per["middle"])) if cut.middle > cut.elementary else 0,
        "high": max(1, round(cohort / per["high"])) if has_high else 0,
        "alternative": int(city or (has_high and cohort >= figures.alternative_cohort)),
    }


def _scale(districts: list[DistrictPlan], cuts: dict[int, GradeCut], wanted: int, figures: Organisations) -> float:
    """Factor on the usual school size that gives the wanted number of town schools, by bisection."""
    low, high = 0.05, 20.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        count = 0
        for i, cut in cuts.items():
            count += sum(_numbers(districts[i].cohort, cut, middle, i == 0, figures).values())
        low, high = (middle, high) if count > wanted else (low, middle)
    return low


def _town_schools(
    town: int,
    cohort: float,
    cut: GradeCut,
    scale: float,
    years: tuple[int, ...],
    figures: Organisations,
    rng: np.random.Generator,
) -> list[SchoolPlan]:
    numbers = _numbers(cohort, cut, scale, town == 0, figures)
    schools = _elementary(town, cohort, numbers["elementary"], cut.elementary, years, figures, rng)
    if numbers["middle"]:
        schools += _level(town, cut.elementary + 1, cut.middle, cohort, numbers["middle"], figures, rng)
    alternative = 0.0
    if numbers["alternative"]:
        alternative = min(figures.alternative_seats["cohort"], figures.alternative_seats["share"] * cohort)
        schools.append(SchoolPlan(town, 9, LAST_GRADE, alternative, place=NEEDIEST, alternative=True))
    if numbers["high"]:
        low = max(cut.middle, cut.elementary) + 1
        schools += _level(town, low, LAST_GRADE, cohort - alternative, numbers["high"], figures, rng)
    return schools


def _level(
    town: int, low: int, high: int, cohort: float, count: int, figures: Organisations, rng: np.random.Generator
) -> list[SchoolPlan]:
    """`count` schools that share the students of the same grades, neediest neighbourhood last."""
    sizes = np.exp(rng.normal(0, figures.school_size_sigma, count))
    sizes *= cohort / sizes.sum()
    places = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    return [SchoolPlan(town, low, high, float(s), place=float(p)) for s, p in zip(sizes, places, strict=True)]


def _elementary(
    town: int,
    cohort: float,
    count: int,
    last: int,
    years: tuple[int, ...],
    figures: Organisations,
    rng: np.random.Generator,
) -> list[SchoolPlan]:
    """Elementary schools of a town, with the special kinds: PK-2 with 3-5, K-8, opening, closing, very small."""
    chance = rng.random(4)
    schools = _level(town, KINDERGARTEN, last, cohort, count, figures, rng)
    without_pk = rng.random(count) < figures.without_pk
    without_pk[0] = False
    for school, without in zip(schools, without_pk, strict=True):
        school.low = KINDERGARTEN if without else PRE_K
    city, large = town == 0, count > figures.pairs["from_elementary"]
    opening, closing = years[len(years) // 2], years[max(0, len(years) // 2 - 1)]
    free = schools[1:]
    if city or (large and chance[0] < figures.extra_openings):
        free.pop().opened = opening
    if city or (large and chance[1] < figures.extra_openings):
        free.pop().closed = closing
    if last < 8 and (city or (large and chance[2] < figures.pairs["k_8"])):
        free.pop().high = 8
    if city:
        free.pop().seats = min(figures.one_room_cohort, cohort / count)
    if last > 2 and (city or (large and chance[3] < figures.pairs["pk_2"])):
        early = schools[0]
        early.high = 2
        schools.append(SchoolPlan(town, 3, last, early.seats, place=early.place))
    return schools


def _sector(
    kind: str,
    districts: list[DistrictPlan],
    students: int,
    figures: Organisations,
    rng: np.random.Generator,
) -> list[SchoolPlan]:
    """Schools of the districts of one kind beside the towns."""
    own = [i for i, d in enumerate(districts) if d.kind == kind]
    if kind == "academic_regional":
        return [school for n, i in enumerate(own) for school in _regional(n, i, districts[i].cohort, figures)]
    total = max(figures.smallest[kind] * len(own), figures.seats[kind] * students)
    sizes = np.exp(rng.normal(0, figures.charter_size_sigma, len(own)))
    sizes *= total / sizes.sum()
    spans = {
        "vocational": [(9, LAST_GRADE)],
        "virtual": [(KINDERGARTEN, LAST_GRADE)],
        "charter": figures.charter_grades,
    }[kind]
    schools = []
    for n, i in enumerate(own):
        low, high = spans[n % len(spans)]
        schools.append(SchoolPlan(i, low, high, float(sizes[n] / (high - low + 1))))
    return schools


def _regional(n: int, district: int, cohort: float, figures: Organisations) -> list[SchoolPlan]:
    low = figures.member_town_last_grade + 1
    if n == 0 or cohort < figures.regional_split_cohort:
        return [SchoolPlan(district, low, LAST_GRADE, cohort)]
    return [SchoolPlan(district, low, 8, cohort), SchoolPlan(district, 9, LAST_GRADE, cohort)]
