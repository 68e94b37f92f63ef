"""What the job machine says and does where a key of a job or of a step cannot be evaluated.

Source: actions/runner src/Runner.Worker/StepsRunner.cs and JobExtension.cs
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.plan.machines import Play, job, run_step, token
from tests.unit.plan.test_job import Steps

from windlass.lang.workflow.model import RunDefaults
from windlass.model.status import Result
from windlass.plan.decision import Verdict
from windlass.plan.job import JobMachine
from windlass.plan.orders import StartJob
from windlass.plan.steps import (
    ConcludeStep,
    FinishJob,
    JobCancelRequested,
    JobOpened,
    RejectStep,
    SkipStep,
    StartStep,
)

SUCCESS, FAILURE, CANCELLED, SKIPPED = (
    Result.SUCCESS,
    Result.FAILURE,
    Result.CANCELLED,
    Result.SKIPPED,
)
WRONG = "${{ fromJSON('') }}"
PROBLEM = "w.yml (Line: 1, Col: 1): empty input"
ASKED = (
    "The step failed and an error occurred when attempting to determine whether to continue on "
    f"error. {PROBLEM}"
)


class TestSteps:
    def test_an_env_that_cannot_be_evaluated(self) -> None:
        """The step is rejected under its name, computed without its own variables."""
        steps = Steps(run_step("a", name="On ${{ runner.os }}", env={"A": WRONG}))

        assert steps.orders[:2] == [
            RejectStep("a", "On ${{ runner.os }}", PROBLEM),
            ConcludeStep("a", FAILURE, FAILURE),
        ]

    def test_the_name_of_a_step_with_a_wrong_env_may_be_computed(self) -> None:
        """It looks at the contexts as the step would have."""
        steps = Steps(run_step("a", name="${{ github.action }}", env={"A": WRONG}))

        assert steps.orders[0] == RejectStep("a", "a", PROBLEM)

    def test_a_condition_that_cannot_be_evaluated(self) -> None:
        """The step is rejected with the condition as written; continue-on-error does not help."""
        step = run_step("a", if_="fromJSON('')", name="Test", continue_on_error=True)
        steps = Steps(step, run_step("b"))

        reject, conclude, skip, finish = steps.orders
        message = "The `if` condition 'fromJSON('')' cannot be evaluated: empty input"
        assert reject == RejectStep("a", "Test", f"w.yml (Line: 1, Col: 1): {message}")
        assert conclude == ConcludeStep("a", FAILURE, FAILURE)
        assert isinstance(skip, SkipStep)
        assert finish == FinishJob(FAILURE)

    def test_a_script_that_cannot_be_evaluated(self) -> None:
        """The step is rejected under its name, and continue-on-error counts."""
        broken = run_step("a", run=WRONG, name="Test", continue_on_error=True)
        steps = Steps(broken, run_step("b"))

        assert steps.orders[:2] == [
            RejectStep("a", "Test", PROBLEM),
            ConcludeStep("a", FAILURE, SUCCESS),
        ]
        assert steps.started("b")

    def test_a_name_that_cannot_be_evaluated(self) -> None:
        """The step runs all the same and reports the problem."""
        steps = Steps(run_step("a", name=WRONG))

        assert steps.started("a").name == "run"
        assert steps.started("a").problems == (PROBLEM,)
        assert Steps(run_step("a", name="Fine")).started("a").problems == ()

    def test_a_continue_on_error_that_cannot_be_evaluated(self) -> None:
        """The step counts as failed and says why."""
        steps = Steps(run_step("a", continue_on_error=WRONG))

        assert steps.end("a", FAILURE)[0] == ConcludeStep("a", FAILURE, FAILURE, ASKED)

    @pytest.mark.parametrize(
        ("value", "conclusion"),
        [
            (True, SUCCESS),
            (False, FAILURE),
            ("${{ github.ref == 'refs/heads/main' }}", SUCCESS),
            ("${{ github.ref == 'other' }}", FAILURE),
            ("${{ env.A == 'b' }}", SUCCESS),
            ("${{ steps.first.outcome == 'success' }}", SUCCESS),
            ("${{ job.status == 'success' }}", SUCCESS),
        ],
    )
    def test_continue_on_error_looks_at_the_step_and_the_job(
        self, value: bool | str, conclusion: Result
    ) -> None:
        """It is evaluated once the step has failed, with its variables and the job as it is."""
        first = run_step("first")
        steps = Steps(first, run_step("a", continue_on_error=value, env={"A": "b"}))
        steps.end("first")

        assert steps.end("a", FAILURE)[0] == ConcludeStep("a", FAILURE, conclusion)

    def test_every_step_that_is_passed_over_is_told(self) -> None:
        """Steps skipped one after the other each have an order, with name and decision."""
        never = "github.ref == 'other'"
        steps = Steps(
            run_step("a", if_=never, name="First"), run_step("b", if_=never, name="Second")
        )

        first, second, finish = steps.orders
        assert isinstance(first, SkipStep)
        assert isinstance(second, SkipStep)
        assert (first.key, first.name, first.decision.verdict) == ("a", "First", Verdict.SKIP)
        assert (second.key, second.name, second.decision.verdict) == ("b", "Second", Verdict.SKIP)
        assert finish == FinishJob(SUCCESS)


class TestContexts:
    def test_a_step_sees_the_job_so_far(self) -> None:
        """`job.status`, `steps` and `github.action` are those of the moment."""
        echo = "${{ job.status }} ${{ steps.a.outcome }} ${{ github.action }}"
        script = "${{ format('{0} {1} {2}', job.status, steps.a.outcome, github.action) }}"
        steps = Steps(run_step("a"), run_step("b", if_="always()", run=script, name=echo))

        assert steps.started("a").contexts["github"]["action"] == "a"  # type: ignore[index, call-overload]
        steps.end("a", FAILURE)

        assert steps.started("b").script == "failure failure b"
        assert steps.started("b").contexts["job"] == {"status": "failure"}

    def test_a_name_and_a_condition_may_look_at_the_step(self) -> None:
        """`github.action` and the step's own variables hold for every key of the step."""
        name = "${{ format('{0} {1}', github.action, env.A) }}"
        steps = Steps(run_step("a", name=name, if_="github.action == 'a'", env={"A": "b"}))

        assert steps.started("a").name == "a b"

    def test_what_the_place_knows_is_in_the_contexts(self) -> None:
        """The signal that opens the job fills `runner`, `job` and part of `github`."""
        steps = Steps(run_step("a"), opened=False)
        container = {"id": "c1", "network": "n1"}
        (start,) = steps.send(
            JobOpened(
                runner={"os": "Linux"},
                job={"container": container, "status": "overwritten"},
                github={"workspace": "/w"},
            )
        )

        assert isinstance(start, StartStep)
        github: Any = start.contexts["github"]
        assert start.contexts["runner"] == {"os": "Linux"}
        assert start.contexts["job"] == {"container": container, "status": "success"}
        assert (github["workspace"], github["ref"]) == ("/w", "refs/heads/main")

    def test_a_job_opens_once(self) -> None:
        """A second opening leads to nothing."""
        steps = Steps(run_step("a"), run_step("b"))

        assert steps.send(JobOpened(runner={"os": "Other"}, github={"workspace": "/other"})) == []
        steps.end("a")

        contexts: Any = steps.started("b").contexts
        assert contexts["runner"]["os"] == "Linux"
        assert contexts["github"]["workspace"] == "/w"

    def test_nothing_opens_a_job_that_was_cancelled(self) -> None:
        """A job that ended before it opened has ended."""
        steps = Steps(run_step("a"), opened=False)

        assert steps.send(JobCancelRequested("stop")) == [FinishJob(CANCELLED)]
        assert steps.open() == []


class TestJob:
    @pytest.mark.parametrize(
        "keys",
        [
            {"env": {"A": WRONG}},
            {"defaults": RunDefaults(shell=token(WRONG))},
            {"defaults": RunDefaults(working_directory=token(WRONG))},
        ],
        ids=["env", "shell", "folder"],
    )
    def test_a_key_that_cannot_be_evaluated_fails_the_job(self, keys: Any) -> None:
        """No step runs, and the message has its place."""
        steps = Steps(run_step("a"), **keys)

        assert steps.orders == [FinishJob(FAILURE, {}, (PROBLEM,))]

    def test_env_and_defaults_may_look_at_the_job(self) -> None:
        """The job's own env sees what is known when it opens, and its defaults see that env."""
        steps = Steps(
            run_step("a"),
            env={"A": "${{ runner.os }}", "B": "${{ secrets.S }}"},
            defaults=RunDefaults(
                shell=token("${{ env.A }}"), working_directory=token("${{ env.B }}")
            ),
            secrets={"S": "s"},
        )

        start = steps.started("a")
        assert start.variables == {"A": "Linux", "B": "s"}
        assert (start.shell, start.working_directory) == ("Linux", "s")

    @pytest.mark.parametrize(
        ("outcome", "result"), [(SUCCESS, FAILURE), (FAILURE, FAILURE), (CANCELLED, SUCCESS)]
    )
    def test_outputs_that_cannot_be_evaluated_fail_the_job(
        self, outcome: Result, result: Result
    ) -> None:
        """A job that succeeded so far has failed then, with two messages and no outputs."""
        steps = Steps(run_step("a"), outputs={"x": WRONG, "y": "1"})

        if outcome is CANCELLED:
            steps.send(JobCancelRequested("stop"))
            result = CANCELLED
        finish = steps.end("a", SUCCESS if outcome is CANCELLED else outcome)[-1]

        assert finish == FinishJob(result, {}, ("Fail to evaluate job outputs", PROBLEM))

    def test_outputs_look_at_steps_and_leave_out_what_is_empty(self) -> None:
        """An empty output is none, so that another leg of a matrix may set it."""
        outputs = {"x": "${{ steps.a.outputs.v }}", "none": "${{ steps.a.outputs.w }}", "c": "1"}
        steps = Steps(run_step("a"), outputs=outputs)

        assert steps.end("a", outputs={"v": "7"})[-1] == FinishJob(SUCCESS, {"x": "7", "c": "1"})

    def test_the_workflows_defaults_and_env_lie_under_the_jobs(self) -> None:
        """What the job says counts, for each key by itself."""
        order = Play(
            job(
                "build",
                steps=[run_step("a")],
                env={"A": "job"},
                defaults=RunDefaults(shell=token("sh")),
            )
        ).order(StartJob, "build")
        workflow = replace(
            order.workflow,
            env=token({"A": "workflow", "B": "workflow"}),
            defaults=RunDefaults(shell=token("bash"), working_directory=token("/w")),
        )

        machine = JobMachine(replace(order, workflow=workflow), secrets={})
        (_, start) = machine.receive(JobOpened(runner={}))

        assert isinstance(start, StartStep)
        assert start.variables == {"A": "job", "B": "workflow"}
        assert (start.shell, start.working_directory) == ("sh", "/w")
