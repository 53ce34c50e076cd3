"""Contracts: the project's own are in order, and a broken one is named with file and field."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestration.errors import InputError
from orchestration.intake.contracts import expand_codes, expand_years, fold, load_contracts
from orchestration.settings import PROJECT
from tests.support.workshop import CONTRACTS

FOLDER = PROJECT / "raw" / "contracts"
HUB_DATA_SETS = {
    "ppbc-i8t9", "i9w6-niyt", "t8td-gens", "ak6h-9k7x", "n2xa-p822", "cmm7-ttbg", "ujwr-ux9i", "puw9-zucz",
    "72n5-hu3e", "4684-cw3t", "35yv-uxv5", "2kca-w7rq", "adqe-6sht",
}  # fmt: skip


def test_every_collection_of_the_three_sources_has_a_contract() -> None:
    by_source = {source: {n for n, c in CONTRACTS.items() if c.source == source} for source in ("student", "ledger")}
    assert by_source["student"] == {
        "organisations", "sims", "mcas", "access", "course_schedules", "graduation_cohorts", "dropouts",
    }  # fmt: skip
    assert by_source["ledger"] == {
        "designations", "recognitions", "published_targets", "corrections", "assistance_staff", "assistance_plans",
    }  # fmt: skip
    assert {c.dataset for c in CONTRACTS.values() if c.dataset} == HUB_DATA_SETS


def test_a_referenced_collection_comes_before_those_that_refer_to_it() -> None:
    order = list(CONTRACTS)
    for contract in CONTRACTS.values():
        for key in contract.foreign_keys:
            assert order.index(key.references) < order.index(contract.collection)


def test_student_identifiers_are_private_everywhere() -> None:
    for contract in CONTRACTS.values():
        for field in contract.fields.values():
            assert field.private or field.type != "student_id", (contract.collection, field.name)


def test_no_two_fields_of_a_contract_share_a_header() -> None:
    for contract in CONTRACTS.values():
        headers = [header for field in contract.fields.values() for header in set(field.headers(2025))]
        assert len(headers) == len(set(headers)), contract.collection


def test_header_templates_follow_the_year() -> None:
    targets = CONTRACTS["published_targets"]
    assert targets.header_map(2025)[fold("2024 ELA Achievement Baseline")] == "ela_baseline"
    assert targets.header_map(2026)[fold("2025 ELA Achievement Baseline")] == "ela_baseline"
    assert targets.header_map(2025)[fold("2025 % Making Progress Target ")] == "el_progress_target"
    assert expand_years("Annual X ({Y-1}-{Y+2})", 2025) == "Annual X (2024-2027)"


def test_code_ranges_are_expanded() -> None:
    assert expand_codes({"06-08": "x", "33": "y"}) == {"06": "x", "07": "x", "08": "x", "33": "y"}


def test_a_change_of_a_rule_is_a_new_version(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "contracts")
    edit(folder / "access.yml", "maximum: 6, description: Overall", "maximum: 7, description: Overall")
    changed = load_contracts(folder)
    assert changed["access"].version != CONTRACTS["access"].version
    assert changed["mcas"].version == CONTRACTS["mcas"].version


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("primary_key: [sasid]", "primary_key: [sas]", "primary_key names the field 'sas'"),
        ("codes_from: yes_no", "codes_from: no_list", "codes_from 'no_list' is not a list"),
        ("type: org_code", "type: orgcode", "type: Input should be"),
        ("to: [org_code]", "to: [code]", "organisations(code)"),
        ("required: true, description: Test status", "mandatory: true, description: x", "mandatory"),
        ("title:", "titel:", "title"),
        ("fields:", "fields", "not YAML"),
    ],
)
def test_a_broken_contract_is_named(tmp_path: Path, old: str, new: str, fragment: str) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "contracts")
    edit(folder / "access.yml", old, new)
    with pytest.raises(InputError) as error:
        load_contracts(folder)
    assert "access.yml" in str(error.value)
    assert fragment in str(error.value)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
