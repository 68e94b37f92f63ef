"""The plan: what an event would run, and why; a value that can be printed, compared and hashed.

    Plan > WorkflowPlan > JobPlan > LegPlan > StepPlan

A leg is one combination of a job's matrix; a job without a matrix has one. The leg of a job that
calls a reusable workflow has `jobs` where others have `steps`.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Final

from windlass.lang.expressions import Unknown, to_text
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windlass.lang.diagnostics import Diagnostic
    from windlass.plan.decision import Decision
    from windlass.plan.event import Event

UNKNOWN_TEXT: Final = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """One step; `uses` is None for a step that runs a script."""

    id: str
    name: str
    decision: Decision
    uses: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPlan:
    """One leg. What depends on a result still to come is UNKNOWN.

    `matrix` is None without a matrix, `place` is where the job runs (`windlass.plan.places`),
    `inputs` are those of the called workflow, `concurrency` is the name of the group.
    """

    key: str
    name: str
    matrix: Any = None
    runs_on: Any = None
    place: Any = None
    environment: Any = None
    concurrency: Any = None
    inputs: Any = None
    steps: tuple[StepPlan, ...] = ()
    jobs: tuple[JobPlan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """One job. `has_known_legs` is False where its matrix depends on a result still to come."""

    id: str
    key: str
    name: str
    decision: Decision
    needs: tuple[str, ...] = ()
    uses: str | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)
    legs: tuple[LegPlan, ...] = ()
    has_known_legs: bool = True
    fail_fast: bool = True
    max_parallel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowPlan:
    """One workflow; `run_name` is what the run would be called."""

    path: str
    name: str
    decision: Decision
    run_name: Any = None
    concurrency: Any = None
    jobs: tuple[JobPlan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one event does to all workflows.

    `diagnostics` are mistakes that make a job fail before it starts, or inputs that do not fit.
    `digests` are the SHA-256 of the workflow files by path, and the commits that `windlass.lock`
    gives refs of other repositories; `variables` the `vars` context.
    """

    event: Event
    workflows: tuple[WorkflowPlan, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data, as `windlass plan --json` prints it."""
        event = self.event
        changed = event.changed_files
        workflows = self._describe_workflows()
        return {
            "hash": self._hash(workflows),
            "event": {
                "name": event.name,
                "action": event.action,
                "sha": event.sha,
                "ref": event.ref,
                "base_ref": event.base_ref,
                "head_ref": event.head_ref,
                "actor": event.actor,
                "changed_files": None if changed is None else list(changed),
            },
            "workflows": workflows,
        }

    def hash(self) -> str:
        """Return the SHA-256 over everything the plan was made from and what it says.

        That is the commit, the bytes of all workflow files, the event with its payload, the
        variables, and every verdict and value known so far. The same input gives the same hash.
        """
        return self._hash(self._describe_workflows())

    def _hash(self, workflows: list[dict[str, Any]]) -> str:
        event = self.event
        facts = {
            "sha": event.sha,
            "ref": event.ref,
            "event": event.name,
            "payload": event.payload,
            "changed_files": event.changed_files,
            "digests": dict(self.digests),
            "variables": dict(self.variables),
            "workflows": workflows,
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _describe_workflows(self) -> list[dict[str, Any]]:
        return [_describe_workflow(workflow) for workflow in self.workflows]

    def jobs(self) -> Iterator[JobPlan]:
        """Yield every job, those of called workflows after the one that calls."""
        for workflow in self.workflows:
            yield from walk_jobs(workflow.jobs)


def walk_jobs(jobs: Iterable[JobPlan]) -> Iterator[JobPlan]:
    """Yield jobs and, after each, the jobs of the workflow it calls."""
    for job in jobs:
        yield job
        for leg in job.legs:
            yield from walk_jobs(leg.jobs)


def _describe_workflow(workflow: WorkflowPlan) -> dict[str, Any]:
    return {
        "path": workflow.path,
        "name": workflow.name,
        **_describe_decision(workflow.decision),
        "run_name": _describe_value(workflow.run_name),
        "concurrency": _describe_value(workflow.concurrency),
        "jobs": [_describe_job(job) for job in workflow.jobs],
    }


def _describe_job(job: JobPlan) -> dict[str, Any]:
    matrices = [_describe_value(leg.matrix) for leg in job.legs if leg.matrix is not None]
    return {
        "id": job.id,
        "key": job.key,
        "name": job.name,
        **_describe_decision(job.decision),
        "needs": list(job.needs),
        "uses": job.uses,
        "permissions": {
            scope: level for scope, level in job.permissions.items() if level != "none"
        },
        "matrix": (matrices or None) if job.has_known_legs else UNKNOWN_TEXT,
        "fail_fast": job.fail_fast,
        "max_parallel": job.max_parallel,
        "legs": [_describe_leg(leg) for leg in job.legs],
    }


def _describe_leg(leg: LegPlan) -> dict[str, Any]:
    described: dict[str, Any] = {
        "key": leg.key,
        "name": leg.name,
        "matrix": _describe_value(leg.matrix),
        "runs_on": _describe_value(leg.runs_on),
        "place": _describe_value(leg.place),
        "environment": _describe_value(leg.environment),
        "concurrency": _describe_value(leg.concurrency),
    }
    if leg.jobs or leg.inputs is not None:
        described["inputs"] = _describe_value(leg.inputs)
        described["jobs"] = [_describe_job(job) for job in leg.jobs]
    else:
        described["steps"] = [_describe_step(step) for step in leg.steps]
    return described


def _describe_step(step: StepPlan) -> dict[str, Any]:
    return {
        "id": step.id,
        "name": step.name,
        "uses": step.uses,
        **_describe_decision(step.decision),
    }


def _describe_decision(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "expression": decision.expression,
        "values": [
            {"expression": name, "value": _describe_value(value)} for name, value in decision.values
        ],
    }


def _describe_value(value: Any) -> Any:
    """Return a value as JSON has it: whole numbers as integers, what is unknown as UNKNOWN.

    Numbers that JSON does not have are GitHub's words for them: NaN, Infinity, -Infinity.
    """
    if isinstance(value, Unknown):
        return UNKNOWN_TEXT
    if isinstance(value, float):
        if not math.isfinite(value):
            return to_text(value)
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {key: _describe_value(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_describe_value(item) for item in value]
    return value
