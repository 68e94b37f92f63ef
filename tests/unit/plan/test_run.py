"""The run machine: which jobs start when, what they may look at, and how a run ends."""

from __future__ import annotations

import pytest
from tests.unit.plan.machines import CONTEXTS, Play, call, job, mapping, workflow

from windlass.model.status import Result
from windlass.plan.orders import CancelJob, FinishRun, RejectJob, SkipJob, StartJob
from windlass.plan.run import RunMachine
from windlass.plan.selection import Selection
from windlass.plan.signals import CancelRequested, JobFinished, RunStarted

SUCCESS, FAILURE, CANCELLED, SKIPPED = (
    Result.SUCCESS,
    Result.FAILURE,
    Result.CANCELLED,
    Result.SKIPPED,
)


def keys(orders: list) -> list[str]:
    return [f"{type(order).__name__} {getattr(order, 'key', order)}" for order in orders]


@pytest.mark.requirement("A08")
class TestNeeds:
    def test_bug_needs_are_a_graph_and_not_stages(self) -> None:
        """A job starts when its own needs have ended, whatever else still runs."""
        play = Play(job("fast"), job("slow"), job("after-fast", ["fast"]))

        assert keys(play.end("fast")) == ["StartJob after-fast"]

    def test_jobs_without_needs_start_at_once_in_the_order_of_the_file(self) -> None:
        """The order of the file is the order of the orders."""
        assert Play(job("b"), job("a"), job("c", ["a"])).started() == ["b", "a"]

    def test_a_join_waits_for_all_its_needs(self) -> None:
        """A job with two needs starts with the end of the later one."""
        play = Play(job("a"), job("b"), job("c", ["a", "b"]))

        assert play.end("b") == []
        assert keys(play.end("a")) == ["StartJob c"]

    def test_needs_show_results_and_outputs_of_direct_needs_only(self) -> None:
        """`needs` holds what `needs:` names, not what lies behind it."""
        play = Play(job("a"), job("b", ["a"]), job("c", ["b"]))
        play.end("a", outputs={"x": "1"})
        play.end("b", outputs={"y": "2"})

        expected = {"b": {"result": "success", "outputs": {"y": "2"}}}
        assert expected == play.order(StartJob, "c").contexts["needs"]

    def test_needs_are_found_without_regard_to_case(self) -> None:
        """Ids are compared as GitHub compares them."""
        play = Play(job("Build"), job("test", ["BUILD"]))

        assert keys(play.end("Build")) == ["StartJob test"]

    def test_a_failure_skips_all_that_comes_after_it(self) -> None:
        """Jobs without `if` run only where every ancestor succeeded."""
        play = Play(job("a"), job("b", ["a"]), job("c", ["b"]))

        assert ["SkipJob b", "SkipJob c", f"FinishRun {FinishRun(FAILURE)}"] == keys(
            play.end("a", FAILURE)
        )

    def test_a_skip_says_which_job_decided_it(self) -> None:
        """The evidence names the ancestor and its result."""
        play = Play(job("a"), job("b", ["a"]), job("c", ["b"]))
        play.end("a", FAILURE)

        assert "job 'a' ended with failure" in play.order(SkipJob, "c").decision.reason


@pytest.mark.requirement("A09")
class TestConditions:
    def test_failure_runs_after_an_ancestor_that_is_not_a_direct_need(self) -> None:
        """`failure()` looks at all ancestors."""
        play = Play(job("a"), job("b", ["a"]), job("c", ["b"], if_="failure()"))

        assert keys(play.end("a", FAILURE)) == ["SkipJob b", "StartJob c"]

    def test_success_looks_through_a_job_that_always_runs(self) -> None:
        """A success in between does not make up for a failed ancestor."""
        play = Play(job("a"), job("b", ["a"], if_="always()"), job("c", ["b"]))
        play.end("a", FAILURE)

        assert "SkipJob c" in keys(play.end("b"))

    def test_a_skipped_need_skips_the_job(self) -> None:
        """Skipped is not success."""
        play = Play(job("a", if_="false"), job("b", ["a"]))

        expected = ["SkipJob a", "SkipJob b", f"FinishRun {FinishRun(SUCCESS)}"]
        assert expected == keys(play.orders)

    def test_a_condition_reads_the_result_of_a_need(self) -> None:
        """`needs.x.result` is one of GitHub's four words."""
        play = Play(job("a"), job("b", ["a"], if_="always() && needs.a.result == 'failure'"))

        assert keys(play.end("a", FAILURE)) == ["StartJob b"]

    def test_a_condition_that_faults_fails_the_job(self) -> None:
        """A job whose `if` cannot be evaluated is never skipped silently."""
        play = Play(job("a", if_="fromJSON('{')"))

        assert ["RejectJob a", f"FinishRun {FinishRun(FAILURE)}"] == keys(play.orders)
        assert "fromJSON('{')" in play.order(RejectJob, "a").message

    def test_named_jobs_in_status_functions(self) -> None:
        """`failure('a')` asks about that ancestor alone."""
        play = Play(job("a"), job("b"), job("c", ["a", "b"], if_="failure('b')"))
        play.end("a", FAILURE)

        assert "SkipJob c" in keys(play.end("b"))


@pytest.mark.requirement("A10")
class TestMatrix:
    def test_legs_start_in_definition_order_with_their_values(self) -> None:
        """The last vector varies fastest and each leg has its own contexts."""
        play = Play(job("m", strategy={"matrix": {"os": ["x", "y"], "n": [1, 2]}}))

        assert play.started() == ["m (x, 1)", "m (x, 2)", "m (y, 1)", "m (y, 2)"]
        contexts = play.order(StartJob, "m (y, 1)").contexts
        assert contexts["matrix"] == {"os": "y", "n": 1}
        assert contexts["strategy"]["job-index"] == 2

    def test_bug_fail_fast_cancels_running_legs_and_drops_queued_ones(self) -> None:
        """The first leg that fails ends the others of its matrix and nobody else."""
        strategy = {"max-parallel": 2, "matrix": {"n": [1, 2, 3]}}
        play = Play(job("m", strategy=strategy), job("other"))

        orders = play.end("m (1)", FAILURE)

        assert keys(orders) == ["DropJob m (3)", "CancelJob m (2)"]
        assert "m (1)" in play.order(CancelJob, "m (2)").reason
        assert play.end("m (2)", CANCELLED) == []
        assert [FinishRun(FAILURE)] == play.end("other")

    def test_without_fail_fast_every_leg_runs(self) -> None:
        """`fail-fast: false` lets the others go on."""
        play = Play(job("m", strategy={"fail-fast": False, "matrix": {"n": [1, 2]}}))

        assert play.end("m (1)", FAILURE) == []
        assert [FinishRun(FAILURE)] == play.end("m (2)")

    def test_a_leg_with_continue_on_error_does_not_trigger_fail_fast(self) -> None:
        """An experimental leg may fail without ending the others."""
        experimental = "${{ matrix.n == 1 }}"
        play = Play(job("m", continue_on_error=experimental, strategy={"matrix": {"n": [1, 2]}}))

        assert play.end("m (1)", FAILURE) == []
        assert [FinishRun(SUCCESS)] == play.end("m (2)")

    def test_max_parallel_holds_legs_back(self) -> None:
        """A leg starts when another one has ended."""
        play = Play(job("m", strategy={"max-parallel": 1, "matrix": {"n": [1, 2]}}))

        assert play.started() == ["m (1)"]
        assert keys(play.end("m (1)")) == ["StartJob m (2)"]

    def test_bug_matrix_outputs_last_non_empty_wins_by_order_of_completion(self) -> None:
        """An empty output never overwrites, a later one does."""
        play = Play(job("m", strategy={"matrix": {"n": [1, 2, 3]}}), job("after", ["m"]))
        play.end("m (3)", outputs={"x": "three", "y": "3"})
        play.end("m (1)", outputs={"x": "one"})
        play.end("m (2)", outputs={"x": "", "y": ""})

        outputs = play.order(StartJob, "after").contexts["needs"]["m"]["outputs"]
        assert outputs == {"x": "one", "y": "3"}

    def test_a_matrix_made_from_the_output_of_a_need(self) -> None:
        """A dynamic matrix is expanded when its need has ended."""
        strategy = {"matrix": {"n": "${{ fromJSON(needs.a.outputs.list) }}"}}
        play = Play(job("a"), job("m", ["a"], strategy=strategy))

        orders = play.end("a", outputs={"list": '["p", "q"]'})

        assert keys(orders) == ["StartJob m (p)", "StartJob m (q)"]

    def test_a_matrix_that_cannot_be_made_fails_the_job(self) -> None:
        """An empty list is GitHub's error and no green run."""
        strategy = {"matrix": {"n": "${{ fromJSON(needs.a.outputs.list) }}"}}
        play = Play(job("a"), job("m", ["a"], strategy=strategy))

        orders = play.end("a", outputs={"list": "[]"})

        assert ["RejectJob m", f"FinishRun {FinishRun(FAILURE)}"] == keys(orders)
        assert "Matrix vector 'n' does not contain any values" in orders[0].message

    def test_the_result_of_a_matrix_is_that_of_its_worst_leg(self) -> None:
        """One failed leg makes the job a failure for whoever needs it."""
        strategy = {"fail-fast": False, "matrix": {"n": [1, 2]}}
        play = Play(job("m", strategy=strategy), job("z", ["m"], if_="always()"))
        play.end("m (1)", FAILURE)
        play.end("m (2)")

        assert play.order(StartJob, "z").contexts["needs"]["m"]["result"] == "failure"

    def test_only_the_wanted_legs_run(self) -> None:
        """A filter keeps the legs with that value and leaves jobs without that key alone."""
        play = Play(
            job("m", strategy={"matrix": {"n": [1, 2]}}),
            job("other", strategy={"matrix": {"os": ["x"]}}),
            selection=Selection(legs={"n": "2"}),
        )

        assert play.started() == ["m (2)", "other (x)"]

    def test_bug_15_a_filter_that_fits_no_leg_fails_the_job(self) -> None:
        """A job of which nothing runs does not let the run end green."""
        play = Play(
            job("m", strategy={"matrix": {"n": [1, 2]}}), selection=Selection(legs={"n": "3"})
        )

        assert ["RejectJob m", f"FinishRun {FinishRun(FAILURE)}"] == keys(play.orders)
        assert "there are: m (1), m (2)" in play.order(RejectJob, "m").message


class TestKeys:
    def test_job_keys_are_evaluated(self) -> None:
        """Labels, environment, time-out and continue-on-error come evaluated."""
        play = Play(
            job(
                "a",
                runs_on=["self-hosted", "${{ github.ref }}"],
                environment={"name": "${{ github.event_name }}", "url": "https://x"},
                timeout_minutes="${{ 5 }}",
                continue_on_error="${{ github.event_name == 'push' }}",
                name="Job ${{ 1 }}",
            )
        )

        order = play.order(StartJob, "a")
        assert order.labels == ("self-hosted", "refs/heads/main")
        assert (
            order.environment,
            order.timeout_minutes,
            order.continue_on_error,
        ) == ("push", 5, True)

    def test_the_default_time_out_is_six_hours(self) -> None:
        """GitHub ends a job after 360 minutes."""
        assert Play(job("a")).order(StartJob, "a").timeout_minutes == 360

    def test_a_computed_name(self) -> None:
        """A name that is an expression is the whole name of a leg."""
        name = "${{ format('Leg {0}', matrix.n) }}"
        play = Play(job("m", name=name, strategy={"matrix": {"n": [1]}}))

        assert play.order(StartJob, "m (1)").name == "Leg 1"

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            pytest.param("timeout_minutes", "${{ 'x' }}", "Unexpected value 'x'", id="time-out"),
            pytest.param("continue_on_error", "${{ 1 }}", "Unexpected value '1'", id="continue"),
            pytest.param("runs_on", "${{ '' }}", "Unexpected value ''", id="no label"),
            pytest.param("name", "${{ fromJSON('x') }}", "fromJSON", id="name"),
        ],
    )
    def test_a_key_that_cannot_be_evaluated_fails_the_job(
        self, key: str, value: str, message: str
    ) -> None:
        """The job fails with the message and the place; nothing becomes an empty string."""
        play = Play(job("a", **{key: value}))

        found = play.order(RejectJob, "a").message
        assert found.startswith("w.yml (Line: 1, Col: 1): ")
        assert message.lower() in found.lower()

    def test_bug_15_a_rejected_job_fails_the_run(self) -> None:
        """A job that never ran never lets a run end green."""
        play = Play(job("a", timeout_minutes="${{ 'x' }}"))

        assert FinishRun(FAILURE) == play.orders[-1]


class TestEnds:
    def test_continue_on_error_counts_as_success_for_run_and_needs(self) -> None:
        """A failed job that may fail is a success to everybody else."""
        play = Play(job("a", continue_on_error=True), job("b", ["a"]))

        assert keys(play.end("a", FAILURE)) == ["StartJob b"]
        assert play.order(StartJob, "b").contexts["needs"]["a"]["result"] == "success"
        assert [FinishRun(SUCCESS)] == play.end("b")

    def test_bug_15_continue_on_error_does_not_forgive_a_job_that_never_ran(self) -> None:
        """A job that was held back fails the run, whatever it may do once it runs."""
        play = Play(job("a", continue_on_error=True))

        assert play.send(JobFinished("a", FAILURE, started=False)) == [FinishRun(FAILURE)]

    def test_continue_on_error_forgives_failures_only(self) -> None:
        """A job that was cancelled stays cancelled, for the run as for those that need it."""
        play = Play(job("a", continue_on_error=True), job("b", ["a"], if_="always()"))
        play.end("a", CANCELLED)

        assert play.order(StartJob, "b").contexts["needs"]["a"]["result"] == "cancelled"
        assert play.end("b") == [FinishRun(CANCELLED)]

    @pytest.mark.parametrize(
        ("results", "expected"),
        [
            pytest.param((SUCCESS, SUCCESS), SUCCESS, id="all succeeded"),
            pytest.param((SUCCESS, FAILURE), FAILURE, id="one failed"),
            pytest.param((SUCCESS, CANCELLED), CANCELLED, id="one was cancelled"),
            pytest.param((CANCELLED, FAILURE), FAILURE, id="failure outweighs cancelled"),
        ],
    )
    def test_a_run_is_as_bad_as_its_worst_job(
        self, results: tuple[Result, Result], expected: Result
    ) -> None:
        """Failure, then cancelled, then success."""
        play = Play(job("a"), job("b"))
        play.end("a", results[0])

        assert [FinishRun(expected)] == play.end("b", results[1])

    def test_signals_that_no_longer_matter_lead_to_nothing(self) -> None:
        """An unknown job, a second end, anything after the run: no orders."""
        play = Play(job("a"), job("b"))

        assert play.end("nobody") == []
        play.end("a")
        assert play.end("a", FAILURE) == []
        assert [FinishRun(SUCCESS)] == play.end("b")
        assert play.send(CancelRequested("late")) == []
        assert play.send(RunStarted()) == []

    def test_only_one_job_with_what_it_needs(self) -> None:
        """A selection leaves out jobs that the chosen one does not need."""
        play = Play(job("a"), job("b", ["a"]), job("c", ["b"]), job("d"), selection=Selection("b"))

        assert play.started() == ["a"]
        assert keys(play.end("a")) == ["StartJob b"]
        assert [FinishRun(SUCCESS)] == play.end("b")

    @pytest.mark.requirement("A28")
    def test_one_job_gathers_the_results_of_all_checks(self) -> None:
        """The "all checks passed" job sees every result in `needs.*.result`."""
        gate = "always() && contains(needs.*.result, 'failure')"
        play = Play(job("a"), job("b"), job("gate", ["a", "b"], if_=gate))
        play.end("a")

        assert keys(play.end("b", FAILURE)) == ["StartJob gate"]


class TestCancellation:
    def test_running_jobs_are_cancelled_and_waiting_ones_are_skipped(self) -> None:
        """Whoever has no condition that survives a cancellation ends or never starts."""
        play = Play(job("a"), job("b", ["a"]))

        assert [CancelJob("a", "stop")] == play.send(CancelRequested("stop"))
        assert ["SkipJob b", f"FinishRun {FinishRun(CANCELLED)}"] == keys(play.end("a", CANCELLED))

    def test_a_running_job_with_always_goes_on(self) -> None:
        """The condition of running jobs is evaluated again."""
        play = Play(job("a", if_="always()"), job("b"))

        assert [CancelJob("b", "stop")] == play.send(CancelRequested("stop"))

    def test_cancelled_jobs_run_after_a_cancellation(self) -> None:
        """`if: cancelled()` is for cleaning up."""
        play = Play(job("a"), job("clean", ["a"], if_="cancelled()"))
        play.send(CancelRequested("stop"))

        assert keys(play.end("a", CANCELLED)) == ["StartJob clean"]
        assert [FinishRun(CANCELLED)] == play.end("clean")

    def test_a_cancelled_run_is_never_a_success(self) -> None:
        """Even where every job that ran succeeded."""
        play = Play(job("a", if_="always()"), job("b", ["a"]))
        play.send(CancelRequested("stop"))

        assert FinishRun(CANCELLED) == play.end("a")[-1]

    def test_queued_legs_never_start(self) -> None:
        """What max-parallel held back is dropped."""
        play = Play(job("m", strategy={"max-parallel": 1, "matrix": {"n": [1, 2]}}))

        assert keys(play.send(CancelRequested("stop"))) == ["DropJob m (2)", "CancelJob m (1)"]
        assert [FinishRun(CANCELLED)] == play.end("m (1)", CANCELLED)

    def test_a_call_that_starts_after_a_cancellation_is_cancelled_inside(self) -> None:
        """`always()` on the call lets it begin; the jobs inside are decided by their own."""
        inner = workflow(job("plain"), job("clean", if_="cancelled()"))
        play = Play(job("a"), call("c", inner, ["a"], if_="always()"))
        play.send(CancelRequested("stop"))

        assert keys(play.end("a", CANCELLED)) == ["SkipJob c / plain", "StartJob c / clean"]

    def test_a_second_request_changes_nothing(self) -> None:
        """A job hears of its end once."""
        play = Play(job("a"))
        play.send(CancelRequested("stop"))

        assert play.send(CancelRequested("stop!")) == []


class TestCalls:
    def test_the_jobs_of_a_called_workflow_run_under_the_name_of_the_call(self) -> None:
        """`call / build` is one job of the run; the call ends with its last job."""
        inner = workflow(job("build"), job("test", ["build"]))
        play = Play(call("c", inner), job("after", ["c"]))

        assert play.started() == ["c / build"]
        assert keys(play.end("c / build")) == ["StartJob c / test"]
        assert keys(play.end("c / test")) == ["StartJob after"]

    def test_outputs_come_from_the_jobs_of_the_called_workflow(self) -> None:
        """`jobs.<id>.outputs` and `.result` are what outputs may look at."""
        inner = workflow(
            job("build"),
            outputs={"image": "${{ jobs.build.outputs.tag }}", "how": "${{ jobs.build.result }}"},
        )
        play = Play(call("c", inner), job("after", ["c"]))
        play.end("c / build", outputs={"tag": "v1"})

        needs = play.order(StartJob, "after").contexts["needs"]
        assert needs["c"] == {"result": "success", "outputs": {"image": "v1", "how": "success"}}

    def test_a_failure_inside_fails_the_call(self) -> None:
        """The result of a call is that of its worst job."""
        inner = workflow(job("build"), job("test", ["build"]))
        play = Play(call("c", inner))

        expected = ["SkipJob c / test", f"FinishRun {FinishRun(FAILURE)}"]
        assert expected == keys(play.end("c / build", FAILURE))

    def test_a_call_for_every_leg_of_a_matrix(self) -> None:
        """Every leg is a call of its own."""
        play = Play(
            call("c", workflow(job("build")), strategy={"matrix": {"n": [1, 2]}}),
        )

        assert play.started() == ["c (1) / build", "c (2) / build"]

    def test_keys_are_unique_whatever_the_values_of_a_matrix_look_like(self) -> None:
        """Two jobs never share a key, or the end of one would be taken for that of the other."""
        inner = workflow(job("b", strategy={"matrix": {"n": ["1) / b (2"]}}))
        values = {"matrix": {"n": ["1", "1) / b (1"]}}
        play = Play(
            call("c", inner, strategy=values),
            call("d", workflow(job("x", strategy={"matrix": {"n": ["1", "1"]}}))),
        )

        assert len(play.started()) == len(set(play.started())) == 4

    def test_secrets_are_handed_over_call_by_call(self) -> None:
        """An order holds how secrets pass, never the secrets."""
        play = Play(
            call("c", workflow(job("build")), secrets={"token": "${{ secrets.TOP }}"}),
        )

        (handover,) = play.order(StartJob, "c / build").handovers
        assert (False, mapping({"token": "${{ secrets.TOP }}"})) == (
            handover.inherit,
            handover.secrets,
        )

    def test_a_missing_workflow_fails_the_call(self) -> None:
        """A call that leads nowhere is a failure with the name that was asked for."""
        play = Play(call("c", None))

        assert "called.yml" in play.order(RejectJob, "c").message
        assert FinishRun(FAILURE) == play.orders[-1]

    def test_calls_end_after_ten_levels(self) -> None:
        """The depth is limited as on GitHub, whatever the reader let through."""
        inner = workflow(job("build"))
        for _ in range(10):
            inner = workflow(call("c", inner))

        assert Play(*inner.jobs).orders[-1] == FinishRun(FAILURE)

    def test_cancelling_the_run_cancels_jobs_inside_calls(self) -> None:
        """Every running job of every level hears of it."""
        inner = workflow(job("build"), job("last", ["build"], if_="always()"))
        play = Play(call("c", inner))

        assert [CancelJob("c / build", "stop")] == play.send(CancelRequested("stop"))
        assert keys(play.end("c / build", CANCELLED)) == ["StartJob c / last"]

    def test_a_call_whose_jobs_are_all_skipped_is_skipped(self) -> None:
        """Nothing ran, so nothing succeeded."""
        inner = workflow(job("build", if_="false"))
        play = Play(call("c", inner), job("after", ["c"], if_="always()"))

        assert play.order(StartJob, "after").contexts["needs"]["c"]["result"] == "skipped"


def test_replaying_the_signals_gives_the_same_orders() -> None:
    """The list of signals is the whole truth about a run."""
    signals = [
        RunStarted(),
        JobFinished("a", SUCCESS, {"list": "[1, 2]"}),
        JobFinished("m (2)", FAILURE),
        JobFinished("m (1)", CANCELLED),
    ]

    def play() -> list[list[object]]:
        strategy = {"matrix": {"n": "${{ fromJSON(needs.a.outputs.list) }}"}}
        machine = RunMachine(
            workflow(job("a"), job("m", ["a"], strategy=strategy), job("b", ["m"])), CONTEXTS
        )
        return [list(machine.receive(signal)) for signal in signals]

    assert play() == play()
