"""Pre, main and post stages of actions in the job machine.

Source: actions/runner src/Runner.Worker/JobExtension.cs, ActionRunner.cs, ActionManager.cs,
ExecutionContext.cs (RegisterPostJobStep) and Handlers/CompositeActionHandler.cs
"""

from __future__ import annotations

from tests.unit.plan.job_play import (
    CANCELLED,
    FAILURE,
    NODE,
    NODE_ALL,
    NODE_POST,
    JobPlay,
    composite,
)


def of(lines: list[str], *verbs: str) -> list[str]:
    return [line for line in lines if line.startswith(verbs)]


class TestOrder:
    def test_post_stages_come_last_and_the_last_one_first(self) -> None:
        """They are named after their steps, and read again: the workspace may have changed."""
        play = JobPlay(
            "- {id: a, uses: ./js}\n- {id: b, uses: ./js, name: Mine}\n- {id: c, run: 'true'}",
            {"./js": NODE_POST},
        )

        assert of(play.run(), "start", "load") == [
            *("load a", "start a", "load b", "start b", "start c"),
            *("load post:b", "start post:b", "load post:a", "start post:a"),
        ]
        assert play.started("post:b").name == "Post Mine"
        assert play.started("post:a").name == "Post Run ./js"
        assert [play.started(key).stage for key in ("a", "post:a")] == ["main", "post"]

    def test_pre_stages_come_first_in_the_order_of_the_steps(self) -> None:
        """Actions that are there when the job opens have them."""
        play = JobPlay(
            "- {id: c, run: 'true'}\n- {id: a, uses: o/a@v1}\n- {id: b, uses: o/b@v1}",
            {"o/a@v1": NODE_ALL, "o/b@v1": NODE_ALL},
        )

        assert of(play.run(), "start") == [
            *("start pre:a", "start pre:b", "start c", "start a", "start b"),
            *("start post:b", "start post:a"),
        ]
        assert play.started("pre:a").name == "Pre Run o/a@v1"
        assert play.started("post:a").name == "Post Run o/a@v1"

    def test_an_action_of_the_workspace_has_no_pre_stage(self) -> None:
        """Each of its stages says so, as in the runner."""
        play = JobPlay("- {id: a, uses: ./js}", {"./js": NODE_ALL})

        text = "`pre` execution is not supported for local action from './js'"
        assert of(play.run(), "start") == ["start a", "start post:a"]
        assert play.started("a").warnings == (text,)
        assert play.started("post:a").warnings == (text,)

    def test_only_what_began_has_a_post_stage(self) -> None:
        """A step that was skipped has none; one that failed while it began has."""
        wrong = "with: {x: \"${{ fromJSON('') }}\"}"
        play = JobPlay(
            "- {id: a, uses: ./js, if: false}\n"
            f"- {{id: b, uses: ./js, {wrong}, continue-on-error: true}}",
            {"./js": NODE_POST},
        )

        lines = play.run()
        assert of(lines, "skip", "load") == ["skip a", "load b", "load post:b"]

    def test_a_pre_stage_makes_the_post_stage_due_once(self) -> None:
        """Also where the main stage is skipped then."""
        play = JobPlay(
            "- {id: a, uses: o/a@v1}\n- {id: b, uses: o/a@v1, if: false}", {"o/a@v1": NODE_ALL}
        )

        assert of(play.run(), "start", "skip") == [
            *("start pre:a", "start pre:b", "start a", "skip b", "start post:b", "start post:a"),
        ]

    def test_an_action_without_a_post_script(self) -> None:
        """There is nothing due."""
        play = JobPlay("- {id: a, uses: ./js}", {"./js": NODE})

        assert of(play.run(), "start") == ["start a"]

    def test_a_post_script_that_is_gone(self) -> None:
        """What is in the workspace by then counts."""
        play = JobPlay("- {id: a, uses: ./js}", {"./js": NODE_POST})
        play.actions["./js"] = JobPlay("- run: x", {"./js": NODE}).actions["./js"]

        assert play.run()[-3:] == [
            "reject post:a: The action ./js/action.yml no longer has a script for its post stage.",
            *("end post:a failure", "finish failure"),
        ]


class TestConditions:
    def test_post_stages_run_after_a_failure_and_a_cancellation(self) -> None:
        """Without `post-if` they always run, and a failure of theirs counts."""
        steps = "- {id: a, uses: ./js}\n- {id: b, run: 'true'}"
        failed = JobPlay(steps, {"./js": NODE_POST})
        assert of(failed.run({"b": FAILURE}), "start", "finish")[-2:] == [
            *("start post:a", "finish failure"),
        ]

        cancelled = JobPlay(steps, {"./js": NODE_POST})
        cancelled.end("a")
        cancelled.cancel()
        assert of(cancelled.run({"b": CANCELLED}), "start", "finish")[-2:] == [
            *("start post:a", "finish cancelled"),
        ]

        broken = JobPlay(steps, {"./js": NODE_POST})
        assert broken.run({"post:a": FAILURE})[-1] == "finish failure"

    def test_a_step_that_was_cancelled_has_its_post_stage(self) -> None:
        """It had begun."""
        play = JobPlay("- {id: a, uses: ./js}", {"./js": NODE_POST})
        play.cancel()

        assert of(play.end("a", CANCELLED), "start", "finish") == ["start post:a"]

    def test_a_killed_job_has_none(self) -> None:
        """Its time is over."""
        play = JobPlay("- {id: a, uses: ./js}", {"./js": NODE_POST})
        play.cancel()
        play.fire("cancel")

        assert play.end("a", CANCELLED)[-1] == "finish cancelled"

    def test_post_if_looks_at_the_job(self) -> None:
        """It is taken as written: nothing is added to it."""
        runs = "runs: {using: node20, main: m.js, post: p.js, post-if: CONDITION}"
        for condition, expected in (
            ("success()", "skip post:a"),
            ("failure()", "start post:a"),
            ("runner.os == 'Linux'", "start post:a"),
            ("cancelled()", "skip post:a"),
        ):
            body = runs.replace("CONDITION", f'"{condition}"')
            play = JobPlay("- {id: a, uses: ./js}\n- {id: b, run: 'false'}", {"./js": body})
            assert expected in play.run({"b": FAILURE}), condition

    def test_pre_if(self) -> None:
        """A pre stage that fails stops the steps, but not other pre stages."""
        guarded = "runs: {using: node20, pre: p.js, main: m.js, pre-if: success()}"
        play = JobPlay(
            "- {id: a, uses: o/a@v1}\n- {id: b, uses: o/a@v1}\n- {id: c, uses: o/c@v1}",
            {"o/a@v1": guarded, "o/c@v1": NODE_ALL},
        )

        assert of(play.run({"pre:a": FAILURE}), "start", "skip") == [
            *("start pre:a", "skip pre:b", "start pre:c"),
            *("skip a", "skip b", "skip c", "start post:c"),
        ]

    def test_keys_of_the_step_count_for_every_stage(self) -> None:
        """env, with, timeout-minutes and continue-on-error are those of the step."""
        play = JobPlay(
            "- {id: a, uses: ./js, env: {E: 1}, with: {w: 2}, timeout-minutes: 3,"
            " continue-on-error: true}",
            {"./js": NODE_POST},
        )

        lines = play.run({"post:a": FAILURE})
        assert lines[-2:] == ["end post:a failure/success", "finish success"]
        post = play.started("post:a")
        assert (post.variables, post.inputs, post.timeout_minutes) == ({"E": "1"}, {"w": "2"}, 3)

    def test_stages_are_not_in_the_steps_context(self) -> None:
        """A post stage leaves alone what is known of its step."""
        play = JobPlay(
            "- {id: a, uses: ./js}",
            {"./js": NODE_POST},
            job='outputs: {o: "${{ steps.a.outcome }}"}',
        )
        play.run({"post:a": FAILURE})

        (finish,) = [order for order in play.orders if type(order).__name__ == "FinishJob"]
        assert finish.outputs == {"o": "success"}  # type: ignore[union-attr]


class TestState:
    def test_what_a_stage_saves_reaches_the_next(self) -> None:
        """Each step has a state of its own."""
        play = JobPlay("- {id: a, uses: o/a@v1}\n- {id: b, uses: o/a@v1}", {"o/a@v1": NODE_ALL})
        play.end("pre:a", state={"x": "1", "y": "1"})
        play.end("pre:b")
        play.end("a", state={"y": "2"})
        play.run()

        assert play.started("a").state == {"x": "1", "y": "1"}
        assert play.started("post:a").state == {"x": "1", "y": "2"}
        assert play.started("post:b").state == {}


class TestWithinActions:
    OUTER = composite(
        "- {id: one, uses: ./js}\n- {id: two, uses: ./js, if: inputs.two == 'yes'}\n"
        "- {id: three, uses: ./js}",
        "inputs: {two: {default: 'no'}}",
    )

    def test_post_stages_within_an_action_run_in_its_post_stage(self) -> None:
        """Last in, first out there too, and only for what began."""
        play = JobPlay(
            "- {id: x, uses: ./outer}\n- {id: y, uses: ./js}",
            {"./outer": self.OUTER, "./js": NODE_POST},
        )

        assert of(play.run(), "start", "open", "skip") == [
            *("open x", "start x.one", "skip x.two", "start x.three", "start y"),
            *("start post:y", "open post:x", "start post:x.three", "start post:x.one"),
        ]
        assert play.opened("post:x").name == "Post Run ./outer"
        assert play.started("post:x.one").parent == "post:x"

    def test_an_action_with_actions_of_the_workspace_always_has_a_post_stage(self) -> None:
        """The runner assumes it until they are read; nothing may run in it."""
        play = JobPlay("- {id: x, uses: ./outer}", {"./outer": self.OUTER, "./js": NODE})

        assert of(play.run(), "open") == ["open x", "open post:x"]

    def test_state_and_steps_of_the_main_stage(self) -> None:
        """A post stage within sees what its own main stage saved, and the steps of the action."""
        outer = composite(
            "- {id: r, run: 'true', shell: sh}\n"
            "- {id: one, uses: ./js, with: {v: '${{ steps.r.outputs.v }}'}}"
        )
        play = JobPlay("- {id: x, uses: ./outer}", {"./outer": outer, "./js": NODE_POST})
        play.end("x.r", outputs={"v": "7"})
        play.end("x.one", state={"s": "1"})

        post = play.started("post:x.one")
        assert post.inputs == {"v": "7"}
        assert post.state == {"s": "1"}

    def test_conditions_there_look_at_the_job(self) -> None:
        """Not at the action, as in its main stage."""
        body = "runs: {using: node20, main: m.js, post: p.js, post-if: failure()}"
        outer = composite("- {id: one, uses: ./js}")
        play = JobPlay(
            "- {id: x, uses: ./outer}\n- {id: y, run: 'false'}", {"./outer": outer, "./js": body}
        )

        assert "start post:x.one" in play.run({"y": FAILURE})

    def test_pre_stages_within_an_action(self) -> None:
        """They run in the pre stage of the action, in order."""
        outer = composite("- {id: one, uses: o/js@v1}\n- {id: two, uses: o/js@v1}")
        play = JobPlay("- {id: x, uses: o/outer@v1}", {"o/outer@v1": outer, "o/js@v1": NODE_ALL})

        assert of(play.run(), "start", "open") == [
            *("open pre:x", "start pre:x.one", "start pre:x.two"),
            *("open x", "start x.one", "start x.two"),
            *("open post:x", "start post:x.two", "start post:x.one"),
        ]

    def test_outputs_that_need_steps_fail_in_a_post_stage(self) -> None:
        """The runner evaluates them there too, and no step is to be seen."""
        outer = composite(
            "- {id: r, run: 'true', shell: sh}\n- {id: one, uses: ./js}",
            "outputs: {o: {value: '${{ fromJSON(steps.r.outputs.v) }}'}}",
        )
        play = JobPlay("- {id: x, uses: ./outer}", {"./outer": outer, "./js": NODE_POST})
        play.end("x.r", outputs={"v": "7"})

        lines = play.run()
        assert "end x success" in lines
        assert "end post:x failure" in lines
