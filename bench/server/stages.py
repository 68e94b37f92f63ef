"""Where the time of a push goes: what is written down on its way, and what processes have used.

Nothing is measured that would not be there without the bench: rows, the times of files that are
written on the way, and the events of the run. All are of one machine and so of one clock.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hosting import (
    find_children,
    find_database_processes,
    percentile,
    read_processor_seconds,
)
from windlass.protocol import events

if TYPE_CHECKING:
    from windlass.db.server_database import ServerDatabase
    from windlass.testing.servers import RunningServer

STAGES: Final = {
    "written": "the webhook is received, and its delivery committed",
    "accepted": "it is answered (beside what follows)",
    "fetched": "the effect is picked up, and the server has fetched",
    "begun": "workflows are read and planned",
    "queued": "the run and its job are entered",
    "claimed": "a runner that waits is given the job",
    "started": "the runner has the assignment, and begins the job",
    "mirrored": "the runner has the commit (beside what follows)",
    "opened": "the sandbox is made, the first step begins",
    "checked_out": "the checkout is done",
    "stepped": "the step behind it begins",
    "told": "whoever follows the run knows of that",
}
_BESIDE: Final = ("accepted", "mirrored")
"""What others do not wait for: counted from the same moment as what follows."""


def read_stages(
    store: ServerDatabase,
    data: Path,
    run: str,
    branch: str,
    told: list[tuple[events.RunEvent, float]],
) -> dict[str, float]:
    """Return when each stage of a run of one job was reached, in seconds since the epoch."""
    ((repository, delivery, began),) = store.ask(
        "SELECT repository, delivery, started FROM runs JOIN attempts ON run = id WHERE id = ?",
        (run,),
    )
    ((written,),) = store.ask("SELECT received FROM deliveries WHERE id = ?", (delivery,))
    ((queued, claimed),) = store.ask("SELECT queued, claimed FROM jobs WHERE run = ?", (run,))
    found = {"written": written, "begun": began, "queued": queued, "claimed": claimed}
    mirror = data / "mirrors" / f"{repository}.git"
    copy = data / "runner" / "repositories" / repository / "repository" / ".git"
    for name, path in (("fetched", mirror / "refs/heads" / branch), ("mirrored", copy / "HEAD")):
        found[name] = path.stat().st_mtime
    (found["started"],) = (at for it, at in told if isinstance(it, events.JobStarted))
    steps = [at for it, at in told if isinstance(it, events.StepStarted)]
    ends = [at for it, at in told if isinstance(it, events.StepFinished)]
    found["opened"], found["stepped"], found["checked_out"] = steps[0], steps[1], ends[0]
    return found


def describe_stages(pushes: list[dict[str, float]]) -> str:
    """Return a table: the milliseconds of each stage; each push has `sent` too."""
    lines = [f"  {'ms':>6}{'p50':>7}{'p95':>7}"]
    before = "sent"
    for number, (name, text) in enumerate(STAGES.items(), 1):
        taken = [(it[name] - it[before]) * 1000 for it in pushes]
        p50, p95 = statistics.median(taken), percentile(taken, 0.95)
        lines.append(f"  {number:>6}{p50:>7.1f}{p95:>7.1f}  {text}")
        before = before if name in _BESIDE else name
    return "\n".join(lines)


class Processors:
    """The processor time of the processes of a server since this was made.

    Those of jobs are not in it: nobody waits for them, and so nobody counts what they have used.
    """

    def __init__(self, server: RunningServer, address: str) -> None:
        self._groups = {
            "server": [server.process.pid],
            "runner": find_children(server.process.pid),
            "database": find_database_processes(address),
        }
        self._before = self._read()

    def describe(self, count: int) -> str:
        """Return the milliseconds that each group has used for each of `count` things."""
        now = self._read()
        told = (
            f"{name} {(now[name] - it) * 1000 / count:.0f}" for name, it in self._before.items()
        )
        return f"  ms of processor time each: {', '.join(told)}"

    def _read(self) -> dict[str, float]:
        found = {}
        for name, processes in self._groups.items():
            found[name] = sum(map(read_processor_seconds, processes))
            if name == "server":
                found["git of the server"] = sum(map(_read_of_children, processes))
        return found


def _read_of_children(process: int) -> float:
    """The processor time of the children of a process that have ended, and of theirs."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
