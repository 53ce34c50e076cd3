"""Every unit test of the dbt project runs and passes, and one with a wrong expectation does not."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import yaml

from orchestration.indicators.dbt_running import DBT_PROJECT
from tests.support.dbt_runs import Run, build_empty

MODELS = DBT_PROJECT / "models"


def defined() -> list[str]:
    """`model.name` of every unit test, read without dbt."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) or {} for path in sorted(MODELS.rglob("*.yml"))]
    return [f"{test['model']}.{test['name']}" for content in files for test in content.get("unit_tests", [])]


def test_every_unit_test_runs_and_passes(built: Run) -> None:
    assert built.exit_code == 0, built.output
    names = defined()
    assert len(names) >= 60
    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert built.statuses("unit_test") == dict.fromkeys(names, "pass")


def test_every_rule_of_the_student_source_has_a_unit_test() -> None:
    tested = {name.split(".")[0] for name in defined()}
    rules = {path.stem for path in (MODELS / "intermediate").glob("*.sql")}
    assert rules - tested == set()


def test_a_wrong_expectation_fails(tmp_path: Path) -> None:
    right, wrong = "91010001,non_high,made_it,true", "91010001,non_high,made_it,false"
    project = tmp_path / "project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    page = project / "models" / "intermediate" / "unit_tests" / "el_progress.yml"
    text = page.read_text(encoding="utf-8")
    assert text.count(right) == 1
    page.write_text(text.replace(right, wrong), encoding="utf-8")
    run = build_empty(tmp_path / "run", "--select", "+int_el_progress", project=project)
    assert run.exit_code == 1, run.output
    assert run.statuses("unit_test")["int_el_progress.tested_with_an_earlier_test"] == "fail"
