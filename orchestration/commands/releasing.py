"""Releases: `release list`, `release show`, `release diff`, `release pages`, `release bundle`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.shared import Home, say, settings_of, table
from orchestration.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    help="List releases, show one, tell what differs between two, make the pages or the audit bundle of one.",
)


class For(StrEnum):
    auditor = "auditor"
    public = "public"


Named = Annotated[str, typer.Argument(help="YEAR/NAME, such as 2025/student-official-001, or YEAR/current.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@app.command("list")
def list_releases(home: Home = None, as_json: AsJson = False) -> None:
    """Every release, with the one in force of each year."""
    from orchestration.releases import releases

    settings = settings_of(home)
    found = [
        {
            "release": f"{r.year}/{r.name}",
            "in_force": r.is_current,
            "stage": r.stage,
            "rows": sum(r.manifest["rows"].values()),
            "manifest_sha256": r.sha256,
            "content_sha256": r.manifest["content_sha256"],
        }
        for r in releases(settings.home)
    ]
    if as_json:
        print(json.dumps(found, indent=1))
        return
    rows = [
        [str(f["release"]), "in force" if f["in_force"] else "", f"{f['rows']:,}", str(f["content_sha256"])[:12]]
        for f in found
    ]
    table(f"Releases in {settings.home}", ["release", "state", "rows", "content"], rows)


@app.command()
def show(release: Named, home: Home = None) -> None:
    """The manifest of a release, after every file was held against it."""
    from orchestration.publication.checking import faults
    from orchestration.releases import find

    settings = settings_of(home)
    found = find(settings.home, release)
    print(json.dumps(found.manifest, indent=1, ensure_ascii=False))
    if wrong := faults(found):
        raise InputError("; ".join(wrong))
    say(f"{len(found.manifest['files']) + len(found.manifest['changes'])} files are as the manifest says")


@app.command()
def diff(
    old: Named,
    new: Named,
    home: Home = None,
    as_json: AsJson = False,
    workbook: Annotated[Path | None, typer.Option(help="Write a workbook (xlsx) with every figure, too.")] = None,
) -> None:
    """What two releases were made from, which figures moved, which categories changed and at which step."""
    from orchestration.publication.comparing import compare
    from orchestration.publication.diff_report import text, write_diff
    from orchestration.publication.pairing import side_by_side, side_of
    from orchestration.releases import find

    settings = settings_of(home)
    before, after = (side_of(find(settings.home, name)) for name in (old, new))
    with side_by_side(before, after) as pair:
        found = compare(pair)
        if as_json:
            print(json.dumps(found, indent=1, ensure_ascii=False))
        else:
            for line in text(found):
                print(line)
        if workbook:
            write_diff(workbook, pair)
            say(f"{workbook}: written")


@app.command()
def pages(
    release: Named,
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier site there is replaced.")],
    public: Annotated[bool, typer.Option("--public", help="From the public tables only.")] = False,
    home: Home = None,
) -> None:
    """A site of a release that opens from disk: search, overview, a page an organisation."""
    from orchestration.pages.building import build_pages
    from orchestration.releases import find

    settings = settings_of(home)
    site = build_pages(find(settings.home, release), out, home=settings.home, is_public=public)
    size = f"{site.size / 1_000_000:,.1f} MB"
    say(f"{site.folder / 'index.html'}: pages of {site.organisations:,} organisations, {size}")


@app.command()
def bundle(
    release: Named,
    out: Annotated[Path | None, typer.Option(help="Archive to write (zip). Default: its name, in this folder.")] = None,
    audience: Annotated[For, typer.Option(help="auditor: everything, with the trace; public: what is public.")] = (
        For.auditor
    ),
    dbt: Annotated[bool, typer.Option(help="With dbt's manifest and documentation of the models.")] = True,
    home: Home = None,
) -> None:
    """One archive of a release that an outsider can check with Python alone."""
    from orchestration.publication.bundle.contents import Audience
    from orchestration.publication.bundle.making import make_bundle, name_of
    from orchestration.releases import find

    settings = settings_of(home)
    found, kind = find(settings.home, release), Audience(audience)
    made = make_bundle(found, out or Path(f"{name_of(found, kind)}.zip"), kind, home=settings.home, with_dbt=dbt)
    counts = f"{made.files} files, {made.steps:,} steps of the trace, {made.size / 1_000_000:,.1f} MB"
    say(f"{made.path}: {counts}; sha256 of bundle.json {made.sha256}")
