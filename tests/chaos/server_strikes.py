"""What may happen at a point of a play, to whom, and which of all that is worth trying."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.chaos.points import Points
from tests.chaos.server_databases import PostgresDatabases
from tests.chaos.server_injection import (
    COMMIT,
    install_runner_points,
    install_server_points,
)
from tests.chaos.server_scenes import EVENT, SCENES
from tests.chaos.server_workload import KILLED_JOB

from windlass.jobs.supervisor.presence import NAME as SUPERVISOR_FILE
from windlass.jobs.supervisor.presence import is_alive, read_presence
from windlass.listings import find_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.chaos.points import Point
    from tests.chaos.server_scenes import Scene
    from tests.chaos.server_workload import ServerWorkload

SERVER: Final = "server: "
RUNNER: Final = "runner: "
JOB: Final = "runner: job: "
"""The process of a job, which its runner has started."""

ALONE: Final = ""
BOTH: Final = "both: "
SUPERVISOR: Final = "supervisor: "
LISTENER: Final = "listener: "
"""The runner, at the points of the processes of its jobs."""

CUT: Final = "cut: "
RESTART: Final = "restart: "
LOSE: Final = "lose: "
STOP: Final = "stop: "
ANYWHERE: Final = (ALONE, BOTH, SUPERVISOR, LISTENER)
OF_POSTGRES: Final = (CUT, RESTART, LOSE, STOP)
BY_ITSELF: Final = ("list_queues", "_list_schedules", "_keyless", "timed_out", "Presence.beat")


class Strike(NamedTuple):
    """Who is struck, at which point of which scene."""

    scene: Scene
    victim: str
    point: Point

    def __str__(self) -> str:
        return f"{self.scene.name}{self.victim}{self.point[0]} {self.point[1]}"


class Injection:
    """What is to happen at one point of a play, or the counting of all."""

    def __init__(self, workload: ServerWorkload, strike: Strike | None = None) -> None:
        self._workload = workload
        self._victim = strike.victim if strike else ALONE
        self._point = strike.point if strike else None
        self._told = workload.folder / "points"
        self._told.write_text("")
        self._listener = 0
        self.reached = workload.reached
        self.reached.unlink(missing_ok=True)

    def begin_server(self) -> None:
        """Be called in the process of a server."""
        install_server_points(self._make(lambda: SERVER))

    def begin_runner(self) -> None:
        """Be called in the process of a runner; those of its jobs are forks of it."""
        self._listener = os.getpid()
        install_runner_points(self._make(lambda: JOB if self._is_job else RUNNER))

    def read(self) -> Counter[str]:
        """Return how often each point was reached, and at which a job had a supervisor."""
        return Counter(self._told.read_text().splitlines())

    @property
    def _is_job(self) -> bool:
        return self._listener not in (0, os.getpid())

    def _make(self, find_prefix: Callable[[], str]) -> Points:
        has_supervisor = self._has_supervisor if self._point is None else None
        return _SharedPoints(find_prefix, self._point, self._strike, self._told, has_supervisor)

    def _has_supervisor(self) -> bool:
        return bool(self._find_supervisors())

    def _find_supervisors(self) -> list[int]:
        paths = find_paths(self._workload.state, f"runs/*/*/jobs/*/{SUPERVISOR_FILE}")
        found = map(read_presence, paths)
        named = (it.supervisor for it in found if it is not None)
        return [process[0] for process in named if is_alive(process)]

    def _strike(self) -> None:
        databases = self._workload.databases
        match self._victim:
            case "supervisor: ":
                for pid in self._find_supervisors():
                    self.reached.touch()
                    _kill(pid)
                return
            case "stop: ":
                self.reached.touch()
                os.kill(os.getpid(), signal.SIGSTOP)
                return
            case "listener: ":
                self.reached.touch()
                _kill(self._listener)
                return
        self.reached.write_text(KILLED_JOB if self._is_job else "")
        match self._victim:
            case "cut: ":
                assert isinstance(databases, PostgresDatabases)
                databases.cut()
            case "restart: ":
                assert isinstance(databases, PostgresDatabases)
                databases.restart()
            case "both: ":
                own, pids = os.getpid(), map(int, self._workload.victims.read_text().split())
                for pid in (*(it for it in pids if it != own), own):
                    _kill(pid)
            case _:
                _kill(os.getpid())


class _SharedPoints(Points):
    """Points that several processes come to, which are counted together."""

    def __init__(
        self,
        find_prefix: Callable[[], str],
        fatal: Point | None,
        deed: Callable[[], None],
        told: Path,
        has_supervisor: Callable[[], bool] | None,
    ) -> None:
        """Names begin with what `find_prefix` says of a process; the file has all of them."""
        super().__init__(fatal, deed)
        self._find_prefix = find_prefix
        self._file = told
        self._has_supervisor = has_supervisor

    def reach(self, name: str) -> None:
        """Come to the next point of a name."""
        name = f"{self._find_prefix()}{name}"
        with self._lock, self._file.open("r+") as told:
            # One lock for threads, one for processes: each knows only its own.
            fcntl.lockf(told, fcntl.LOCK_EX)
            number = told.read().splitlines().count(name) + 1
            told.write(f"{name}\n")
            if self._has_supervisor is not None and self._has_supervisor():
                told.write(f"{SUPERVISOR}{name} {number}\n")
        if (name, number) == self._fatal:
            self._deed()


def list_strikes(counts: Mapping[Scene, Counter[str]], victims: tuple[str, ...]) -> list[Strike]:
    """Return all points with whatever may happen there that is worth trying.

    Of scenes but the first those points are, of which the first has none by that name.
    """
    return [
        Strike(scene, victim, point)
        for scene in SCENES
        if scene in counts
        for victim in victims
        for point in list_points(counts[scene], victim)
        if is_worth_it(victim, point) and (scene is EVENT or point[0] not in counts[EVENT])
    ]


def list_points(counts: Counter[str], victim: str) -> list[Point]:
    """Return the points at which somebody can be struck."""
    if victim == SUPERVISOR:
        found = (it.removeprefix(SUPERVISOR) for it in sorted(counts) if it.startswith(SUPERVISOR))
        return [(name, int(number)) for name, _, number in (it.rpartition(" ") for it in found)]
    names = [name for name in sorted(counts) if not name.startswith(SUPERVISOR)]
    return [(name, number) for name in names for number in range(1, counts[name] + 1)]


def choose(strikes: list[Strike], victim: str, count: int) -> list[Strike]:
    """Return so many of the strikes of a kind, spread evenly over all of them."""
    own = [it for it in strikes if it.victim == victim]
    return [own[len(own) * (2 * number + 1) // (2 * count)] for number in range(count)]


def is_worth_it(victim: str, point: Point) -> bool:
    """Tell whether something may happen at a point that does not happen at others.

    Databases fall over while they are written; what a server does by itself, again and again, is
    the same each time. To a supervisor it is the same when the server knows of something or is
    just about to.
    """
    name, number = point
    if any(it in name for it in BY_ITSELF) and number > 1:
        return False
    if victim in (CUT, RESTART):
        return f"before {COMMIT}" in name
    if victim == SUPERVISOR:
        return name.startswith(RUNNER)
    if victim == LISTENER:
        return name.startswith(JOB)
    return victim in (ALONE, BOTH) or name.startswith(SERVER)


def _kill(pid: int) -> None:
    # It may have ended by itself.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
