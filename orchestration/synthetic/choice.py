"""Which school a student of a town and grade attends.

Belongs here: the yearly table of options and drawing from it. Does not: who has to choose (students.py, movement.py).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from orchestration.synthetic.layout import BEYOND, LAST_GRADE, PRE_K
from orchestration.synthetic.organisations import Directory

GRADES = BEYOND - PRE_K + 1
Schools = npt.NDArray[np.int16]


class Options:
    """Weighted schools a (town, grade), flattened so that one search answers a million draws."""

    def __init__(self, weights: dict[int, list[tuple[int, float]]], keys: int) -> None:
        bounds: list[float] = []
        schools: list[int] = []
        self.total = np.zeros(keys)
        for key in range(keys):
            options = weights.get(key, [])
            self.total[key] = total = sum(weight for _, weight in options)
            reached = 0.0
            for school, weight in options:
                reached += weight
                bounds.append(key + reached / total)
                schools.append(school)
            if options:
                bounds[-1] = key + 1.0  # rounding must not open a gap below the next key
        self._bounds = np.array(bounds)
        self._schools = np.array(schools, np.int16)

    def pick(self, key: npt.NDArray[np.int64], where: npt.NDArray[np.float64]) -> Schools:
        """The school at `where` (0 to below 1) of each key's options; keys must have some."""
        return self._schools[np.searchsorted(self._bounds, key + where, side="right")]


class Choice:
    """The options of one year. Schools of the own town are ordered by neighbourhood, so that neighbours meet again."""

    def __init__(self, directory: Directory, year: int, loyalty: float) -> None:
        self._towns = directory.towns
        self._loyalty = loyalty
        local: dict[int, list[tuple[int, float]]] = {}
        entry: dict[int, list[tuple[int, float]]] = {}
        outside: dict[int, list[tuple[int, float]]] = {}
        running = directory.open_in(year)
        of_district: dict[int, list[int]] = {}
        for i in sorted(np.flatnonzero(running), key=lambda i: directory.schools[i].place):
            of_district.setdefault(directory.schools[i].district, []).append(int(i))
        for town, district in enumerate(directory.districts[: self._towns]):
            own = of_district.get(town, []) + of_district.get(district.regional or -1, [])
            for school in own:
                for grade in _grades(directory, school):
                    local.setdefault(_key(town, grade), []).append((school, directory.schools[school].seats))
        for d, district in enumerate(directory.districts):
            if district.kind in ("public", "academic_regional"):
                continue
            catchment = _catchment(directory, d)
            whole = sum(directory.districts[t].cohort for t in catchment)
            for school in of_district.get(d, []):
                for town in catchment:
                    seats = directory.schools[school].seats * directory.districts[town].cohort / whole
                    for grade in _grades(directory, school):
                        option = (school, seats)
                        outside.setdefault(_key(town, grade), []).append(option)
                        if grade == directory.low[school] or district.kind == "virtual":
                            entry.setdefault(_key(town, grade), []).append(option)
        keys = self._towns * GRADES
        self._local = Options(local, keys)
        self._outside = Options(outside, keys)
        self._entry = Options(entry, keys)
        cohort = np.repeat([d.cohort for d in directory.districts[: self._towns]], GRADES)
        # Residents of a town number its local seats plus those it sends elsewhere.
        self._leave = {
            id(options): options.total / np.maximum(options.total + cohort, 1e-9)
            for options in (self._outside, self._entry)
        }

    def draw(
        self,
        rng: np.random.Generator,
        town: npt.NDArray[np.int16],
        grade: npt.NDArray[np.int8],
        place: npt.NDArray[np.float32],
        *,
        entering: bool,
    ) -> Schools:
        """A school each. `entering`: schools outside the town only take students into their lowest grade."""
        key = town.astype(np.int64) * GRADES + (grade.astype(np.int64) - PRE_K)
        options = self._entry if entering else self._outside
        chance, loyal, where = rng.random((3, len(key)))
        position = np.where(loyal < self._loyalty, place.astype(np.float64), where)
        away = chance < self._leave[id(options)][key]
        out = np.empty(len(key), np.int16)
        out[away] = options.pick(key[away], where[away])
        out[~away] = self._local.pick(key[~away], position[~away])
        return out


def _key(town: int, grade: int) -> int:
    return town * GRADES + (grade - PRE_K)


def _grades(directory: Directory, school: int) -> list[int]:
    """Grades a school takes; high schools also keep students beyond grade 12."""
    low, high = int(directory.low[school]), int(directory.high[school])
    return [*range(low, high + 1), *([BEYOND] if high == LAST_GRADE else [])]


def _catchment(directory: Directory, district: int) -> list[int]:
    """Towns whose students may attend: those of the county, for a virtual school every town."""
    towns = range(directory.towns)
    own = directory.districts[district]
    near = [t for t in towns if directory.districts[t].county == own.county]
    return list(towns) if own.kind == "virtual" or not near else near
