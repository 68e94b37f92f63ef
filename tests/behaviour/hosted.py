"""Plays behaviours over a server with a runner in a process of its own, seen through its API.

What a behaviour gives is committed and registered as a repository of its own; a push is told by
Git's hook, another event by a webhook. A job's output is put together from its log.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import itertools
import json
import subprocess
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeGuard

from tests.behaviour.harness import Behaviour, Seen
from tests.waiting import wait_until

from windlass.client.client import Client
from windlass.client.streams import follow_events, follow_log
from windlass.errors import InvalidError
from windlass.operations.reruns import FAILED
from windlass.protocol import events
from windlass.protocol.api import dispatches, jobs, repositories, runs, values
from windlass.protocol.event_lines import read_event
from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.model.status import Result
    from windlass.protocol.events import RunEvent
    from windlass.testing.servers import RunningServer

IDENTITY = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
PATIENCE_SECONDS = 60.0
LOOK_MILLISECONDS = 20


@dataclass(slots=True)
class ServerHouse:
    """A server, and how its repositories are numbered."""

    server: RunningServer
    client: Client
    numbers: itertools.count[int] = field(default_factory=itertools.count)


@contextlib.contextmanager
def open_house(folder: Path) -> Iterator[ServerHouse]:
    """Start a server whose runner may run jobs on this machine itself."""
    with (
        run_server(folder / "data", "--allow-host", "--capacity", "4") as server,
        Client(server.url, server.token) as client,
    ):
        yield ServerHouse(server, client)


class HostedBehaviour(Behaviour):
    """A behaviour whose runs a server starts."""

    def __init__(self, file: Path, house: ServerHouse) -> None:
        super().__init__(file)
        self._house = house
        self._client = house.client
        self._owner, self._name = f"octo-{next(house.numbers)}", "boat"
        self._run = ""
        self._is_cancelled = False
        self._lock = threading.Lock()
        self._interruption = SimpleNamespace(request=self._cancel)

    def play(self, folder: Path) -> Any:
        """Have the server run the workflow, and once more where that is wanted."""
        self._register(folder)
        self._lay_out(folder)
        _git(folder, "add", "--all")
        _git(folder, *IDENTITY, "commit", "--quiet", "--allow-empty", "--message=Start")
        refused = self._start(folder)
        if refused:
            return SimpleNamespace(runs=[], diagnostics=refused)
        result = self._follow(1)
        if "rerun" in self.given:
            self.seen = Seen()
            result = self._follow(self._ask_again())
        return SimpleNamespace(runs=[SimpleNamespace(result=result)], diagnostics=[])

    def expect_output(self, expected: str | list[str]) -> str | list[str]:
        """A log is whole lines: the last one has an end also where the step printed none."""
        is_cut = isinstance(expected, str) and bool(expected) and not expected.endswith("\n")
        return f"{expected}\n" if is_cut else expected

    def output_of(self, step: str) -> str:
        """What a step printed: of a log the lines that are no annotations, each with its end."""
        job = step.partition("/")[0]
        told = {f"##[{it.level}]{it.message}" for it in self.seen.everything if _is_of(it, job)}
        lines = super().output_of(step).splitlines(keepends=True)
        return "".join(line for line in lines if line.rstrip("\n") not in told)

    def _register(self, folder: Path) -> None:
        self._client.ask(
            repositories.REGISTER,
            repositories.RegisterRepository(
                location=str(folder), name=f"{self._owner}/{self._name}", host=True, poll_seconds=0
            ),
        )
        for call, kind in ((values.SET_SECRET, "secrets"), (values.SET_VARIABLE, "vars")):
            for key, value in self.given.get(kind, {}).items():
                self._client.ask(call, call.given(**self._key, key=key, value=str(value)))

    @property
    def _key(self) -> dict[str, str]:
        return {"owner": self._owner, "name": self._name}

    def _start(self, folder: Path) -> list[Any]:
        """Have the event happen; return what was said where it starts nothing."""
        event = self.given.get("event", "push")
        if event == "workflow_dispatch":
            asked = dispatches.CreateDispatch(
                **self._key, workflow="behaviour.yml", inputs=self.given.get("inputs", {})
            )
            try:
                self._run = self._client.ask(dispatches.CREATE, asked).run
            except InvalidError as error:
                # How it is given, the end of the message, is the door's own.
                return [SimpleNamespace(message=error.message.partition(" (give it as ")[0])]
            return []
        if event == "push":
            self._post("git", {"updates": [self._describe_push(folder)]}, {})
        else:
            headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": self._owner}
            self._post("github", self._describe(folder), headers)
        return self._await_run()

    def _describe_push(self, folder: Path) -> dict[str, str]:
        before, after = _git(folder, "rev-parse", "HEAD~", "HEAD").split()
        return {"ref": "refs/heads/main", "before": before, "after": after}

    def _describe(self, folder: Path) -> dict[str, Any]:
        """Return what a webhook says of a pull request within the repository."""
        head = _git(folder, "rev-parse", "HEAD")
        own = {"full_name": f"{self._owner}/{self._name}"}
        side = {"sha": head, "ref": "main", "repo": own}
        pull_request = {"number": 1, "head": side, "base": side, "merge_commit_sha": head}
        return {
            "action": "opened",
            "number": 1,
            "repository": own,
            "pull_request": pull_request,
            **self.given.get("payload", {}),
        }

    def _post(self, door: str, told: dict[str, Any], headers: dict[str, str]) -> None:
        secret = self._client.ask(
            repositories.RENEW_WEBHOOK_SECRET, repositories.OfRepository(**self._key)
        ).secret
        body = json.dumps(told).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        kind = "Hub" if door == "github" else "Windlass"
        answer = self._client.http.post(
            f"{self._house.server.url}/hooks/{door}/{self._owner}/{self._name}",
            content=body,
            headers={
                "Content-Type": "application/json",
                f"X-{kind}-Signature-256": signature,
                **headers,
            },
        )
        assert answer.status_code == 202, answer.text

    def _await_run(self) -> list[Any]:
        """Wait for the run, and remember it, or for what was said where nothing starts."""
        refused: list[Any] = []

        def is_answered() -> bool:
            listed = self._client.ask(
                dispatches.LIST_DELIVERIES, dispatches.ListDeliveries(**self._key)
            )
            refused.extend(
                SimpleNamespace(message=delivery.message)
                for delivery in listed.items
                if delivery.state not in ("received", "started")
            )
            own = runs.ListRuns(repository=f"{self._owner}/{self._name}")
            started = self._client.ask(runs.LIST, own).items
            self._run = started[0].run if started else ""
            return bool(refused or started)

        was_told = wait_until(is_answered, PATIENCE_SECONDS, pause_milliseconds=LOOK_MILLISECONDS)
        assert was_told, "no run was started"
        return refused

    def _ask_again(self) -> int:
        again = self.given["rerun"]
        wish = {"failed": True} if again == FAILED else {"job": again}
        return int(self._client.ask(runs.RERUN, runs.RerunRun(run=self._run, **wish)).attempt)

    def _follow(self, attempt: int) -> Result:
        """See all that is told of an attempt, until it has ended and all logs are read."""
        logs: list[threading.Thread] = []
        result = None
        for line in follow_events(self._client, self._run, attempt):
            told = read_event(line)
            assert told is not None, line
            if isinstance(told[0], events.JobStarted):
                logs.append(self._listen(attempt, told[0].job))
            if isinstance(told[0], events.RunFinished):
                result = told[0].result
            with self._lock:
                self._see(told[0])
        for log in logs:
            log.join(PATIENCE_SECONDS)
        assert result is not None
        return result

    def _listen(self, attempt: int, job: str) -> threading.Thread:
        listed = self._client.list_all(jobs.LIST, jobs.ListJobs(run=self._run, attempt=attempt))
        number = next(it.number for it in listed if it.job == job)

        def listen() -> None:
            for block in follow_log(self._client, self._run, attempt, number):
                text = "".join(f"{line}\n" for line in block["lines"])
                with self._lock:
                    self._see(events.Output(job=job, step=block["step"], text=text))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        return thread

    def _cancel(self) -> None:
        """Ask for the end; the second time for that at once."""
        self._client.ask(runs.CANCEL, runs.CancelRun(run=self._run, force=self._is_cancelled))
        self._is_cancelled = True


def _is_of(event: RunEvent, job: str) -> TypeGuard[events.Annotation]:
    return isinstance(event, events.Annotation) and event.job == job


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
