"""Kills a server, its runner, or both, at every point of a run; the run ends well all the same.

    ./dev server-crashes [--database sqlite|postgresql] [--workers N] [--share K/N] [--only TEXT]

At every point of the server it is killed alone, and together with its runner; at every point of the
runner likewise, and there the supervisor of a job too. On PostgreSQL, before every commit also its
connections are cut, and PostgreSQL itself is killed and started again; and of two servers on one
database one is killed for good, or stopped until it counts as dead, at every point. The run is
asked for by a program; what is otherwise when a person, Git's hook or a webhook does, or when the
runner has yet to register, is struck too. Prints what was found wrong, and ends with 1 if something
was.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.chaos.processes import prepare, wait_until_settled
from tests.chaos.server_databases import PostgresDatabases, SqliteDatabases
from tests.chaos.server_pairs import LosingPlay, StoppingPlay
from tests.chaos.server_play import Play, SupervisorPlay
from tests.chaos.server_scenes import SCENES
from tests.chaos.server_strikes import (
    ANYWHERE,
    CUT,
    LOSE,
    OF_POSTGRES,
    RESTART,
    STOP,
    SUPERVISOR,
    Injection,
    choose,
    list_strikes,
)
from tests.chaos.server_workers import Numbers, share_out
from tests.chaos.server_workload import ServerWorkload
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.chaos.server_databases import Databases
    from tests.chaos.server_scenes import Scene
    from tests.chaos.server_strikes import Strike

ATTEMPTS: Final = 3
"""How often a point is tried that depends on how processes take turns."""

MOST_MISSED: Final = 0.1
DATABASES: Final = ("sqlite", "postgresql")
PLAYS: Final = {LOSE: LosingPlay, STOP: StoppingPlay, SUPERVISOR: SupervisorPlay}


def count_points(workload: ServerWorkload, scene: Scene) -> Counter[str]:
    """Return the points of a run that nobody disturbs, which is as it should be."""
    workload.reset()
    injection = Injection(workload)
    faults = Play(workload, injection.begin_server, injection.begin_runner, scene).perform()
    assert not faults, "\n  ".join(faults)
    return injection.read()


def check_point(workload: ServerWorkload, strike: Strike) -> list[str] | None:
    """Strike at a point and return what is wrong then; None where it never came there."""
    workload.reset()
    injection = Injection(workload, strike)
    kind = PLAYS.get(strike.victim, Play)
    play = kind(workload, injection.begin_server, injection.begin_runner, strike.scene)
    play.server.may_refuse = strike.victim in (CUT, RESTART, STOP)
    faults = play.perform()
    faults += [f"still runs: {name}" for name in wait_until_settled(spared=is_postgres)]
    if not injection.reached.exists():
        return [*faults, "and nobody was struck"] if faults else None
    return faults


def is_postgres(name: str) -> bool:
    """Tell by how a process is called whether it is PostgreSQL's, which outlives a play."""
    return "postgres" in name.partition(" ")[2]


@contextlib.contextmanager
def open_databases(kind: str) -> Iterator[Databases]:
    """Have databases of a kind, as long as the block runs."""
    if kind == "sqlite":
        yield SqliteDatabases()
        return
    with running_postgres() as server:
        yield PostgresDatabases(server)


@contextlib.contextmanager
def open_workload(kind: str) -> Iterator[ServerWorkload]:
    """Have a workload on databases of a kind, as long as the block runs."""
    with (
        open_databases(kind) as databases,
        tempfile.TemporaryDirectory(prefix="windlass-chaos-") as scratch,
    ):
        yield ServerWorkload(Path(scratch), databases)


def find_strikes(workload: ServerWorkload, arguments: argparse.Namespace) -> list[Strike]:
    """Return what is to be tried, of all there is."""
    share, shares = map(int, arguments.share.split("/"))
    counts = {it: count_points(workload, it) for it in SCENES}
    if not arguments.sample:
        # How often a runner asks depends on the machine; what is always there counts.
        counts = {it: counts[it] & count_points(workload, it) for it in SCENES}
    falls = OF_POSTGRES if arguments.database == "postgresql" else ()
    victims = (*ANYWHERE, *falls)
    every = [it for it in list_strikes(counts, victims) if arguments.only in str(it)]
    found = every[share - 1 :: shares][arguments.first :: arguments.every]
    if arguments.sample:
        found = [it for victim in victims for it in choose(found, victim, arguments.sample)]
    return found


def check_points(
    workload: ServerWorkload,
    strikes: Sequence[Strike],
    numbers: Numbers,
    arguments: argparse.Namespace,
) -> Counter[str]:
    """Try points as long as there are any, print what is wrong, and count how that went."""
    counts = Counter(tried=0, missed=0, wrong=0)
    deadline = time.monotonic() + arguments.seconds
    for strike in map(strikes.__getitem__, numbers):
        if time.monotonic() > deadline:
            break
        counts["tried"] += 1
        tries = (check_point(workload, strike) for _ in range(ATTEMPTS))
        faults = next((it for it in tries if it is not None), None)
        if faults is None:
            counts["missed"] += 1
            print(f"never came to {strike}", flush=True)
        elif faults:
            counts["wrong"] += 1
            print("\n  ".join([f"{strike}:", *faults]), flush=True)
        elif arguments.verbose:
            print(f"{strike}: well", flush=True)
    return counts


def check_all(arguments: argparse.Namespace) -> int:
    """Have workers check all points, and return the exit code."""
    with open_workload(arguments.database) as workload:
        strikes = find_strikes(workload, arguments)
    numbers = Numbers(len(strikes))

    def work(_worker: int) -> Counter[str]:
        with open_workload(arguments.database) as workload:
            return check_points(workload, strikes, numbers, arguments)

    counts = share_out(arguments.workers, work)
    numbers.close()
    told = ", ".join(f"{counts[name]} {name}" for name in ("tried", "missed", "wrong"))
    print(f"{len(strikes)} points, {told}", flush=True)
    return int(counts["wrong"] > 0 or counts["missed"] > max(1, counts["tried"] * MOST_MISSED))


def main() -> int:
    """Check the points of one share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--workers", type=int, default=1, help="so many plays at a time")
    parser.add_argument("--share", default="1/1", help="the K-th of N parts")
    parser.add_argument("--only", default="", help="points with this in their names")
    parser.add_argument("--every", type=int, default=1, help="the N-th point of a share only")
    parser.add_argument("--sample", type=int, default=0, help="so many of each kind only")
    parser.add_argument("--first", type=int, default=0, help="begin with this one of them")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin none later")
    parser.add_argument("--verbose", action="store_true", help="tell of every point")
    arguments = parser.parse_args()
    prepare()
    return check_all(arguments)


if __name__ == "__main__":
    sys.exit(main())
