"""Who runs, who waits and who goes in a concurrency group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.plan.machines import Play, call, job, workflow

from windlass.model.status import Result
from windlass.plan.concurrency import Concurrency
from windlass.plan.groups import MOST_WAITING, Member, enter, leave
from windlass.plan.orders import (
    DropJob,
    EnterGroup,
    FinishRun,
    LeaveGroup,
    Order,
    RejectJob,
    StartJob,
)
from windlass.plan.run import RunMachine
from windlass.plan.signals import (
    CancelRequested,
    GroupDenied,
    GroupEntered,
    JobCancelRequested,
    JobFinished,
    RunStarted,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SINGLE = Concurrency("g")
QUEUE = Concurrency("g", queue="max")
ENDING = Concurrency("g", cancel_in_progress=True)


def fill(*comers: tuple[str, Concurrency]) -> tuple[Member, ...]:
    members: tuple[Member, ...] = ()
    for name, concurrency in comers:
        members = enter(members, name, concurrency).members
    return members


def told(members: tuple[Member, ...]) -> list[str]:
    return [f"{member.id} {member.state}" for member in members]


class TestGroup:
    def test_the_first_one_runs(self) -> None:
        """In an empty group nobody waits."""
        assert told(fill(("a", SINGLE))) == ["a running"]

    def test_the_newest_takes_the_place_of_who_waits(self) -> None:
        """By default at most one member waits: the one that came last."""
        change = enter(fill(("a", SINGLE), ("b", SINGLE)), "c", SINGLE)

        assert told(change.members) == ["a running", "c waiting"]
        assert (change.displaced, change.ended) == (("b",), ())

    def test_a_queue_keeps_the_order(self) -> None:
        """With `queue: max` all wait, and the one that came first is next."""
        members = fill(("a", QUEUE), ("b", QUEUE), ("c", QUEUE))

        assert told(members) == ["a running", "b waiting", "c waiting"]
        assert told(leave(members, "a")) == ["b running", "c waiting"]
        assert told(leave(members, "b")) == ["a running", "c waiting"]

    def test_a_queue_is_full_some_time(self) -> None:
        """One more than a hundred does not even wait."""
        members = fill(*((str(number), QUEUE) for number in range(MOST_WAITING + 1)))
        change = enter(members, "late", QUEUE)

        assert change.refused
        assert change.members == members

    def test_cancel_in_progress_ends_who_runs(self) -> None:
        """The newcomer waits until the member in progress has left."""
        change = enter(fill(("a", SINGLE), ("b", SINGLE)), "c", ENDING)

        assert (change.ended, change.displaced) == (("a",), ("b",))
        assert told(change.members) == ["a running", "c waiting"]
        assert told(leave(change.members, "a")) == ["c running"]

    @given(
        st.lists(
            st.tuples(st.booleans(), st.integers(0, 9), st.sampled_from((SINGLE, QUEUE, ENDING)))
        )
    )
    def test_one_runs_whenever_there_is_one(
        self, steps: list[tuple[bool, int, Concurrency]]
    ) -> None:
        """Whatever happens, exactly one member of a group that is not empty runs, the first."""
        members: tuple[Member, ...] = ()
        for comes, number, concurrency in steps:
            if comes and str(number) not in {member.id for member in members}:
                members = enter(members, str(number), concurrency).members
            else:
                members = leave(members, str(number))
            states = [member.state for member in members]
            assert states == ["running", *["waiting"] * (len(states) - 1)][: len(states)]


def names(orders: Sequence[Order], kind: type[Order]) -> list[str]:
    return [order.key for order in orders if isinstance(order, kind)]  # type: ignore[union-attr]


class TestJobs:
    def test_a_job_starts_when_it_is_let_in(self) -> None:
        """A job of a group waits while others go on, and leaves the group when it ends."""
        play = Play(job("a", concurrency="${{ github.ref }}"), job("b"))

        assert play.started() == ["b"]
        assert play.order(EnterGroup, "a").concurrency.group == "refs/heads/main"
        assert names(play.send(GroupEntered("a")), StartJob) == ["a"]
        assert play.send(GroupEntered("a")) == []
        assert play.end("a") == [LeaveGroup("a")]

    def test_a_job_that_is_displaced_is_cancelled(self) -> None:
        """It ends as cancelled with the reason, and what needs it is skipped."""
        play = Play(job("a", concurrency="g"), job("b", ["a"]))

        orders = play.send(GroupDenied("a", "somebody newer"))

        assert orders[0] == DropJob("a", "a", "somebody newer", ("a",))
        assert orders[-1] == FinishRun(Result.CANCELLED)
        assert LeaveGroup("a") not in orders

    def test_cancelling_ends_what_waits(self) -> None:
        """A waiting job leaves its group when the run or the job is cancelled."""
        for signal in (CancelRequested("stop"), JobCancelRequested("a", "stop")):
            play = Play(job("a", concurrency="g"))
            assert play.send(signal) == [
                LeaveGroup("a"),
                DropJob("a", "a", "stop", ("a",)),
                FinishRun(Result.CANCELLED),
            ]

    def test_a_job_that_runs_is_cancelled_by_its_key(self) -> None:
        """Somebody newer in the group ends the job that runs, and no other one."""
        play = Play(job("a", concurrency="g"), job("b"))
        play.send(GroupEntered("a"))

        orders = play.send(JobCancelRequested("a", "newer"))

        assert [(type(order).__name__, order.key) for order in orders] == [("CancelJob", "a")]  # type: ignore[union-attr]

    def test_a_wrong_group_fails_the_job(self) -> None:
        """A group without a name is no group."""
        play = Play(job("a", concurrency="${{ github.nothing }}"))

        assert "cannot be empty" in play.order(RejectJob, "a").message

    def test_a_call_waits_with_all_its_jobs(self) -> None:
        """The group of a calling job is entered before the called workflow's jobs start."""
        play = Play(call("c", workflow(job("a")), concurrency="g"))

        assert play.started() == []
        assert names(play.send(GroupEntered("c")), StartJob) == ["c / a"]
        assert play.end("c / a")[0] == LeaveGroup("c")


class TestRuns:
    def machine(self, group: str, *jobs: object) -> RunMachine:
        from dataclasses import replace

        from tests.unit.plan.machines import CONTEXTS, token

        made = replace(workflow(*jobs), concurrency=token(group))  # type: ignore[arg-type]
        return RunMachine(made, CONTEXTS)

    def test_a_run_waits_before_its_first_job(self) -> None:
        """The run's own group has an empty key and is left before the run ends."""
        machine = self.machine("g", job("a"))

        (entering,) = machine.receive(RunStarted())
        assert isinstance(entering, EnterGroup)
        assert entering.key == ""
        assert names(machine.receive(GroupEntered("")), StartJob) == ["a"]
        assert machine.receive(JobFinished("a", Result.SUCCESS)) == [
            LeaveGroup(""),
            FinishRun(Result.SUCCESS),
        ]

    @pytest.mark.parametrize(
        "signal",
        [GroupDenied("", "newer"), CancelRequested("newer"), JobCancelRequested("", "newer")],
        ids=["displaced", "cancelled", "ended"],
    )
    def test_a_run_that_waits_in_vain(self, signal: GroupDenied) -> None:
        """No job of it starts, and it ends as cancelled with the reason."""
        machine = self.machine("g", job("a", if_="always()"))
        machine.receive(RunStarted())

        assert machine.receive(signal)[-1] == FinishRun(Result.CANCELLED, "newer")

    def test_a_job_in_the_group_of_its_run_cannot_wait(self) -> None:
        """Waiting would never end: GitHub cancels such a job for a deadlock, ignoring case."""
        machine = self.machine("Deploy", job("a", concurrency="deploy"))
        machine.receive(RunStarted())

        orders = machine.receive(GroupEntered(""))

        assert orders[0] == DropJob(
            "a",
            "a",
            "Canceling since a deadlock for concurrency group 'deploy' was detected between "
            "'top level workflow' and 'a'",
            ("a",),
        )
        assert orders[-1] == FinishRun(Result.CANCELLED)

    def test_a_wrong_group_fails_every_job(self) -> None:
        """Nothing starts, and the run has failed."""
        machine = self.machine("${{ github.nothing }}", job("a"), job("b", if_="always()"))

        orders = machine.receive(RunStarted())

        assert names(orders, RejectJob) == ["a", "b"]
        assert orders[-1] == FinishRun(Result.FAILURE)
