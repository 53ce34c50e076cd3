"""Made-up inputs of the determination room with the cases that chance seldom brings.

Belongs here: rates at the limits, twins, missing years, unknown grades, a designated district of one school. Does not:
what they lead to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from orchestration.determinations.figures import Result
from orchestration.determinations.ledgers import Designation
from orchestration.determinations.participation import ParticipationCount
from orchestration.determinations.reading import Inputs
from tests.oracle.percentile_oracle import ALL_STUDENTS
from tests.oracle.policy_reader import PROJECT_POLICY


def awkward(made_up: Inputs) -> Inputs:
    """The inputs with cases that chance seldom brings: rates at the limits, twins, schools of unknown grades."""
    rows = tuple(_as_written(made_up))
    schools = [row for row in made_up.organisations.values() if row.org_type == "school"]
    high = [row.org_code for row in schools if row.enrolment_high]
    districts = sorted({row.district_code for row in schools if row.enrolment_high})
    rates = dict(
        zip((*high[:6], *districts[:2]), ("66.6", "66.7", "66.8", "66.6", "66.7", "66.6", "66.6", "66.7"), strict=False)
    )
    rows = tuple(_graduating(row, rates, made_up.year, alone=high[3]) for row in rows)
    # twins without targets of the Department's: those belong to one school, and to its measures
    alike = [row.org_code for row in schools if row.lowest_grade == "KF" and row.org_code not in _with_targets(made_up)]
    rows = (*(row for row in rows if row.org_code != alike[1]), *_twin(rows, alike[0], alike[1]))
    oldest = min(int(year) for year in PROJECT_POLICY.table(made_up.year, "percentile_year_weight"))
    gone = {(alike[2], made_up.year), (alike[4], oldest)}
    rows = tuple(row for row in rows if (row.org_code, row.school_year) not in gone)
    organisations = dict(made_up.organisations)
    for code in (high[0], alike[3]):  # the source does not say which grades; students tell
        organisations[code] = organisations[code]._replace(lowest_grade=None, highest_grade=None)
    districts_alone = sorted(row.org_code for row in organisations.values() if row.schools == 1)
    return replace(
        made_up,
        results=rows,
        organisations=organisations,
        participation=tuple(_participating(made_up, [row.org_code for row in schools])),
        designations=(
            *(row for row in made_up.designations if row.org_code != districts_alone[0]),
            *_designated(made_up, districts_alone[0]),
        ),
    )


def _with_targets(made_up: Inputs) -> set[object]:
    return {row["org_code"] for row in made_up.published_targets}


def _as_written(made_up: Inputs) -> Iterator[Result]:
    """As the indicator room writes its rows: ok only with enough students behind it."""
    for row in made_up.results:
        few = row.status == "ok" and row.n < 20
        yield row._replace(value=None, status="n_too_small") if few else row


def _graduating(row: Result, rates: dict[str, str], year: int, alone: str) -> Result:
    """Graduation rates just at the limit, at one school of too few students."""
    if (row.school_year, row.student_group, row.indicator) != (year, ALL_STUDENTS, "four_year_graduation"):
        return row
    if row.org_code not in rates:
        return row
    if row.org_code == alone:
        return row._replace(value=None, n=19, status="n_too_small")
    return row._replace(value=Decimal(rates[row.org_code]), n=20, status="ok")


def _twin(rows: tuple[Result, ...], of: str, code: str) -> Iterator[Result]:
    """The figures of one school again, as those of another: they tie everywhere."""
    return (row._replace(org_code=code) for row in rows if row.org_code == of)


def _participating(made_up: Inputs, schools: list[str]) -> Iterator[ParticipationCount]:
    """Participation of some schools at the limit, a whole percent after rounding; of one, of too few students."""
    counts = {
        schools[0]: (1000, 949, None, None),  # 94.9
        schools[1]: (1000, 945, None, None),  # 94.5 is 95
        schools[2]: (1000, 944, None, None),  # 94.4 is 94
        schools[3]: (1000, 950, None, None),  # 95.0
        schools[4]: (1000, 900, 2000, 1890),  # two years are better
        schools[5]: (1000, 950, 2000, 1600),  # this year is better
        schools[6]: (19, 10, 400, 300),
        schools[7]: (20, 18, 21, 19),
    }
    yield from (row for row in made_up.participation if row.org_code not in counts)
    for code, (should, tested, both, both_tested) in counts.items():
        span = "non_high" if made_up.organisations[code].enrolment_non_high else "high"
        yield ParticipationCount(code, span, "high_needs", "math", should, tested, both, both_tested)


def _designated(made_up: Inputs, code: str) -> Iterator[Designation]:
    """A single-school district that is itself designated, apart from its school."""
    yield Designation(code, "receivership", date(made_up.year - 1, 7, 1), None, "Board", "made up", "made-up ledger")
