"""The job machine: what a step is started with, and what its end leads to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.plan.machines import SPAN, Play, job, run_step, token

from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import ActionStep, RunDefaults, RunStep
from windlass.model.status import Result
from windlass.plan.job import JobMachine
from windlass.plan.orders import StartJob
from windlass.plan.steps import (
    CancelStep,
    ConcludeStep,
    FinishJob,
    JobCancelRequested,
    JobOpened,
    JobOrder,
    JobSignal,
    RejectStep,
    SkipStep,
    StartStep,
    StartTimer,
    StepFinished,
    StopTimer,
)

SUCCESS, FAILURE, CANCELLED = Result.SUCCESS, Result.FAILURE, Result.CANCELLED


class Steps:
    """Plays the world for a job machine."""

    def __init__(self, *steps: RunStep | ActionStep, opened: bool = True, **keys: Any) -> None:
        secrets = keys.pop("secrets", {})
        functions = keys.pop("functions", None)
        order = Play(job("build", steps=steps, **keys)).order(StartJob, "build")  # type: ignore[arg-type]
        self.machine = JobMachine(order, secrets=secrets, functions=functions)
        self.orders: list[JobOrder] = []
        if opened:
            self.open()

    def open(self) -> list[JobOrder]:
        opened = JobOpened(runner={"os": "Linux", "temp": "/t"}, job={}, github={"workspace": "/w"})
        return self.send(opened)

    def send(self, signal: JobSignal) -> list[JobOrder]:
        orders = [
            order
            for order in self.machine.receive(signal)
            if not isinstance(order, StartTimer | StopTimer)
        ]
        self.orders += orders
        return orders

    def end(self, key: str, outcome: Result = SUCCESS, **effects: Any) -> list[JobOrder]:
        return self.send(StepFinished(key=key, outcome=outcome, **effects))

    def started(self, key: str) -> StartStep:
        (found,) = [
            order for order in self.orders if isinstance(order, StartStep) and order.key == key
        ]
        return found


def kinds(orders: list[JobOrder]) -> list[str]:
    return [f"{type(order).__name__} {getattr(order, 'key', '')}".strip() for order in orders]


def action(id_: str, uses: str, **keys: Any) -> ActionStep:
    return ActionStep(
        id=id_,
        id_given=True,
        span=SPAN,
        uses=StringToken(uses, SPAN),
        **{key: token(value) for key, value in keys.items()},
    )


class TestNames:
    """Source: actions/runner src/Runner.Worker/ActionRunner.cs (GenerateDisplayName)."""

    @pytest.mark.parametrize(
        ("step", "expected"),
        [
            pytest.param(run_step("a", run="make all\nmake test"), "Run make all", id="script"),
            pytest.param(run_step("a", run="\n\n  make\n"), "Run make", id="blank lines first"),
            pytest.param(run_step("a", run="a\rb"), "Run a", id="carriage return"),
            pytest.param(run_step("a", run="a\x0b\u2028b"), "Run a\x0b\u2028b", id="no line ends"),
            pytest.param(run_step("a", run=" \n"), "run", id="nothing but blanks"),
            pytest.param(run_step("a", run="${{ github.ref }}"), "Run refs/heads/main", id="value"),
            pytest.param(run_step("a", name="Build it"), "Build it", id="given"),
            pytest.param(run_step("a", name="On ${{ 1 }}"), "On ${{ 1 }}", id="literal"),
            pytest.param(run_step("a", name="${{ runner.os }}"), "Linux", id="computed"),
            pytest.param(run_step("a", name="${{ fromJSON('{') }}"), "run", id="faulty"),
            pytest.param(
                action("a", "actions/checkout@v4"), "Run actions/checkout@v4", id="action"
            ),
            pytest.param(action("a", "docker://alpine:3"), "Run alpine:3", id="image"),
        ],
    )
    def test_name(self, step: RunStep | ActionStep, expected: str) -> None:
        """A step without a name is named after its first line or its action."""
        assert Steps(step).started("a").name == expected


class TestStart:
    def test_keys_of_a_script(self) -> None:
        """Script, shell, folder, variables and time-out come evaluated."""
        steps = Steps(
            run_step(
                "a",
                run="${{ format('echo {0}', matrix) }}",
                shell="bash",
                working_directory="${{ github.workspace }}",
                env={"X": "${{ secrets.TOP }}"},
                timeout_minutes="${{ 2.9 }}",
            ),
            secrets={"TOP": "secret"},
        )

        order = steps.started("a")
        assert (order.script, order.shell, order.working_directory) == ("echo ", "bash", "/w")
        assert order.variables == {"X": "secret"}
        assert order.timeout_minutes == 2

    @pytest.mark.parametrize(
        ("written", "expected"),
        [(0, None), (-5, None), (0.9, None), (1, 1), (2.99, 2), ("${{ 1e300 }}", None)],
    )
    def test_time_outs_are_whole_minutes(self, written: Any, expected: int | None) -> None:
        """Fractions are cut off, and what is then not above 0 is no limit."""
        order = Steps(run_step("a", timeout_minutes=written)).started("a")

        assert order.timeout_minutes == expected

    def test_contexts_hold_no_secrets(self) -> None:
        """What is handed on with a step cannot leak them."""
        order = Steps(run_step("a"), secrets={"TOP": "secret"}).started("a")

        assert "secrets" not in order.contexts
        assert "secret" not in repr(order.contexts)

    def test_inputs_of_an_action(self) -> None:
        """`with` values are strings, as actions get them."""
        order = Steps(action("a", "actions/checkout@v4", inputs={"clean": True, "n": 1})).started(
            "a"
        )

        assert order.uses == "actions/checkout@v4"
        assert order.inputs == {"clean": "true", "n": "1"}

    def test_defaults_of_the_job_lie_over_nothing(self) -> None:
        """`defaults.run` fills in what a step leaves out; an empty shell counts as left out."""
        defaults = RunDefaults(token("sh"), token("sub"))
        plain, emptied = run_step("a"), run_step("b", shell="", working_directory="")
        steps = Steps(plain, emptied, defaults=defaults)
        steps.end("a")

        first, second = steps.started("a"), steps.started("b")
        assert (first.shell, first.working_directory) == ("sh", "sub")
        assert (second.shell, second.working_directory) == ("sh", "")

    def test_paths_that_steps_add_come_first_and_once(self) -> None:
        """The last line of GITHUB_PATH is first in PATH; a path named again moves to the front."""
        steps = Steps(run_step("a"), run_step("b"), run_step("c"))
        steps.end("a", paths=("/one", "/two"))
        steps.end("b", paths=("/one",))

        assert steps.started("b").paths == ("/two", "/one")
        assert steps.started("c").paths == ("/one", "/two")

    def test_functions_that_need_the_world_are_injected(self) -> None:
        """`hashFiles` is asked when the step begins."""
        asked: list[Any] = []

        def hash_files(patterns: Any) -> str:
            asked.append(list(patterns))
            return "abc"

        functions = {"hashFiles": hash_files}
        step = run_step("a", env={"KEY": "${{ hashFiles('**/lock') }}"}, if_="hashFiles('x') != ''")

        assert Steps(step, functions=functions).started("a").variables == {"KEY": "abc"}
        assert asked == [["**/lock"], ["x"]]

    def test_bug_01_a_fault_never_becomes_an_empty_text(self) -> None:
        """A script with a fault is not run, and the message says where it is."""
        orders = Steps(run_step("a", run="${{ fromJSON('{') }}")).orders

        assert kinds(orders) == ["RejectStep a", "ConcludeStep a", "FinishJob"]
        assert isinstance(orders[0], RejectStep)
        assert orders[0].message.startswith("w.yml (Line: 1, Col: 1): ")

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            pytest.param("env", {"X": "${{ fromJSON('[1]') }}"}, id="list in env"),
            pytest.param("working_directory", "${{ github }}", id="mapping as folder"),
            pytest.param("shell", "${{ fromJSON('{') }}", id="fault in shell"),
        ],
    )
    def test_keys_of_the_wrong_kind_fail_the_step(self, key: str, value: Any) -> None:
        """A list or a mapping is no text."""
        assert kinds(Steps(run_step("a", **{key: value})).orders)[0] == "RejectStep a"


class TestEnd:
    def test_a_skip_carries_its_evidence(self) -> None:
        """The decision names the condition."""
        (skip, _) = Steps(run_step("a", if_="github.ref == 'x'")).orders

        assert isinstance(skip, SkipStep)
        assert "github.ref" in str(skip.decision.expression)

    def test_generated_ids_are_not_in_the_context(self) -> None:
        """Only steps with an id of their own are in `steps`."""
        steps = Steps(run_step(), run_step("b"))
        steps.end("__run", outputs={"x": "1"})

        assert steps.started("b").contexts["steps"] == {}

    def test_steps_context(self) -> None:
        """Outputs, outcome and conclusion of ended steps."""
        steps = Steps(run_step("a", continue_on_error=True), run_step("b"))
        steps.end("a", FAILURE, outputs={"x": "1"})

        expected = {"outputs": {"x": "1"}, "outcome": "failure", "conclusion": "success"}
        assert steps.started("b").contexts["steps"] == {"a": expected}

    def test_signals_that_no_longer_matter_lead_to_nothing(self) -> None:
        """A step that does not run, a second end, anything after the end: no orders."""
        steps = Steps(run_step("a"), run_step("b"))

        assert steps.end("b") == []
        steps.end("a")
        assert steps.end("a", FAILURE) == []
        assert kinds(steps.end("b")) == ["ConcludeStep b", "FinishJob"]
        assert steps.send(JobCancelRequested("late")) == []
        assert steps.open() == []

    def test_a_job_without_steps_to_run_succeeds(self) -> None:
        """Skipped steps are no failure."""
        assert Steps(run_step("a", if_="false")).orders[-1] == FinishJob(SUCCESS)

    def test_a_timed_out_step_failed_while_the_job_was_not_cancelled(self) -> None:
        """Its outcome is a failure, to which continue-on-error applies."""
        steps = Steps(run_step("a", continue_on_error=True))

        assert steps.end("a", FAILURE) == [
            ConcludeStep("a", FAILURE, SUCCESS),
            FinishJob(SUCCESS),
        ]


class TestCancellation:
    def test_before_the_job_is_open_no_step_runs(self) -> None:
        """The runner gives up a job that is cancelled while it is set up."""
        steps = Steps(run_step("a", if_="always()"), opened=False)

        assert steps.send(JobCancelRequested("stop")) == [FinishJob(CANCELLED)]
        assert steps.open() == []

    def test_a_failure_turns_into_cancelled(self) -> None:
        """Cancellation overrules a failure; failure() no longer holds then."""
        steps = Steps(run_step("a"), run_step("b", if_="always()"), run_step("c", if_="failure()"))
        steps.end("a", FAILURE)

        assert steps.send(JobCancelRequested("stop")) == []
        assert kinds(steps.end("b")) == ["ConcludeStep b", "SkipStep c", "FinishJob"]
        assert steps.orders[-1] == FinishJob(CANCELLED)

    def test_the_running_step_is_cancelled_once(self) -> None:
        """A second request changes nothing."""
        steps = Steps(run_step("a"))

        assert steps.send(JobCancelRequested("stop")) == [CancelStep("a")]
        assert steps.send(JobCancelRequested("stop")) == []

    def test_a_condition_that_faults_then_cancels_the_step(self) -> None:
        """Where the condition can no longer be evaluated the step ends."""
        step = run_step("a", if_="success() || fromJSON('{')")

        assert Steps(step).send(JobCancelRequested("stop")) == [CancelStep("a")]

    def test_a_step_that_fails_while_cancelled_leaves_the_job_cancelled(self) -> None:
        """Source: actions/runner TaskResultUtil.MergeTaskResults."""
        steps = Steps(run_step("a"))
        steps.send(JobCancelRequested("stop"))

        assert steps.end("a", FAILURE)[-1] == FinishJob(CANCELLED)


CONDITIONS = (None, None, "always()", "failure()", "cancelled()", "false", "fromJSON('{')")
KEYS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"continue_on_error": True},
    {"continue_on_error": "${{ 'odd' }}"},
    {"env": {"X": "${{ fromJSON('{') }}"}},
    {"run": "${{ fromJSON('{') }}"},
)


@st.composite
def jobs(draw: st.DrawFn) -> list[RunStep]:
    """Draw a job of up to eight steps."""
    return [
        run_step(f"s{number}", if_=draw(st.sampled_from(CONDITIONS)), **draw(st.sampled_from(KEYS)))
        for number in range(draw(st.integers(1, 8)))
    ]


@settings(max_examples=60)
@given(built=jobs(), data=st.data())
def test_every_job_ends_exactly_once_and_every_step_once(
    built: list[RunStep], data: st.DataObject
) -> None:
    """Whatever ends how and whenever the job is cancelled, the order of the file is kept."""
    steps = Steps(*built, opened=False)
    signals: list[JobSignal] = []
    cancel_after = data.draw(st.integers(0, 6), "cancel after")

    def send(signal: JobSignal) -> None:
        signals.append(signal)
        steps.send(signal)
        assert steps.machine.receive(signal) == []

    send(JobOpened({}))
    while not isinstance(steps.orders[-1], FinishJob):
        if len(signals) == cancel_after:
            send(JobCancelRequested("stop"))
        running = [order for order in steps.orders if isinstance(order, StartStep)][-1]
        outcome = data.draw(st.sampled_from([SUCCESS, FAILURE, CANCELLED]))
        send(StepFinished(key=running.key, outcome=outcome))

    begun = [
        order.key for order in steps.orders if isinstance(order, StartStep | SkipStep | RejectStep)
    ]
    concluded = [order.key for order in steps.orders if isinstance(order, ConcludeStep)]
    skipped = [order.key for order in steps.orders if isinstance(order, SkipStep)]
    assert begun == [step.id for step in built]
    assert sorted(concluded + skipped) == sorted(begun)
    assert sum(isinstance(order, FinishJob) for order in steps.orders) == 1
    replay = Steps(*built, opened=False)
    for signal in signals:
        replay.send(signal)
    assert replay.orders == steps.orders


def test_expressions_in_place_of_mappings() -> None:
    """`env`, `with` and `defaults.run` may each be one expression that gives a mapping."""
    defaults = RunDefaults(computed=token('${{ fromJSON(\'{"shell":"sh"}\') }}'))  # type: ignore[arg-type]
    first = run_step("first", env="${{ fromJSON('{\"B\":2}') }}")
    second = ActionStep(
        id="second",
        id_given=True,
        span=SPAN,
        uses=StringToken("a/b@c", SPAN),
        inputs=token("${{ fromJSON('{\"depth\":0}') }}"),  # type: ignore[arg-type]
    )
    steps = Steps(first, second, env="${{ fromJSON('{\"A\":true}') }}", defaults=defaults)
    steps.end("first")

    started = steps.started("first")
    assert started.variables == {"A": "true", "B": "2"}
    assert started.shell == "sh"
    assert steps.started("second").inputs == {"depth": "0"}


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("${{ fromJSON('[1]') }}", "A sequence was not expected"),
        ("${{ fromJSON('{\"A\":{}}') }}", "A mapping was not expected"),
        ("${{ 'text' }}", "Unexpected value 'text'"),
    ],
)
def test_an_expression_that_gives_no_mapping_of_texts(env: str, message: str) -> None:
    """A job whose variables are no mapping of scalars fails before its first step."""
    steps = Steps(run_step("first"), env=env)
    (finish,) = steps.orders
    assert isinstance(finish, FinishJob)
    assert finish.result is FAILURE
    assert finish.problems == (f"w.yml (Line: 1, Col: 1): {message}",)
