"""Kills a run at every point once, looks at what is left, and resumes it.

    python -m tests.chaos.crash_points [--share K/N] [--only TEXT] [--every N]

Prints what was found wrong, and ends with 1 if something was.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.chaos.points import HALF, Points
from tests.chaos.processes import prepare, wait_until_settled
from tests.chaos.workload import (
    Undisturbed,
    Workload,
    find_differences,
    find_faults_at_rest,
    outline,
    read_logs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.chaos.points import Point

ATTEMPTS: Final = 3
"""How often a point is tried that depends on how threads take turns."""

MOST_MISSED: Final = 0.1
"""Of the last pieces of a log some runs have fewer: a reader that comes late reads two as one."""

COUNTED: Final = 3
"""How many undisturbed runs say how many points there are; what each of them has counts."""

ENDED: Final = ("success", "failure", "cancelled")
Check: TypeAlias = "Callable[[Workload, Point, Undisturbed], list[str] | None]"
Start: TypeAlias = "Callable[[Points], None]"
"""Prepares a process whose points are counted."""


def run_undisturbed(workload: Workload, start: Start) -> tuple[Undisturbed, Counter[str]]:
    """Return how the run ends when nobody disturbs it, and how many points of a name it has."""
    told = os.memfd_create("points")
    command = workload.start(*workload.run_words, before=lambda: start(Points(told=told)))
    done = command.wait()
    shown = workload.show()
    assert done.code == 0, done
    assert shown is not None
    assert {job["job"]: job["state"] for job in shown["jobs"]} == workload.results
    assert not list(find_faults_at_rest(workload, shown))
    names = os.pread(told, os.fstat(told).st_size, 0).decode().splitlines()
    return (outline(shown), read_logs(workload)), Counter(names)


def check_point(workload: Workload, point: Point, undisturbed: Undisturbed) -> list[str] | None:
    """Kill a run at a point and return what is wrong then; None where it never came there."""
    workload.forget()
    command = workload.start(*workload.run_words, before=lambda: begin(Points(point)))
    killed = command.wait()
    if killed.code == 0:
        return None
    faults = [] if killed.code == -9 else [f"ended with {killed}"]
    shown = workload.show()
    if shown is not None and shown["state"] == "running":
        # What it was just starting holds the lock of the run until it has become its program.
        wait_until_settled()
        shown = workload.show()
    faults += find_faults_at_rest(workload, shown)
    return faults + list(check_going_on(workload, shown, undisturbed))


def check_going_on(
    workload: Workload, shown: dict[str, Any] | None, undisturbed: Undisturbed
) -> Iterator[str]:
    """Go on with a run that was killed, or start it where there is none; yield what is wrong."""
    begun = workload.begun()
    over = {job["job"] for job in (shown or {"jobs": []})["jobs"] if job["state"] in ENDED}
    if shown is None:
        done = workload.run(*workload.run_words)
    else:
        done = workload.run("resume", shown["run"])
        if shown["state"] != "interrupted":
            if done.code != 2 or "it has ended" not in done.errors:
                yield f"a run that has ended was resumed: {done}"
        elif done.code != 0:
            yield f"resuming ended with {done}"
    again = {key for key, count in workload.begun().items() if count > begun.get(key, 0)}
    if again & over:
        yield f"had ended and ran again: {again & over}"
    shown = workload.show()
    yield from find_faults_at_rest(workload, shown)
    yield from find_differences(workload, shown, undisturbed)


def list_points(counts: Counter[str]) -> list[Point]:
    """Return all points; of the halves, which are alike, every third."""
    return [
        (name, number)
        for name in sorted(counts)
        for number in range(1, counts[name] + 1, 3 if name == HALF else 1)
    ]


def begin(points: Points) -> None:
    """Put points around what this process does: one job at a time, so always in one order."""
    os.cpu_count = lambda: 1
    points.install()


def main() -> int:
    """Check the points of one share."""
    arguments = read_arguments(__doc__)
    prepare()
    with tempfile.TemporaryDirectory(prefix="windlass-chaos-") as scratch:
        return check_points(Workload(Path(scratch)), arguments, check_point)


def read_arguments(description: str | None) -> argparse.Namespace:
    """Return which points are to be checked."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--share", default="1/1", help="the K-th of N parts")
    parser.add_argument("--only", default="", help="points with this in their names")
    parser.add_argument("--every", type=int, default=1, help="the N-th point of a share only")
    return parser.parse_args()


def check_points(
    workload: Workload,
    arguments: argparse.Namespace,
    check: Check,
    start: Start = begin,
    enumerate_points: Callable[[Counter[str]], list[Point]] = list_points,
) -> int:
    """Check points, print what is wrong, and return the exit code."""
    share, shares = map(int, arguments.share.split("/"))
    # The first run of a repository makes what later ones find.
    workload.run(*workload.run_words)
    workload.forget()
    undisturbed, counts = run_undisturbed(workload, start)
    for _ in range(COUNTED - 1):
        workload.forget()
        counts &= run_undisturbed(workload, start)[1]
    found = [it for it in enumerate_points(counts) if arguments.only in it[0]]
    found = found[share - 1 :: shares][:: arguments.every]
    wrong = missed = 0
    for point in found:
        tries = (check(workload, point, undisturbed) for _ in range(ATTEMPTS))
        faults = next((it for it in tries if it is not None), None)
        if faults is None:
            missed += 1
            print(f"never came to {point}", flush=True)
        elif faults:
            wrong += 1
            print(f"{point[0]} {point[1]}:", *faults, sep="\n  ", flush=True)
    print(f"{len(found)} points, {missed} missed, {wrong} wrong")
    return int(wrong > 0 or missed > max(1, len(found) * MOST_MISSED))


if __name__ == "__main__":
    sys.exit(main())
