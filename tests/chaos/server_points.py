"""Kills a server, its runner, or both, at every point of a run; the run ends well all the same.

    ./dev server-crashes [--database sqlite|postgresql] [--share K/N] [--only TEXT] [--every N]

At every point of the server it is killed alone, and together with its runner; at every point of the
runner likewise. On PostgreSQL, before every commit also its connections are cut, and PostgreSQL
itself is killed and started again; and of two servers on one database one is killed for good, or
stopped until it counts as dead, at every point. Prints what was found wrong, and ends with 1 if
something was.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.chaos.points import Points
from tests.chaos.processes import prepare, wait_until_settled
from tests.chaos.server_databases import PostgresDatabases, SqliteDatabases
from tests.chaos.server_injection import (
    COMMIT,
    install_runner_points,
    install_server_points,
)
from tests.chaos.server_pairs import LosingPlay, StoppingPlay
from tests.chaos.server_play import Play
from tests.chaos.server_workload import ServerWorkload
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.chaos.points import Point
    from tests.chaos.server_databases import Databases

ATTEMPTS: Final = 3
"""How often a point is tried that depends on how processes take turns."""

MOST_MISSED: Final = 0.1
SERVER: Final = "server: "
RUNNER: Final = "runner: "
ALONE: Final = ""
BOTH: Final = "both: "
CUT: Final = "cut: "
RESTART: Final = "restart: "
LOSE: Final = "lose: "
STOP: Final = "stop: "
OF_POSTGRES: Final = (CUT, RESTART, LOSE, STOP)
BY_ITSELF: Final = ("list_queues", "_list_schedules", "_keyless", "timed_out", "Presence.beat")
DATABASES: Final = ("sqlite", "postgresql")


class Injection:
    """What is to happen at one point of a play, or the counting of all."""

    def __init__(self, workload: ServerWorkload, victim: str = ALONE, point: Point | None = None):
        self._workload = workload
        self._victim = victim
        self._point = point
        self._told = os.memfd_create("points") if point is None else None
        self.reached = workload.reached
        self.reached.unlink(missing_ok=True)

    def begin_server(self) -> None:
        """Be called in the process of a server."""
        install_server_points(self._make(SERVER))

    def begin_runner(self) -> None:
        """Be called in the process of a runner."""
        install_runner_points(self._make(RUNNER))

    def read(self) -> Counter[str]:
        """Return how often each point was reached."""
        assert self._told is not None
        names = os.pread(self._told, os.fstat(self._told).st_size, 0).decode().splitlines()
        os.close(self._told)
        return Counter(names)

    def _make(self, prefix: str) -> Points:
        return _Prefixed(prefix, self._point, self._strike, self._told)

    def _strike(self) -> None:
        self.reached.touch()
        databases = self._workload.databases
        match self._victim:
            case "stop: ":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "cut: ":
                assert isinstance(databases, PostgresDatabases)
                databases.cut()
            case "restart: ":
                assert isinstance(databases, PostgresDatabases)
                databases.restart()
            case "both: ":
                own, pids = os.getpid(), map(int, self._workload.victims.read_text().split())
                for pid in (*(it for it in pids if it != own), own):
                    os.kill(pid, signal.SIGKILL)
            case _:
                os.kill(os.getpid(), signal.SIGKILL)


class _Prefixed(Points):
    """Points of one process, whose names say of which."""

    def __init__(
        self, prefix: str, fatal: Point | None, deed: Callable[[], None], told: int | None
    ) -> None:
        super().__init__(fatal, deed, told)
        self._prefix = prefix

    def reach(self, name: str) -> None:
        """Come to the next point of a name."""
        super().reach(f"{self._prefix}{name}")


def count_points(workload: ServerWorkload) -> Counter[str]:
    """Return the points of a run that nobody disturbs, which is as it should be."""
    workload.reset()
    injection = Injection(workload)
    faults = Play(workload, injection.begin_server, injection.begin_runner).perform()
    assert not faults, faults
    return injection.read()


def check_point(workload: ServerWorkload, victim: str, point: Point) -> list[str] | None:
    """Strike at a point and return what is wrong then; None where it never came there."""
    workload.reset()
    injection = Injection(workload, victim, point)
    kind = {LOSE: LosingPlay, STOP: StoppingPlay}.get(victim, Play)
    play = kind(workload, injection.begin_server, injection.begin_runner)
    play.server.may_refuse = victim in (CUT, RESTART)
    faults = play.perform()
    faults += [f"still runs: {name}" for name in wait_until_settled(spared=is_postgres)]
    if not injection.reached.exists():
        return [*faults, "and nobody was struck"] if faults else None
    return faults


def is_postgres(name: str) -> bool:
    """Tell by how a process is called whether it is PostgreSQL's, which outlives a play."""
    return "postgres" in name.partition(" ")[2]


def list_strikes(counts: Counter[str], victims: tuple[str, ...]) -> list[tuple[str, Point]]:
    """Return all points with whatever may happen there; databases fall over when one is written."""
    points = [(name, number) for name in sorted(counts) for number in range(1, counts[name] + 1)]
    return [(victim, point) for victim in victims for point in points if is_worth_it(victim, point)]


def choose(strikes: list[tuple[str, Point]], victim: str, count: int) -> list[tuple[str, Point]]:
    """Return so many of the strikes of a kind, spread evenly over all of them."""
    own = [it for it in strikes if it[0] == victim]
    return [own[len(own) * (2 * number + 1) // (2 * count)] for number in range(count)]


def is_worth_it(victim: str, point: Point) -> bool:
    """Tell whether something may happen at a point that does not happen at others.

    Databases fall over while they are written; what a server does by itself, again and again, is
    the same each time.
    """
    name, number = point
    if any(it in name for it in BY_ITSELF) and number > 1:
        return False
    if victim in (CUT, RESTART):
        return f"before {COMMIT}" in name
    return victim in (ALONE, BOTH) or name.startswith(SERVER)


@contextlib.contextmanager
def open_databases(kind: str) -> Iterator[Databases]:
    """Have databases of a kind, as long as the block runs."""
    if kind == "sqlite":
        yield SqliteDatabases()
        return
    with running_postgres() as server:
        yield PostgresDatabases(server)


def check_points(workload: ServerWorkload, arguments: argparse.Namespace) -> int:
    """Check the points of a share, print what is wrong, and return the exit code."""
    share, shares = map(int, arguments.share.split("/"))
    # How often a runner asks depends on the machine; what is always there counts.
    counts = count_points(workload) & count_points(workload)
    falls = OF_POSTGRES if isinstance(workload.databases, PostgresDatabases) else ()
    victims = (ALONE, BOTH, *falls)
    found = [it for it in list_strikes(counts, victims) if arguments.only in f"{it[0]}{it[1][0]}"][
        share - 1 :: shares
    ][arguments.first :: arguments.every]
    if arguments.sample:
        found = [it for victim in victims for it in choose(found, victim, arguments.sample)]
    wrong = missed = done = 0
    deadline = time.monotonic() + arguments.seconds
    for victim, point in found:
        if time.monotonic() > deadline:
            break
        done += 1
        tries = (check_point(workload, victim, point) for _ in range(ATTEMPTS))
        faults = next((it for it in tries if it is not None), None)
        name = f"{victim}{point[0]} {point[1]}"
        if faults is None:
            missed += 1
            print(f"never came to {name}", flush=True)
        elif faults:
            wrong += 1
            print(f"{name}:", *faults, sep="\n  ", flush=True)
        elif arguments.verbose:
            print(f"{name}: well", flush=True)
    print(f"{len(found)} points, {done} tried, {missed} missed, {wrong} wrong", flush=True)
    return int(wrong > 0 or missed > max(1, done * MOST_MISSED))


def main() -> int:
    """Check the points of one share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--share", default="1/1", help="the K-th of N parts")
    parser.add_argument("--only", default="", help="points with this in their names")
    parser.add_argument("--every", type=int, default=1, help="the N-th point of a share only")
    parser.add_argument("--sample", type=int, default=0, help="so many of each kind only")
    parser.add_argument("--first", type=int, default=0, help="begin with this one of them")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin none later")
    parser.add_argument("--verbose", action="store_true", help="tell of every point")
    arguments = parser.parse_args()
    prepare()
    with (
        open_databases(arguments.database) as databases,
        tempfile.TemporaryDirectory(prefix="windlass-chaos-") as scratch,
    ):
        return check_points(ServerWorkload(Path(scratch), databases), arguments)


if __name__ == "__main__":
    sys.exit(main())
