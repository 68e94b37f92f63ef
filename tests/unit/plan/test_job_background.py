"""Background steps in the job machine, and the steps that wait for them or cancel them.

Source: actions/runner src/Runner.Worker/BackgroundStepCoordinator.cs, JobExtension.cs, and each
fact of src/Test/L0/Worker/BackgroundStepsL0.cs
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.job_play import CANCELLED, FAILURE, NODE_POST, SUCCESS, JobPlay, composite

from windlass.plan.decision import Decision, Verdict
from windlass.plan.step_plans import StepPlanner, skip_steps
from windlass.plan.steps import OpenStep, StartStep

BG = "- {id: bg, name: Server, run: serve, background: true}\n"
FG = "- {id: fg, run: 'true'}\n"


def finish(play: JobPlay) -> Any:
    return play.orders[-1]


class TestBesides:
    def test_runs_beside_what_follows(self) -> None:
        """L0: BackgroundStepRunsConcurrentlyWithForeground."""
        play = JobPlay(BG + FG)

        assert play.running() == ["bg", "fg"]
        assert play.started("bg").background
        assert not play.started("fg").background

    def test_a_wait_lasts_until_it_has_ended(self) -> None:
        """L0: WaitStepBlocksUntilBackgroundCompletes."""
        play = JobPlay(BG + "- {id: w, wait: bg}\n" + FG)

        assert play.running() == ["bg"]
        assert play.end("bg") == [
            *("end bg success", "line w: Finished waiting for background step(s)."),
            *("line w:   Server: Succeeded", "end w success", "start fg"),
        ]

    def test_what_a_wait_says_first(self) -> None:
        """Steps are named as people know them."""
        play = JobPlay(BG + "- {id: w, wait: bg}")

        assert play.run()[1:3] == [
            *("open w", "line w: Waiting for background step(s) to complete: Server"),
        ]
        assert play.opened("w").name == "Wait for bg"

    def test_wait_all(self) -> None:
        """L0: WaitAllWaitsForAllBackgroundSteps."""
        play = JobPlay(BG + BG.replace("bg", "b2") + "- {id: w, wait-all: }\n" + FG)

        play.end("b2")
        assert play.running() == ["bg"]
        assert "start fg" in play.end("bg")

    def test_nothing_left_to_wait_for(self) -> None:
        """A second wait for all is over at once."""
        play = JobPlay(BG + "- {id: v, wait-all: }\n- {id: w, wait-all: }")

        assert play.run()[-5:] == [
            *("open w", "line w: No background steps remaining to wait for."),
            *("line w: Finished waiting for all background step(s).", "end w success"),
            "finish success",
        ]

    def test_control_steps_run_after_a_failure(self) -> None:
        """L0: ControlFlowStepsRunEvenAfterFailure."""
        play = JobPlay(BG + FG + "- {id: w, wait: bg}")

        lines = play.run({"fg": FAILURE})
        assert "end w success" in lines
        assert lines[-1] == "finish failure"

    def test_a_wait_comes_last_where_there_is_none(self) -> None:
        """A background step that no wait and no cancel names is waited for."""
        play = JobPlay(BG + FG)

        play.end("fg")
        wait = play.opened("__implicit_wait_all")
        assert wait.name == "Wait for all background steps"
        assert play.end("bg")[-1] == "finish success"

    @pytest.mark.parametrize("control", ["wait: bg", "wait-all: ", "cancel: bg"])
    def test_no_second_wait_where_there_is_one(self, control: str) -> None:
        """A step that is named in one counts as looked after."""
        play = JobPlay(f"{BG}- {{id: w, {control}}}")

        assert not [line for line in play.run() if "__implicit" in line]

    def test_post_stages_wait_for_all(self) -> None:
        """Also for a step that a cancellation has given up on."""
        play = JobPlay(
            "- {id: j, uses: ./js}\n" + BG + "- {id: c, cancel: bg}", {"./js": NODE_POST}
        )
        play.end("j")
        play.fire("grace:c")

        assert play.running() == ["bg"]
        assert play.end("bg", CANCELLED) == ["end bg cancelled", "load post:j", "start post:j"]
        assert play.end("post:j")[-1] == "finish success"

    def test_ten_at_once(self) -> None:
        """The eleventh has to wait for a place, and what follows does not wait for it."""
        play = JobPlay("".join(BG.replace("bg", f"b{n}") for n in range(12)) + FG)

        assert play.running() == [f"b{n}" for n in range(10)] + ["fg"]
        assert play.end("b3") == ["end b3 success", "start b10"]
        assert play.end("b0", FAILURE) == ["end b0 failure", "start b11"]

    def test_parallel_steps(self) -> None:
        """They are background steps with a wait for all of them."""
        play = JobPlay(
            "- parallel:\n    - {id: a, run: 'true'}\n    - run: 'true'\n    - run: 'true'\n" + FG
        )

        assert play.running() == ["a", "__parallel.__run", "__parallel.__run_2"]
        play.end("__parallel.__run")
        play.end("__parallel.__run_2", FAILURE)
        assert play.end("a")[-4:] == [
            *("line __parallel:   Run true: Failed", "end __parallel failure"),
            *("skip fg", "finish failure"),
        ]


class TestDeferred:
    def test_what_it_sets_shows_at_the_wait(self) -> None:
        """Outputs, environment, path and how it ended."""
        play = JobPlay(
            BG + FG + "- {id: f2, run: 'true'}\n- {id: w, wait: bg}\n- {id: f3, run: 'true'}"
        )
        play.end("bg", outputs={"o": "1"}, variables={"V": "1"}, paths=("/p",))
        play.end("fg")
        before = play.started("f2")
        play.end("f2")
        after = play.started("f3")

        assert (before.variables, before.paths) == ({}, ())
        assert list(before.contexts["steps"]) == ["fg"]  # type: ignore[call-overload,arg-type]
        assert (after.variables, after.paths) == ({"V": "1"}, ("/p",))
        told = after.contexts["steps"]["bg"]  # type: ignore[index,call-overload]
        assert told == {"outputs": {"o": "1"}, "outcome": "success", "conclusion": "success"}

    def test_a_failure_counts_at_the_wait(self) -> None:
        """L0: BackgroundStepFailurePropagatesAtWait."""
        play = JobPlay(BG + FG + "- {id: f2, run: 'true'}\n- {id: w, wait: bg}\n- run: 'true'")

        play.end("bg", FAILURE)
        assert "start f2" in play.end("fg")
        assert play.end("f2")[-4:] == [
            *("line w:   Server: Failed", "end w failure", "skip __run", "finish failure"),
        ]

    def test_a_failure_that_is_continued_on(self) -> None:
        """It is none at the wait."""
        play = JobPlay(BG.replace("name", "continue-on-error: true, name") + "- {id: w, wait: bg}")

        assert play.run({"bg": FAILURE})[-4:] == [
            *("line w: Finished waiting for background step(s).", "line w:   Server: Succeeded"),
            *("end w success", "finish success"),
        ]

    def test_a_step_that_is_skipped_leaves_no_trace(self) -> None:
        """Waiting for it is over at once."""
        play = JobPlay(BG.replace("name", "if: false, name") + "- {id: w, wait: bg}\n" + FG)

        assert play.started("fg").contexts["steps"].keys() == {"w"}  # type: ignore[union-attr]
        assert "line w: Waiting for background step(s) to complete: (none)" in play.run()

    def test_a_condition_that_cannot_be_evaluated_fails_the_job_at_once(self) -> None:
        """The step has never been in the background then."""
        play = JobPlay(BG.replace("name", "if: \"fromJSON('')\", name") + FG)

        assert play.run()[1:3] == ["end bg failure", "skip fg"]

    def test_keys_are_evaluated_when_it_has_a_place(self) -> None:
        """Its env is that of its turn."""
        many = "".join(BG.replace("bg", f"b{n}") for n in range(10))
        seen = "'${{ steps.fg.outcome }}'"
        late = f"- {{id: late, run: {seen}, background: true, env: {{E: {seen}}}}}\n"
        play = JobPlay(many + late + FG + "- {id: f2, run: 'true'}")
        play.end("fg")
        play.end("b0")

        assert play.started("late").script == "success"
        assert play.started("late").variables == {"E": ""}


class TestCancel:
    def test_ends_the_step_and_does_not_count(self) -> None:
        """L0: CancelStepTerminatesBackgroundStep, CanceledBackgroundStepDoesNotAffectJobResult."""
        play = JobPlay(BG + FG + "- {id: c, cancel: bg}")

        assert play.end("fg")[1:] == [
            *("open c", "line c: Cancelling background step(s): Server", "cancel bg"),
        ]
        assert play.end("bg", CANCELLED) == [
            *("end bg cancelled", "line c: Finished cancelling background step(s)."),
            *("line c:   Server: Canceled", "end c success", "finish success"),
        ]

    def test_a_step_that_had_failed_counts(self) -> None:
        """L0: FailedBackgroundStepTargetedByCancelStillAffectsJobResult."""
        play = JobPlay(BG + FG + "- {id: c, cancel: bg}")
        play.end("bg", FAILURE)

        assert play.end("fg")[-2:] == ["end c success", "finish failure"]

    def test_it_does_not_wait_for_ever(self) -> None:
        """After 7.5 s the step counts as cancelled; the job ends when it really has ended."""
        play = JobPlay(BG + "- {id: c, cancel: bg}\n" + FG)

        assert play.fire("grace:c")[-3:] == [
            *("line c:   Server: Canceled", "end c success", "start fg"),
        ]
        assert play.end("fg") == ["end fg success"]
        assert play.end("bg", CANCELLED) == ["end bg cancelled", "finish success"]

    def test_a_step_without_a_place_never_begins(self) -> None:
        """It ends as cancelled."""
        many = "".join(BG.replace("bg", f"b{n}") for n in range(11))
        play = JobPlay(many + "- {id: c, cancel: b10}\n" + FG)

        assert "reject b10: The operation was canceled." in play.run()
        assert finish(play).result is SUCCESS

    def test_waiting_for_a_cancelled_step(self) -> None:
        """The wait says so and the job does not fail by it."""
        play = JobPlay(BG + "- {id: c, cancel: bg}\n- {id: w, wait: bg}\n" + FG)
        play.end("bg", CANCELLED)

        assert "end w cancelled" in play.run()
        assert finish(play).result is SUCCESS

    def test_an_action_in_the_background(self) -> None:
        """What runs within it is ended, and it says how it went."""
        act = composite("- {id: a, run: x, shell: sh}\n- {id: b, run: x, shell: sh}")
        play = JobPlay(
            "- {id: bg, uses: ./act, background: true}\n" + FG + "- {id: c, cancel: bg}",
            {"./act": act},
        )

        assert play.started("bg.a").background
        assert play.end("fg")[-1] == "cancel bg.a"
        assert play.end("bg.a", CANCELLED)[:3] == [
            *("end bg.a cancelled", "skip bg.b", "end bg cancelled"),
        ]
        assert finish(play).result is SUCCESS


class TestEnds:
    def test_the_jobs_cancellation_reaches_them_all(self) -> None:
        """Whatever their condition says, unlike for other steps."""
        play = JobPlay(
            BG.replace("name", "if: always(), name")
            + "- {id: fg, run: 'true', if: always()}\n- {id: w, wait: bg}"
        )

        assert play.cancel() == ["cancel bg"]
        play.end("bg", CANCELLED)
        assert play.end("fg")[-2:] == ["end w cancelled", "finish cancelled"]

    def test_in_a_cancelled_job_none_begins(self) -> None:
        """Neither those that wait for a place nor those whose turn comes."""
        many = "".join(BG.replace("bg", f"b{n}") for n in range(11))
        play = JobPlay(
            many
            + "- {id: fg, run: 'true', if: always()}\n"
            + BG.replace("name", "if: always(), name")
        )

        assert "reject b10: The operation was canceled." in play.cancel()
        assert "reject bg: The operation was canceled." in play.end("fg")

    def test_its_time_is_over(self) -> None:
        """It says so in words of its own."""
        play = JobPlay(BG.replace("name", "timeout-minutes: 2, name") + "- {id: w, wait: bg}")

        assert play.fire("step:bg") == ["time out bg"]
        assert play.end("bg", FAILURE)[:2] == [
            "error bg: The background step 'Server' has timed out after 2 minutes.",
            "end bg failure",
        ]

    def test_a_time_out_that_cannot_be_evaluated(self) -> None:
        """Of a background step the runner does not say so."""
        written = "timeout-minutes: \"${{ fromJSON('') }}\", name"
        play = JobPlay(BG.replace("name", written))

        assert play.started("bg").problems == ()
        assert play.started("bg").timeout_minutes is None

    def test_post_stages_of_background_actions(self) -> None:
        """They come when all have ended."""
        play = JobPlay("- {id: bg, uses: ./js, background: true}\n" + FG, {"./js": NODE_POST})
        play.end("fg")

        assert play.end("bg")[-2:] == ["load post:bg", "start post:bg"]
        assert not play.started("post:bg").background


class TestPlan:
    def test_a_plan_lists_steps_as_the_job_runs_them(self) -> None:
        """Keys and names are the same; the wait that comes by itself is no step of the file."""
        play = JobPlay(
            BG + "- parallel: [{id: p, run: a}, {run: b}]\n- {id: c, cancel: bg}\n- wait-all:\n"
        )
        order = play.machine._order
        contexts = {**order.contexts, "github": {}}
        planned = {
            step.id: step.name for step in StepPlanner(order.workflow, order.job, contexts).plan()
        }

        assert planned == {
            "bg": "Server",
            "p": "Run a",
            "__parallel.__run": "Run b",
            "__parallel": "Wait for parallel steps",
            "c": "Cancel bg",
            "__wait-all": "Wait for all background steps",
        }
        play.run()
        named = {
            order.key: order.name
            for order in play.orders
            if isinstance(order, StartStep | OpenStep)
        }
        assert named == planned

    def test_a_skipped_job_lists_them_too(self) -> None:
        """Nothing of them is evaluated."""
        job = JobPlay("- parallel: [{id: p, run: a}, {run: b}]").machine._order.job
        decision = Decision(Verdict.SKIP, "never", "false")

        assert [step.id for step in skip_steps(job, decision)] == [
            *("p", "__parallel.__run", "__parallel"),
        ]
