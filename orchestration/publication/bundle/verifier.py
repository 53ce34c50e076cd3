"""Check an audit bundle: `python verify.py` in the unpacked folder, or `python verify.py ARCHIVE.zip`.

Needs Python 3.9 or newer and nothing else. Exit status: 0 every check holds, 1 one does not, 2 wrong usage.

1. Every file has the sha256 that bundle.json says, none is missing, none is there besides; the files of the release
   have the sha256 that its own manifest says, and that manifest is the one noted.
2. What has to be there follows from policy.csv and the tables, not from what the trace names: the points of a figure,
   the percentages of these, the grounds of an organisation and the comparisons of each ground.
3. Every step of trace.jsonl.gz that makes a percentage, ranks a school or classifies is decided again, from the steps
   before it, the tables and the rows of policy.csv; the result is held against what the step says and the tables.

Not decided again: the indicators, targets and points (points are held against the table), which schools have enough
students for a percentile, the percentile ranks of single indicators, the prior year's annual percentage, federal
designations. Exact arithmetic throughout. `lines` below are lines of policy.csv as a spreadsheet numbers them; the
header is line 1.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import sys
import zipfile
import zlib
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path
from typing import IO, Any

BUNDLE, RELEASE, TRACE = "bundle.json", "release/", "trace.jsonl.gz"
PERCENTAGES = ("column", "gradespan", "annual", "cumulative")
FOLLOWS = {"points": "column", "column": "gradespan", "gradespan": "annual", "annual": "cumulative"}
"""Kind of a step to the kind that is made from it."""
ALL, LOWEST, GRADUATION = "all_students", "lowest_performing", "four_year_graduation"
TABLES = {
    "target_percentages": ("kept", "shown", "weighted_earned", "weighted_possible"),
    "indicator_points": ("points",),
    "accountability_percentiles": ("percentile",),
}
"""Table to its cells that a step decides."""
KINDS = {
    **dict.fromkeys(PERCENTAGES, "target_percentages"),
    "points": "indicator_points",
    "percentile": "accountability_percentiles",
}
"""Kind of a step to the table that has its outcome."""
DECIDING = ("percentile", "group_percentile", "graduation_rate", "participation")
"""Tests that require assistance."""
LISTS = ("grounds_met", "designations", "low_performing_groups", "low_participation_groups", "recognition")
"""Cells of determinations.csv that hold several words, joined by `; `."""
CHECK = ("figure", "threshold", "distance", "met", "status")
"""What a comparison of a ground says; its subject and student group name it."""
LATER = ("release", "previous", "changes", "content_sha256")
"""Entries of a release's manifest that are not part of its content."""
BROKEN = (KeyError, ValueError, TypeError, AttributeError, IndexError, ArithmeticError, StopIteration)
"""What reading a spoiled step may raise."""
Step = dict[str, Any]
Told = Iterator[tuple[str, object, object]]
"""What a figure is, as recorded and as decided again."""


class Checks:
    """How many checks were made and how many failed; each failure is a line as it is found."""

    def __init__(self) -> None:
        self.made = self.failed = 0

    def hold(self, held: bool, line: str) -> bool:
        self.made += 1
        if not held:
            self.failed += 1
            print(line, flush=True)
        return held

    def same(self, where: str, what: str, recorded: object, again: object) -> None:
        held = recorded == again or plain(recorded) == plain(again)  # the quick comparison spares most of the others
        self.hold(held, "" if held else f"{where}: {what}: {plain(recorded)} recorded, {plain(again)} worked out again")

    def each(self, where: str, what: str, recorded: list[str], wanted: list[str]) -> None:
        """Whether just these are there, in this order."""
        if self.hold(
            recorded == wanted, f"{where}: not every {what.strip(',')} is there as it has to be, once, in order"
        ):
            return
        for name in wanted:
            self.hold(name in recorded, f"{where}: {what} {name} is missing")
        for name in recorded:
            self.hold(name in wanted, f"{where}: {what} {name} is superfluous")


def plain(value: object) -> object:
    """A value in one form: figures as numbers, whether they were text, whole or decimal; lists by their parts."""
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {name: plain(part) for name, part in sorted(value.items())}
    if isinstance(value, bool) or value is None:
        return value
    try:
        return exact(str(value))
    except ValueError:
        return value


@lru_cache(maxsize=100_000)
def exact(text: str) -> Fraction:
    """The number that a text means; the same ones come back a million times."""
    return Fraction(text)


class Package:
    """The files of a bundle, unpacked or in the archive."""

    def __init__(self, place: Path):
        self.place = place
        self.archive = zipfile.ZipFile(place) if place.is_file() else None
        if self.archive:
            listed = [name for name in self.archive.namelist() if not name.endswith("/")]
            self.top = next((name[: -len(BUNDLE)] for name in listed if name.endswith(f"/{BUNDLE}")), "")
            self.names = [name[len(self.top) :] if name.startswith(self.top) else f"/{name}" for name in listed]
        else:
            self.names = [path.relative_to(place).as_posix() for path in sorted(place.rglob("*")) if path.is_file()]

    def open(self, name: str) -> IO[bytes]:
        return self.archive.open(self.top + name) if self.archive else (self.place / name).open("rb")

    def json(self, name: str) -> Any:
        with self.open(name) as file:
            return json.load(file)

    def rows(self, name: str) -> Iterator[dict[str, str]]:
        with self.open(name) as file:
            yield from csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline=""))

    def sha256(self, name: str) -> str:
        """Digest of a file, or why there is none."""
        digest = hashlib.sha256()
        try:
            with self.open(name) as file:
                for block in iter(lambda: file.read(1 << 20), b""):
                    digest.update(block)
        except (OSError, KeyError, zipfile.BadZipFile, EOFError, ValueError, zlib.error) as error:
            return f"unreadable ({type(error).__name__})"
        return digest.hexdigest()


def check_files(package: Package, bundle: dict[str, Any], checks: Checks) -> None:
    """Every file against bundle.json, and the files of the release against the manifest of the release."""
    wanted, there = bundle["files"], Counter(package.names)
    for name in sorted(there):
        checks.hold(there[name] == 1, f"{name}: is in the archive {there[name]} times")
        checks.hold(name in wanted or name == BUNDLE, f"{name}: is not listed in {BUNDLE}")
    for name, digest in sorted(wanted.items()):
        if checks.hold(name in there, f"{name}: is missing"):
            seen = package.sha256(name)
            checks.hold(seen == digest, f"{name}: has other bytes than {BUNDLE} says: sha256 {seen}, not {digest}")
    manifest = package.json(f"{RELEASE}manifest.json")
    if bundle["audience"] == "auditor":
        checks.same(BUNDLE, "sha256 of the manifest", bundle["manifest_sha256"], wanted[f"{RELEASE}manifest.json"])
        content = {name: entry for name, entry in manifest.items() if name not in LATER}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        checks.same(f"{RELEASE}manifest.json", "content_sha256", manifest["content_sha256"], digest)
    checks.same(BUNDLE, "content_sha256", bundle["content_sha256"], manifest["content_sha256"])
    known = {**manifest["files"], **manifest.get("changes", {})}
    for name in sorted(name for name in wanted if name.startswith(RELEASE) and not name.endswith("/manifest.json")):
        own = known.get(name[len(RELEASE) :], "nothing")
        checks.hold(own == wanted[name], f"{name}: the manifest of the release says sha256 {own}, not {wanted[name]}")


class Policy:
    """The rows of policy.csv, by line and by name."""

    def __init__(self, rows: Iterable[dict[str, str]], year: int):
        self.year, self.lines = str(year), dict(enumerate(rows, 2))
        self.rules: dict[str, dict[str, str]] = defaultdict(dict)
        self.parts: dict[tuple[str, str], dict[str, str]] = {}
        self.columns: dict[tuple[str, str], frozenset[str]] = {}
        for row in self.lines.values():
            if row["policy_year"] in (self.year, "every"):
                self.rules[row["rule_id"]][row["parameter"]] = row["value"]

    def part(self, rule: str, prefix: str) -> dict[str, str]:
        """Parameters of a rule that begin so, without the beginning."""
        if (rule, prefix) not in self.parts:
            found = {n[len(prefix) :]: value for n, value in self.rules[rule].items() if n.startswith(prefix)}
            self.parts[rule, prefix] = found
        return self.parts[rule, prefix]

    def population(self, group: str) -> str:
        """Whose column of the report a student group has its points in."""
        return {ALL: "all", LOWEST: "lowest"}.get(group) or self.rules["student_group_column"]["population"]

    def members(self, span: str, population: str) -> frozenset[str]:
        """Indicators of a column; without a gradespan those of both."""
        if (span, population) not in self.columns:
            rows = self.rules["column_indicators"].items()
            found = (of.split() for name, of in rows if name.startswith(span) and f"_{population}_" in f"_{name}")
            self.columns[span, population] = frozenset(chain.from_iterable(found))
        return self.columns[span, population]

    def cited(self, step: Step, rule: str) -> dict[str, str]:
        """Parameters of a rule that the step names."""
        rows = (self.lines[line] for line in step["lines"])
        return {row["parameter"]: row["value"] for row in rows if row["rule_id"] == rule}

    def rounded(self, value: Fraction, stage: str) -> Decimal:
        return half_up(value, int(self.rules["decimals_kept"][stage]))

    def shown(self, kept: Decimal | None) -> Decimal | None:
        return None if kept is None else half_up(Fraction(kept), int(self.rules["decimals_shown"]["percentage"]))


def half_up(value: Fraction, places: int) -> Decimal:
    """To so many decimals, halves away from zero."""
    whole = (abs(value) * 10**places + Fraction(1, 2)).__floor__()
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


def weighed(values: dict[str, Fraction], weights: dict[str, Any]) -> Fraction:
    """The mean of the values by the weights of the same names."""
    total = sum((values[name] * exact(str(weights[name])) for name in values), Fraction(0))
    return total / sum((exact(str(weights[name])) for name in values), Fraction(0))


class Known:
    """What the tables of a release say of organisations besides what the trace decides."""

    def __init__(self, package: Package, policy: Policy):
        self.package, self.policy = package, policy
        self.organisations = of = {row["org_code"]: row for row in self.rows("organisations")}
        self.designations: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.recognised: dict[str, set[str]] = defaultdict(set)
        self.counts: dict[str, dict[tuple[str, str], list[int]]] = defaultdict(dict)
        self.graduated: dict[str, str] = {}
        self.placed: dict[str, set[str]] = defaultdict(set)
        day = policy.rules["designation"]["in_force_on"]
        for row in sorted(self.rows("designations"), key=lambda row: (row["designation"], row["effective_from"])):
            if row["effective_from"] <= day <= (row["effective_until"] or day):
                self.designations[row["org_code"]].append(row)
        for row in self.rows("recognitions"):
            if row["school_year"] == policy.year:
                self.recognised[row["org_code"]].add(row["ground"])
        for row in self.rows("participation_results"):
            self.count(row)
        schools = [row for row in of.values() if row["org_type"] == "school"]
        alone = {row["district_code"]: row["org_code"] for row in schools if of[row["district_code"]]["schools"] == "1"}
        as_school = policy.rules["classification"]["single_school_district"] == "as_school"
        self.only_school = {code: school for code, school in alone.items() if as_school and not self.judged(code)}

    def rows(self, table: str) -> Iterator[dict[str, str]]:
        return self.package.rows(f"{RELEASE}{table}.csv")

    def judged(self, code: str) -> bool:
        """Whether an organisation with one school is classified by itself: it has a designation, or is no district."""
        return code in self.designations or self.organisations[code]["org_type"] != "district"

    def count(self, row: dict[str, str]) -> None:
        """Add who should test and who did, of the year and of two years; where there is no year before, of the year."""
        combined = self.policy.rules["participation_test"]["combined_subjects"] == "yes"
        name = row["student_group"], "all" if combined else row["subject"]
        found = self.counts[row["org_code"]].setdefault(name, [0] * 5)
        one, two = (row["should_test"], row["tested"]), (row["two_year_should_test"], row["two_year_tested"])
        for place, students in enumerate((*one, *(two if all(two) else one))):
            found[place] += int(students)
        found[4] += two[0] != ""

    def figures(self) -> Iterator[str]:
        """Read the figures of the year: keys of the points that they have to have."""
        policy, year = self.policy, self.policy.year
        with_points = policy.rules["calendar"]["determinations"] == "full"
        groups, eligible = (
            policy.rules["percentile_group"],
            policy.rules["percentile_eligibility"]["indicators"].split(),
        )
        for row in self.rows("indicator_results"):
            code, span, group, indicator = (row[n] for n in ("org_code", "gradespan", "student_group", "indicator"))
            if row["school_year"] != year or code not in self.organisations:
                continue
            has_value = row["status"] == "ok" and row["value"] != ""
            if has_value and (group, indicator) == (ALL, GRADUATION):
                self.graduated[code] = row["value"]
            ranked = indicator in eligible or (has_value and indicator in policy.members("", "all"))
            if ranked and groups[group] == "group" and row["org_type"] == "school":
                self.placed[code].add(group)
            reported = group != LOWEST or policy.rules["lowest_performing"][f"{row['org_type']}_{span}"] == "reported"
            if with_points and reported and indicator in policy.members(f"{span}_", policy.population(group)):
                yield f"{year}/{code}/points/{span}/{group}/{indicator}"

    def rate(self, students: list[int]) -> int | None:
        """Whole percent of students who were tested, of one year, two, or the better of both, as the policy has it."""
        one, two = (int(half_up(Fraction(100 * t, n), 0)) if n else None for n, t in (students[:2], students[2:4]))
        both = [rate for rate in (one, two if students[4] else None) if rate is not None]
        return {
            "one_year": one,
            "two_years": two if students[4] else one,
            "better_of_one_and_two_years": max(both, default=None),
        }[self.policy.rules["participation_test"]["rate"]]


class Replay:
    """Decides the steps of a trace again, an organisation at a time, and holds them against the tables."""

    def __init__(self, package: Package, checks: Checks, policy: Policy):
        self.package, self.checks, self.policy = package, checks, policy
        self.known = Known(package, policy)
        self.scores: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
        self.ranked: list[Step] = []
        self.alone: list[tuple[Step, dict[str, Any]]] = []
        self.determinations: dict[str, dict[str, Any]] = {}
        self.steps = Counter[str]()

    def run(self) -> None:
        tables = {name: self.table(name, columns) for name, columns in TABLES.items()}
        for key in self.known.figures():
            there = key in tables["indicator_points"]
            self.checks.hold(there, f"{RELEASE}indicator_points.csv: {key}: indicator_results has this figure")
        awaited = set(self.known.organisations)
        with self.package.open(TRACE) as raw, gzip.open(raw) as lines:
            for code, of_one in groupby(map(json.loads, lines), key=lambda step: step["org_code"]):
                found = list(of_one)
                own = {step["key"]: step for step in found}
                self.checks.hold(len(own) == len(found), f"{TRACE}: {code}: a step is there twice")
                for step in found:
                    self.step(step, own, tables)
                try:
                    self.complete(code, own)
                    if code in self.known.organisations:
                        self.checks.hold(code in awaited, f"{TRACE}: {code}: its steps are not in one place")
                        awaited.discard(code)
                        self.classified(code, own)
                except BROKEN as error:
                    self.checks.hold(False, f"{TRACE}: {code}: cannot be worked out again: {said(error)}")
        for code in sorted(awaited):
            self.checks.hold(False, f"{TRACE}: {code}: organisations.csv has it, the trace has no step of it")
        for scores in self.scores.values():
            scores.sort()
        for step in self.ranked:
            self.again(step, self.percentile(step))
        for step, own in self.alone:
            self.again(step, self.only_school(step, own))
        for name, left in tables.items():
            for key in left:
                self.checks.hold(False, f"{RELEASE}{name}.csv: {key}: no step of the trace decided it")
        self.determined()

    def table(self, name: str, columns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Key of the step to the cells that it decided."""
        found: dict[str, tuple[str, ...]] = {}
        for row in self.package.rows(f"{RELEASE}{name}.csv"):
            key, where = row["trace_key"], f"{RELEASE}{name}.csv: {row['trace_key']}"
            self.checks.hold(
                key == key_of(row, row.get("stage") or key.split("/")[2]), f"{where}: is of something else"
            )
            self.checks.hold(key not in found, f"{where}: is there twice")
            found[key] = tuple(row[column] for column in columns)
        return found

    def in_table(self, name: str, table: dict[str, tuple[str, ...]], step: Step) -> None:
        """The cells of a row against the outcome of its step."""
        where, cells = f"{RELEASE}{name}.csv: {step['key']}", table.pop(step["key"], None)
        if self.checks.hold(cells is not None, f"{where}: the trace has this step, the table has no row"):
            for number, column in enumerate(TABLES[name]):
                cell = cells[number] if cells else ""
                self.checks.same(where, column, cell or None, step["outcome"].get(column))

    def again(self, step: Step, told: Told) -> None:
        """Compare, and say so where a step cannot be decided again."""
        where = f"{TRACE}: {step.get('key')}"
        try:
            for what, recorded, again in told:
                self.checks.same(where, what, recorded, again)
        except BROKEN as error:
            self.checks.hold(False, f"{where}: cannot be worked out again: {said(error)}")

    def percentage(self, step: Step, kept: Decimal | None) -> Told:
        yield "kept", step["outcome"]["kept"], kept
        yield "shown", step["outcome"]["shown"], self.policy.shown(kept)

    def column(self, step: Step, own: dict[str, Step]) -> Told:
        """Weighted points earned of those possible."""
        policy, told = self.policy, step["inputs"]
        earned = {own[key]["indicator"]: int(own[key]["outcome"]["points"]) for key in step["upstream"]}
        yield "points", told["points"], earned
        population = {"all_students": "all", "lowest_performing": "lowest"}.get(step["student_group"])
        population = population or policy.rules["student_group_column"]["population"]
        place = f"{step['gradespan']}_{population}_"
        members = {name: of.split() for name, of in policy.part("column_indicators", place).items()}
        has_el = any(indicator in earned for indicator in members.get("el_progress", ()))
        scheme = "with_el" if has_el else "without_el"
        yield "scheme", told["scheme"], scheme
        weights = policy.part("weight", f"{place}{scheme}_")
        cited = {name.partition(f"{scheme}_")[2]: value for name, value in policy.cited(step, "weight").items()}
        yield "cited weights", cited, weights
        most = int(policy.rules["possible_points"]["per_indicator"])
        parts = {name: [earned[i] for i in of if i in earned] for name, of in members.items()}
        totals = {name: [sum(of), most * len(of)] for name, of in parts.items() if of}
        yield "totals", told["totals"], totals
        yield "indicators counted", len(earned), sum(map(len, parts.values()))
        sums = [
            sum((total[n] * Fraction(weights[name]) / 100 for name, total in totals.items()), Fraction(0))
            for n in (0, 1)
        ]
        got, of = (policy.rounded(total, "weighted_points") for total in sums)
        places = int(policy.rules["decimals_shown"]["weighted_points"])
        for name, value in (("weighted_earned", got), ("weighted_possible", of)):
            yield name, step["outcome"][name], half_up(Fraction(value), places) if of else None
        yield from self.percentage(step, policy.rounded(Fraction(got) * 100 / Fraction(of), "column") if of else None)

    def gradespan(self, step: Step, own: dict[str, Step]) -> Told:
        """All students and the lowest performing by their weights, or all students alone."""
        found = {
            "lowest" if key.endswith("/lowest_performing") else "all": kept_of(own[key]) for key in step["upstream"]
        }
        yield "all", step["inputs"]["all"], found["all"]
        yield "lowest", step["inputs"]["lowest"], found.get("lowest")
        values = {name: value for name, value in found.items() if value is not None}
        mean = weighed(values, self.policy.rules["population_weight"]) if "all" in values else None
        yield from self.percentage(step, None if mean is None else self.policy.rounded(mean, "gradespan"))

    def annual(self, step: Step, own: dict[str, Step]) -> Told:
        """Both gradespans by their weights, or the one there is."""
        found = {own[key]["gradespan"]: kept_of(own[key]) for key in step["upstream"]}
        values = {span: value for span, value in found.items() if value is not None}
        weights, rule = step["inputs"].get("weights"), self.policy.rules["gradespan_weight"]
        if rule.get("method") == "fixed":
            yield "weights", weights, {span: rule[span] for span in values} if len(values) > 1 else None
            weights = rule
        yield "gradespans", {n: v for n, v in step["inputs"].items() if n != "weights"}, values
        mean = next(iter(values.values()), None)
        if len(values) > 1:
            mean = weighed(values, weights) if weights else None
        yield from self.percentage(step, None if mean is None else self.policy.rounded(mean, "annual"))

    def cumulative(self, step: Step, own: dict[str, Step]) -> Told:
        """The prior year's annual and this year's by their weights; the current alone where there is no other."""
        rule, prior = self.policy.rules["cumulative"], step["inputs"]["prior"]
        current = kept_of(own[step["upstream"][0]])
        yield "current", step["inputs"]["current"], current
        mean, stage = current, "annual"
        if prior is not None and current is not None:
            values = {"prior_weight": Fraction(prior), "current_weight": current}
            mean, stage = weighed(values, rule), "cumulative"
        elif prior is None and rule["without_prior"] != "current_alone":
            mean = None
        yield from self.percentage(step, None if mean is None else self.policy.rounded(mean, stage))

    def keep_score(self, step: Step) -> None:
        """What the others of a comparison set are ranked against."""
        try:
            if "score" in step["inputs"]:
                self.scores[step["inputs"]["comparison_set"], step["student_group"]].append(
                    Fraction(step["inputs"]["score"])
                )
                self.ranked.append(step)
            else:
                where = f"{TRACE}: {step['key']}"
                self.checks.same(where, "percentile without a score", step["outcome"]["percentile"], None)
        except BROKEN as error:
            self.checks.hold(False, f"{TRACE}: {step.get('key')}: score cannot be read: {type(error).__name__}")

    def percentile(self, step: Step) -> Told:
        """Category means to the scores of the years, these to a score, and its place among the scores of the set."""
        policy, told = self.policy, step["inputs"]
        span = policy.rules["percentile_set"][told["comparison_set"]]
        scores: dict[str, Fraction] = {}
        for year, of_year in told["years"].items():
            means = {name: Fraction(mean) for name, mean in of_year["categories"].items()}
            weights = policy.part("weight", f"{span}_all_{'with' if of_year['with_el'] else 'without'}_el_")
            scores[year] = weighed({name: mean for name, mean in means.items() if name in weights}, weights)
            yield f"score of {year}", of_year["score"], scores[year]
        score = weighed(scores, policy.rules["percentile_year_weight"])
        yield "score", told["score"], score
        others = self.scores[told["comparison_set"], step["student_group"]]
        below, ties = bisect_left(others, score), bisect_right(others, score) - bisect_left(others, score)
        yield "below, ties, ranked", [told["below"], told["ties"], told["ranked"]], [below, ties, len(others)]
        rule = {name: Fraction(value) for name, value in policy.rules["percentile_rank"].items()}
        rank = (rule["multiplier"] * (below + rule["tie_share"] * ties) / len(others) + rule["addend"]).__floor__()
        yield "percentile", step["outcome"]["percentile"], min(max(rank, rule["lowest"]), rule["highest"])

    def step(self, step: Step, own: dict[str, Step], tables: dict[str, dict[str, tuple[str, ...]]]) -> None:
        """A step by itself: its name, its row in a table, its outcome."""
        kind, key = step["kind"], key_of({**step, "school_year": self.policy.year}, step["kind"])
        self.checks.hold(step["key"] == key, f"{TRACE}: {step['key']}: says of itself that it is {key}")
        self.steps[kind] += 1
        if (name := KINDS.get(kind)) is not None:
            self.in_table(name, tables[name], step)
        if kind in PERCENTAGES:
            self.again(step, getattr(self, kind)(step, own))
        elif kind == "percentile":
            self.keep_score(step)

    def complete(self, code: str, own: dict[str, Step]) -> None:
        """Whether all points lead to a percentage and each of these to the next; whether every percentile is there."""
        leading: dict[str, list[str]] = defaultdict(list)
        percentiles = []
        for key, step in own.items():
            kind, group, at = step["kind"], step["student_group"], f"{self.policy.year}/{code}"
            span = f"/{step['gradespan']}" if kind in ("points", "column") else ""
            if kind == "percentile":
                percentiles.append(group)
            elif kind == "column" and group == LOWEST:
                if f"{at}/column{span}/{ALL}" in own:  # counts beside all students only
                    leading[f"{at}/gradespan{span}/{ALL}"].append(key)
            elif kind in FOLLOWS:
                leads = leading[f"{at}/{FOLLOWS[kind]}{span}/{group}"]
                if kind != "points" or step["outcome"]["points"] is not None:
                    leads.append(key)
        made = [key for key, step in own.items() if step["kind"] in PERCENTAGES]
        self.checks.each(f"{TRACE}: {code}", "percentage", sorted(made), sorted(leading))
        for key in made:
            self.checks.each(f"{TRACE}: {key}", "step before,", sorted(own[key]["upstream"]), sorted(leading[key]))
        is_school = self.known.organisations.get(code, {}).get("org_type") == "school"
        placed = sorted({ALL, *self.known.placed[code]}) if is_school else []
        self.checks.each(f"{TRACE}: {code}", "percentile of", sorted(percentiles), placed)

    def classified(self, code: str, own: dict[str, Step]) -> None:
        """The classification of an organisation and its grounds: those that have to be there, as they have to be."""
        at, school = f"{self.policy.year}/{code}/classification", self.known.only_school.get(code)
        steps = {step["indicator"]: step for step in own.values() if step["kind"] == "classification"}
        if not self.checks.hold("" in steps, f"{TRACE}: {at}: is missing"):
            return
        decision = steps.pop("")
        grounds = {} if school else {test: (checks, keys) for test, checks, keys in self.grounds(code, own)}
        before = [at.replace(code, school)] if school else [f"{at}/{test}" for test in grounds]
        self.checks.each(f"{TRACE}: {at}", "ground", sorted(steps), sorted(grounds))
        self.checks.each(f"{TRACE}: {at}", "step before,", decision["upstream"], before)
        for test in (test for test in grounds if test in steps):  # in the order in which they are printed
            self.again(steps[test], self.ground(steps[test], *grounds[test]))
        self.again(decision, self.decision(decision, own, {test: checks for test, (checks, _) in grounds.items()}))

    def grounds(self, code: str, own: dict[str, Step]) -> Iterator[tuple[str, list[Step], list[str]]]:
        """Every test of this kind of organisation: its comparisons, and the keys of the steps that they look at."""
        rules, known, at = self.policy.rules, self.known, f"{self.policy.year}/{code}"
        org_type = known.organisations[code]["org_type"]
        tests = rules["classification_tests"][org_type].split()
        if "designation" in tests:
            yield "designation", [designation(row) for row in known.designations.get(code, ())], []
        if rules["calendar"]["determinations"] != "full":
            return
        percentile, figure = percentile_of(own, at), progress_of(own, at)
        if "percentile" in tests:
            yield "percentile", [self.limited("percentile", percentile)], [f"{at}/percentile/{ALL}"]
        if "group_percentile" in tests:
            groups = [g for g in rules["group_percentile_test"]["groups"].split() if f"{at}/percentile/{g}" in own]
            checks = [self.limited("group_percentile", percentile_of(own, at, g), student_group=g) for g in groups]
            yield "group_percentile", checks, [f"{at}/percentile/{group}" for group in groups]
        if "graduation_rate" in tests:
            yield "graduation_rate", [self.limited("graduation_rate", known.graduated.get(code), student_group=ALL)], []
        if "participation" in tests:
            yield "participation", list(self.participation(code)), []
        keys = [key for key in (f"{at}/{kind}/{ALL}" for kind in ("annual", "cumulative")) if key in own]
        needs = {"percentile": percentile, "progress": figure}
        asked = [(need, needs[need]) for need in rules["classification_needs"][org_type].split()]
        lacking = [{"subject": name, "figure": of, "met": of is None, "status": "ok"} for name, of in asked]
        yield "insufficient_data", lacking, keys
        yield "progress", [self.progress(figure)], keys
        found = " ".join(sorted(known.recognised.get(code, ())))
        needed = rules["recognition"]["grounds_needed"]
        yield "recognition", [{"subject": found, **compared(len(found.split()), needed, "at_least")}] * bool(found), []

    def limited(self, test: str, figure: Any, **names: str) -> Step:
        """A figure against the limit of a test."""
        rule = self.policy.rules[f"{test}_test"]
        way = "at_most" if "at_most" in rule else "below"
        return {**names, **compared(figure, rule[way], way)}

    def participation(self, code: str) -> Iterator[Step]:
        """The rate of every group that the policy tests, in every subject."""
        rules = self.policy.rules
        for (group, subject), students in sorted(self.known.counts.get(code, {}).items()):
            if group in rules["participation_test"]["groups"].split():
                enough = students[0] >= int(rules["minimum_n"]["participation"])
                figure = self.known.rate(students) if enough else None
                check = self.limited("participation", figure, student_group=group, subject=subject)
                yield check if enough else {**check, "status": "n_too_small"}

    def progress(self, figure: int | None) -> Step:
        """The band of the target percentage, and where the next better one begins."""
        bands = {name: of.split("-") for name, of in self.policy.rules["progress_band"].items()}
        found = [name for name, (low, high) in bands.items() if figure is not None and int(low) <= figure <= int(high)]
        if figure is None or not found:
            return {"met": False, "status": "not_applicable"}
        check = {"subject": found[0], "figure": figure, "met": True, "status": "ok"}
        above = [int(low) for low, _ in bands.values() if int(low) > figure]
        return {**check, "threshold": min(above), "distance": figure - min(above)} if above else check

    def ground(self, step: Step, checks: list[Step], before: list[str]) -> Told:
        """Every comparison of one test: there as it has to be, with figure, limit and what came of it."""
        where, test = f"{TRACE}: {step['key']}", step["indicator"]
        recorded = [(named(test, check), check) for check in step["inputs"]["checks"]]
        wanted = {named(test, check): check for check in checks}
        self.checks.each(where, "comparison of", [name for name, _ in recorded], list(wanted))
        self.checks.each(where, "step before,", step["upstream"], before)
        for name, check in recorded:
            for part in CHECK if name in wanted else ():
                yield f"{part} of {name}", check.get(part), wanted[name].get(part)
        yield "met", step["outcome"]["met"], any(check["met"] for check in checks)
        yield "status", step["status"], "ok"

    def decision(self, step: Step, own: dict[str, Step], grounds: dict[str, list[Step]]) -> Told:
        """The first stage of the precedence that has a reason to give, from the grounds as they have to be."""
        rules, known, told, outcome = self.policy.rules, self.known, step["inputs"], step["outcome"]
        code, full = step["org_code"], self.policy.rules["calendar"]["determinations"] == "full"
        yield "org_type", told["org_type"], known.organisations[code]["org_type"]
        yield "only_school", told.get("only_school"), known.only_school.get(code)
        if code in known.only_school:
            self.alone.append((step, self.cells(step, own)))
            return
        met = [test for test, checks in grounds.items() if any(check["met"] for check in checks)]
        band = self.progress(progress_of(own, step["key"].rpartition("/")[0])).get("subject")
        designations = [row["designation"] for row in known.designations.get(code, ())]
        yield "met", told["met"], met
        yield "progress", told["progress"], rules["reason_word"][band] if band else None
        yield "designations", told["designations"], designations
        yield "low_performing_groups", outcome["low_performing_groups"], met_groups(grounds, "group_percentile")
        yield "low_participation_groups", outcome["low_participation_groups"], met_groups(grounds, "participation")
        reason, stage = None, None
        if full:
            designated = designations if "designation" in grounds else []
            reasons = {
                "designation": rules["designation_reason"][designated[0]] if designated else None,
                "assistance_grounds": "focused_targeted" if set(met) & set(DECIDING) else None,
                "insufficient_data": "insufficient_data" if "insufficient_data" in met else None,
                "progress": "recognition" if "recognition" in met else band,
            }
            stage = next(name for name in rules["classification"]["precedence"].split() if reasons[name])
            reason = reasons[stage]
        overall = "requiring" if stage in ("designation", "assistance_grounds") else "not_requiring"
        overall = reason if reason == "insufficient_data" else overall
        labels = (rules["recognition_label"][name] for name in known.recognised.get(code, ()))
        yield "decided_by", outcome["decided_by"], stage
        yield "reason", outcome["reason"], rules["reason_word"][reason] if reason else None
        word = rules["overall_word"][overall] if reason else None
        yield "overall_classification", outcome["overall_classification"], word
        yield "recognition", sorted(outcome["recognition"]), sorted(labels) if reason == "recognition" else []
        yield "status", step["status"], "ok" if full else "not_applicable"
        self.determinations[step["key"]] = {**self.cells(step, own), "grounds_met": told["met"]}

    def cells(self, step: Step, own: dict[str, Step]) -> dict[str, Any]:
        """What the table of determinations says of an organisation besides the grounds that are met."""
        at = step["key"].rpartition("/")[0]
        told = {name: step["inputs"].get(name) for name in ("progress", "designations", "org_type")}
        shown = {kind: shown_of(own, at, kind) for kind in ("annual", "cumulative")}
        return {**step["outcome"], **told, **shown, "percentile": percentile_of(own, at), "status": step["status"]}

    def only_school(self, step: Step, own: dict[str, Any]) -> Told:
        """A district that is classified as its only school; percentile and recognition stay with the school."""
        school = self.determinations[step["upstream"][0]]
        keeps = {name: own[name] for name in ("annual", "cumulative", "org_type")}
        again = {**school, **keeps, "percentile": None, "recognition": []}
        for name, recorded in step["outcome"].items():
            yield name, recorded, again[name]
        yield "status", own["status"], again["status"]
        self.determinations[step["key"]] = again

    def determined(self) -> None:
        """Every cell of determinations.csv against what the steps lead to."""
        left = dict(self.determinations)
        for row in self.package.rows(f"{RELEASE}determinations.csv"):
            where, again = f"{RELEASE}determinations.csv: {row['trace_key']}", left.pop(row["trace_key"], None)
            self.checks.hold(again is not None, f"{where}: no step of the trace decided it")
            self.checks.hold(row["trace_key"] == key_of(row, "classification"), f"{where}: is of something else")
            organisation = self.known.organisations.get(row["org_code"], {})
            self.checks.same(where, "org_name", row["org_name"], organisation.get("org_name"))
            for name, value in (again or {}).items():
                self.checks.same(where, name, row[name] or None, "; ".join(value) or None if name in LISTS else value)
        for key in left:
            self.checks.hold(False, f"{RELEASE}determinations.csv: {key}: the trace has this step, the table no row")


def key_of(of: dict[str, Any], kind: str) -> str:
    """The key that a step, or a row that it decided, has by what it is of; parts that do not apply are left out."""
    parts = of["school_year"], of["org_code"], kind, of.get("gradespan"), of.get("student_group"), of.get("indicator")
    return "/".join(filter(None, parts))


def kept_of(step: Step) -> Fraction | None:
    kept = step["outcome"]["kept"]
    return None if kept is None else exact(kept)


def shown_of(own: dict[str, Step], at: str, kind: str) -> int | None:
    """A target percentage of all students as shown, whole."""
    step = own.get(f"{at}/{kind}/all_students")
    return int(step["outcome"]["shown"]) if step and step["outcome"]["shown"] is not None else None


def progress_of(own: dict[str, Step], at: str) -> int | None:
    """The cumulative target percentage where there is one, else the annual one."""
    cumulative = shown_of(own, at, "cumulative")
    return shown_of(own, at, "annual") if cumulative is None else cumulative


def percentile_of(own: dict[str, Step], at: str, group: str = "all_students") -> int | None:
    step = own.get(f"{at}/percentile/{group}")
    return step["outcome"]["percentile"] if step else None


def compared(figure: Any, limit: str, way: str) -> Step:
    """A figure against a limit, and how far it is from it."""
    if figure is None:
        return {"threshold": limit, "met": False, "status": "not_applicable"}
    distance = exact(str(figure)) - exact(limit)
    met = {"at_most": distance <= 0, "below": distance < 0, "at_least": distance >= 0}[way]
    return {"figure": figure, "threshold": limit, "distance": distance, "met": met, "status": "ok"}


def designation(row: dict[str, str]) -> Step:
    """A designation in force as a ground tells of it."""
    told = f"{row['decided_by']}, {row['effective_from']}, {row['citation']}: {row['reason']}"
    return {"figure": row["designation"], "subject": told, "met": True, "status": "ok"}


def named(test: str, check: Step) -> str:
    """What a comparison is of: its subject and student group; of a designation the word too, the rest may be alike."""
    word = check.get("figure") if test == "designation" else None
    return " ".join(filter(None, (word, check.get("subject"), check.get("student_group")))) or ALL


def met_groups(grounds: dict[str, list[Step]], test: str) -> list[str]:
    """Student groups for which a test is met, once each."""
    return list(dict.fromkeys(check["student_group"] for check in grounds.get(test, ()) if check["met"]))


def said(error: Exception) -> str:
    return f"{type(error).__name__} {error}"


def verify(place: Path) -> Checks:
    """Make every check of the bundle in a folder or an archive."""
    package, checks = Package(place), Checks()
    try:
        bundle = package.json(BUNDLE)
        print(f"Release {bundle['release']}, bundle for: {bundle['audience']}.")
        print(f"{BUNDLE} has sha256 {package.sha256(BUNDLE)}; compare it with what you were told by another way.")
        check_files(package, bundle, checks)
        if TRACE in bundle["files"]:
            year = int(bundle["release"].partition("/")[0])
            replay = Replay(package, checks, Policy(package.rows(f"{RELEASE}policy.csv"), year))
            replay.run()
            print(f"{sum(replay.steps.values())} steps read, {len(replay.determinations)} determinations made again.")
        else:
            print(bundle["why_no_trace"])
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, *BROKEN) as error:
        checks.hold(False, f"{place.name}: checking stopped: {type(error).__name__}: {error}")
    print(f"{checks.made - checks.failed} of {checks.made} checks hold")
    return checks


def main(words: list[str]) -> int:
    place = Path(words[0]) if words else Path(__file__).resolve().parent
    if len(words) > 1 or not place.exists() or not (place.is_dir() or zipfile.is_zipfile(place)):
        print("usage: python verify.py [FOLDER | ARCHIVE.zip]", file=sys.stderr)
        return 2
    return 1 if verify(place).failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
