"""Fills the disk below a server, or below its PostgreSQL, while a run goes on; it ends well.

    python -m tests.chaos.server_disks [--seconds S]

While there is no room the server lives, answers with a problem what it cannot do, and its log says
why; when there is room again it goes on by itself. A PostgreSQL that has given up is started again,
as whoever looks after it would. Prints what was found wrong, and ends with 1 if something was; with
77 where nothing can be mounted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
from tests.chaos.full_disks import CANNOT_MOUNT, REASONS, fill
from tests.chaos.processes import wait_until_settled
from tests.chaos.server_databases import PostgresDatabases, SqliteDatabases
from tests.chaos.server_play import Play
from tests.chaos.server_points import is_postgres
from tests.chaos.server_workers import share_out
from tests.chaos.server_workload import REPOSITORY, ServerWorkload, name_kept
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

PAUSE_MILLISECONDS: Final = 200
FULL_SECONDS: Final = 8.0
"""Longer than the runner may be silent."""

LARGE_BYTES: Final = 40_000
"""More than a database has room for in what is its own already."""

PROBLEM: Final = "application/problem+json"


class Disk(NamedTuple):
    """Which disk is filled, of how much; what the database of the server is."""

    name: str
    database: str
    size: str
    refuses: bool
    """Whether the database is on it, so that what is asked cannot be written down."""


DISKS: Final = (
    Disk("server and SQLite", "sqlite", "64m", refuses=True),
    Disk("server", "postgresql", "64m", refuses=False),
    Disk("PostgreSQL", "postgresql", "256m", refuses=True),
)


class DiskPlay(Play):
    """A play in which a disk is full for so many seconds, from the first step on."""

    def __init__(self, workload: ServerWorkload, disk: Disk, folder: Path, seconds: float) -> None:
        super().__init__(workload)
        self._disk = disk
        self._folder = folder
        self._seconds = seconds
        self._answers: Counter[Any] = Counter()
        # A PostgreSQL that has given up is not there until somebody starts it.
        self.server.may_refuse = disk.name == "PostgreSQL"

    def finish(self) -> None:
        """Fill the disk, and have room again; then wait for the end of the run."""
        self.wait(self.workload.said)
        try:
            self._look_on()
        finally:
            for filler in self._folder.glob("filler.*"):
                filler.unlink()
        databases = self.workload.databases
        if isinstance(databases, PostgresDatabases) and not databases.server.is_alive:
            databases.server.resume()
        super().finish()

    def end(self) -> None:
        """End all, and see what the server has said."""
        super().end()
        if not any(reason in line for line in self.server.said for reason in REASONS):
            self._faults.append(f"nothing is said of the disk, and answered: {self._answers}")
        if self._disk.refuses and not self._answers[503, PROBLEM]:
            self._faults.append(f"nothing was refused: {self._answers}")
        for status, kind in self._answers:
            if (status, kind) not in ((503, PROBLEM), (200, "application/json")):
                self._faults.append(f"answered while the disk was full: {status} {kind}")

    def _look_on(self) -> None:
        """Ask for something that has to be written down, all the time."""
        began = time.monotonic()
        while time.monotonic() - began < self._seconds:
            # What a database gives back is taken away again.
            fill(self._folder / f"filler.{self._answers.total()}")
            self.tend()
            self._answers[self._ask()] += 1
            select.poll().poll(PAUSE_MILLISECONDS)

    def _ask(self) -> tuple[int, str]:
        token = (self.workload.data / "token").read_text().strip()
        url = f"{self.workload.url}/api/v1/repositories/{REPOSITORY}/variables/LARGE"
        body = {"value": os.urandom(LARGE_BYTES // 2).hex()}
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = httpx.put(url, json=body, headers=headers, timeout=20)
        except httpx.HTTPError as error:
            return 0, repr(error)
        return answer.status_code, answer.headers["content-type"]


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Have a disk of its own for a folder, as long as the block runs."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def open_place(disk: Disk) -> Iterator[tuple[ServerWorkload, Path]]:
    """Have a workload and the folder whose disk is to be filled, as long as the block runs."""
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="windlass-disks-")))
        if disk.name == "PostgreSQL":
            server = stack.enter_context(
                running_postgres(lambda folder: small_disk(folder, disk.size))
            )
            workload = ServerWorkload(scratch, PostgresDatabases(server))
            workload.reset()
            yield workload, server.folder
            return
        if disk.database == "sqlite":
            workload = ServerWorkload(scratch, SqliteDatabases())
        else:
            server = stack.enter_context(running_postgres())
            workload = ServerWorkload(scratch, PostgresDatabases(server))
        workload.reset()
        stack.enter_context(small_disk(workload.data, disk.size))
        workload.data.chmod(0o700)
        shutil.copytree(name_kept(workload.data), workload.data, dirs_exist_ok=True)
        yield workload, workload.data


def check_disk(disk: Disk, seconds: float) -> Counter[str]:
    """Fill one disk, print what is wrong, and count it."""
    with open_place(disk) as (workload, folder):
        faults = DiskPlay(workload, disk, folder, seconds).perform()
        faults += [f"still runs: {name}" for name in wait_until_settled(spared=is_postgres)]
    if faults:
        print("\n  ".join([f"the disk of {disk.name}:", *faults]), flush=True)
    return Counter(wrong=int(bool(faults)))


def can_mount() -> bool:
    """Tell whether small disks can be made here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder), "1m"):
                return True
        except subprocess.CalledProcessError:
            return False


def main() -> int:
    """Fill all disks at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=FULL_SECONDS)
    arguments = parser.parse_args()
    if not can_mount():
        print("a small file system cannot be mounted here")
        return CANNOT_MOUNT
    counts = share_out(len(DISKS), lambda number: check_disk(DISKS[number], arguments.seconds))
    print(f"{len(DISKS)} disks, {counts['wrong']} wrong", flush=True)
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
