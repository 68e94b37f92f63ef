"""Composite actions in the job machine.

Source: actions/runner src/Runner.Worker/Handlers/CompositeActionHandler.cs, ActionRunner.cs and
ActionManager.cs
"""

from __future__ import annotations

import pytest
from tests.unit.plan.job_play import CANCELLED, FAILURE, NODE, NODE_POST, JobPlay, composite

from windlass.plan.job import JobMachine
from windlass.plan.steps import ActionLoaded, JobOpened, RejectStep

STEP = "- {id: a, run: 'true', shell: bash}"


def step(id_: str, more: str = "") -> str:
    return f"- {{id: {id_}, run: 'true', shell: bash{more}}}\n"


class TestFrames:
    def test_its_steps_run_one_after_the_other_within_its_step(self) -> None:
        """The action is read when its turn comes; its step is over after its last one."""
        play = JobPlay(
            "- {id: x, uses: ./act}\n- {id: y, run: 'true'}",
            {"./act": composite(step("a") + step("b"))},
        )

        assert play.run() == [
            *("load x", "open x", "start x.a", "end x.a success"),
            *("start x.b", "end x.b success", "end x success"),
            *("start y", "end y success", "finish success"),
        ]
        assert play.started("x.a").parent == "x"
        assert play.opened("x").parent == ""

    def test_actions_within_actions(self) -> None:
        """Keys name the way to a step."""
        play = JobPlay(
            "- {id: x, uses: ./outer}",
            {"./outer": composite("- {id: in, uses: ./inner}"), "./inner": composite(STEP)},
        )

        assert play.run()[:5] == ["load x", "open x", "load x.in", "open x.in", "start x.in.a"]
        assert play.opened("x.in").parent == "x"
        assert play.started("x.in.a").parent == "x.in"

    def test_an_action_that_is_not_there_fails_its_step(self) -> None:
        """`continue-on-error` counts for it."""
        play = JobPlay("- {id: x, uses: ./no, continue-on-error: true}")

        assert play.run() == [
            *("load x", "reject x: There is no ./no."),
            *("end x failure/success", "finish success"),
        ]

    def test_an_action_of_the_workspace_brings_what_its_steps_use(self) -> None:
        """It is told of with the action, and is not loaded again; its post stage is due."""
        play = JobPlay(
            "- {id: x, uses: ./own}", {"./own": composite("- {id: in, uses: o/r@v1}")}, loads=False
        )
        part = JobPlay("- {id: y, uses: o/r@v1}", {"o/r@v1": NODE_POST}).actions["o/r@v1"]

        lines = play.send(ActionLoaded("x", play.actions["./own"], parts={"o/r@v1": part}))

        assert lines == ["open x", "start x.in"]
        assert play.started("x.in").action == part
        assert play.end("x.in")[-1] == "load post:x"

    def test_an_action_of_the_repository_within_one_of_the_workspace(self) -> None:
        """It was not there when the job opened, so it is read when its turn comes."""
        play = JobPlay(
            "- {id: x, uses: ./outer}", {"./outer": composite("- {id: in, uses: $/inner}")}
        )
        play.answer("x.in", "$/inner")

        assert "reject x.in: There is no $/inner." in play.run()

    def test_an_action_of_another_repository(self) -> None:
        """Those that are not known are refused when their turn comes."""
        order = JobPlay("- {id: x, uses: a/b@c}").machine._order
        machine = JobMachine(order, secrets={}, is_built_in=lambda uses: uses == "a/built@in")

        orders = machine.receive(JobOpened(runner={}))
        assert (
            RejectStep(
                "x",
                "Run a/b@c",
                "The action 'a/b@c' was not there when the job began, so that it cannot run.",
            )
            in orders
        )

    def test_an_action_that_uses_itself_ends(self) -> None:
        """Nine levels lie in one another, as in Constants.CompositeActionsMaxDepth."""
        play = JobPlay("- {id: x, uses: ./me}", {"./me": composite("- {id: x, uses: ./me}")})

        key = ".".join("x" * 10)
        lines = play.run()
        assert f"reject {key}: Composite action depth exceeded max depth 9" in lines
        assert len([line for line in lines if line.startswith("open x")]) == 9
        assert lines[-1] == "finish failure"


class TestStatus:
    def test_after_a_failure_its_steps_are_skipped_by_the_status_of_the_action(self) -> None:
        """`success()` and `failure()` look at the action, not at the job."""
        play = JobPlay(
            "- {id: early, run: 'false'}\n- {id: x, uses: ./act, if: always()}",
            {
                "./act": composite(
                    step("a")
                    + step("b", ", if: failure()")
                    + step("c")
                    + step("d", ", if: failure()")
                    + step("e", ", if: always()")
                )
            },
        )

        lines = play.run({"early": FAILURE, "x.a": FAILURE})
        assert [line for line in lines if line.startswith(("start x", "skip x"))] == [
            *("start x.a", "start x.b", "skip x.c", "start x.d", "start x.e"),
        ]
        assert play.started("x.a").contexts["github"]["action_status"] == "success"  # type: ignore[index,call-overload]
        assert play.started("x.b").contexts["github"]["action_status"] == "failure"  # type: ignore[index,call-overload]
        assert play.started("x.a").contexts["job"]["status"] == "failure"  # type: ignore[index,call-overload]

    def test_an_action_succeeds_in_a_job_that_failed(self) -> None:
        """Its first step needs no `always()`."""
        play = JobPlay(
            "- {id: early, run: 'false'}\n- {id: x, uses: ./act, if: always()}",
            {"./act": composite(STEP)},
        )

        lines = play.run({"early": FAILURE})
        assert lines[-3:] == ["end x.a success", "end x success", "finish failure"]

    def test_continue_on_error_inside(self) -> None:
        """A failure that is continued on is none for the action."""
        play = JobPlay(
            "- {id: x, uses: ./act}",
            {"./act": composite(step("a", ", continue-on-error: true") + step("b"))},
        )

        lines = play.run({"x.a": FAILURE})
        assert "end x.a failure/success" in lines
        assert lines[-2:] == ["end x success", "finish success"]

    def test_continue_on_error_of_the_action(self) -> None:
        """A failure inside makes the action fail, which its own key may forgive."""
        play = JobPlay(
            "- {id: x, uses: ./act, continue-on-error: true}", {"./act": composite(STEP)}
        )

        lines = play.run({"x.a": FAILURE})
        assert lines[-3:] == ["end x.a failure", "end x failure/success", "finish success"]

    def test_a_condition_that_cannot_be_evaluated_ends_the_action(self) -> None:
        """Later steps are not even asked."""
        play = JobPlay(
            "- {id: x, uses: ./act}",
            {"./act": composite(step("a", ", if: fromJSON('')") + step("b", ", if: always()"))},
        )

        lines = play.run()
        assert lines[2].startswith("reject x.a: ./act/action.yml (Line: 5, Col: ")
        assert lines[3:] == ["end x.a failure", "end x failure", "finish failure"]

    def test_an_env_that_cannot_be_evaluated_dooms_its_step(self) -> None:
        """The runner starts it all the same, and it has failed in the end."""
        play = JobPlay(
            "- {id: x, uses: ./act}",
            {"./act": composite(step("a", ", env: {A: \"${{ fromJSON('') }}\"}"))},
        )

        assert play.started("x.a").problems == ("./act/action.yml (Line: 5, Col: 50): empty input",)
        assert play.run()[-3:] == ["end x.a failure", "end x failure", "finish failure"]


class TestContexts:
    def test_inputs_and_defaults(self) -> None:
        """Defaults see github, runner, job, matrix and strategy; an input without one is empty."""
        head = (
            "inputs:\n  who: {default: '${{ runner.os }}'}\n  what: {required: true}\n"
            "  Count: {default: 3}\n"
        )
        play = JobPlay(
            "- {id: x, uses: ./act, with: {COUNT: '${{ 1 }}'}}",
            {"./act": composite("- {id: a, run: '${{ inputs.count }}', shell: sh}", head)},
        )

        assert play.opened("x").inputs == {"COUNT": "1", "who": "Linux", "what": ""}
        assert play.started("x.a").script == "1"
        assert play.opened("x").warnings == ()

    def test_warnings_about_inputs(self) -> None:
        """Deprecated ones first, then those it does not have."""
        head = "inputs:\n  a: {deprecationMessage: use b}\n  b: {}\n"
        play = JobPlay(
            "- {id: x, uses: ./act, with: {A: 1, c: 2, d: 3}}", {"./act": composite(STEP, head)}
        )

        assert play.opened("x").warnings == (
            "Input 'A' has been deprecated with message: use b",
            "Unexpected input(s) 'c', 'd', valid inputs are ['a', 'b']",
        )

    def test_warnings_of_an_action_without_inputs(self) -> None:
        """The list is what joining no names gives."""
        play = JobPlay("- {id: x, uses: ./js, with: {c: 2}}", {"./js": NODE})

        assert play.started("x").warnings == ("Unexpected input(s) 'c', valid inputs are ['']",)

    @pytest.mark.parametrize("place", ["with", "default"])
    def test_an_input_that_cannot_be_evaluated(self, place: str) -> None:
        """The step fails with the place; `continue-on-error` counts."""
        wrong = "\"${{ fromJSON('') }}\""
        given = f", with: {{a: {wrong}}}" if place == "with" else ""
        head = f"inputs: {{a: {{default: {wrong if place == 'default' else 1}}}}}\n"
        play = JobPlay(
            f"- {{id: x, uses: ./act, continue-on-error: true{given}}}",
            {"./act": composite(STEP, head)},
        )

        lines = play.run()
        assert lines[1].endswith(": empty input")
        assert lines[2:] == ["end x failure/success", "finish success"]

    def test_steps_of_its_own(self) -> None:
        """It does not see the steps of the job, nor they its own; outputs come back."""
        head = (
            "outputs:\n  out: {value: '${{ steps.a.outputs.v }}-${{ inputs.i }}'}\ninputs: {i: {}}"
        )
        play = JobPlay(
            "- {id: j, run: 'true'}\n- {id: x, uses: ./act, with: {i: 7}}\n- {id: y, run: 'true'}",
            {"./act": composite(step("a") + step("b"), head)},
        )
        play.end("j", outputs={"v": "job"})
        play.end("x.a", outputs={"v": "action"})
        play.end("x.b")

        ended = {"outputs": {"v": "action"}, "outcome": "success", "conclusion": "success"}
        assert play.started("x.b").contexts["steps"] == {"a": ended}
        steps = play.started("y").contexts["steps"]
        assert list(steps) == ["j", "x"]  # type: ignore[call-overload,arg-type]
        assert steps["x"]["outputs"] == {"out": "action-7"}  # type: ignore[index,call-overload]

    def test_outputs_that_cannot_be_evaluated(self) -> None:
        """The action fails and has none of them."""
        head = "outputs:\n  one: {value: 1}\n  two: {value: \"${{ fromJSON('') }}\"}"
        play = JobPlay(
            "- {id: x, uses: ./act, continue-on-error: true}\n- {id: y, run: 'true'}",
            {"./act": composite(STEP, head)},
        )

        assert play.run()[-5] == "error x: ./act/action.yml (Line: 3, Col: 16): empty input"
        steps = play.started("y").contexts["steps"]
        assert steps["x"] == {  # type: ignore[index,call-overload]
            "outputs": {},
            "outcome": "failure",
            "conclusion": "success",
        }

    def test_variables_are_handed_down(self) -> None:
        """The env of the steps around lies over that of the job, also over what GITHUB_ENV says."""
        play = JobPlay(
            "- {id: x, uses: ./outer, env: {B: step, C: step}}",
            {
                "./outer": composite(
                    step("a") + "- {id: in, uses: ./inner, env: {C: outer, D: outer}}"
                ),
                "./inner": composite(step("a", ", env: {D: inner}")),
            },
            job="env: {A: job, B: job}",
        )
        play.end("x.a", variables={"A": "file", "B": "file"}, paths=("/bin",))

        started = play.started("x.in.a")
        assert started.variables == {"A": "file", "B": "step", "C": "outer", "D": "inner"}
        assert started.paths == ("/bin",)

    def test_defaults_of_the_job_do_not_reach_inside(self) -> None:
        """Shell and folder come from the action alone."""
        play = JobPlay(
            "- {id: x, uses: ./act}",
            {"./act": composite(STEP)},
            job="defaults: {run: {shell: sh, working-directory: sub}}",
        )

        started = play.started("x.a")
        assert (started.shell, started.working_directory) == ("bash", None)

    def test_github_tells_where_the_action_is(self) -> None:
        """A run step has no repository of its own; its env still sees that of the action."""
        name = "${{ github.action_repository }}"
        env = f"{{R: '{name}@${{{{ github.action_ref }}}}'}}"
        steps = f"- {{id: a, run: '{name}', shell: sh, env: {env}}}"
        play = JobPlay("- {id: x, uses: octo/act@v1}", {"octo/act@v1": composite(steps)})

        started = play.started("x.a")
        assert started.variables == {"R": "octo/act@v1"}
        assert started.script == ""
        github = started.contexts["github"]
        assert github["action_path"] == "/actions/octo/act"  # type: ignore[index,call-overload]
        assert github["action"] == "x"  # type: ignore[index,call-overload]

    def test_no_secret_is_in_what_is_handed_on(self) -> None:
        """Secrets given as inputs are inputs; the secrets context is not."""
        play = JobPlay(
            "- {id: x, uses: ./act}", {"./act": composite(STEP)}, secrets={"TOP": "hidden"}
        )

        assert "hidden" not in repr(play.started("x.a").contexts)


class TestCancellation:
    ACTION = composite(step("a") + step("b", ", if: always()") + step("c"))

    def test_the_step_inside_is_cancelled(self) -> None:
        """What follows is judged by an action that was cancelled."""
        play = JobPlay("- {id: x, uses: ./act}", {"./act": self.ACTION})

        assert play.cancel() == ["cancel x.a"]
        assert play.end("x.a", CANCELLED) == ["end x.a cancelled", "start x.b"]
        assert play.end("x.b") == [
            *("end x.b success", "skip x.c", "end x cancelled", "finish cancelled"),
        ]

    def test_a_step_inside_that_survives(self) -> None:
        """The action itself was not cancelled then, so its next step runs, as in the runner."""
        play = JobPlay("- {id: x, uses: ./act}", {"./act": self.ACTION})
        play.end("x.a")

        assert play.cancel() == []
        assert play.end("x.b") == ["end x.b success", "start x.c"]
        assert play.end("x.c")[-2:] == ["end x success", "finish cancelled"]

    def test_while_its_action_is_read(self) -> None:
        """The step ends as cancelled when the answer comes."""
        play = JobPlay("- {id: x, uses: ./act}", {"./act": self.ACTION}, loads=False)

        assert play.cancel() == []
        assert play.answer("x", "./act") == [
            *("reject x: The operation was canceled.", "end x cancelled", "finish cancelled"),
        ]

    def test_time_is_over_for_all_of_it(self) -> None:
        """The running step ends, and none begins any more; only the inner step says why."""
        play = JobPlay("- {id: x, uses: ./act, timeout-minutes: 1}", {"./act": self.ACTION})

        assert play.fire("step:x") == ["time out x.a"]
        assert play.fire("step:x") == []
        assert play.end("x.a", FAILURE) == [
            *("error x.a: The action has timed out.", "end x.a failure"),
            *("reject x.b: The action has timed out.", "end x.b failure"),
            *("skip x.c", "end x failure", "finish failure"),
        ]

    def test_killed(self) -> None:
        """Everything around the killed step is over with it."""
        play = JobPlay("- {id: x, uses: ./act}", {"./act": self.ACTION})
        play.cancel()

        assert play.fire("cancel") == ["kill"]
        assert play.end("x.a", CANCELLED) == [
            *("end x.a cancelled", "end x cancelled", "finish cancelled"),
        ]
