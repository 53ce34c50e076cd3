"""The README of a bundle: what it holds, how to check it, and what a check can and cannot show.

Belongs here: words. Does not: any figure of the release.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.publication.bundle.contents import Audience
from orchestration.releases import Release

_FILES = {
    Audience.auditor: """\
| `release/` | the release but for Parquet: `manifest.json`, tables as CSV, `public/` (what the public sees) |
| `release/policy.csv`, `release/citations.csv` | every policy row in force, and the document it is written in |
| `release/validation/` | what each gate expected of the tables and what it found |
| `release/changes/` | what differs from the official release before |
| `trace.jsonl.gz` | every step of every decision, a line each; `lines`: the policy rows applied, in policy.csv |
""",
    Audience.public: """\
| `release/public/` | the public tables as CSV; its README says what is withheld and why |
| `release/manifest.json` | what the release was made from, without digests of anything that is not public |
| `release/policy.csv`, `release/citations.csv` | every policy row in force, and the document it is written in |
| `validation.json` | what each gate expected of the tables, and whether it held |
""",
}
_ALIKE = """\
A bundle that was changed throughout, digests included, agrees with itself. So compare the sha256 of `bundle.json`,
which the verifier prints, or `content_sha256` of the release with what the Department says of it by another way.
"""
_SHOWN = {
    Audience.auditor: f"""\
- Every file has the bytes listed in `bundle.json`, none is missing or added; the files below `release/` have the bytes
  that the manifest of the release lists, and the digest of its content is right.
- Every percentage (column, gradespan, annual, cumulative), every percentile's score and rank, and every classification
  follows from the steps before it and the policy rows, and stands in the tables as it was decided.
- None is left out: the points of every figure lead to percentages, and every organisation of `organisations.csv` is
  tested on every ground of its kind, against every group, rate, designation and recognition that the tables have.

What it cannot show: whether the records, the decisions in `designations.csv` and `recognitions.csv` and the figures
counted from records are right; targets and points (points are held against the table); which schools have enough
students for a percentile; percentile ranks of single indicators; the prior year's annual percentage; federal
designations. Whoever has the deliveries can make all of it again: `accountability run --year YEAR --from-release R`.

{_ALIKE}
This bundle holds small counts. It is for an auditor inside the Department and must not be passed on. It holds no
student identifier.
""",
    Audience.public: f"""\
- Every file has the bytes listed in `bundle.json`, none is missing or added; the files below `release/` have the bytes
  that the manifest of the release lists.

It cannot replay percentages and categories: the trace holds figures that are withheld from the public, and so only the
auditor's bundle of the same release has it. Both name the same `content_sha256`.

{_ALIKE}""",
}


def readme(release: Release, audience: Audience, about: Mapping[str, Any]) -> str:
    """The page, from what `bundle.json` says."""
    manifest = release.manifest
    software = "\n".join(f"| {name} | {version} |" for name, version in sorted(manifest["software"].items()))
    return f"""\
# Audit bundle of release {about["release"]}

Accountability determinations of Massachusetts, school year {release.year}; {release.source} source, {release.stage}.
This bundle is for: {audience}.

## Check it
Python 3.9 or newer is all that is needed; nothing is installed, nothing goes over a network.

```
python verify.py                 in this folder, or with the archive as it came:
python verify.py ARCHIVE.zip
```

Each line names a file, an organisation and a figure that does not agree; the last line reads `N of M checks hold`.
Read `verify.py` first: it is one file of a few hundred lines.

{_SHOWN[audience]}
## Files
| file | holds |
| --- | --- |
{_FILES[audience]}\
| `release/code.csv` | every file of code that decides something, with its sha256 |
| `openlineage.jsonl` | the run as OpenLineage events: what each room read and wrote, and what its gate found |
| `dbt/` | {about["dbt"]} |
| `bundle.json` | sha256 of every file here, and what the bundle was made from |

The events carry the moments at which the whole run began and ended; those of its rooms are not recorded.

## Made by
Code version {manifest["code"]["version"]}, digest {manifest["code"]["sha256"]} (sha256 of `code.csv`).

| package | version |
| --- | --- |
{software}
"""
