"""Kills a run with containers at every point once, looks at what is left, and resumes it.

    python -m tests.chaos.container_points [--share K/N] [--only TEXT] [--every N]

At every point Windlass is killed; around all that the daemon is told to do also its supervisors
alone, and all of them at once. Prints what was found wrong, and ends with 1 if something was; with
77 where there is no daemon.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.chaos.container_workload import IMAGE, ContainerWorkload
from tests.chaos.crash_points import (
    begin,
    check_going_on,
    check_points,
    list_points,
    read_arguments,
)
from tests.chaos.daemon_points import install_daemon_points, kill_all, kill_supervisors
from tests.chaos.points import Points
from tests.chaos.processes import prepare
from tests.chaos.workload import Undisturbed, Workload, find_faults_at_rest, states_of
from tests.images import make_tools_image
from tests.small_registry import serve_small_registry

from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.errors import DockerError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tests.chaos.points import Point

NO_DAEMON: Final = 77
SUPERVISORS: Final = "supervisors: "
ALL: Final = "all: "
_DEEDS: Final = (" POST /", " DELETE /")


def enumerate_points(counts: Counter[str]) -> list[Point]:
    """Return all points, those at what the daemon is to do with every victim there may be."""
    found = list_points(counts)
    asked = [it for it in found if any(word in it[0] for word in _DEEDS)]
    return found + [(f"{victim}{it[0]}", it[1]) for victim in (ALL, SUPERVISORS) for it in asked]


def check_point(workload: Workload, point: Point, undisturbed: Undisturbed) -> list[str] | None:
    """Kill at a point and return what is wrong then; None where it never came there."""
    assert isinstance(workload, ContainerWorkload)
    name, number = point
    if name.startswith(SUPERVISORS):
        faults = kill_at_supervisors(workload, (name.removeprefix(SUPERVISORS), number))
    elif name.startswith(ALL):
        faults = kill_everybody(workload, (name.removeprefix(ALL), number), undisturbed)
    else:
        faults = kill_windlass(workload, point, undisturbed)
    return None if faults is None else [*faults, *workload.left()]


def kill_windlass(
    workload: ContainerWorkload, point: Point, undisturbed: Undisturbed
) -> list[str] | None:
    """Kill Windlass alone, whose supervisors bring its jobs to their ends."""
    workload.forget()
    killed = workload.start(*workload.run_words, before=lambda: start(Points(point))).wait()
    if killed.code == 0:
        return None
    faults = [] if killed.code == -9 else [f"ended with {killed}"]
    shown = workload.show()
    faults += find_faults_at_rest(workload, shown)
    return faults + list(check_going_on(workload, shown, undisturbed))


def kill_everybody(
    workload: ContainerWorkload, point: Point, undisturbed: Undisturbed
) -> list[str] | None:
    """Kill Windlass and all supervisors: lines may be lost, and the next command tidies up."""
    workload.forget()
    deadly = Points(point, deed=kill_all)
    killed = workload.start(*workload.run_words, before=lambda: start(deadly)).wait()
    if killed.code == 0:
        return None
    faults = [] if killed.code == -9 else [f"ended with {killed}"]
    shown = workload.show()
    faults += find_faults_at_rest(workload, shown, settle=False)
    words = workload.run_words if shown is None else ("resume", shown["run"])
    done = workload.run(*words)
    if done.code != 0 and "it has ended" not in done.errors:
        faults.append(f"going on ended with {done}")
    return faults + list(compare(workload, undisturbed))


def kill_at_supervisors(workload: ContainerWorkload, point: Point) -> list[str] | None:
    """Kill the supervisors: Windlass lets the jobs fail, tidies up, and runs them again."""
    workload.forget()
    reached = workload.ledger.with_name("reached")
    reached.unlink(missing_ok=True)

    def strike() -> None:
        reached.touch()
        kill_supervisors()

    done = workload.start(
        *workload.run_words, before=lambda: start(Points(point, deed=strike))
    ).wait()
    if not reached.exists():
        return None
    said = done.output + done.errors
    faults = [] if done.code in (0, 1) else [f"ended with {done}"]
    if "Traceback" in said or "unexpected" in said:
        faults.append(said)
    faults += workload.left()
    shown = workload.show()
    faults += find_faults_at_rest(workload, shown, may_fail=True, may_lose=True)
    if shown is None or shown["state"] == "interrupted":
        faults.append(f"Windlass was not killed, and the run is {shown and shown['state']}")
    elif shown["state"] != "success":
        again = workload.run("rerun", "--failed", shown["run"])
        if again.code != 0:
            faults.append(f"running again ended with {again}")
    return faults


def compare(workload: ContainerWorkload, undisturbed: Undisturbed) -> Iterator[str]:
    """Yield in what a run differs at its end, but for lines that are lost."""
    shown = workload.show()
    yield from find_faults_at_rest(workload, shown, may_lose=True)
    if shown is None or states_of(shown) != states_of(undisturbed[0]):
        yield f"at the end: {shown and states_of(shown)}"


def start(points: Points) -> None:
    """Put points around what this process does, and what it asks the daemon."""
    begin(points)
    install_daemon_points(points)


def main() -> int:
    """Check the points of one share."""
    arguments = read_arguments(__doc__)
    engine = Engine(find_address(os.environ))
    try:
        engine.ping()
    except DockerError as error:
        print(f"there is no daemon: {error.message}")
        return NO_DAEMON
    make_tools_image(engine, IMAGE, ("sh", "cat", "sleep", "test"))
    prepare()
    with (
        serve_small_registry() as registry,
        tempfile.TemporaryDirectory(prefix="windlass-chaos-") as scratch,
    ):
        workload = ContainerWorkload(Path(scratch), engine, registry.image)
        try:
            return check_points(workload, arguments, check_point, start, enumerate_points)
        finally:
            workload.forget()


if __name__ == "__main__":
    sys.exit(main())
