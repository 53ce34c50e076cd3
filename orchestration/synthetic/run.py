"""From the arguments to the files: simulate year after year, write the years that were asked for.

Belongs here: the order of the steps. Does not: any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract
from orchestration.synthetic import (
    FileFormat,
    GeneratedFile,
    access,
    assessment,
    cohorts,
    courses,
    defects,
    enrolment,
    ledgers,
    mcas,
    movement,
    organisations,
    writing,
)
from orchestration.synthetic.anchors import Anchors, load_anchors, load_courses
from orchestration.synthetic.choice import Choice
from orchestration.synthetic.layout import LAST_GRADE
from orchestration.synthetic.population import Population
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.students import Admissions, YearEnd, advance, october

FEWEST_STUDENTS = 500
FIRST_YEAR, LAST_YEAR = 2010, 2030
FORMATS = ("csv", "parquet")
SIMS_PARTS = ("october_1", "march_1", "end_of_year")

Delivery = tuple[str, str, Callable[[], writing.Table]]
"""Collection, part, and what makes its table when it is its turn."""


def generate_state(
    out: Path,
    *,
    students: int,
    years: Sequence[int],
    seed: int,
    contracts: dict[str, Contract],
    file_format: FileFormat,
    defects: int,
    progress: Callable[[str], None] | None,
) -> list[GeneratedFile]:
    """See orchestration.synthetic.generate."""
    years = tuple(years)
    _check(out, students, years, seed, file_format, defects)
    anchors = load_anchors()
    sink = Sink(
        out,
        contracts,
        file_format,
        seed,
        _plan_defects(defects, students, years, contracts, file_format, anchors),
        progress,
    )
    directory = organisations.build(students, years, seed, anchors)
    admissions = Admissions(students, directory, anchors, seed)
    history = cohorts.Cohorts(anchors, seed)
    population: Population | None = None
    end: YearEnd | None = None
    with sink:
        for year in range(years[0] - anchors.history_years, years[-1] + 1):
            choice = Choice(directory, year, anchors.population.neighbourhood_loyalty)
            if population is None or end is None:
                population = admissions.start(year, choice)
            else:
                population = advance(population, end, year, choice, admissions)
            october(population, year, seed, anchors)
            life = movement.live_through(population, year, choice, admissions)
            english = access.hold_access(life, directory, anchors, seed)
            tests = None
            if year in anchors.assessment.no_tests:
                assessment.skip_tests(life, anchors, seed)
            else:
                tests = assessment.hold_tests(life, directory, anchors, seed)
            history.close(life)
            if year in years:
                sink.year(life, _deliveries(life, english, tests, history, directory, years, anchors, seed))
            population, end = life.students, _year_end(life, english, anchors, seed)
    return sink.files


class Sink:
    """Writes deliveries one after the other in a thread of its own, while the next table is being made."""

    def __init__(
        self,
        out: Path,
        contracts: dict[str, Contract],
        file_format: FileFormat,
        seed: int,
        plan: defects.Plan,
        progress: Callable[[str], None] | None,
    ) -> None:
        self.files: list[GeneratedFile] = []
        self._out, self._contracts, self._format, self._seed = out, contracts, file_format, seed
        self._plan, self._progress = plan, progress
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._pending: Future[None] | None = None

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown(wait=True)
        if kind is None:
            self._wait()
            if self._plan.faults:
                defects.write_list(self._out, self._plan.listed)

    def year(self, life: movement.Year, deliveries: Iterator[Delivery]) -> None:
        """Write a year's deliveries."""
        allowed = self._breakable(life)
        for collection, part, make in deliveries:
            contract = self._contracts[collection]
            table = writing.ordered(make(), contract)
            name = f"{collection}_{part}" if part else collection
            file = Path(str(life.year)) / f"{name}.{self._format}"
            place = (life.year, collection, part)
            edits = defects.plant(
                self._plan.faults.get(place, []),
                place,
                file,
                table,
                contract,
                self._seed,
                allowed.get(part),
                self._plan.listed,
            )
            self._wait()
            self._pending = self._thread.submit(writing.write, self._out / file, table, edits, contract)
            rows = writing.row_count(table) + len(edits.appended)
            self.files.append(GeneratedFile(self._out / file, life.year, collection, part, rows))
            if self._progress:
                self._progress(f"{life.year} {name}: {rows:,} rows")
        self._wait()

    def _wait(self) -> None:
        if self._pending is not None:
            self._pending.result()
            self._pending = None

    def _breakable(self, life: movement.Year) -> dict[str, np.ndarray]:
        """By SIMS part, students with a row in all three: their other rows keep what refers to them valid."""
        if not self._plan.faults:
            return {}
        spells = life.spells
        everywhere = (spells.first == 1) & (spells.last >= life.days // 2 + 1) & spells.final
        everywhere &= spells.status == movement.ENROLLED
        found = writing.student_ids(life.students.serial[spells.student[everywhere]]).values
        return dict(
            zip(SIMS_PARTS, defects.independent_students(found, len(SIMS_PARTS), self._seed, life.year), strict=True)
        )


def _deliveries(
    life: movement.Year,
    english: access.AccessResult,
    tests: assessment.Tests | None,
    history: cohorts.Cohorts,
    directory: organisations.Directory,
    years: Sequence[int],
    anchors: Anchors,
    seed: int,
) -> Iterator[Delivery]:
    """A year's deliveries in the order in which they are written."""
    year = life.year
    rates = enrolment.absence_rates(life, directory, anchors, seed)
    yield "organisations", "", lambda: organisations.table(directory, year, anchors)
    yield "sims", "october_1", lambda: enrolment.october_1(life, directory, anchors)
    yield "sims", "march_1", lambda: enrolment.march_1(life, directory, anchors, rates)
    yield "sims", "end_of_year", lambda: enrolment.end_of_year(life, directory, anchors, rates)
    if tests is not None:
        yield "mcas", "", lambda: mcas.table(life, tests, directory, anchors, seed)
    yield "access", "", lambda: access.table(life, english, directory, anchors)
    yield "course_schedules", "", lambda: courses.table(life, directory, load_courses(), anchors, seed)
    yield "graduation_cohorts", "", lambda: cohorts.cohort_table(history, year, directory, anchors)
    yield "dropouts", "", lambda: cohorts.dropout_table(life, directory, anchors)
    yield "designations", "", lambda: ledgers.designations(directory, years, year, anchors)
    if year not in anchors.ledgers.no_determinations:
        yield "recognitions", "", lambda: ledgers.recognitions(directory, year, anchors, seed)
    yield "assistance_staff", "", lambda: ledgers.staff(directory, years, anchors)
    yield "assistance_plans", "", lambda: ledgers.plans(directory, year, anchors, seed)


def _year_end(life: movement.Year, english: access.AccessResult, anchors: Anchors, seed: int) -> YearEnd:
    students, figures = life.students, anchors.secondary
    rng = generator(seed, life.year, Stream.YEAR_END)
    stays = life.status == movement.ENROLLED
    beyond = (students.grade == LAST_GRADE) & stays & students.disability
    beyond &= rng.random(len(students)) < figures.beyond_grade_12
    return YearEnd(gone=~stays, beyond=beyond, reclassified=english.reclassified)


def _check(out: Path, students: int, years: tuple[int, ...], seed: int, file_format: str, faults: int) -> None:
    """Refuse arguments that make no sense, before anything is written."""
    if students < FEWEST_STUDENTS:
        raise InputError(f"students: {students} is too few for a state; give {FEWEST_STUDENTS} or more")
    if not years:
        raise InputError("years: none given; give one year or a range such as 2017-2025")
    if any(later != earlier + 1 for earlier, later in pairwise(years)):
        raise InputError(
            f"years: {', '.join(map(str, years))} do not follow one another; give them in order without a gap"
        )
    if years[0] < FIRST_YEAR or years[-1] > LAST_YEAR:
        raise InputError(f"years: {years[0]}-{years[-1]} is outside {FIRST_YEAR}-{LAST_YEAR}")
    if seed < 0:
        raise InputError(f"seed: {seed} is negative; give 0 or more")
    if faults < 0:
        raise InputError(f"defects: {faults} is negative; give 0 or more")
    if file_format not in FORMATS:
        raise InputError(f"file_format: '{file_format}' is not one of {', '.join(FORMATS)}")
    if out.exists() and not out.is_dir():
        raise InputError(f"out: {out} is a file; name a folder")
    for year in years:
        folder = out / str(year)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"out: {folder} already holds files and nothing is overwritten; name another folder")
    if faults and (out / defects.LIST_NAME).exists():
        raise InputError(f"out: {out / defects.LIST_NAME} is already there and is not overwritten; name another folder")


def _plan_defects(
    count: int,
    students: int,
    years: tuple[int, ...],
    contracts: dict[str, Contract],
    file_format: FileFormat,
    anchors: Anchors,
) -> defects.Plan:
    """Faults for the deliveries that have rows enough."""
    if not count:
        return defects.Plan()
    places = [
        (year, collection, part)
        for collection in anchors.defects.rows
        for year in years
        for part in contracts[collection].part_names
        if not (collection == "mcas" and year in anchors.assessment.no_tests)
    ]
    return defects.plan(count, students, places, contracts, file_format, anchors.defects)
