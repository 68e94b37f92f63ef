"""Run jobs of a Windlass server on this machine.

A runner registers once, with a token that is good once, and keeps a credential of its own in its
state folder; later it starts without a token. It asks the server for jobs whose labels it has, and
needs no open port. Jobs run in containers where Docker is there with the image for them, else in a
sandbox; on the machine itself only with --allow-host, and where the settings of their repository
say so too.

Each job is a process of its own. SIGTERM, or Ctrl-C, lets the runner drain: it takes no more jobs
and ends with the last one. A second one ends the jobs, a third leaves at once. While the server is
away jobs go on, and so they do when the runner is killed: the next one with the same state folder
looks after them. What they say meanwhile is sent later.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.cli.interrupting import signals_told, write_directly
from windlass.cli.terminal import open_terminal, visible
from windlass.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser
    from windlass.protocol.runner import RegisterRequest
    from windlass.runner.connection import Address
    from windlass.runner.identity import Identity, RunnerState
    from windlass.runner.loop import Runner
    from windlass.runner.starter import Starter

TOKEN_VARIABLE: Final = "WINDLASS_RUNNER_TOKEN"
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_ARCHITECTURES: Final = {"x86_64": "x64", "aarch64": "arm64", "armv7l": "arm"}
_ANNOUNCEMENTS: Final = (
    "takes no more jobs and ends with the last one; once more ends the jobs",
    "ends its jobs; once more leaves at once",
)
_LEFT_AT_ONCE: Final = 130


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass runner`."""
    parser.add_argument(
        "--url", required=True, metavar="URL", help="the server, such as http://127.0.0.1:8484"
    )
    parser.add_argument(
        "--token",
        metavar="TOKEN",
        help=f"what lets this runner register; others on this machine see it there, and not in "
        f"{TOKEN_VARIABLE}",
    )
    parser.add_argument(
        "--name", metavar="NAME", help="what people see; default: the name of this machine"
    )
    parser.add_argument(
        "--labels",
        metavar="A,B",
        help="the labels of `runs-on` that it serves; default: self-hosted, linux, the architecture"
        " and GitHub's for Ubuntu",
    )
    parser.add_argument(
        "--capacity", type=int, metavar="N", help="jobs at a time; default: the processors"
    )
    parser.add_argument(
        "--ephemeral", action="store_true", help="run one job, leave, and forget the credential"
    )
    parser.add_argument(
        "--allow-host",
        action="store_true",
        help="let jobs run on this machine itself, as this user, where their repository may",
    )
    parser.add_argument(
        "--hide",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of which jobs in a sandbox see nothing; homes and the state folder are "
        "hidden already; may be repeated",
    )
    parser.add_argument(
        "--mirrors",
        metavar="DIR",
        help="the folder `mirrors` of a server on this machine: repositories are read there, and "
        "nothing is fetched",
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        help="where the credential, mirrors and unsent logs are; default: "
        "~/.local/state/windlass/runners/NAME",
    )
    parser.add_argument(
        "--until-eof",
        action="store_true",
        help="leave once standard input ends, and let the jobs go on until the runner is back",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Be the runner until it has drained."""
    from windlass.protocol.runner import RegisterRequest
    from windlass.runner.connection import read_address
    from windlass.runner.identity import RunnerState, find_state

    address = read_address(arguments.url)
    labels, capacity = _read_labels(arguments.labels), _read_capacity(arguments)
    name = arguments.name or platform.node() or "runner"
    if not name.isprintable() or "/" in name or name.startswith("."):
        raise UsageError(f"--name: {name!r} is no name", hint="letters, digits, '-', '_' and '.'")
    folder = Path(arguments.state) if arguments.state else find_state(os.environ, name)
    state = RunnerState(folder.resolve())
    # Taken out of the environment: no job and no other process is started with it.
    token = arguments.token or os.environ.pop(TOKEN_VARIABLE, "")
    request = RegisterRequest(
        token=token,
        name=name,
        labels=labels,
        capacity=capacity,
        ephemeral=arguments.ephemeral,
        version=_own_version(),
    )
    state.claim()
    try:
        # Imported only now: it is all that a job needs. Forked before there is any thread.
        from windlass.runner.starter import Starter

        starter = Starter()
        try:
            return _Watch(name, starter).run(arguments, address, state, request)
        finally:
            starter.close()
    finally:
        state.release()


class _Watch:
    """The process of a runner: registers, recovers, runs, and hears signals."""

    def __init__(self, name: str, starter: Starter) -> None:
        self._name = name
        self._starter = starter
        self._terminal = open_terminal(sys.stderr)
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._runner: Runner | None = None
        self._asked = 0

    def run(
        self,
        arguments: argparse.Namespace,
        address: Address,
        state: RunnerState,
        request: RegisterRequest,
    ) -> int:
        from windlass.runner.registration import find_identity
        from windlass.runner.repository_copies import STORE
        from windlass.runner.repository_upkeep import tidying

        if arguments.until_eof:
            threading.Thread(target=self._await_eof, daemon=True).start()
        with signals_told(_SIGNALS, lambda _: self._hear()):
            identity = find_identity(state, address, request, self._tell, self._stopped)
            if identity is None:
                return 0
            runner = self._make_runner(arguments, address, state, identity, request.capacity)
            self._runner = runner
            self._pass_on(runner)
            runner.adopt()
            self._tell(f"ready for {request.capacity} jobs of {address}")
            with tidying(state.repositories, STORE, self._tell):
                self._poll(runner, state)
        if runner.untold:
            self._tell(
                f"the server lacks something of {runner.untold} jobs; the next start sends it"
            )
        elif arguments.ephemeral:
            state.forget()
        return 0

    def _poll(self, runner: Runner, state: RunnerState) -> None:
        from windlass.runner.connection import RefusedError

        try:
            runner.run()
        except RefusedError as error:
            state.forget()
            raise UsageError(
                f"the server no longer knows this runner: {error.message}",
                hint="register it again, with a new token",
            ) from error

    def _make_runner(
        self,
        arguments: argparse.Namespace,
        address: Address,
        state: RunnerState,
        identity: Identity,
        capacity: int,
    ) -> Runner:
        from windlass.runner.loop import Runner
        from windlass.runner.workshop import Means

        means = Means(
            name=identity.name,
            server=address,
            credential=identity.credential,
            repositories=state.repositories,
            allow_host=arguments.allow_host,
            hidden=(state.folder, *(Path(it).resolve() for it in arguments.hide)),
            mirrors=Path(arguments.mirrors).resolve() if arguments.mirrors else None,
        )
        return Runner(
            self._starter,
            means,
            state.runs,
            capacity=capacity,
            ephemeral=arguments.ephemeral,
            tell=self._tell,
        )

    def _await_eof(self) -> None:
        """Leave when whoever has started this runner is gone: another one is to take its place."""
        while os.read(0, 1024):
            """What is said there is nothing to a runner."""
        write_directly(f"runner {self._name}: left with its standard input; jobs go on")
        os._exit(0)

    def _hear(self) -> None:
        """Hear of a signal, in a thread of its own."""
        self._asked += 1
        if self._asked > len(_ANNOUNCEMENTS):
            write_directly("left at once; what jobs have said is sent when the runner is back")
            os._exit(_LEFT_AT_ONCE)
        self._tell(_ANNOUNCEMENTS[self._asked - 1])
        self._stopped.set()
        if self._runner is not None:
            self._pass_on(self._runner)

    def _pass_on(self, runner: Runner) -> None:
        if self._asked:
            runner.drain()
        if self._asked > 1:
            runner.stop()

    def _tell(self, text: str) -> None:
        with self._writing:
            self._terminal.write(visible(f"runner {self._name}: {text}") + "\n")


def _read_labels(given: str | None) -> tuple[str, ...]:
    if given is None:
        return default_labels()
    labels = tuple(dict.fromkeys(it.strip() for it in given.split(",") if it.strip()))
    if not labels:
        raise UsageError("--labels names none", hint="such as --labels linux,gpu")
    return labels


def default_labels() -> tuple[str, ...]:
    """Return the labels of a machine of this kind: GitHub's for its own and for self-hosted ones.

    Source: https://docs.github.com/en/actions/reference/runners/self-hosted-runners
    """
    from windlass.lang.runner_labels import HOSTED_LABELS, system_of

    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    is_arm = architecture != "x64"
    hosted = (it for it in sorted(HOSTED_LABELS) if system_of(it) == "linux")
    fitting = (it for it in hosted if it.endswith("-arm") == is_arm)
    return ("self-hosted", "linux", architecture, *fitting)


def _read_capacity(arguments: argparse.Namespace) -> int:
    if arguments.ephemeral:
        return 1
    given: int = (os.cpu_count() or 1) if arguments.capacity is None else arguments.capacity
    if given < 1:
        raise UsageError(f"--capacity: {given} jobs are none", hint="1 or more")
    return given


def _own_version() -> str:
    from windlass import __version__

    return __version__
