"""Plays a job through its machine: steps and actions as YAML, what happens as short lines.

Lines are `load KEY`, `open KEY`, `start KEY`, `skip KEY`, `reject KEY: message`, `end KEY OUTCOME`
(`OUTCOME/CONCLUSION` where they differ), `LEVEL KEY: message`, `line KEY: text`, `cancel KEY`,
`time out KEY`, `kill` and `finish RESULT`. Timers are left out.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from tests.unit.plan.machines import Play

from windlass.lang.action.reading import read_action
from windlass.lang.workflow.model import Job
from windlass.lang.workflow.reading import read_workflow
from windlass.model.status import Result
from windlass.plan.job import JobMachine
from windlass.plan.orders import StartJob
from windlass.plan.steps import (
    ActionLoaded,
    Annotate,
    CancelStep,
    ConcludeStep,
    FinishJob,
    JobCancelRequested,
    JobOpened,
    KillSteps,
    LoadAction,
    LoadedAction,
    OpenStep,
    RejectStep,
    SkipStep,
    StartStep,
    StepFinished,
    TimerFired,
    WriteLine,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.plan.steps import JobOrder, JobSignal

SUCCESS, FAILURE, CANCELLED = Result.SUCCESS, Result.FAILURE, Result.CANCELLED

NODE = "runs: {using: node20, main: main.js}"
NODE_POST = "runs: {using: node20, main: main.js, post: post.js}"
NODE_ALL = "runs: {using: node20, pre: pre.js, main: main.js, post: post.js}"


def composite(steps: str, head: str = "") -> str:
    """Return an action file with these steps."""
    return (
        f"{head}\nruns:\n  using: composite\n  steps:\n{textwrap.indent(steps.strip(), '    ')}\n"
    )


class JobPlay:
    """One job and its world. Actions of the workspace are answered at once where `loads` is set."""

    def __init__(
        self,
        steps: str,
        actions: Mapping[str, str] | None = None,
        *,
        job: str = "",
        loads: bool = True,
        opened: bool = True,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        written = textwrap.indent(textwrap.dedent(steps).strip("\n"), "      ")
        text = (
            "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n"
            f"{textwrap.indent(job, '    ')}\n    steps:\n{written}\n"
        )
        reading = read_workflow("w.yml", text.encode())
        assert reading.workflow is not None, reading.diagnostics
        (found,) = reading.workflow.jobs
        assert isinstance(found, Job)
        self.machine = JobMachine(Play(found).order(StartJob, "build"), secrets=secrets or {})
        self.actions = {uses: _load(uses, body) for uses, body in (actions or {}).items()}
        self.loads = loads
        self.orders: list[JobOrder] = []
        self.signals: list[JobSignal] = []
        if opened:
            self.open()

    def open(self) -> list[str]:
        """Open the job; actions that are not of the workspace are there."""
        here = {uses: found for uses, found in self.actions.items() if not uses.startswith("./")}
        return self.send(
            JobOpened(runner={"os": "Linux"}, job={}, github={"workspace": "/w"}, actions=here)
        )

    def send(self, signal: JobSignal) -> list[str]:
        """Give a signal; return what it leads to, with answers to LoadAction."""
        self.signals.append(signal)
        orders = self.machine.receive(signal)
        self.orders += orders
        lines = [line for order in orders if (line := _describe(order))]
        if self.loads:
            for order in orders:
                if isinstance(order, LoadAction):
                    lines += self.answer(order.key, order.uses)
        return lines

    def answer(self, key: str, uses: str) -> list[str]:
        """Answer LoadAction."""
        found = self.actions.get(uses)
        return self.send(ActionLoaded(key, found, "" if found else f"There is no {uses}."))

    def end(self, key: str, outcome: Result = SUCCESS, **effects: Any) -> list[str]:
        """End a step."""
        return self.send(StepFinished(key=key, outcome=outcome, **effects))

    def fire(self, timer: str) -> list[str]:
        """Let a timer go off."""
        return self.send(TimerFired(timer))

    def cancel(self) -> list[str]:
        """Ask the job to end."""
        return self.send(JobCancelRequested("stop"))

    def run(self, outcomes: Mapping[str, Result] | None = None) -> list[str]:
        """End what runs, the oldest first, until the job is over; return all lines."""
        lines = [line for order in self.orders if (line := _describe(order))]
        while self.running():
            key = self.running()[0]
            lines += self.end(key, (outcomes or {}).get(key, SUCCESS))
        return lines

    def running(self) -> list[str]:
        """Return the keys of the steps that have been started and have not ended."""
        ended = {order.key for order in self.orders if isinstance(order, ConcludeStep)}
        return [
            order.key
            for order in self.orders
            if isinstance(order, StartStep) and order.key not in ended
        ]

    def started(self, key: str) -> StartStep:
        """Return the order that started a step."""
        (found,) = [
            order for order in self.orders if isinstance(order, StartStep) and order.key == key
        ]
        return found

    def opened(self, key: str) -> OpenStep:
        """Return the order that opened a step."""
        (found,) = [
            order for order in self.orders if isinstance(order, OpenStep) and order.key == key
        ]
        return found

    def replay(self) -> list[JobOrder]:
        """Return the orders that a fresh machine gives for the same signals."""
        fresh = JobMachine(self.machine._order, secrets={})
        return [order for signal in self.signals for order in fresh.receive(signal)]


def _load(uses: str, text: str) -> LoadedAction:
    path = f"{uses.partition('@')[0]}/action.yml"
    reading = read_action(path, text.encode())
    assert reading.action is not None, reading.diagnostics
    if uses.startswith("./"):
        return LoadedAction(action=reading.action, folder=f"/w/{uses.removeprefix('./')}")
    name, _, ref = uses.partition("@")
    return LoadedAction(
        action=reading.action, folder=f"/actions/{name}", repository=name, ref=ref or "main"
    )


_BEGINNINGS: dict[type[Any], str] = {
    LoadAction: "load",
    OpenStep: "open",
    StartStep: "start",
    SkipStep: "skip",
}


def _describe(order: JobOrder) -> str:
    match order:
        case LoadAction() | OpenStep() | StartStep() | SkipStep():
            return f"{_BEGINNINGS[type(order)]} {order.key}"
        case RejectStep():
            return f"reject {order.key}: {order.message}"
        case ConcludeStep():
            same = order.outcome is order.conclusion
            result = order.outcome if same else f"{order.outcome}/{order.conclusion}"
            return f"end {order.key} {result}"
        case Annotate():
            return f"{order.level} {order.key}: {order.message}"
        case WriteLine():
            return f"line {order.key}: {order.text}"
        case CancelStep():
            return f"{'time out' if order.timed_out else 'cancel'} {order.key}"
        case KillSteps():
            return "kill"
        case FinishJob():
            return f"finish {order.result}"
    return ""
