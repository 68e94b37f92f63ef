"""A server, its runner and a run that is small and has everything in it.

A server and its runner are processes of their own, which are forks of this one. Steps write into a
ledger outside of everything what they have printed: run, attempt, job and step. Whatever database
and logs say is compared with it.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
from tests.chaos.processes import Command
from tests.chaos.server_databases import SqliteDatabases
from tests.chaos.server_party import LOOK_MILLISECONDS, Party
from tests.chaos.workload import ON_HOST, read_log
from tests.ports import hold_port, port_of

from windlass.listings import find_paths

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.chaos.server_databases import Databases
    from tests.chaos.server_party import Before

REPOSITORY: Final = "octo/boat"
MAIN: Final = "refs/heads/main"
WORKFLOW: Final = """\
on: [workflow_dispatch, repository_dispatch, push]
jobs:
  first:
    runs-on: ubuntu-latest
    outputs:
      word: ${{ steps.say.outputs.word }}
    steps:
      - uses: actions/checkout@v4
      - run: . SAY first begin
      - id: say
        run: |
          printf 'number %s\\n' {1..100}
          echo "word=hello" >> "$GITHUB_OUTPUT"
          . SAY first end
  legs:
    needs: first
    runs-on: ubuntu-latest
    concurrency: legs
    strategy:
      matrix:
        leg: [1, 2]
    steps:
      - run: . SAY legs-${{ matrix.leg }} ${{ needs.first.outputs.word }}
      - run: . SAY legs-${{ matrix.leg }} end
  last:
    needs: legs
    runs-on: ubuntu-latest
    steps:
      - run: . SAY last begin; . SAY last end
"""
SAY: Final = """\
echo "$1 says $2"
echo "$GITHUB_RUN_ID $GITHUB_RUN_ATTEMPT $1 $2" >> LEDGER
"""
PATIENCE_SECONDS: Final = 90.0
RUNNER_PATIENCE_SECONDS: Final = 5
"""So long the server hears nothing of a runner before that one counts as lost."""


KILLED_JOB: Final = "job"
"""What `ServerWorkload.reached` has where the process of a job was killed."""


class Entry(NamedTuple):
    """A line of the ledger."""

    run: str
    attempt: int
    job: str
    step: str


class Posted(NamedTuple):
    """What somebody tells a server who has no token of it, but a secret."""

    path: str
    body: bytes
    headers: Mapping[str, str]


class ServerWorkload:
    """The repository, a server's folder and database, a runner's folder, and the ledger.

    What there is once both have got to know each other is kept aside: `reset` goes back to it.
    """

    def __init__(self, folder: Path, databases: Databases | None = None) -> None:
        self.folder = folder
        self.ledger = folder / "ledger"
        self.data = folder / "data"
        self.state = folder / "runner"
        self.databases = databases or SqliteDatabases()
        self.victims = folder / "victims"
        self.reached = folder / "reached"
        self.port = find_port()
        self.url = f"http://127.0.0.1:{self.port}"
        home = folder / "home"
        home.mkdir(parents=True)
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "WINDLASS_CONFIG": ON_HOST,
        }
        self._make_repository()
        self._prepare()

    def reset(self) -> None:
        """Go back to a server and a runner that know each other and have done nothing."""
        for path in (self.data, self.state):
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(name_kept(path), path)
        self._git("update-ref", MAIN, self.commits[0])
        self.databases.restore()
        self.ledger.write_text("")

    def start_server(self, before: Before, port: int | None = None) -> Command:
        """Start a server without a runner."""
        words = ["up", "--no-runner", "--data", str(self.data)]
        words += ["--listen", f"127.0.0.1:{port or self.port}", "--url", self.url]
        words += self.databases.words
        return Command(words, self.folder, self.variables, before=before)

    def forget_runner(self) -> None:
        """Have a machine that the server does not know in the place of the runner."""
        shutil.rmtree(self.state)

    def start_runner(self, before: Before, token: str = "") -> Command:
        """Start the runner; with a token it registers, unless it has."""
        words = ["runner", "--url", self.url, "--name", "chaos", "--state", str(self.state)]
        words += ["--capacity", "1", "--allow-host", *(["--token", token] if token else [])]
        return Command(words, self.folder, self.variables, before=before)

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        """Ask the server; return what it answers. With a key it may be asked again.

        Raises:
            httpx.HTTPError: it does not answer, or not well.
        """
        token = (self.data / "token").read_text().strip()
        answer = httpx.request(
            method,
            f"{self.url}/api/v1{path}",
            json=body,
            headers={
                "Authorization": f"Bearer {token}",
                **({"Idempotency-Key": key} if key else {}),
            },
            timeout=20,
        )
        answer.raise_for_status()
        return answer.json()

    def tell_of_push(self, posted: Posted) -> None:
        """Move the branch, and tell the server of it.

        Raises:
            httpx.HTTPError: it does not answer, or does not take it.
        """
        self._git("update-ref", MAIN, self.commits[1])
        answer = httpx.post(
            f"{self.url}{posted.path}", content=posted.body, headers=posted.headers, timeout=20
        )
        answer.raise_for_status()

    def said(self) -> list[Entry]:
        """Return what steps have written."""
        words = (line.split() for line in self.ledger.read_text().splitlines())
        return [Entry(run, int(attempt), job, step) for run, attempt, job, step in words]

    def read_logs(self, run: str, attempt: int) -> dict[str, list[str]]:
        """Return the lines of each job of an attempt, by key, as the server has them."""
        folders = find_paths(self.data / "runs" / run / str(attempt) / "jobs", "*")
        return {(it / "key").read_text(): read_log(it) for it in folders}

    def _make_repository(self) -> None:
        say, path = self.folder / "say", self.folder / "repository"
        say.write_text(SAY.replace("LEDGER", str(self.ledger)))
        file = path / ".github/workflows/ci.yml"
        file.parent.mkdir(parents=True)
        file.write_text(WORKFLOW.replace("SAY", str(say)))
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("add", "--all")
        for message in ("Begin", "Go on"):
            self._git("commit", "--quiet", "--allow-empty", "--message", message)
        self.commits = self._git("rev-parse", "HEAD^", "HEAD").split()
        self._git("update-ref", MAIN, self.commits[0])

    def _git(self, *words: str) -> str:
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        return subprocess.run(
            ["git", *identity, *words],
            cwd=self.folder / "repository",
            env=self.variables,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def _prepare(self) -> None:
        """Let server and runner get to know each other, and keep what they are then."""
        self.databases.make(self.data)
        self.ledger.write_text("")
        server = Party("server", self.start_server)
        # On a machine that is very busy PostgreSQL may lose patience with who makes the tables.
        server.may_refuse = True
        server.begin()
        self.wait(lambda: self.ask("GET", "/runs"), server.tend)
        location = str(self.folder / "repository")
        body = {"location": location, "name": REPOSITORY, "host": True}
        self.ask("POST", "/repositories", body)
        self.secret = self.ask("POST", f"/repositories/{REPOSITORY}/webhook-secret")["secret"]
        token, self.token = (
            self.ask("POST", "/runner-registrations", {})["token"] for _ in range(2)
        )
        runner = Party("runner", lambda it: self.start_runner(it, token))
        runner.begin()
        self.wait(lambda: self.ask("GET", "/runners")["items"], runner.tend)
        runner.end()
        server.end()
        faults = server.faults + runner.faults
        assert not faults, "\n".join([*faults, *server.said, *runner.said])
        self.databases.change("UPDATE runners SET patience = ?", (RUNNER_PATIENCE_SECONDS,))
        self.databases.change(
            "UPDATE registrations SET patience = ?, expires = expires + ?",
            (RUNNER_PATIENCE_SECONDS, 86400.0),
        )
        for path in (self.data, self.state):
            shutil.copytree(path, name_kept(path))
        self.databases.keep()

    def wait(
        self, look: Callable[[], Any], tend: Callable[[], None], seconds: float = PATIENCE_SECONDS
    ) -> Any:
        """Look until there is something; `tend` is called each time before.

        Raises:
            TimeoutError: there is nothing after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while True:
            tend()
            try:
                if found := look():
                    return found
            except (httpx.HTTPError, OSError):
                pass
            if time.monotonic() > deadline:
                raise TimeoutError
            select.poll().poll(LOOK_MILLISECONDS)


def name_kept(path: Path) -> Path:
    """Return where it is kept what a folder of the workload was at first."""
    return path.with_name(f"{path.name}.kept")


def find_port() -> int:
    """Return a port on which nobody listens, and which nobody is given as long as this lives."""
    _held.append(hold_port())
    return port_of(_held[-1])


_held: Final[list[socket.socket]] = []
"""What keeps ports; servers are forks of this process, and come and go."""
