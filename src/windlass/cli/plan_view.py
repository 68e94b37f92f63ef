"""A plan as a tree: workflows, jobs and steps, each with RUN, SKIP or UNKNOWN and why."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from windlass.cli.terminal import Style, Terminal, cut, visible
from windlass.lang.expressions import Unknown
from windlass.model.values import dataclass, field
from windlass.plan.decision import Decision, Verdict
from windlass.plan.default_place import name_place
from windlass.plan.places import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.plan.event import Event

    _Shape = tuple[tuple[str, Verdict, "_Shape"], ...]

    from windlass.plan.plan import JobPlan, LegPlan, Plan, StepPlan, WorkflowPlan

STYLES: dict[Verdict, Style] = {
    Verdict.RUN: "green",
    Verdict.SKIP: "dim",
    Verdict.UNKNOWN: "yellow",
}
PLAIN_CONDITION = "success()"
_IMPLICIT = re.compile(r"^success\(\) && \((.*)\)$", flags=re.DOTALL)
"""What GitHub puts around a condition without a status function."""
WIDEST_VALUE = 60
WIDEST_EXPRESSION = 120


@dataclass(frozen=True, slots=True)
class Node:
    """One row of the tree: its subject, a remark beside it, evidence below it, and its parts."""

    verdict: Verdict
    label: str
    remark: str = ""
    evidence: tuple[str, ...] = ()
    parts: tuple[Node, ...] = field(default=())


def render_plan(plan: Plan, terminal: Terminal) -> str:
    """Lay out a plan, with a final newline."""
    lines = [terminal.paint(visible(describe_event(plan.event)), "bold"), ""]
    common = _find_common_place(plan)
    for workflow in plan.workflows:
        lines += _rows(_workflow_node(workflow, common), terminal)
    started = [workflow for workflow in plan.workflows if workflow.decision.verdict != "SKIP"]
    jobs = _count(sum(len(workflow.jobs) for workflow in started), "job")
    if common not in ("", HOST):
        jobs += f" in {visible(name_place(common))}"
    of = f"{len(started)} of {_count(len(plan.workflows), 'workflow')} would start"
    lines += ["", f"{of}, with {jobs}" if started else of]
    return "\n".join(lines) + "\n"


def describe_event(event: Event) -> str:
    """`pull_request opened to main at 1a2b3c4, 3 changed files`."""
    action = f" {event.action}" if event.action else ""
    branch = event.branch or event.tag or event.ref
    changed = event.changed_files
    files = "changed files unknown" if changed is None else _count(len(changed), "changed file")
    return f"{event.name}{action} to {branch} at {event.sha[:7]}, {files}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _rows(node: Node, terminal: Terminal, stem: str = "", branch: str = "") -> Iterator[str]:
    """The lines of a node and its parts; `branch` joins it to what stands above."""
    verdict = terminal.paint(f"{node.verdict:<7}", STYLES[node.verdict])
    label = terminal.paint(node.label, "bold") if not branch else node.label
    remark = f"  {terminal.paint(node.remark, 'dim')}" if node.remark else ""
    yield f"{verdict}  {terminal.paint(stem + branch, 'dim')}{label}{remark}"
    if branch:
        stem += "   " if branch.startswith("└") else "│  "
    below = "│  " if node.parts else "   "
    for line in node.evidence:
        yield f"{'':<9}{terminal.paint(stem + below + line, 'dim')}"
    for part in node.parts:
        yield from _rows(part, terminal, stem, "└─ " if part is node.parts[-1] else "├─ ")


def _find_common_place(plan: Plan) -> str:
    """Return the place where all jobs run, "" where there is no such place."""
    places = {leg.place for job in plan.jobs() for leg in job.legs if not leg.jobs}
    common = places.pop() if len(places) == 1 else None
    return common if isinstance(common, str) else ""


def _workflow_node(workflow: WorkflowPlan, common: str) -> Node:
    is_skipped = workflow.decision.verdict is Verdict.SKIP
    return Node(
        workflow.decision.verdict,
        visible(workflow.name),
        visible(workflow.path) if workflow.path != workflow.name else "",
        (visible(workflow.decision.reason),) if is_skipped else (),
        () if is_skipped else tuple(_job_node(job, common) for job in workflow.jobs),
    )


def _job_node(job: JobPlan, common: str) -> Node:
    remark = visible(job.decision.reason) if _is_worth_saying(job.decision) or job.needs else ""
    if not job.has_known_legs:
        remark = "; ".join(filter(None, (remark, "its matrix is not known yet")))
    if job.uses:
        remark = "; ".join(filter(None, (f"calls {visible(job.uses)}", remark)))
    remark = "; ".join(filter(None, (remark, _place_remark(job.legs, common))))
    parts: tuple[Node, ...] = ()
    if job.decision.verdict is not Verdict.SKIP:
        parts = _leg_nodes(job, common)
    return Node(
        job.decision.verdict, visible(job.name), remark, tuple(_evidence(job.decision)), parts
    )


def _place_remark(legs: Sequence[LegPlan], common: str) -> str:
    """Say where legs run, if that is one place, not this machine, and not that of all jobs."""
    places = {leg.place for leg in legs if isinstance(leg.place, str)}
    if len(places) != 1 or places <= {HOST, common}:
        return ""
    return f"runs in {visible(*places)}"


def _leg_nodes(job: JobPlan, common: str) -> tuple[Node, ...]:
    """The steps of a job without a matrix; else its legs, the steps told once where they agree."""
    if len(job.legs) == 1 and (job.legs[0].matrix is None or not job.has_known_legs):
        return _parts(job.legs[0], common)
    nodes = []
    told = bool(_place_remark(job.legs, common))
    shape: _Shape | None = None
    for leg in job.legs:
        parts = _parts(leg, common)
        same = _shape(parts) == shape
        shape = _shape(parts)
        place = "" if told else _place_remark((leg,), common)
        remark = "; ".join(filter(None, ("likewise" if same and parts else "", place)))
        shown = () if same else parts
        nodes.append(Node(job.decision.verdict, visible(leg.name), remark, (), shown))
    return tuple(nodes)


def _shape(nodes: Sequence[Node]) -> _Shape:
    """Return what two legs must have in common to be told once, down to their last steps."""
    return tuple((node.remark, node.verdict, _shape(node.parts)) for node in nodes)


def _parts(leg: LegPlan, common: str) -> tuple[Node, ...]:
    if leg.jobs:
        return tuple(_job_node(job, common) for job in leg.jobs)
    return tuple(_step_node(step) for step in leg.steps)


def _step_node(step: StepPlan) -> Node:
    remark = visible(step.decision.reason) if _is_worth_saying(step.decision) else ""
    return Node(step.decision.verdict, visible(step.name), remark, tuple(_evidence(step.decision)))


def _is_worth_saying(decision: Decision) -> bool:
    """Say whether a reason tells anything; one without a condition is what the row above says."""
    if decision.verdict is Verdict.UNKNOWN and decision.expression is None:
        return False
    return decision.verdict is not Verdict.RUN or decision.expression != PLAIN_CONDITION


def _evidence(decision: Decision) -> Iterator[str]:
    """The condition and the values of its parts, as far as the reason does not name them."""
    if decision.expression is None or decision.expression == PLAIN_CONDITION:
        return
    told = visible(decision.reason)
    values = [
        (visible(name), value)
        for name, value in decision.values
        if name not in (decision.expression, PLAIN_CONDITION) and visible(name) not in told
    ]
    expression = visible(_IMPLICIT.sub(r"\1", decision.expression))
    if values or expression not in told:
        yield f"if: {cut(expression, WIDEST_EXPRESSION)}"
    for name, value in values:
        yield f"  {name} = {_show(value)}"


def _show(value: Any) -> str:
    if isinstance(value, Unknown):
        return "not known yet"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return cut(visible(json.dumps(value, ensure_ascii=False, default=str)), WIDEST_VALUE)
