"""Plays one scenario: a workflow file through the real reader, machines, driver and job runner.

Only the processes are not real: `windlass.testing.executor` does what the steps' variables say, and
time passes when the scenario says so. The JSON file beside a workflow holds what is expected:

    result    how the run ends
    jobs      every job by key: its result, or {"result", "outputs", "steps"}; a step is
              "outcome" or "outcome/conclusion", by its id
    before    pairs of moments: the first comes before the second
    play      what is done to the run: only, legs, secrets, vars, inputs, max_jobs, event,
              cancel_at, force_at (moments), refused (jobs that cannot be opened, with the reason)
    messages  texts that must appear among the annotations
    output    by `job/step`, a text that must appear in the step's output

The actions of `actions/` are in the workspace of every job from the start, as `./actions/NAME`.

A moment is "start KEY" or "end KEY" of a job (`build`) or a step (`build/id`). The executor sets
every moment as a mark, so a step can wait for one: `WINDLASS_DUMMY_WAITS_FOR: start_build`, with an
underscore for each blank.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.hosted_run import HostedRun

from windlass.engine.local import LocalRun
from windlass.jobs.folders import JobFolders
from windlass.jobs.job import run_job
from windlass.jobs.place import JobPlace
from windlass.jobs.source import Source
from windlass.lang.workflow.reading import read_workflow
from windlass.model.repository import Repository
from windlass.plan.handover import hand_over
from windlass.plan.run import RunMachine
from windlass.plan.selection import Selection
from windlass.protocol import events
from windlass.testing.clock import ManualClock
from windlass.testing.executor import DummyExecutor, DummySession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.db.connections import Store
    from windlass.engine.journals.interface import Journal
    from windlass.jobs.cancellation import Cancellation
    from windlass.jobs.executors.interface import JobRequest
    from windlass.lang.workflow.result import Reading
    from windlass.model.status import Result
    from windlass.plan.orders import Order, StartJob
    from windlass.plan.signals import JobFinished, Signal
    from windlass.protocol.events import RunEvent

FOLDER = Path(__file__).parent
CALLED = FOLDER / "called"
ACTIONS = FOLDER / "actions"
NODE = "#!/bin/sh\necho v20.0.0\n"
"""What stands for Node.js: it is asked for its version, and never to run a script."""

GITHUB = {
    "actor": "octocat",
    "event": {"ref": "refs/heads/main"},
    "event_name": "push",
    "ref": "refs/heads/main",
    "ref_name": "main",
    "repository": "octo/boat",
    "sha": "f" * 40,
    "workflow": "scenario",
}


@dataclass(slots=True)
class Seen:
    """What onlookers saw."""

    jobs: dict[str, Any] = field(default_factory=dict)
    steps: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    outputs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    moments: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    output: defaultdict[str, str] = field(default_factory=lambda: defaultdict(str))


class _Executor(DummyExecutor):
    """Puts the actions into a job's workspace before its first step."""

    def __init__(self, refused: Mapping[str, str] | None, clock: ManualClock) -> None:
        super().__init__(refused, clock)
        self.workspaces: dict[str, Path] = {}

    def open(self, request: JobRequest) -> DummySession:
        session = super().open(request)
        shutil.copytree(ACTIONS, self.workspaces[request.key] / ACTIONS.name)
        return session


class _Recorded:
    """A machine whose orders are kept."""

    def __init__(self, machine: RunMachine, orders: list[tuple[Order, ...]]) -> None:
        self._machine = machine
        self._orders = orders

    def receive(self, signal: Signal) -> list[Order]:
        orders = self._machine.receive(signal)
        self._orders.append(tuple(orders))
        return orders


class Scenario:
    """One workflow and what is expected of it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        self.seen = Seen()
        self._play = self.expected.get("play", {})
        self._folder = folder
        self._numbers = itertools.count()
        self._clock = ManualClock()
        self.executor = _Executor(self._play.get("refused"), self._clock)
        self._secrets = self._play.get("secrets", {})
        self._source = Source(
            repository=_repository(folder), sha="f" * 40, ref="refs/heads/main", state=folder
        )
        self._reading = _read(name)
        self._run: LocalRun | HostedRun | None = None
        self.orders: list[tuple[Order, ...]] = []
        """What the machine ordered, one tuple for each signal."""

    def run(self, journal: Journal | None = None) -> Result:
        """Play it to the end."""
        self._run = LocalRun(
            _Recorded(self.make_machine(), self.orders),
            self._run_job,
            emit=self._see,
            max_jobs=self._play.get("max_jobs", 8),
            journal=journal,
        )
        return self._run.run()

    def run_hosted(self, store: Store) -> HostedRun:
        """Play it to the end as a run of a server."""
        self._run = HostedRun(
            store,
            self.make_machine,
            self._run_job,
            emit=self._see,
            max_jobs=self._play.get("max_jobs", 8),
        )
        return self._run

    def make_machine(self) -> RunMachine:
        workflow = self._reading.workflow
        assert workflow is not None
        contexts = {
            "github": {**GITHUB, **self._play.get("event", {})},
            "inputs": self._play.get("inputs", {}),
            "vars": self._play.get("vars", {}),
        }
        return RunMachine(
            workflow,
            contexts,
            selection=Selection(self._play.get("only"), self._play.get("legs", {})),
        )

    def _run_job(self, order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
        secrets = hand_over(self._secrets, order.handovers)
        assert isinstance(secrets, dict)
        folder, tools = self._folder / f"job{next(self._numbers)}", self._folder / "tools"
        _put_node(tools)
        self.executor.workspaces[order.key] = JobFolders(folder, self._source.name, tools).workspace
        place = JobPlace(
            folder=folder,
            tools=tools,
            source=self._source,
            machine={"PATH": "/usr/bin:/bin"},
            clock=self._clock,
        )
        return run_job(
            order,
            executor=self.executor,
            place=place,
            secrets=secrets,
            emit=emit,
            cancellation=cancellation,
        )

    def _see(self, event: RunEvent) -> None:
        """Remember an event and do to the run what the scenario says for that moment."""
        _remember(self.seen, event)
        moment = _moment_of(event)
        if moment is None:
            return
        self.seen.moments.append(moment)
        assert self._run is not None
        if moment == self._play.get("cancel_at"):
            self._run.cancel("The run was cancelled")
        if moment == self._play.get("force_at"):
            self._run.force()
        self.executor.marks.set(moment.replace(" ", "_"))


def _put_node(tools: Path) -> None:
    program = tools / "node" / "20.0.0" / "x64" / "bin" / "node"
    program.parent.mkdir(parents=True, exist_ok=True)
    if not program.exists():
        program.write_text(NODE, encoding="utf-8")
        program.chmod(0o755)


def _remember(seen: Seen, event: RunEvent) -> None:
    match event:
        case events.JobSkipped():
            seen.jobs[event.job] = "skipped"
        case events.JobFinished():
            seen.jobs[event.job] = event.result.value
            seen.outputs[event.job] = dict(event.outputs)
        case events.StepSkipped():
            seen.steps[event.job][event.step] = "skipped"
        case events.StepFinished():
            same = event.outcome is event.conclusion
            ends = event.outcome.value if same else f"{event.outcome}/{event.conclusion}"
            seen.steps[event.job][event.step] = ends
        case events.Annotation():
            seen.messages.append(event.message)
        case events.Output():
            seen.output[f"{event.job}/{event.step}"] += event.text


def _moment_of(event: RunEvent) -> str | None:
    match event:
        case events.JobStarted():
            return f"start {event.job}"
        case events.JobFinished() | events.JobSkipped():
            return f"end {event.job}"
        case events.StepStarted():
            return f"start {event.job}/{event.step}"
        case events.StepFinished() | events.StepSkipped():
            return f"end {event.job}/{event.step}"
        case _:
            return None


def _repository(folder: Path) -> Repository:
    return Repository(
        root=str(folder),
        owner="octo",
        name="boat",
        head_sha="f" * 40,
        base_sha=None,
        branch="main",
        tag=None,
        default_branch="main",
    )


def _read(name: str) -> Reading:
    path = f".github/workflows/{name}.yaml"
    text = (FOLDER / f"{name}.yaml").read_bytes()
    reading = read_workflow(path, text, resolve=_resolve)
    assert reading.workflow is not None, [str(found) for found in reading.diagnostics]
    return reading


def _resolve(path: str) -> bytes | None:
    file = CALLED / Path(path).name
    return file.read_bytes() if file.is_file() else None
