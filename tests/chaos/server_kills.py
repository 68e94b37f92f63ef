"""Kills a server, its runner, jobs or the database at random moments; the run ends well anyway.

    ./dev server-kills [--kills N] [--seed S] [--database sqlite|postgresql] [--workers N]

Play number P of seed S does the same each time, as far as the machine lets it. Prints what was
found wrong, and ends with 1 if something was.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.chaos.processes import is_job_process, wait_until_settled
from tests.chaos.server_databases import PostgresDatabases
from tests.chaos.server_play import Play
from tests.chaos.server_points import DATABASES, is_postgres, open_workload
from tests.chaos.server_scenes import SCENES
from tests.chaos.server_workers import share_out

from windlass.jobs.supervisor.tree import list_descendants, send_signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.server_workload import ServerWorkload

SERVER: Final = "server"
RUNNER: Final = "runner"
BOTH: Final = "both"
JOB: Final = "job"
CUT: Final = "connections"
RESTART: Final = "postgresql"
ODDS: Final = {SERVER: 5, RUNNER: 2, BOTH: 2, JOB: 1, CUT: 2, RESTART: 1}
OF_POSTGRES: Final = (CUT, RESTART)
MOST_KILLS: Final = 5
LONGEST_PAUSE: Final = 2.5
"""About as long as a run takes that nobody disturbs."""


class KilledPlay(Play):
    """A play in which somebody is killed after each of some pauses."""

    def __init__(self, workload: ServerWorkload, chance: random.Random) -> None:
        super().__init__(workload, scene=chance.choice(SCENES))
        falls = isinstance(workload.databases, PostgresDatabases)
        odds = {it: weight for it, weight in ODDS.items() if falls or it not in OF_POSTGRES}
        self.server.may_refuse = falls
        self._plan = [
            (chance.uniform(0, LONGEST_PAUSE), chance.choices(list(odds), list(odds.values()))[0])
            for _ in range(chance.randint(1, MOST_KILLS))
        ]
        self.plan = tuple(self._plan)
        self.hits: Counter[str] = Counter()
        self._killed_jobs = 0
        self._last = time.monotonic()

    @property
    def losses(self) -> int:
        """See Play."""
        return super().losses + self._killed_jobs

    def begin(self) -> None:
        """Start both; the first pause begins when they are there."""
        super().begin()
        self._last = time.monotonic()

    def tend(self) -> None:
        """Strike where it is time, then start again whoever was killed."""
        if self._plan and time.monotonic() - self._last > self._plan[0][0]:
            _, victim = self._plan.pop(0)
            self._deeds()[victim]()
            self.hits[victim] += 1
            self._last = time.monotonic()
        super().tend()

    def finish(self) -> None:
        """Wait for the end; who is to be killed after it lives."""
        super().finish()
        self._plan.clear()

    def _deeds(self) -> dict[str, Callable[[], None]]:
        databases = self.workload.databases
        deeds = {
            SERVER: self.server.kill,
            RUNNER: self.runner.kill,
            BOTH: self._kill_both,
            JOB: self._kill_job,
        }
        if isinstance(databases, PostgresDatabases):
            deeds |= {CUT: databases.cut, RESTART: databases.restart}
        return deeds

    def _kill_both(self) -> None:
        self.server.kill()
        self.runner.kill()

    def _kill_job(self) -> None:
        for pid in list_descendants(os.getpid()):
            if is_job_process(pid):
                send_signal(pid, signal.SIGKILL)
                self._killed_jobs += 1


def work(arguments: argparse.Namespace, worker: int) -> Counter[str]:
    """Play until one worker's share of kills has been done; count what was killed."""
    counts: Counter[str] = Counter(plays=0, wrong=0)
    kills = 0
    deadline = time.monotonic() + arguments.seconds
    with open_workload(arguments.database) as workload:
        while kills * arguments.workers < arguments.kills and time.monotonic() < deadline:
            number = arguments.first + worker + counts["plays"] * arguments.workers
            chance = random.Random(f"{arguments.seed}/{number}")
            workload.reset()
            play = KilledPlay(workload, chance)
            faults = play.perform()
            faults += [f"still runs: {name}" for name in wait_until_settled(spared=is_postgres)]
            counts["plays"] += 1
            counts += play.hits
            kills += play.hits.total()
            if faults:
                counts["wrong"] += 1
                name = f"seed {arguments.seed} play {number}: {play.scene.name}{play.plan}"
                print("\n  ".join([name, *faults]), flush=True)
    return counts


def main() -> int:
    """Share the kills out among workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first play")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin none later")
    arguments = parser.parse_args()
    counts = share_out(arguments.workers, lambda worker: work(arguments, worker))
    killed = ", ".join(f"{it} {counts[it]}" for it in ODDS)
    number = sum(counts[it] for it in ODDS)
    print(
        f"{counts['plays']} plays, {number} killed: {killed}; {counts['wrong']} wrong", flush=True
    )
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
