"""Published pages are recomputed figure by figure, and a wrong one is named."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from orchestration.determinations.printed_figures import DIFFERS, POSSIBLE, RECOMPUTED, UNDECIDED, Figure
from orchestration.determinations.report_columns import reported_columns
from orchestration.determinations.verify import summary, verify
from orchestration.errors import InputError
from orchestration.settings import PROJECT
from tests.support.determinations import REGISTER

ORACLE = PROJECT.parent / "shared" / "oracle"
REPORTS, CASES = ORACLE / "published-reports.json", ORACLE / "indicator-points.json"


def content(path: Path) -> Any:
    if not path.is_file():
        pytest.fail(f"{path} is missing: without it nothing is held against what was published")
    return json.loads(path.read_text())


@cache
def found(path: Path) -> tuple[Figure, ...]:
    content(path)
    return tuple(verify([path], REGISTER))


def changed_figures(path: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> list[Figure]:
    """The figures of a file in which `change` was made to the entries, by id."""
    whole = content(path)
    change({entry["id"]: entry for entry in whole.get("reports", whole.get("cases"))})
    altered = tmp_path / "altered.json"
    altered.write_text(json.dumps(whole))
    return verify([altered], REGISTER)


def wrong(figures: list[Figure]) -> list[tuple[str, str]]:
    return [(figure.source, figure.name) for figure in figures if figure.outcome == DIFFERS]


# Every printed figure


def test_every_figure_of_the_published_reports_is_reproduced() -> None:
    figures = found(REPORTS)
    assert wrong(list(figures)) == []
    assert Counter(figure.outcome for figure in figures) == {RECOMPUTED: 349, POSSIBLE: 43, UNDECIDED: 54}
    assert list(summary(figures))[-1] == "392 of 392 figures reproduced"


def test_every_figure_that_a_report_prints_is_looked_at() -> None:
    looked_at = {(figure.source, figure.name): figure for figure in found(REPORTS)}
    for report in content(REPORTS)["reports"]:
        printed = dict(report["printed"])
        columns, gradespans = printed.pop("columns"), printed.pop("gradespan_pct") or {}
        printed |= {f"{column}.{name}": value for column, figures in columns.items() for name, value in figures.items()}
        printed |= {f"gradespan_pct.{gradespan}": value for gradespan, value in gradespans.items()}
        names = {name for name, value in printed.items() if value is not None}
        weights = {f"gradespan_weight_pct.{gradespan}" for gradespan in report["gradespan_weight_pct"] or ()}
        missing = names - {name for source, name in looked_at if source == report["id"]}
        assert missing == set()
        assert {name for source, name in looked_at if source == report["id"]} - names in (set(), weights)


@pytest.mark.parametrize("stage", ["weighted_earned", "weighted_possible", "pct_of_possible"])
def test_points_by_column_need_nothing_but_the_page(stage: str) -> None:
    figures = [figure for figure in found(REPORTS) if figure.name.endswith(f".{stage}")]
    assert len(figures) > 40
    assert {figure.outcome for figure in figures} == {RECOMPUTED}


def test_only_annual_and_cumulative_percentages_are_left_open_by_what_a_page_does_not_print() -> None:
    possible = [figure.name for figure in found(REPORTS) if figure.outcome == POSSIBLE]
    assert Counter(possible) == {"annual": 21, "cumulative": 22}


def test_what_is_not_decided_is_words_and_the_prior_annual_as_given() -> None:
    undecided = Counter(figure.name for figure in found(REPORTS) if figure.outcome == UNDECIDED)
    assert undecided == {"prior_annual": 22, "overall_classification": 15, "reason": 15, "progress_label": 2}


def test_every_figure_of_the_published_rows_is_reproduced_but_one_that_no_page_decides() -> None:
    figures = found(CASES)
    assert wrong(list(figures)) == []
    undecided = [figure for figure in figures if figure.outcome == UNDECIDED]
    assert [(figure.source, figure.name) for figure in undecided] == [
        ("ind-2023-07050505-math-all", "points"),
        ("ind-2023-07050505-math-all", "reason"),
    ]
    assert undecided[0].why == "the figures given earn 2; 3 needs the statewide group_90 or all_students_80"
    assert list(summary(figures))[-1] == "58 of 58 figures reproduced"


def test_given_the_statewide_value_that_row_is_reproduced_too(tmp_path: Path) -> None:
    def change(cases: dict[str, Any]) -> None:
        statewide = {"all_students_90": 516.0, "group_90": 516.0, "all_students_80": 513.5}
        cases["ind-2023-07050505-math-all"]["inputs"]["comparisons"] = statewide

    figures = changed_figures(CASES, tmp_path, change)
    assert list(summary(figures))[-1] == "60 of 60 figures reproduced"
    (points,) = (f for f in figures if (f.source, f.name) == ("ind-2023-07050505-math-all", "points"))
    assert points.outcome == RECOMPUTED


def test_the_columns_of_the_pages_are_those_of_the_policy() -> None:
    for report in content(REPORTS)["reports"]:
        shown = {column for column, points in report["points"].items() if points}
        assert shown <= set(reported_columns(REGISTER, report["year"], report["level"]))


# A planted wrong figure

BOSTON = "2023-00350000"
PLANTED = [
    ("printed.columns.non_high_all.weighted_earned", 3.7, "non_high_all.weighted_earned"),
    ("printed.columns.non_high_all.weighted_possible", 10.3, "non_high_all.weighted_possible"),
    ("printed.columns.non_high_lowest.pct_of_possible", 72, "non_high_lowest.pct_of_possible"),
    ("printed.gradespan_pct.non_high", 55, "gradespan_pct.non_high"),
    ("printed.annual", 52, "annual"),
    ("printed.progress_label", "Moderate progress toward targets", "progress_label"),
]


@pytest.mark.parametrize(("field", "value", "name"), PLANTED)
def test_a_wrong_figure_is_named_and_no_other(tmp_path: Path, field: str, value: object, name: str) -> None:
    def change(reports: dict[str, Any]) -> None:
        *path, last = field.split(".")
        place = reports[BOSTON]
        for part in path:
            place = place[part]
        place[last] = value

    assert wrong(changed_figures(REPORTS, tmp_path, change)) == [(BOSTON, name)]


def test_a_wrong_point_shows_in_the_figures_that_follow_from_it(tmp_path: Path) -> None:
    def change(reports: dict[str, Any]) -> None:
        reports["2018-01630000"]["points"]["non_high_all"]["ela_achievement"] = 4

    names = [name for _, name in wrong(changed_figures(REPORTS, tmp_path, change))]
    assert names == ["non_high_all.weighted_earned", "non_high_all.pct_of_possible", "gradespan_pct.non_high", "annual"]


def test_an_annual_outside_its_two_gradespans_is_wrong_even_without_weights(tmp_path: Path) -> None:
    def change(reports: dict[str, Any]) -> None:
        assert reports["2025-01810000"]["gradespan_weight_pct"] is None
        reports["2025-01810000"]["printed"]["annual"] = 60

    figures = changed_figures(REPORTS, tmp_path, change)
    assert wrong(figures) == [("2025-01810000", "annual")]
    assert "differs: 2025-01810000: annual: printed 60, computed 19 to 49" in "\n".join(summary(figures))


def test_a_cumulative_that_no_prior_and_current_annual_give_is_wrong(tmp_path: Path) -> None:
    def change(reports: dict[str, Any]) -> None:
        reports["2019-02480000"]["printed"]["cumulative"] = 46  # 38 and 49

    assert wrong(changed_figures(REPORTS, tmp_path, change)) == [("2019-02480000", "cumulative")]


def test_other_weights_than_70_and_30_in_2018_are_wrong(tmp_path: Path) -> None:
    def change(reports: dict[str, Any]) -> None:
        reports["2018-01600000"]["gradespan_weight_pct"] = {"non_high": 71, "high": 29}

    assert wrong(changed_figures(REPORTS, tmp_path, change)) == [
        ("2018-01600000", "gradespan_weight_pct.non_high"),
        ("2018-01600000", "gradespan_weight_pct.high"),
    ]


@pytest.mark.parametrize(
    ("case", "part", "field", "value", "names"),
    [
        ("ind-2019-scituatehs-ela-high", "expected", "points", 2, ["points"]),
        ("ind-2019-scituatehs-ela-high", "expected", "reason", "Exceeded Target", ["reason"]),
        ("ind-2019-scituatehs-ela-high", "inputs", "change", 2.4, ["change"]),
        ("ind-2019-scituatehs-math-all", "inputs", "current", 90.4, ["change", "points", "reason"]),
        ("ind-2023-07050505-math-all", "expected", "points", 1, ["points"]),
        ("ind-2023-07050505-math-all", "expected", "reason", "Recovery Path: Declined", ["reason"]),
        ("ind-2023-07050505-minN", "inputs", "n", 20, ["points", "display"]),
    ],
)
def test_a_wrong_row_is_named(
    tmp_path: Path, case: str, part: str, field: str, value: object, names: list[str]
) -> None:
    def change(cases: dict[str, Any]) -> None:
        cases[case][part][field] = value

    assert wrong(changed_figures(CASES, tmp_path, change)) == [(case, name) for name in names]


def test_a_figure_of_an_unknown_name_is_listed_as_not_decided(tmp_path: Path) -> None:
    def change(reports: dict[str, Any]) -> None:
        reports[BOSTON]["printed"]["rank"] = 7
        reports[BOSTON]["printed"]["columns"]["high_all"]["share"] = 0.5

    figures = changed_figures(REPORTS, tmp_path, change)
    undecided = {f.name for f in figures if f.source == BOSTON and f.outcome == UNDECIDED}
    assert {"rank", "high_all.share"} <= undecided


# Files that are not of a known shape


REPORT = {
    "id": "a",
    "year": 2019,
    "org_code": "00010000",
    "points": {"high_all": {"ela_achievement": 3}},
    "printed": {},
}
ROW = {"measure": "ela_achievement", "group": "White", "n": 30, "gradespan": "high", "current": 90.0}
CASE = {"id": "a", "year": 2019, "kind": "indicator_points", "inputs": ROW, "expected": {"points": 1}}
WRONG_SHAPES = [
    ("not json", "not JSON"),
    ([], "neither 'reports' nor 'cases' stands at the top"),
    ({"rows": []}, "neither 'reports' nor 'cases' stands at the top"),
    ({"reports": []}, "reports: List should have at least 1 item"),
    ({"reports": [REPORT | {"year": "2019"}]}, "reports[0].year: Input should be a valid integer"),
    ({"reports": [{"id": "a", "year": 2019, "org_code": "1", "printed": {}}]}, "reports[0].points: Field required"),
    ({"reports": [REPORT | {"points": {"high_all": {"ela_achievement": 2.5}}}]}, "reports[0].points.high_all.ela"),
    ({"reports": [REPORT | {"points": {"middle": {}}}]}, "reports[0].points.middle"),
    ({"reports": [REPORT | {"printed": {"annual": 101}}]}, "reports[0].printed.annual: Input should be less than"),
    (
        {"reports": [REPORT | {"points": {"high_all": {"luck": 1}}}]},
        "reports[0] (a): points of 2019: 00010000 high_all",
    ),
    ({"reports": [REPORT | {"points": {"high_all": {"ela_achievement": 5}}}]}, "5 is not between 0 and 4"),
    ({"reports": [REPORT | {"year": 2022}]}, "2022 has no points"),
    ({"reports": [REPORT | {"gradespan_weight_pct": {"non_high": 60, "high": 30}}]}, "do not sum to 100"),
    ({"cases": [CASE | {"kind": "weather"}]}, "cases[0].kind: "),
    ({"cases": [CASE | {"inputs": ROW | {"group": "Martians"}}]}, "a: inputs.group: 'Martians' is not a student group"),
    ({"cases": [CASE | {"inputs": ROW | {"measure": "luck"}}]}, "a: inputs.measure: 'luck' is no indicator of high"),
    ({"cases": [CASE | {"inputs": ROW | {"scale": "stanine"}}]}, "a: points of 2019: "),
    ({"cases": [CASE | {"inputs": ROW | {"current": 120}}]}, "value 120 is not a number of one decimal"),
    ({"cases": [CASE | {"inputs": ROW | {"n": None}}]}, "cases[0].indicator_points.inputs.n: "),
]


@pytest.mark.parametrize(("shape", "problem"), WRONG_SHAPES, ids=[problem for _, problem in WRONG_SHAPES])
def test_a_file_of_another_shape_is_one_error_with_file_and_field(tmp_path: Path, shape: Any, problem: str) -> None:
    path = tmp_path / "page.json"
    path.write_text(shape if isinstance(shape, str) else json.dumps(shape))
    with pytest.raises(InputError) as error:
        verify([path], REGISTER)
    assert str(error.value).startswith(f"{path}: ")
    assert problem in str(error.value)
    assert "\n" not in str(error.value)
