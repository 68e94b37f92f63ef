"""Servers to measure, as their users start them: on SQLite and on PostgreSQL, each empty."""

from __future__ import annotations

import itertools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.postgres import PostgresServer, find_programs

from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.testing.servers import RunningServer

_numbers = itertools.count(1)


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """The addresses of an empty database of each kind that this machine has."""
    found = {"sqlite": f"sqlite:///{folder}/server-{next(_numbers)}.db"}
    programs = find_programs()
    if programs is None:
        print("PostgreSQL is not installed: SQLite alone is measured")
        yield found
        return
    place = Path(tempfile.mkdtemp(prefix="windlass-bench-pg."))
    place.chmod(0o755)
    server = PostgresServer(place, programs)
    server.start()
    try:
        yield {**found, "postgresql": server.make_database()}
    finally:
        server.stop("immediate")
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def serving(folder: Path, database: str, *options: str) -> Iterator[RunningServer]:
    """`windlass up` on a database."""
    data = folder / f"data-{next(_numbers)}"
    with run_server(data, "--database", database, *options) as server:
        yield server


def describe_machine() -> str:
    """What the figures were measured on, and what else it did."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} processors ({platform.machine()}, Linux {platform.release()}), "
        f"Python {platform.python_version()}, load {load:.1f} before the start"
    )


def read_memory(process: int) -> dict[str, float]:
    """The megabytes that a process has in memory now, and had at most."""
    status = Path(f"/proc/{process}/status").read_text()
    found = (status.partition(f"{it}:")[2].split()[0] for it in ("VmRSS", "VmHWM"))
    now, most = (int(it) * 1024 / 1e6 for it in found)
    return {"now": now, "most": most}


def read_processor_seconds(process: int) -> float:
    """The processor time that a process has used; 0 of one that has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_all_processor_seconds(processes: list[int]) -> float:
    """The processor time that some processes have used together."""
    return sum(map(read_processor_seconds, processes))


def count_wake_ups(process: int) -> int:
    """How often a process was woken that had waited for something, all of its threads together."""
    count = 0
    for status in Path(f"/proc/{process}/task").glob("*/status"):
        with suppress(FileNotFoundError, ProcessLookupError):
            count += int(status.read_text().rpartition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return count


def find_database_processes(address: str) -> list[int]:
    """The processes of the PostgreSQL at an address that `databases` has given; none of SQLite."""
    folder = address.partition("?host=")[2]
    if not folder:
        return []
    first = int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])
    return [first, *find_children(first)]


def find_children(process: int) -> list[int]:
    """The processes that a process has started and that still run."""
    done = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False
    )
    return [int(it) for it in done.stdout.split()]


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of all values is."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
