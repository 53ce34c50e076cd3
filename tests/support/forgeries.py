"""What a forger of an audit bundle would do: a determination made to look better, alike in the trace and in the table.

Belongs here: changes that agree with themselves, and what the verifier has to say of each. Does not: digests, or which
bundle (`bundles`). A forgery changes the steps and the rows of determinations.csv, and gives the lines to be expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from orchestration.publication.bundle.verifier import DECIDING, TRACE

Steps = list[dict[str, Any]]
Row = dict[str, str]
Forgery = Callable[[Steps, list[Row]], list[str]]


def _grounds(steps: Steps, test: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every ground of a kind with the decision that follows from it."""
    decisions = {step["key"]: step for step in steps if step["kind"] == "classification" and not step["indicator"]}
    for step in steps:
        if step["kind"] == "classification" and step["indicator"] == test:
            yield step, decisions[step["key"].rpartition("/")[0]]


def _row(rows: list[Row], decision: dict[str, Any]) -> Row:
    return next(row for row in rows if row["trace_key"] == decision["key"])


def _relieved(decision: dict[str, Any], rows: list[Row], test: str) -> None:
    """Take a ground out of a decision, which then says what it would say without it, and so does its row."""
    row, told, outcome = _row(rows, decision), decision["inputs"], decision["outcome"]
    told["met"].remove(test)
    row["grounds_met"] = "; ".join(told["met"])
    if not {"designation", *DECIDING} & {*told["met"]}:
        spared = next(row for row in rows if row["decided_by"] == "progress")
        told_word = spared["overall_classification"]
        outcome.update(overall_classification=told_word, reason=told["progress"], decided_by="progress")
        row.update({name: outcome[name] for name in ("overall_classification", "reason", "decided_by")})


def _met_alone(steps: Steps, test: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A ground that is met, if possible the only one that requires assistance."""
    found = [(ground, decision) for ground, decision in _grounds(steps, test) if ground["outcome"]["met"]]
    others = {"designation", "insufficient_data", *DECIDING} - {test}
    return next((pair for pair in found if not others & {*pair[1]["inputs"]["met"]}), found[0])


def check_removed(steps: Steps, rows: list[Row]) -> list[str]:
    """The low student groups of a school are no longer compared."""
    ground, decision = _met_alone(steps, "group_percentile")
    low = [check["student_group"] for check in ground["inputs"]["checks"] if check["met"]]
    ground["inputs"]["checks"] = [check for check in ground["inputs"]["checks"] if not check["met"]]
    ground["upstream"] = [key for key in ground["upstream"] if key.rpartition("/")[2] not in low]
    ground["outcome"]["met"] = False
    decision["outcome"]["low_performing_groups"] = []
    _row(rows, decision)["low_performing_groups"] = ""
    _relieved(decision, rows, "group_percentile")
    return [f"{TRACE}: {ground['key']}: comparison of {group} is missing" for group in low] + [
        f"{TRACE}: {ground['key']}: met: False recorded, True worked out again",
        f"{TRACE}: {decision['key']}: met: ",
    ]


def ground_removed(steps: Steps, rows: list[Row]) -> list[str]:
    """A school or district is no longer tested for its participation, and nothing says that it was."""
    ground, decision = _met_alone(steps, "participation")
    steps.remove(ground)
    decision["upstream"].remove(ground["key"])
    decision["outcome"]["low_participation_groups"] = []
    _row(rows, decision)["low_participation_groups"] = ""
    _relieved(decision, rows, "participation")
    return [
        f"{TRACE}: {decision['key']}: ground participation is missing",
        f"{TRACE}: {decision['key']}: step before, {ground['key']} is missing",
        f"{TRACE}: {decision['key']}: met: ",
    ]


def ground_not_named(steps: Steps, rows: list[Row]) -> list[str]:
    """The ground is tested still, but the decision does not look at it."""
    ground, decision = _met_alone(steps, "percentile")
    decision["upstream"].remove(ground["key"])
    _relieved(decision, rows, "percentile")
    return [f"{TRACE}: {decision['key']}: step before, {ground['key']} is missing"]


def designation_swapped(steps: Steps, rows: list[Row]) -> list[str]:
    """Another designation than the ledger has."""
    ground, decision = next(pair for pair in _grounds(steps, "designation") if pair[0]["inputs"]["checks"])
    words = [row["figure"] for step, _ in _grounds(steps, "designation") for row in step["inputs"]["checks"]]
    check = ground["inputs"]["checks"][0]
    old = check["figure"]
    new = next((word for word in words if word not in decision["inputs"]["designations"]), "under_watch")
    check["figure"] = new
    decision["inputs"]["designations"][0] = new
    _row(rows, decision)["designations"] = "; ".join(decision["inputs"]["designations"])
    return [
        f"{TRACE}: {ground['key']}: comparison of {old} {check['subject']} is missing",
        f"{TRACE}: {ground['key']}: comparison of {new} {check['subject']} is superfluous",
        f"{TRACE}: {decision['key']}: designations: ",
    ]


def designation_told_alone(steps: Steps, rows: list[Row]) -> list[str]:
    """The decision and its row name a designation that the ground does not."""
    _, decision = next(pair for pair in _grounds(steps, "designation") if pair[0]["inputs"]["checks"])
    decision["inputs"]["designations"] = ["under_watch"]
    _row(rows, decision)["designations"] = "under_watch"
    return [f"{TRACE}: {decision['key']}: designations: ['under_watch'] recorded, ["]


def recognition_altered(steps: Steps, rows: list[Row]) -> list[str]:
    """A school is recognised for something else."""
    ground, decision = next(pair for pair in _grounds(steps, "recognition") if pair[1]["outcome"]["recognition"])
    check = ground["inputs"]["checks"][0]
    old, check["subject"] = check["subject"], "high_attendance"
    decision["outcome"]["recognition"] = ["High Attendance"]
    _row(rows, decision)["recognition"] = "High Attendance"
    return [
        f"{TRACE}: {ground['key']}: comparison of {old} is missing",
        f"{TRACE}: {decision['key']}: recognition: ['High Attendance'] recorded, ",
    ]


def recognition_given(steps: Steps, rows: list[Row]) -> list[str]:
    """A school that no ledger names is a school of recognition."""
    ground, decision = next(
        (ground, decision)
        for ground, decision in _grounds(steps, "recognition")
        if not ground["inputs"]["checks"] and decision["outcome"]["decided_by"] == "progress"
    )
    named = {"figure": 1, "threshold": "1", "distance": "0", "met": True, "status": "ok", "subject": "high_growth"}
    ground["inputs"]["checks"] = [named]
    ground["outcome"]["met"] = True
    decision["inputs"]["met"].append("recognition")
    _row(rows, decision)["grounds_met"] = "; ".join(decision["inputs"]["met"])
    decision["outcome"]["recognition"] = ["High Growth"]
    _row(rows, decision)["recognition"] = "High Growth"
    return [
        f"{TRACE}: {ground['key']}: comparison of high_growth is superfluous",
        f"{TRACE}: {decision['key']}: recognition: ",
    ]


def judged_by_another(steps: Steps, rows: list[Row]) -> list[str]:
    """A district of several schools takes over what one of them was given."""
    spared = next(row for row in rows if row["decided_by"] == "progress" and row["org_type"] == "school")
    _, decision = next(p for p in _grounds(steps, "graduation_rate") if p[1]["inputs"]["org_type"] == "district")
    school = next(step for step in steps if step["key"] == spared["trace_key"])
    steps[:] = [
        s for s in steps if s["kind"] != "classification" or s["org_code"] != decision["org_code"] or s is decision
    ]
    decision["upstream"] = [school["key"]]
    decision["inputs"] = {"org_type": "district", "only_school": school["org_code"]}
    return [
        f"{TRACE}: {decision['key']}: ground graduation_rate is missing",
        f"{TRACE}: {decision['key']}: step before, {school['key']} is superfluous",
    ]


def classification_left_out(steps: Steps, rows: list[Row]) -> list[str]:
    """A school is in no table and no step of a classification."""
    followed = {key for step in steps if "only_school" in step["inputs"] for key in step["upstream"]}
    spared = (row for row in rows if row["org_type"] == "school" and row["trace_key"] not in followed)
    row = next(row for row in spared if row["decided_by"] == "assistance_grounds")
    steps[:] = [s for s in steps if s["kind"] != "classification" or s["org_code"] != row["org_code"]]
    rows.remove(row)
    return [f"{TRACE}: {row['trace_key']}: is missing"]


def row_of_another(steps: Steps, rows: list[Row]) -> list[str]:
    """A row stands under the code and the name of another school."""
    row, other = (next(row for row in rows if row["decided_by"] == by) for by in ("assistance_grounds", "progress"))
    row.update({name: other[name] for name in ("org_code", "org_name")})
    return [f"release/determinations.csv: {row['trace_key']}: is of something else"]


FORGERIES: tuple[Forgery, ...] = (
    check_removed,
    ground_removed,
    ground_not_named,
    designation_swapped,
    designation_told_alone,
    recognition_altered,
    recognition_given,
    judged_by_another,
    classification_left_out,
    row_of_another,
)
