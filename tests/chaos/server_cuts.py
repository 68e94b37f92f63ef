"""Takes a server's PostgreSQL away for a while, in three ways; the run ends well all the same.

    python -m tests.chaos.server_cuts [--seconds S]

Meanwhile the server lives, says that it cannot work, and answers whatever it is asked with a
problem, soon. Prints what was found wrong, and ends with 1 if something was.
"""

from __future__ import annotations

import argparse
import select
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
from tests.chaos.processes import wait_until_settled
from tests.chaos.server_databases import PostgresDatabases
from tests.chaos.server_play import Play
from tests.chaos.server_points import is_postgres, open_workload
from tests.chaos.server_workers import share_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.server_workload import ServerWorkload

SOON_SECONDS: Final = 12.0
"""Within this whatever is asked is answered."""

NOTICED_SECONDS: Final = 3.0
"""After this it cannot be that something was just on its way."""

PAUSE_MILLISECONDS: Final = 500
MANY: Final = 8
PROBLEM: Final = "application/problem+json"


class Outage(NamedTuple):
    """How a database goes away, and comes back."""

    name: str
    begin: Callable[[PostgresDatabases], None]
    end: Callable[[PostgresDatabases], None]


OUTAGES: Final = (
    Outage("stopped", lambda it: it.server.stop("fast"), lambda it: it.server.resume()),
    Outage("refuses", lambda it: it.close_doors(), lambda it: it.open_doors()),
    Outage(
        "stands still",
        lambda it: it.server.signal(signal.SIGSTOP),
        lambda it: it.server.signal(signal.SIGCONT),
    ),
)


class CutPlay(Play):
    """A play in which the database goes away when the first step has been, for so many seconds."""

    def __init__(self, workload: ServerWorkload, outage: Outage, seconds: float) -> None:
        super().__init__(workload)
        self._outage = outage
        self._seconds = seconds
        self.answers: Counter[str] = Counter()

    def finish(self) -> None:
        """Have the outage, and wait for the end of the run."""
        databases = self.workload.databases
        assert isinstance(databases, PostgresDatabases)
        self.wait(self.workload.said)
        # Connections that are kept are what a question gets stuck on.
        with ThreadPoolExecutor(MANY) as pool:
            list(pool.map(self._ask, ["/api/v1/runs"] * 4 * MANY))
        self._outage.begin(databases)
        try:
            self._look_on()
        finally:
            self._outage.end(databases)
        super().finish()
        for answer in self.answers:
            self._faults.append(f"answered while it was away: {answer}")

    def _look_on(self) -> None:
        """Ask the server all the time, and note every answer that is not as it should be."""
        began = time.monotonic()
        while (gone := time.monotonic() - began) < self._seconds:
            self.tend()
            for path, expected in (("/api/v1/runs", 503), ("/health", 200), ("/health/ready", 503)):
                asked = time.monotonic()
                said = self._ask(path)
                late = time.monotonic() - asked > SOON_SECONDS
                if late or (gone > NOTICED_SECONDS and said != self._expect(path, expected)):
                    self.answers[f"{path}: {said}{' late' if late else ''}"] += 1
            select.poll().poll(PAUSE_MILLISECONDS)

    def _ask(self, path: str) -> Any:
        token = (self.workload.data / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = httpx.get(
                f"{self.workload.url}{path}", headers=headers, timeout=2 * SOON_SECONDS
            )
        except httpx.HTTPError as error:
            return repr(error)
        is_problem = answer.headers["content-type"] == PROBLEM
        return answer.status_code, is_problem, "retry-after" in answer.headers

    def _expect(self, path: str, status: int) -> Any:
        is_problem = path.startswith("/api/")
        return status, is_problem, is_problem


def check_outage(outage: Outage, seconds: float) -> Counter[str]:
    """Have one outage, print what is wrong, and count it."""
    with open_workload("postgresql") as workload:
        workload.reset()
        faults = CutPlay(workload, outage, seconds).perform()
        faults += [f"still runs: {name}" for name in wait_until_settled(spared=is_postgres)]
    if faults:
        print("\n  ".join([f"{outage.name}:", *faults]), flush=True)
    return Counter(wrong=int(bool(faults)))


def main() -> int:
    """Have all outages at once, each of a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    counts = share_out(
        len(OUTAGES), lambda number: check_outage(OUTAGES[number], arguments.seconds)
    )
    print(f"{len(OUTAGES)} outages, {counts['wrong']} wrong", flush=True)
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
