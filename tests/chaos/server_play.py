"""A run from its dispatch to its end, of which server, runner and jobs may be killed."""

from __future__ import annotations

import functools
import json
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import httpx
from tests.chaos.server_oracle import find_faults
from tests.chaos.server_party import Party
from tests.chaos.server_scenes import EVENT, ask_for_run
from tests.chaos.server_workload import KILLED_JOB, PATIENCE_SECONDS

from windlass.listings import find_paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.server_party import Before
    from tests.chaos.server_scenes import Scene
    from tests.chaos.server_workload import ServerWorkload

UNSURE_SECONDS: Final = 3.0
"""So long is looked for what came of a request that was not answered."""


class Play:
    """One run from its dispatch to its end, of which server and runner may be killed."""

    def __init__(
        self,
        workload: ServerWorkload,
        server: Before | None = None,
        runner: Before | None = None,
        scene: Scene = EVENT,
    ) -> None:
        """`server` and `runner` are called in the first process of each."""
        self.workload = workload
        self.scene = scene
        self.server = Party("server", workload.start_server, server)
        token = workload.token if scene.is_new else ""
        self.runner = Party("runner", lambda it: workload.start_runner(it, token), runner)
        self.parties: tuple[Party, ...] = (self.server, self.runner)
        self.victims = workload.victims
        self.run = ""
        self.attempt = 0
        self._faults: list[str] = []

    @property
    def losses(self) -> int:
        """How often jobs may have been lost: with each, those that ran may have failed.

        With a runner that is killed none is: it goes on, and the next one looks after it.
        """
        reached = self.workload.reached
        return int(reached.exists() and reached.read_text() == KILLED_JOB)

    def perform(self) -> list[str]:
        """Play from beginning to end, and return what is wrong then."""
        try:
            self.begin()
            self.dispatch()
            self.finish()
        except TimeoutError:
            self._faults.append(f"it does not end: {self.describe()}")
        self.end()
        faults = [
            *self._faults,
            *find_faults(self.workload, self.run, self.attempt, may_fail=self.losses > 0),
        ]
        said = [f"{party.name}> {line}" for party in self.parties for line in party.said]
        return [*faults, *said] if faults else []

    def begin(self) -> None:
        """Start both; what they may kill together is written down."""
        if self.scene.is_new:
            self.workload.forget_runner()
        self.server.begin()
        self.runner.begin()
        self.victims.write_text(f"{self.server.pid} {self.runner.pid}")
        self.wait(lambda: self.ask("GET", "/server"))

    def dispatch(self) -> None:
        """Have a run started, once, however often that takes.

        All that is asked may be asked again: a push is known, and so is the key of a request. What
        is taken once is not asked for any more.
        """
        key, began = uuid.uuid4().hex, time.monotonic()
        while not self.run:
            try:
                ask_for_run(self.workload, self.scene.asks, key)
                self.run = self.wait(self._find_run)
            except httpx.HTTPError:
                # It may have been heard all the same.
                try:
                    self.run = self.wait(self._find_run, UNSURE_SECONDS)
                except TimeoutError:
                    self.wait(lambda: self.ask("GET", "/server"))
                    if time.monotonic() - began > PATIENCE_SECONDS:
                        raise

    def finish(self) -> None:
        """Wait for the end of the run; what was lost with a process of a job is run again."""
        losses = 0
        while (shown := self.wait(self._find_end))["state"] != "success":
            if self.losses == losses:
                self._faults.append(f"no job was killed: {self.describe()}")
                break
            losses = self.losses
            self.wait(functools.partial(self._rerun, shown["attempt"]))
        self.attempt = shown["attempt"]
        # What the runner still has to tell, of jobs that were ended without it, say; and effects
        # whose end a server could not note any more.
        self.wait(lambda: not find_paths(self.workload.state, "runs/*"))
        question = "SELECT id FROM effects WHERE done IS NULL"
        self.wait(lambda: not self.workload.databases.ask(question))

    def end(self) -> None:
        """End all, the runner first: it says goodbye to a server."""
        for party in reversed(self.parties):
            party.end()
            self._faults += party.faults

    def wait(self, look: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
        """See `ServerWorkload.wait`."""
        return self.workload.wait(look, self.tend, seconds)

    def tend(self) -> None:
        """Start again whoever was killed."""
        for party in self.parties:
            party.tend()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """See `ServerWorkload.ask`."""
        return self.workload.ask(method, path, body)

    def describe(self) -> str:
        """Return what the server says of the run."""
        try:
            jobs = self.ask("GET", f"/runs/{self.run}/jobs")["items"]
            return json.dumps(
                [
                    (it["job"], it["state"], [note["message"] for note in it["annotations"]])
                    for it in jobs
                ]
            )
        except (httpx.HTTPError, OSError) as error:
            return f"run '{self.run}': {error}"

    def _find_run(self) -> str:
        runs = self.ask("GET", "/runs")["items"]
        return runs[0]["run"] if runs else ""

    def _find_end(self) -> Any:
        shown = self.ask("GET", f"/runs/{self.run}")
        return shown if shown["result"] is not None else None

    def _rerun(self, attempt: int) -> bool:
        if self.ask("GET", f"/runs/{self.run}")["attempt"] == attempt:
            self.ask("POST", f"/runs/{self.run}/rerun", {"failed": True})
        return True


class SupervisorPlay(Play):
    """A play in which the supervisor of a job is killed, with all that the job has started."""

    @property
    def losses(self) -> int:
        """See Play."""
        return super().losses + self.workload.reached.exists()
