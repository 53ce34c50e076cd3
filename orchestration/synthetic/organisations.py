"""The directory of the fictional state: names, codes and traits of its districts and schools.

Belongs here: what an organisation is. Does not: who attends it (choice.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orchestration.synthetic.anchors import Anchors
from orchestration.synthetic.layout import PRE_K, DistrictPlan, SchoolPlan, plan
from orchestration.synthetic.names import school_words, town_names
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.writing import Table, text

STATE = "00000000"
STATE_NAME = "Commonwealth of Quillmark"
GRADE_CODES = ("PK", "KF", *(f"{g:02d}" for g in range(1, 13)), "SP")
"""Grade codes by grade number + 1: -1 pre-kindergarten, 0 kindergarten, 1-12, 13 beyond grade 12."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Directory:
    """Districts and schools by position; all arrays run over schools unless named `district_…`."""

    districts: list[DistrictPlan]
    schools: list[SchoolPlan]
    district_code: list[str]
    district_name: list[str]
    district_town: list[str]
    code: list[str]
    name: list[str]
    district: Ints
    low: Ints
    high: Ints
    need: Floats
    title_i: npt.NDArray[np.bool_]
    district_title_i: npt.NDArray[np.bool_]
    effects: dict[str, Floats]

    @property
    def towns(self) -> int:
        """Number of districts that have residents; they come first."""
        return sum(d.kind == "public" for d in self.districts)

    def open_in(self, year: int) -> npt.NDArray[np.bool_]:
        """Schools that have students in a year."""
        return np.array([(s.opened or year) <= year <= (s.closed or year) for s in self.schools])

    def listed_in(self, year: int) -> list[int]:
        """Schools that stand in the year's directory: a closed one stays, with its last year."""
        return [i for i, s in enumerate(self.schools) if (s.opened or year) <= year]


def build(students: int, years: tuple[int, ...], seed: int, anchors: Anchors) -> Directory:
    """Invent the state's organisations; they stay the same for all `years`, openings and closings apart."""
    districts, schools = plan(students, years, seed, anchors)
    rng = generator(seed, 0, Stream.NAMES)
    towns = town_names(rng, len(districts))
    words = iter(school_words(rng, len(schools) + len(districts)))
    numbers = dict(anchors.organisations.code_ranges)
    district_code, district_name = [], []
    for district, town in zip(districts, towns, strict=True):
        district_code.append(f"{numbers[district.kind]:04d}0000")
        numbers[district.kind] += 1
        district_name.append(_district_name(district.kind, town, words))
    code, name = _name_schools(districts, schools, district_code, district_name, words)
    need = np.array(
        [districts[s.district].need + (s.place - 0.5) * (districts[s.district].kind == "public") for s in schools]
    )
    figures = anchors.organisations
    effects = _effects(schools, seed, anchors)
    return Directory(
        districts=districts,
        schools=schools,
        district_code=district_code,
        district_name=district_name,
        district_town=towns,
        code=code,
        name=name,
        district=np.array([s.district for s in schools], np.int16),
        low=np.array([s.low for s in schools], np.int16),
        high=np.array([s.high for s in schools], np.int16),
        need=need,
        title_i=_neediest(need, figures.title_i["schools"]),
        district_title_i=_neediest(np.array([d.need for d in districts]), figures.title_i["districts"]),
        effects=effects,
    )


def table(directory: Directory, year: int, anchors: Anchors) -> Table:
    """The organisations delivery of a year: the state, every district, every listed school."""
    listed = directory.listed_in(year)
    kinds = [directory.districts[directory.schools[i].district] for i in listed]
    homes = [directory.schools[i].district for i in listed]
    districts = directory.districts
    spans = _district_spans(directory, year)
    grade = [GRADE_CODES[g - PRE_K] for g in range(PRE_K, len(GRADE_CODES) + PRE_K)]

    def title(flags: npt.NDArray[np.bool_], what: str) -> list[str]:
        return [f"{'' if flag else 'Non-'}Title I {what}" for flag in flags]

    rows: dict[str, list[str | None]] = {
        "school_year": [str(year)] * (1 + len(districts) + len(listed)),
        "org_code": [STATE, *directory.district_code, *(directory.code[i] for i in listed)],
        "org_name": [STATE_NAME, *directory.district_name, *(directory.name[i] for i in listed)],
        "org_type": ["state", *["district"] * len(districts), *["school"] * len(listed)],
        "district_code": [STATE, *directory.district_code, *(directory.district_code[d] for d in homes)],
        "school_type": [None, *(d.kind for d in districts), *(d.kind for d in kinds)],
        "town": [directory.district_town[0], *directory.district_town, *(directory.district_town[d] for d in homes)],
        "county": [None, *(_county(d) for d in districts), *(_county(d) for d in kinds)],
        "former_center": [None, *(_center(d, anchors) for d in districts), *(_center(d, anchors) for d in kinds)],
        "lowest_grade": ["PK", *(grade[low + 1] for low, _ in spans), *(grade[directory.low[i] + 1] for i in listed)],
        "highest_grade": [
            "SP",
            *(grade[high + 1] for _, high in spans),
            *(grade[directory.high[i] + 1] for i in listed),
        ],
        "title_i": [
            "Title I District",
            *title(directory.district_title_i, "District"),
            *title(directory.title_i[listed], "School"),
        ],
        "opened_year": [None, *(None for _ in districts), *(_year(directory.schools[i].opened) for i in listed)],
        "closed_year": [
            None,
            *(None for _ in districts),
            *(_year(directory.schools[i].closed, until=year) for i in listed),
        ],
    }
    return {name: text(values) for name, values in rows.items()}


def _district_name(kind: str, town: str, words: Iterator[str]) -> str:
    pattern = {
        "public": "{town}",
        "academic_regional": "{town} Regional",
        "charter": "{word} Charter School (District)",
        "vocational": "{town} Regional Vocational Technical",
        "virtual": "{word} Virtual School (District)",
    }[kind]
    return pattern.format(town=town, word=next(words) if "{word}" in pattern else "")


def _name_schools(
    districts: list[DistrictPlan],
    schools: list[SchoolPlan],
    district_code: list[str],
    district_name: list[str],
    words: Iterator[str],
) -> tuple[list[str], list[str]]:
    """Codes and names: the last four digits tell elementary (0001-), middle (0301-) and high (0501-) schools apart."""
    codes, names = [], []
    next_number: dict[tuple[int, int], int] = {}
    for school in schools:
        home = districts[school.district]
        block = 501 if school.high > 8 else 301 if school.low > 3 else 1
        number = next_number.get((school.district, block), block)
        next_number[school.district, block] = number + 1
        codes.append(f"{district_code[school.district][:4]}{number:04d}")
        own = district_name[school.district].removesuffix(" (District)")
        first = number == block
        if home.kind in ("charter", "virtual", "vocational"):
            names.append(own)
        elif school.alternative:
            names.append(f"{next(words)} Alternative High School")
        else:
            level = _level_word(school)
            lead = own if first and level != "Elementary" else next(words)
            names.append(f"{lead} {level} School")
    return codes, names


def _level_word(school: SchoolPlan) -> str:
    if school.high <= 2:
        return "Early Grades"
    if school.high == 8 and school.low <= 0:
        return "K-8"
    if school.high <= 8:
        return "Middle" if school.low > 3 else "Elementary"
    return "High" if school.low > 8 else "Middle High"


def _effects(schools: list[SchoolPlan], seed: int, anchors: Anchors) -> dict[str, Floats]:
    """What distinguishes each school from others with the same students; see `effects` of anchors.yml."""
    rng = generator(seed, 0, Stream.EFFECTS)
    figures = anchors.organisations
    effects = {name: rng.normal(0, spread, len(schools)) for name, spread in figures.effects.model_dump().items()}
    alternative = np.array([s.alternative for s in schools])
    effects["leaving"] += figures.alternative_leaving * alternative
    return effects


def _neediest(need: Floats, share: float) -> npt.NDArray[np.bool_]:
    return need >= np.quantile(need, 1 - share)


def _district_spans(directory: Directory, year: int) -> list[tuple[int, int]]:
    running = directory.open_in(year)
    spans = []
    for d in range(len(directory.districts)):
        own = running & (directory.district == d)
        spans.append((int(directory.low[own].min()), int(directory.high[own].max())))
    return spans


def _county(district: DistrictPlan) -> str | None:
    """Vocationals have no county, so that the regional crosswalk has to use the former center."""
    return None if district.kind == "vocational" else district.county


def _center(district: DistrictPlan, anchors: Anchors) -> str | None:
    """Charters and virtual schools were in no center, so that the crosswalk has to use the county."""
    if district.kind in ("charter", "virtual"):
        return None
    return anchors.organisations.counties[district.county].former_center


def _year(value: int | None, until: int | None = None) -> str | None:
    return str(value) if value is not None and (until is None or value <= until) else None
