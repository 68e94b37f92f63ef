"""What a server costs that has nothing to do, and how soon it is ready.

    .venv/bin/python bench/server/idle.py [PARKED [SECONDS]]

`windlass up` is started on an empty folder three times, and ready when it has said where it is and
answers there; the best counts, and beside it the least processor time that a start took. `python
-c pass` in turns is what the machine takes for a process. Then 1,000 runs wait, each for a job that
no runner takes, and over 30 seconds in which nobody asks the server anything its processor time,
memory and wake-ups are read, those of its own runner too. On PostgreSQL, what its processes take is
shown as well: the server's questions cause it.

Ready may take 2 s, memory 200 MB, and 1,000 runs that wait 1 % of a processor.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import httpx
from tests.hosted_runs import REPOSITORY, define, open_site

from hosting import (
    count_wake_ups,
    databases,
    describe_machine,
    find_children,
    find_database_processes,
    read_all_processor_seconds,
    read_memory,
    read_processor_seconds,
    serving,
)
from windlass.operations.hosted.attempts import start_run

if TYPE_CHECKING:
    from windlass.testing.servers import RunningServer

PARKED = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 1_000
SECONDS = float(sys.argv[2]) if sys.argv[2:] else 30.0
STARTS = 3
SETTLE_SECONDS = 3.0
MOST_SECONDS = 2.0
MOST_MEGABYTES = 200.0
MOST_SHARE = 0.01
WORKFLOW = "on: push\njobs:\n  one: {runs-on: nobody, steps: [{run: echo}]}\n"


def main() -> int:
    print(describe_machine())
    print(
        f"{'':12}{'ready s':>9}{'used s':>8}{'MB':>6}{'processor %':>13}{'wake-ups/s':>12}"
        f"{'runner %':>10}{'wake-ups/s':>12}{'database %':>12}"
    )
    is_good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = min(start_python() for _ in range(STARTS))
        print(f"{'python':12}{floor:>9.2f}")
        with databases(folder) as addresses:
            for kind, address in addresses.items():
                is_good &= measure(folder, kind, address)
    return 0 if is_good else 1


def measure(folder: Path, kind: str, address: str) -> bool:
    """Measure a server on one database; tell whether it keeps the limits."""
    starts = [start(folder, address) for _ in range(STARTS)]
    ready, used = (min(them) for them in zip(*starts, strict=True))
    with serving(folder, address) as server:
        with open_site(address, server.data) as site:
            for _ in range(PARKED):
                start_run(site, REPOSITORY, define(WORKFLOW))
        assert count_runs(server) > 0
        time.sleep(SETTLE_SECONDS)
        ours = server.process.pid
        groups = ([ours], find_children(ours), find_database_processes(address))
        (share, ups), (runner_share, runner_ups), (database_share, _) = watch(groups)
        memory = read_memory(ours)["now"]
    print(
        f"{kind:12}{ready:>9.2f}{used:>8.2f}{memory:>6.0f}{share * 100:>13.2f}{ups:>12.1f}"
        f"{runner_share * 100:>10.2f}{runner_ups:>12.1f}{database_share * 100:>12.2f}"
    )
    is_good = True
    for what, found, most in (
        ("seconds until it is ready", ready, MOST_SECONDS),
        ("MB of memory", memory, MOST_MEGABYTES),
        ("% of a processor", share * 100, MOST_SHARE * 100),
    ):
        if found > most:
            print(f"FAILED: {kind}: {found:.2f} {what}, more than {most:.2f}")
            is_good = False
    return is_good


def watch(groups: tuple[list[int], ...]) -> list[tuple[float, float]]:
    """The share of a processor and the wake-ups a second of some processes, for each group."""
    before = [(read_all_processor_seconds(it), sum(map(count_wake_ups, it))) for it in groups]
    started = time.perf_counter()
    time.sleep(SECONDS)
    passed = time.perf_counter() - started
    after = [(read_all_processor_seconds(it), sum(map(count_wake_ups, it))) for it in groups]
    return [
        ((now[0] - then[0]) / passed, (now[1] - then[1]) / passed)
        for now, then in zip(after, before, strict=True)
    ]


def start(folder: Path, address: str) -> tuple[float, float]:
    """Start a server and end it; return the seconds until it has answered, and those it used."""
    started = time.perf_counter()
    with serving(folder, address, "--no-runner") as server:
        assert httpx.get(f"{server.url}/health").status_code == 200
        passed = time.perf_counter() - started
        return passed, read_processor_seconds(server.process.pid)


def start_python() -> float:
    """Start Python for nothing; return the seconds that takes."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - started


def count_runs(server: RunningServer) -> int:
    """How many runs the server shows on its first page."""
    headers = {"Authorization": f"Bearer {server.token}"}
    answer = httpx.get(f"{server.url}/api/v1/runs", headers=headers, timeout=60)
    return len(answer.raise_for_status().json()["items"])


if __name__ == "__main__":
    sys.exit(main())
