"""How a plan looks: a tree with the verdicts in one column."""

from __future__ import annotations

import io

from windlass.cli.plan_view import describe_event, render_plan
from windlass.cli.terminal import Terminal
from windlass.lang.expressions import UNKNOWN
from windlass.model.values import replace
from windlass.plan.decision import Decision, Verdict
from windlass.plan.event import Event
from windlass.plan.plan import JobPlan, LegPlan, Plan, StepPlan, WorkflowPlan

PLAIN = Terminal(io.StringIO(), is_live=False, colour=False)
RUN = Decision(Verdict.RUN, "it has no condition", "success()")
EVENT = Event(
    name="push",
    payload={},
    sha="0123456789",
    ref="refs/heads/main",
    actor="a",
    changed_files=("f",),
)


def step(name: str, decision: Decision = RUN) -> StepPlan:
    return StepPlan(id=name, name=name, decision=decision)


def leg(name: str, *steps: StepPlan, matrix: object = None) -> LegPlan:
    return LegPlan(key=name, name=name, matrix=matrix, steps=steps)


def job(name: str, *legs: LegPlan, decision: Decision = RUN, **options: object) -> JobPlan:
    return JobPlan(id=name, key=name, name=name, decision=decision, legs=legs, **options)  # type: ignore[arg-type]


def rendered(*jobs: JobPlan, decision: Decision = RUN) -> list[str]:
    workflow = WorkflowPlan(path="ci.yml", name="CI", decision=decision, jobs=jobs)
    text = render_plan(Plan(event=EVENT, workflows=(workflow,)), PLAIN)
    return [line.rstrip() for line in text.splitlines()]


def test_a_tree_of_jobs_and_steps() -> None:
    """Each row has a verdict; conditions that decide nothing special are not repeated."""
    waits = Decision(Verdict.RUN, "once a succeeded", "success()")

    assert rendered(
        job("a", leg("a", step("one"), step("two"))),
        job("b", leg("b", step("three")), decision=waits, needs=("a",)),
    ) == [
        "push to main at 0123456, 1 changed file",
        "",
        "RUN      CI  ci.yml",
        "RUN      ├─ a",
        "RUN      │  ├─ one",
        "RUN      │  └─ two",
        "RUN      └─ b  once a succeeded",
        "RUN         └─ three",
        "",
        "1 of 1 workflow would start, with 2 jobs",
    ]


def test_a_doubt_is_told_once() -> None:
    """The steps of a job that may not run are open as well, for the reason that the job has."""
    doubt = Decision(Verdict.UNKNOWN, "it depends on needs.a.outputs.x", "needs.a.outputs.x")
    inherited = Decision(Verdict.UNKNOWN, "whether its job runs is not known yet")

    assert rendered(job("b", leg("b", step("one", inherited)), decision=doubt))[2:5] == [
        "RUN      CI  ci.yml",
        "UNKNOWN  └─ b  it depends on needs.a.outputs.x",
        "UNKNOWN     └─ one",
    ]


def test_a_skipped_workflow_says_why_and_hides_its_jobs() -> None:
    """What will not start is one line and a reason."""
    decision = Decision(Verdict.SKIP, "no branch matches", "on.push.branches")

    assert rendered(job("a"), decision=decision)[2:] == [
        "SKIP     CI  ci.yml",
        "            no branch matches",
        "",
        "0 of 1 workflow would start",
    ]


def test_the_deciding_expression_and_its_values() -> None:
    """Below a decision stand the condition without GitHub's wrapping, and what its parts were."""
    decision = Decision(
        Verdict.UNKNOWN,
        "it is not known yet",
        "success() && (needs.a.outputs.go == github.ref)",
        (("success()", True), ("needs.a.outputs.go", UNKNOWN), ("github.ref", "refs/heads/main")),
    )

    assert rendered(job("b", decision=decision))[3:-2] == [
        "UNKNOWN  └─ b  it is not known yet",
        "               if: needs.a.outputs.go == github.ref",
        "                 needs.a.outputs.go = not known yet",
        '                 github.ref = "refs/heads/main"',
    ]


def test_legs_that_agree_are_told_once() -> None:
    """The steps of a matrix are listed under its first leg, and again only where they differ."""
    skip = Decision(Verdict.SKIP, "matrix.os is not linux", "matrix.os == 'linux'")
    lines = rendered(
        job(
            "t",
            leg("t (a)", step("s"), matrix={"os": "a"}),
            leg("t (b)", step("s"), matrix={"os": "b"}),
            leg("t (c)", step("s", skip), matrix={"os": "c"}),
        )
    )

    assert lines[3:-2] == [
        "RUN      └─ t",
        "RUN         ├─ t (a)",
        "RUN         │  └─ s",
        "RUN         ├─ t (b)  likewise",
        "RUN         └─ t (c)",
        "SKIP           └─ s  matrix.os is not linux",
        "                     if: matrix.os == 'linux'",
    ]


def test_a_matrix_still_to_come() -> None:
    """A matrix that a result decides is said to be unknown."""
    line = rendered(job("t", leg("t", matrix=UNKNOWN), has_known_legs=False))[3]

    assert line == "RUN      └─ t  its matrix is not known yet"


def test_where_jobs_run() -> None:
    """A place is told with the job, or with its legs where they differ; this machine is not."""
    one, two = leg("x", step("one")), leg("y", step("one"))

    assert rendered(
        job("a", replace(one, place="host")),
        job("b", replace(one, place="sandbox")),
        job("c", *(replace(it, place="docker://d", matrix={}) for it in (one, two))),
        job("d", replace(one, place="sandbox", matrix={}), replace(two, place="host", matrix={})),
        job("e", replace(one, place=UNKNOWN)),
    )[3:-2] == [
        "RUN      ├─ a",
        "RUN      │  └─ one",
        "RUN      ├─ b  runs in sandbox",
        "RUN      │  └─ one",
        "RUN      ├─ c  runs in docker://d",
        "RUN      │  ├─ x",
        "RUN      │  │  └─ one",
        "RUN      │  └─ y  likewise",
        "RUN      ├─ d",
        "RUN      │  ├─ x  runs in sandbox",
        "RUN      │  │  └─ one",
        "RUN      │  └─ y  likewise",
        "RUN      └─ e",
        "RUN         └─ one",
    ]


def test_where_all_jobs_run() -> None:
    """One place of all jobs is told once, at the end; this machine itself is not."""
    one = leg("x", step("one"))
    jobs = [job(name, replace(one, place="sandbox")) for name in ("a", "b")]

    assert rendered(*jobs)[3] == "RUN      ├─ a"
    assert rendered(*jobs)[-1] == "1 of 1 workflow would start, with 2 jobs in the sandbox"
    assert rendered(job("a", replace(one, place="host")))[-1].endswith("with 1 job")
    assert rendered(job("a", replace(one, place="docker://d")))[-1].endswith(" in containers of d")


def test_called_workflows_are_nested() -> None:
    """A job that calls a workflow has that workflow's jobs below it."""
    inner = LegPlan(key="c", name="c", jobs=(job("x", leg("x", step("s"))),))

    assert rendered(job("c", inner, uses="./.github/workflows/x.yml"))[3:-2] == [
        "RUN      └─ c  calls ./.github/workflows/x.yml",
        "RUN         └─ x",
        "RUN            └─ s",
    ]


def test_names_are_harmless() -> None:
    """Names and values cannot steer the terminal."""
    decision = Decision(Verdict.SKIP, "\x1b[2J", "x", (("y", "\x1b[H" * 99),))
    text = "\n".join(rendered(job("\x1b]0;t\x07", decision=decision)))

    assert "\x1b" not in text


def test_events() -> None:
    """The event is told with type, branch and commit, and what is known of changed files."""
    event = Event(
        name="pull_request",
        payload={"action": "opened"},
        sha="0123456789",
        ref="refs/pull/1/merge",
        base_ref="main",
        actor="a",
    )

    assert describe_event(event) == (
        "pull_request opened to main at 0123456, changed files unknown"
    )
    assert describe_event(EVENT) == "push to main at 0123456, 1 changed file"


def test_legs_are_likewise_down_to_their_steps() -> None:
    """Two calls of a workflow are told once only if the steps of its jobs agree as well."""
    skips = Decision(Verdict.SKIP, "inputs.flag is false", "inputs.flag")
    legs = tuple(
        LegPlan(
            key=name,
            name=name,
            matrix={"v": name},
            jobs=(job("x", leg("x", step("one", decision))),),
        )
        for name, decision in (("a", RUN), ("b", skips), ("c", skips))
    )

    assert rendered(job("call", *legs))[2:] == [
        "RUN      CI  ci.yml",
        "RUN      └─ call",
        "RUN         ├─ a",
        "RUN         │  └─ x",
        "RUN         │     └─ one",
        "RUN         ├─ b",
        "RUN         │  └─ x",
        "SKIP        │     └─ one  inputs.flag is false",
        "RUN         └─ c  likewise",
        "",
        "1 of 1 workflow would start, with 1 job",
    ]
