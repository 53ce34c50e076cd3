"""Who gets assistance, where, and from whom: `assist`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.shared import Home, Source, Year, settings_of, table
from orchestration.errors import InputError

if TYPE_CHECKING:
    from orchestration.assistance.assisting import Assisted
    from orchestration.assistance.eligibility import Eligible
    from orchestration.policy import Register
    from orchestration.settings import Settings

PUBLISHED = "published"


def assist(
    year: Year,
    source: Annotated[Source, typer.Option(help="Student records, or the hub's public aggregates.")] = Source.student,
    lists: Annotated[
        tuple[str, Path] | None,
        typer.Option("--from", metavar="published FILE", help="Published percentiles in place of our own tables."),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="School directory, with --from. Default: school_directory*.csv beside FILE.")
    ] = None,
    enrolment: Annotated[Path | None, typer.Option(help="Enrolment by school, with --from.")] = None,
    on: Annotated[str | None, typer.Option(help="Day whose staff counts, YYYY-MM-DD; prints, writes nothing.")] = None,
    home: Home = None,
) -> None:
    """Make the lists of who is eligible, by region, and assign Assistance Leads."""
    from orchestration.assistance import building
    from orchestration.policy import load_register

    settings = settings_of(home)
    register = load_register(settings.policy)
    if year not in register.school_years or not building.has_assistance(register, year):
        raise InputError(f"--year {year}: the calendar has no determinations in {year}, so there is no assistance")
    if lists:
        done = _published(year, lists, directory, enrolment, settings, register)
    elif directory or enrolment:
        raise typer.BadParameter("goes with --from published FILE", param_hint="--directory, --enrolment")
    else:
        done = building.decide(year, source.value, settings=settings, register=register, day=_day(on))
        if on is None:
            built = building.build(year, source.value, settings=settings, register=register)
            print(f"Tables:  {built.folder} ({', '.join(f'{name} {rows:,}' for name, rows in built.rows.items())})")
    _print_regions(year, done)
    if done.has_staff:
        _print_assignment(year, done)
        for plan in done.plans:
            if plan.without:
                print(f"warning: {plan.statement}", file=sys.stderr)


def _published(
    year: int,
    lists: tuple[str, Path],
    directory: Path | None,
    enrolment: Path | None,
    settings: Settings,
    register: Register,
) -> Assisted:
    from orchestration.assistance import building

    kind, file = lists
    if kind != PUBLISHED:
        raise typer.BadParameter(f"'{kind}' is not known; it is --from {PUBLISHED} FILE", param_hint="--from")
    if directory is None:
        beside = sorted(file.parent.glob("school_directory*.csv"))
        if len(beside) != 1:
            raise InputError(f"{file.parent}: {len(beside)} files school_directory*.csv; name one with --directory")
        directory = beside[0]
    built, done = building.build_published(year, file, directory, enrolment, settings=settings, register=register)
    print(f"Tables:  {built.folder} (assistance_eligibility {built.rows['assistance_eligibility']:,})")
    return done


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a day as YYYY-MM-DD", param_hint="--on") from None


def _print_regions(year: int, done: Assisted) -> None:
    """Schools and districts with a claim, by region, and how many entered and left."""
    header = ["region", "schools", "in the lowest", "districts", "due a Lead", "Leads missing", "entered", "continuing"]
    missing = {team.region: team.leads_missing for team in done.teams}
    rows = []
    for region in missing:
        own = [one for one in done.eligible if one.region == region]
        rows.append([region, *_counts([one for one in own if one.grounds]), str(missing[region]), *_changes(own)])
    claims = [one for one in done.eligible if one.grounds]
    rows.append(["all", *_counts(claims), str(sum(missing.values())), *_changes(done.eligible)])
    table(f"{year}: eligible for assistance", [*header, "exited"], rows)


def _counts(found: Sequence[Eligible]) -> list[str]:
    schools = [one for one in found if one.organisation.org_type == "school"]
    districts = [one for one in found if one.organisation.org_type == "district"]
    lowest = sum("lowest_percentile" in one.grounds for one in schools)
    return [f"{n:,}" for n in (len(schools), lowest, len(districts), sum(one.needs_lead for one in districts))]


def _changes(found: Sequence[Eligible]) -> list[str]:
    counts = Counter(one.change for one in found)
    return [f"{counts[kind]:,}" if not counts["no_prior_year"] else "-" for kind in ("entered", "continuing", "exited")]


def _print_assignment(year: int, done: Assisted) -> None:
    """Load of each region's Leads, how near to the best, and what the distribution was before."""
    header = ["region", "Leads", "districts", "kept", "largest load", "smallest", "gap", "Gini before", "Gini after"]
    spreads = {(s.moment, s.region): s for s in done.equity.spreads if s.scope == "all leads"}
    rows = []
    for plan in done.plans:
        reached = {stage.objective: stage for stage in plan.stages}
        loads = [sum((d.load for d in plan.of(lead.staff_id)), Decimal("0.0")) for lead in plan.leads]
        rows.append(
            [
                plan.region,
                str(len(plan.leads)),
                f"{len(plan.lead_of)} of {len(plan.districts)}",
                str(reached["relationships_kept"].value if reached else 0),
                _figure(max(loads, default=None)),
                _figure(min(loads, default=None)),
                _figure(max((stage.gap for stage in plan.stages), default=None)),
                *(_figure(spreads[moment, plan.region].gini) for moment in ("before", "after")),
            ]
        )
    table(f"{year}: Assistance Leads", header, rows)


def _figure(value: Decimal | None) -> str:
    return "-" if value is None else str(value)
