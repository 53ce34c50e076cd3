"""A made-up hub, for what the real files in hand do not have: groups, districts, several grades a subject, halves."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

GROUPS = (
    "All Students", "High Needs", "Low Income", "Economically Disadvantaged", "White", "Female", "English Learners",
    "English Learners and Former English Learners", "Students with Disabilities",
)  # fmt: skip
GRADES = ((1, 8), (1, 12), (7, 12), (9, 12), (1, 2), (9, 9), (4, 5), (8, 8), (0, 0))
"""First and last grade of a school; 0 stands for kindergarten alone."""
SHARES = ("hn_pct", "ecd_pct", "li_pct", "swd_pct", "wh_pct")
TESTS = (
    ("ALL (03-08)", "ELA"), ("ALL (03-08)", "MATH"), ("03", "ELA"), ("10", "ELA"), ("10", "MATH"), ("05", "SCI"),
    ("08", "SCI"), ("HS SCI", "BIO"), ("HS SCI", "PHY"),
)  # fmt: skip
RATES = ("4-Year Graduation Rate", "5-Year Graduation Rate", "6-Year Graduation Rate")


def write(folder: Path, years: Sequence[int], seed: int) -> None:
    """The hub's files of each year to `<folder>/<year>/`, as a pull delivers them."""
    chance = random.Random(seed)
    schools = [f"{district}{number:04}" for district in ("0901", "0902") for number in range(5, 75, 5)]
    districts = ["09010000", "09020000"]
    orgs = ["00000000", *districts, *schools]
    spans = dict.fromkeys(orgs, (1, 12)) | {school: chance.choice(GRADES) for school in schools}
    for year in years:
        for name, rows in _files(chance, year, orgs, spans).items():
            path = folder / str(year) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)


def _files(
    chance: random.Random, year: int, orgs: Sequence[str], spans: dict[str, tuple[int, int]]
) -> dict[str, list[dict[str, object]]]:
    def fraction() -> str:
        """A fraction of 1, now and then with a half at the place that is rounded."""
        thousandths = chance.randrange(1000)
        return chance.choice([f"0.{thousandths:03}", f"0.{thousandths:03}5", f"0.{chance.randrange(10**6):06}", "1"])

    def maybe(value: object, blank: float = 0.1) -> object:
        return "" if chance.random() < blank else value

    most: dict[object, int] = {}

    def count(group: str, *figure: object) -> object:
        """Students behind a figure: at most as many as those of All Students, who come first."""
        if group == GROUPS[0]:
            most[figure] = chance.choice([0, 3, 19, 20, 21, 150])
            return most[figure]
        return maybe(chance.choice([n for n in (0, 3, 19, 20, 21, 150) if n <= most[figure]]))

    def few(group: str) -> int:
        return 19 if group != GROUPS[0] else chance.choice([19, 20, 80])

    def blank(group: str, subject: str) -> float:
        """How often an average is blank; never where All Students have several rows for one figure."""
        return 0 if group == GROUPS[0] and subject in ("SCI", "BIO", "PHY") else 0.1

    uncounted = {code for code in orgs if chance.random() < 0.4}

    def org(code: str) -> dict[str, object]:
        name = f"District {code[:4]} - School {code[4:]}"
        return {
            "sy": year, "dist_code": f"{code[:4]}0000", "org_code": code, "org_name": name, "org_type": "School",
        }  # fmt: skip

    def listed() -> list[tuple[str, str]]:
        """Organisation and group; all have All Students, as on the hub, but now and then an organisation is missing."""
        kept = [code for code in orgs if chance.random() < 0.9]
        return [(code, group) for code in kept for group in GROUPS if group == GROUPS[0] or chance.random() < 0.7]

    def enrolment(code: str) -> dict[str, object]:
        first, last = spans[code]
        grades = {f"g{g}_cnt": chance.choice([0, 4, 9, 30]) if first <= g <= last else 0 for g in range(1, 13)}
        return {**org(code), "total_cnt": 200, "k_cnt": 5, **grades, **{s: maybe(fraction()) for s in SHARES}}

    return {
        "t8td-gens_enrollment.csv": [enrolment(code) for code in orgs],
        "i9w6-niyt_mcas_achievement.csv": [
            {
                **org(code), "test_grade": grade, "subject_code": subject, "stu_grp": group,
                "stu_cnt": count(group, code, grade, subject),
                "avg_scaled_score": maybe(f"{chance.randrange(4700, 5300) / 10}", blank(group, subject)),
                "avg_sgp": maybe(f"{chance.randrange(10, 990) / 10}"),
                "avg_sgp_incl": count(group, code, grade, subject, "growth"),
            }
            for code, group in listed() for grade, subject in TESTS
        ],
        "ak6h-9k7x_attendance.csv": [
            {**org(code), "attend_period": period, "stu_grp": group, "pct_chron_abs_10": maybe(fraction())}
            for code, group in listed() for period in ("End of Year", "March")
        ],
        "n2xa-p822_graduation_rates.csv": [
            {
                **org(code), "grad_rate_type": kind, "stu_grp": group, "cohort_cnt": count(group, code, kind),
                "grad_pct": maybe(fraction()), "in_sch_pct": maybe(fraction()),
            }
            for code, group in listed() for kind in RATES
        ],
        "cmm7-ttbg_dropout.csv": [
            {
                **org(code), "stu_grp": group, "enroll_cnt_all": few(group),
                "drpout_cnt_all": maybe(chance.randrange(19)), "drpout_pct_all": maybe(fraction()),
            }
            for code, group in listed()
        ],
        "ujwr-ux9i_advanced_coursework.csv": [
            {
                **org(code), "stu_grp": group, "stu_cnt": "" if code in uncounted else few(group),
                "adv_comp_cnt": maybe(chance.randrange(19)), "adv_comp_pct": maybe(fraction()),
            }
            for code, group in listed()
        ],
        "puw9-zucz_access_reporting.csv": [
            {**org(code), "grade": grade, "enrolled_cnt": count(GROUPS[0], code, grade), "re1_pct": maybe(fraction())}
            for code in orgs for grade in ("ALL", "03")
        ],
    }  # fmt: skip
