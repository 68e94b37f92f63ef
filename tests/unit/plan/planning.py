"""Workflows read from text and events made from facts, for tests of the plan."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from windlass.lang.workflow.reading import read_workflow
from windlass.model.repository import Repository
from windlass.plan.event import Event
from windlass.plan.planner import Knowledge, make_plan
from windlass.plan.selection import Selection
from windlass.plan.synthesis import EventWishes, synthesise_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.workflow.model import AnyJob, Workflow
    from windlass.plan.plan import JobPlan, Plan

REPOSITORY = Repository(
    root="/somewhere/app",
    owner="octo",
    name="app",
    head_sha="1" * 40,
    base_sha="2" * 40,
    branch="feature",
    tag=None,
    default_branch="main",
    author_name="Mona Lisa",
    author_email="583231+mona@users.noreply.github.com",
    commit_message="Add a door\n\nIt opens.",
    commit_timestamp="2026-01-02T03:04:05+00:00",
    changed_files=("src/door.py", "docs/door.md", "old.txt"),
    added_files=("src/door.py",),
    removed_files=("old.txt",),
)


def read(text: str, called: Mapping[str, str] | None = None, path: str = "ci.yml") -> Workflow:
    """Read a workflow that has no mistakes; `called` are the files it may call."""
    files = {name: dedent(content).encode() for name, content in (called or {}).items()}
    place = path if "/" in path else f".github/workflows/{path}"
    reading = read_workflow(place, dedent(text).encode(), resolve=files.get)
    assert reading.workflow is not None, reading.diagnostics
    return reading.workflow


def read_job(text: str) -> AnyJob:
    """Read one job, given its keys beside `runs-on` and `steps`."""
    body = "\n".join(f"    {line}" for line in dedent(text).strip().splitlines())
    workflow = read(
        f"on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n{body}\n"
        "    steps:\n      - run: 'true'\n"
    )
    return workflow.jobs[0]


def happen(name: str, wishes: EventWishes | None = None, **facts: Any) -> Event:
    """Return an event in `REPOSITORY`, some of whose facts may be other ones."""
    event = synthesise_event(name, replace(REPOSITORY, **facts), wishes or EventWishes())
    assert isinstance(event, Event), event
    return event


def plan(
    text: str,
    event: Event | str = "push",
    *,
    called: Mapping[str, str] | None = None,
    selection: Selection | None = None,
    **knowledge: Any,
) -> Plan:
    """Plan one workflow for an event."""
    happened = happen(event) if isinstance(event, str) else event
    known = Knowledge(repository=REPOSITORY, **knowledge)
    return make_plan([read(text, called)], happened, known, selection or Selection())


def jobs_of(plan: Plan) -> dict[str, JobPlan]:
    """Return all jobs of a plan, by key."""
    return {job.key: job for job in plan.jobs()}


def verdicts_of(plan: Plan) -> dict[str, str]:
    """Return the verdict of every job, by key."""
    return {key: job.decision.verdict.value for key, job in jobs_of(plan).items()}
