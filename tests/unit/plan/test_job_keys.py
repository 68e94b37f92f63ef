"""Keys of a job that the plan evaluates: permissions, concurrency, environment.

Expected values: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
and actions/runner src/Sdk/WorkflowParser/{Permissions,Conversion/WorkflowTemplateConverter}.cs.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import read, read_job

from windlass.lang.expressions import UNKNOWN
from windlass.lang.workflow.model import Job
from windlass.plan.concurrency import Concurrency, evaluate_concurrency
from windlass.plan.environments import evaluate_environment
from windlass.plan.faults import PlanFault
from windlass.plan.keys import Scope, evaluate_text
from windlass.plan.permissions import SCOPES, resolve_permissions

CONTEXTS: dict[str, Any] = {
    "github": {"ref": "refs/heads/main", "ref_name": "main"},
    "inputs": {"target": "staging"},
    "vars": {"empty": "", "long": "x" * 401, "text": "yes"},
    "needs": {"a": UNKNOWN},
    "strategy": {},
    "matrix": {},
}


def permissions(workflow: str | None, job: str | None) -> dict[str, str]:
    text = "on: push\n" + (f"permissions: {workflow}\n" if workflow else "")
    text += "jobs:\n  a:\n    runs-on: x\n"
    text += f"    permissions: {job}\n" if job else ""
    read_one = read(text + "    steps: [{run: 'true'}]\n")
    return dict(resolve_permissions(read_one.jobs[0], read_one))


def granted(workflow: str | None, job: str | None) -> dict[str, str]:
    found = permissions(workflow, job).items()
    return {scope: level for scope, level in found if level != "none"}


@pytest.mark.parametrize(
    ("workflow", "job", "expected"),
    [
        (None, None, {"contents": "read", "packages": "read"}),
        ("{contents: write}", None, {"contents": "write"}),
        ("{contents: write}", "{issues: read}", {"issues": "read"}),
        (None, "{packages: write, security-events: write}", None),
        ("{}", None, {}),
        ("read-all", "{}", {}),
    ],
)
def test_permissions(
    workflow: str | None, job: str | None, expected: dict[str, str] | None
) -> None:
    """The job's word counts before the workflow's; what it does not name is none."""
    wanted = {"packages": "write", "security-events": "write"} if expected is None else expected

    assert granted(workflow, job) == wanted


def test_write_all() -> None:
    """`write-all` gives every scope, read-only ones as far as they go."""
    levels = permissions("write-all", None)

    assert set(levels) == set(SCOPES)
    assert {scope for scope, level in levels.items() if level == "read"} == {
        "models",
        "vulnerability-alerts",
    }


def test_a_caller_is_the_limit() -> None:
    """A called workflow gets what its caller has where it says nothing, and never more."""
    workflow = read(
        "on: workflow_call\njobs:\n"
        "  silent: {runs-on: x, steps: [{run: 'true'}]}\n"
        "  greedy:\n    runs-on: x\n    permissions: {contents: write, issues: read}\n"
        "    steps: [{run: 'true'}]\n"
    )
    ceiling = {"contents": "read", "issues": "write"}
    silent, greedy = (resolve_permissions(job, workflow, ceiling=ceiling) for job in workflow.jobs)

    assert silent == ceiling
    assert (greedy["contents"], greedy["issues"]) == ("read", "read")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deploy", Concurrency("deploy")),
        ("ci-${{ github.ref }}", Concurrency("ci-refs/heads/main")),
        ("{group: a, cancel-in-progress: true}", Concurrency("a", cancel_in_progress=True)),
        (
            "{group: a, cancel-in-progress: \"${{ github.ref_name != 'main' }}\"}",
            Concurrency("a", cancel_in_progress=False),
        ),
        ("{group: a, queue: max}", Concurrency("a", queue="max")),
        ("${{ needs.a.outputs.x }}", UNKNOWN),
    ],
)
def test_concurrency(text: str, expected: Any) -> None:
    """The group's name and settings are evaluated; UNKNOWN where a result names it."""
    token = read_job(f"concurrency: {text}").concurrency
    assert token is not None

    assert evaluate_concurrency(token, CONTEXTS) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${{ vars.empty }}", "Concurrency group name cannot be empty"),
        ("${{ vars.long }}", "Concurrency group name must be less than 400 characters"),
        ("{group: a, cancel-in-progress: '${{ vars.text }}'}", "Unexpected value 'yes'"),
    ],
)
def test_wrong_concurrency(text: str, message: str) -> None:
    """What GitHub refuses is a fault in its words."""
    token = read_job(f"concurrency: {text}").concurrency
    assert token is not None
    fault = evaluate_concurrency(token, CONTEXTS)

    assert isinstance(fault, PlanFault)
    assert message == fault.message


@pytest.mark.requirement("A27")
@pytest.mark.requirement("A16")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("production", "production"),
        ("{name: production, url: 'https://example.com'}", "production"),
        ("${{ inputs.target }}", "staging"),
        ("${{ github.ref == 'refs/heads/main' && 'production' || 'staging' }}", "production"),
        ("{name: production, deployment: false}", "production"),
    ],
)
def test_environments(text: str, name: str) -> None:
    """A job names its environment by a string, a mapping or an expression."""
    job = read_job(f"environment: {text}")
    assert isinstance(job, Job)

    assert evaluate_environment(job.environment, CONTEXTS) == name


@pytest.mark.parametrize(
    ("text", "expected"), [("${{ vars.empty }}", None), ("${{ needs.a.outputs.x }}", UNKNOWN)]
)
def test_environments_without_name(text: str, expected: Any) -> None:
    """An empty name is no environment; one from a result is not known yet."""
    job = read_job(f"environment: {text}")
    assert isinstance(job, Job)

    assert evaluate_environment(job.environment, CONTEXTS) is expected


@pytest.mark.parametrize("value", ["[]", "{}"])
def test_an_environment_is_named_by_a_text(value: str) -> None:
    """A list or a mapping from an expression is a fault at its place."""
    job = read_job("environment: '${{ fromJSON(vars.value) }}'")
    assert isinstance(job, Job)
    fault = evaluate_environment(job.environment, {**CONTEXTS, "vars": {"value": value}})

    assert isinstance(fault, PlanFault)
    assert fault.message == "The name of an environment must be a string"
    assert job.environment is not None
    assert fault.span == job.environment.span


@pytest.mark.parametrize(
    ("value", "message"),
    [("[1]", "A sequence was not expected"), ("{}", "A mapping was not expected")],
)
def test_a_text_that_is_none(value: str, message: str) -> None:
    """An expression may give a list or a mapping: that is a fault at its place."""
    job = read_job("name: '${{ fromJSON(vars.value) }}'")
    fault = evaluate_text(job.name, Scope({"vars": {"value": value}}))

    assert job.name is not None
    assert fault == PlanFault(message, job.name.span)
