"""What the pages are made from: a release, whole or its public tables alone, and the releases of earlier years.

Belongs here: files to rows, and which earlier release a year is shown from. Does not: what a page shows of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from orchestration.determinations.report_columns import ReportColumn, report_columns
from orchestration.errors import InputError
from orchestration.explanation.reading import Library, Row, Tables
from orchestration.pages.wording import GROUPS
from orchestration.policy import Register, released_register
from orchestration.policy_tables import table
from orchestration.releases import Release, current, releases

PUBLIC = "public"
NEEDED = ("organisations", "determinations", "indicator_points", "indicator_results", "target_percentages")
"""Tables without which there is no page."""


@dataclass(frozen=True)
class Earlier:
    """An earlier year and its determinations by organisation; None where the release has none to show."""

    year: int
    release: Release
    determinations: dict[str, Row] | None


@dataclass(frozen=True)
class Source:
    """A release as the pages may see it. The public variant reads below `public/` and has no trace.

    The policy rows stand in the release too: they order and weigh the columns, and are no one's figures.
    """

    release: Release
    home: Path
    is_public: bool

    @cached_property
    def library(self) -> Library:
        """The whole release. Raises InputError in the public variant, which may not look at it."""
        if self.is_public:
            raise InputError("public pages read public tables only")
        return Library(self.release)

    @cached_property
    def tables(self) -> Tables:
        """The tables that pages may show. Raises InputError when one is missing."""
        tables = _public(self.release) if self.is_public else self.library
        if missing := [name for name in NEEDED if not (tables.folder / f"{name}.parquet").is_file()]:
            raise InputError(f"{tables.folder / missing[0]}.parquet: is missing; the pages need it")
        return tables

    @cached_property
    def register(self) -> Register:
        """The policy rows as the release keeps them."""
        return released_register(self.release.folder / "policy.csv")

    @cached_property
    def word(self) -> str:
        """Status of a row whose figures are withheld from the public; the whole tables have no such row."""
        if not self.is_public:
            return ""
        return self.register.row(self.release.year, "suppression", "word").value

    @cached_property
    def minimum(self) -> int:
        """The least count that the public sees."""
        return self.register.integer(self.release.year, "suppression", "minimum_cell")

    @cached_property
    def layout(self) -> dict[str, ReportColumn]:
        """The columns of the year's report."""
        return report_columns(self.register, self.release.year)

    @cached_property
    def most(self) -> int:
        """The points that an indicator can have."""
        return self.register.integer(self.release.year, "possible_points", "per_indicator")

    @cached_property
    def groups(self) -> dict[str, str]:
        """Student group to its label, in the order of a report."""
        labels = {name: row.value for name, row in table(self.register, self.release.year, "group_label").items()}
        first = [name for name in GROUPS if name in labels]
        return {name: labels[name] for name in (*first, *sorted(labels.keys() - set(first), key=labels.__getitem__))}

    @cached_property
    def organisations(self) -> dict[str, Row]:
        """Code to its row, in the order of codes."""
        rows = sorted(self.tables.whole("organisations"), key=lambda row: row["org_code"])
        if strange := [row["org_code"] for row in rows if not row["org_code"].isalnum()]:
            raise InputError(
                f"{self.tables.folder}/organisations.parquet: org_code {strange[0]!r} cannot name a page; it may "
                "have letters and digits only"
            )
        return {row["org_code"]: row for row in rows}

    @cached_property
    def determinations(self) -> dict[str, Row]:
        """Code to its row; none for an organisation without a determination."""
        return _by_code(self.tables.whole("determinations"))

    @cached_property
    def federal(self) -> dict[str, Row]:
        """Code to its federal designation."""
        return _by_code(self.tables.whole("federal_designations"))

    @cached_property
    def eligibility(self) -> dict[str, Row]:
        """Code to its row of the assistance list."""
        return _by_code(self.tables.whole("assistance_eligibility"))

    @cached_property
    def earlier(self) -> tuple[Earlier, ...]:
        """Earlier years, oldest first: the release that the manifests name one after the other, else the one in force.

        What a release was made from does not change when an earlier year is corrected later.
        """
        found, named = [], _named(self.release)
        for year in sorted({r.year for r in releases(self.home) if r.year < self.release.year}, reverse=True):
            release = next((r for r in releases(self.home, year) if r.name == named.get(year)), None)
            release = release or current(self.home, year)
            if release is None:
                continue
            named |= _named(release)
            tables = _public(release) if self.is_public else Tables(release.folder)
            rows = tables.whole("determinations")
            found.append(Earlier(year, release, _by_code(rows) if rows else None))
        return tuple(reversed(found))


def _public(release: Release) -> Tables:
    return Tables(release.folder / PUBLIC)


def _by_code(rows: list[Row]) -> dict[str, Row]:
    return {row["org_code"]: row for row in rows}


def _named(release: Release) -> dict[int, str]:
    """Year to the release that a manifest says was read: `release 2024` to `student-official-003 <digest>`."""
    return {int(key.split()[1]): identity.split()[0] for key, identity in release.manifest["earlier_releases"].items()}
