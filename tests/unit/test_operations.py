"""The operator's guide and the files for unattended runs say what is so: commands, paths, messages, addresses."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml

from orchestration.cli import app
from orchestration.doctor.examining import CHECKS
from orchestration.policy import load_register
from orchestration.settings import PROJECT

GUIDE = PROJECT / "docs" / "operations.md"
TEXT = GUIDE.read_text(encoding="utf-8")
UNITS = sorted((PROJECT / "deploy" / "systemd").glob("*.service"))
SNIPPETS = [*re.findall(r"`([^`\n]+)`", TEXT), *re.findall(r"^```\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)]
"""What the guide says in the words of a program."""


def lines() -> Iterator[str]:
    for snippet in SNIPPETS:
        yield from snippet.splitlines()


def test_every_command_and_option_that_it_names_exists() -> None:
    found = [re.split(r"(?:^|[\s/])accountability ", line)[1].split() for line in lines() if "accountability " in line]
    named = [words for words in found if words and re.fullmatch("[a-z]+", words[0])]
    assert {"run", "status", "doctor", "release", "pull"} <= {words[0] for words in named}
    for words in named:
        command = typer.main.get_command(app)
        while below := getattr(command, "commands", None):
            assert words[0] in below, words
            command = below[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {w.strip("[]") for w in words if w.strip("[").startswith("--")} <= options, (command.name, words)


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = {line.split()[1] for line in lines() if line.startswith("make ")}
    assert len(named) >= 4
    assert named <= targets


def test_every_file_that_it_names_exists() -> None:
    tops = "|".join(p.name for p in PROJECT.iterdir() if p.is_dir() and p.name not in ("home", "site"))
    named = {path.rstrip("/") for line in lines() for path in re.findall(rf"(?:^|[\s=])((?:{tops})/[\w./<>-]*)", line)}
    assert {"deploy/Containerfile", "deploy/dagster-postgres.yaml", "orchestration/automation/dagster.yaml"} <= named
    for path in named:
        assert (PROJECT / path.split("<")[0]).exists(), path
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", TEXT):
        assert (GUIDE.parent / link).exists(), link


def test_its_table_of_contents_is_its_headings() -> None:
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert re.findall(r"^\d+\. \[([^]]+)\]", TEXT, re.MULTILINE) == headings
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\(#([^)]+)\)", TEXT)) <= anchors


def test_the_calendar_is_that_of_the_policy() -> None:
    register = load_register(PROJECT / "dbt_project" / "seeds" / "policy")
    words = {"full": "full", "percentiles only": "percentiles_only", "none": "none"}
    rows = [re.match(rf"\| ([\d, ]+) \| ({'|'.join(words)}) \|", line) for line in TEXT.splitlines()]
    told = {int(year): words[row[2]] for row in rows if row for year in row[1].split(",")}
    assert told == {int(row.policy_year): row.value for row in register.rows if row.rule_id == "calendar"}


def test_every_message_of_its_runbook_is_one_of_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT / "orchestration").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # texts that go on in the next line
    section = TEXT.split("## When something fails")[1].split("\n## ")[0]
    seen = [row.split("|")[1] for row in section.splitlines() if row.startswith("| ")]
    parts = [
        p.strip() for cell in seen for text in re.findall("`([^`]+)`", cell) for p in re.split(r"…|<\w+>|\d+", text)
    ]
    telling = [part for part in parts if len(part) > 12 and not part.startswith("error")]
    assert len(telling) >= 8
    for part in telling:
        assert part.replace("(Permission denied)", "(") in code, part


def test_it_explains_every_check_of_the_doctor() -> None:
    section = TEXT.split("| checks | looks at |")[1].split("\n\n")[0]
    cells = [row.split("|")[1] for row in section.splitlines() if row.startswith("| ") and "---" not in row]
    assert [name.strip() for cell in cells for name in cell.split(",")] == list(CHECKS)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_listens_to_this_machine_only_and_gains_no_rights(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit)
    service = dict(parser["Service"])
    wanted = {
        "User": "accountability", "UMask": "0077", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
        "ProtectHome": "yes", "PrivateTmp": "yes", "CapabilityBoundingSet": "", "IPAddressDeny": "any",
        "IPAddressAllow": "localhost", "ReadWritePaths": "/var/lib/accountability", "StateDirectoryMode": "0700",
    }  # fmt: skip
    assert wanted.items() <= service.items()
    assert service["MemoryMax"].endswith("G")
    program, *words = service["ExecStart"].split()
    assert Path(program).name in {"dagster-daemon", "dagster-webserver"}
    assert words[words.index("--workspace") + 1] == "workspace.yaml"
    if program.endswith("webserver"):
        assert words[words.index("--host") + 1] == "127.0.0.1"


def test_nothing_listens_to_another_address() -> None:
    assert len(UNITS) == 2
    [dev] = re.findall(r"^\t(.*dagster dev.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert "--host 127.0.0.1" in dev
    assert dev.startswith("umask 077 && ")
    for path in (*(PROJECT / "deploy").rglob("*"), PROJECT / "Makefile", PROJECT / "workspace.yaml"):
        if path.is_file():
            assert "0.0.0.0" not in path.read_text(), path


def test_postgres_takes_its_secret_from_the_environment() -> None:
    content = yaml.safe_load((PROJECT / "deploy" / "dagster-postgres.yaml").read_text())
    assert content["telemetry"] == {"enabled": False}
    database = content["storage"]["postgres"]["postgres_db"]
    assert database["scheme"] == "postgresql+psycopg2"
    variables = {database[name]["env"] for name in ("username", "password", "hostname", "db_name")}
    example = (PROJECT / "deploy" / "systemd" / "environment.example").read_text()
    assert variables == set(re.findall(r"^#(DAGSTER_POSTGRES_\w+)=", example, re.MULTILINE))


def test_every_package_is_locked_by_hash_and_every_direct_one_is_locked() -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", (PROJECT / "requirements.lock").read_text())
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    names = {block.split("==")[0].split("[")[0] for block in blocks}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {re.split(r"[^a-z0-9-]", one.lower())[0] for one in wanted} <= names
