"""Fills the disk at every point of a run, looks at what is left, and runs it again.

    python -m tests.chaos.full_disks [--share K/N] [--only TEXT] [--every N]

Prints what was found wrong, and ends with 1 if something was; with 77 where nothing can be mounted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.crash_points import begin, check_points, read_arguments
from tests.chaos.points import Points
from tests.chaos.processes import prepare
from tests.chaos.workload import Undisturbed, Workload, find_faults_at_rest, states_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.points import Point

SIZE = "12m"
CANNOT_MOUNT = 77
BLOCKS = (1 << 16, 1 << 12, 1)
REASONS = ("No space left on device", "database or disk is full", "disk I/O error")


def check_point(workload: Workload, point: Point, undisturbed: Undisturbed) -> list[str] | None:
    """Fill the disk at a point and return what is wrong then; None where it never came there."""
    workload.forget()
    filler = workload.state / "filler"
    deed = Points(point, deed=lambda: fill(filler))
    done = workload.start(*workload.run_words, before=lambda: begin(deed)).wait()
    if not filler.exists():
        return None
    said = done.output + done.errors
    faults = [] if done.code in (0, 1, 3) else [f"ended with {done.code}: {said}"]
    if "Traceback" in said or "unexpected" in said:
        faults.append(said)
    if done.code != 0 and not any(reason in said for reason in REASONS):
        faults.append(f"nothing is said of the disk: {said}")
    filler.unlink()
    shown = workload.show()
    faults += find_faults_at_rest(workload, shown, may_fail=True, may_lose=True)
    return faults + list(check_again(workload, done.code, undisturbed))


def check_again(workload: Workload, code: int, undisturbed: Undisturbed) -> Iterator[str]:
    """Run what has failed again, now that there is room; yield what is wrong."""
    shown = workload.show()
    if code == 0 and shown is not None and shown["state"] == "success":
        return
    if shown is not None and shown["state"] == "interrupted":
        done = workload.run("resume", shown["run"])
        if done.code not in (0, 1):
            yield f"resuming ended with {done}"
        shown = workload.show()
        yield from find_faults_at_rest(workload, shown, may_fail=True, may_lose=True)
        if shown is None or shown["state"] == "cancelled":
            yield f"resumed as if somebody had cancelled it: {shown}"
    words = workload.run_words if shown is None else ("rerun", shown["run"])
    done = workload.run(*words)
    if done.code != 0:
        yield f"running again ended with {done}"
    shown = workload.show()
    if shown is None or states_of(shown) != states_of(undisturbed[0]):
        yield f"at the end: {shown and states_of(shown)}"


def fill(path: Path) -> None:
    """Leave no room on the disk of a file."""
    with path.open("wb", buffering=0) as file:
        for size in BLOCKS:
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue


def main() -> int:
    """Check the points of one share on a small disk."""
    arguments = read_arguments(__doc__)
    prepare()
    with tempfile.TemporaryDirectory(prefix="windlass-disks-") as scratch:
        workload = Workload(Path(scratch))
        workload.state.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(workload.state)]
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            print(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
            return CANNOT_MOUNT
        try:
            return check_points(workload, arguments, check_point)
        finally:
            subprocess.run(["umount", "--lazy", str(workload.state)], check=True)


if __name__ == "__main__":
    sys.exit(main())
