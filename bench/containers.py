#!/usr/bin/env python3
"""What a job in a container costs: its start, and its steps.

Usage: bench/containers.py [--steps N] [--rounds N] [--image NAME]

All is measured in turns in one run, against Docker's own client and against a shell of the same
image that is open already. The image is a small one, made of programs of this machine. Limits: a
step takes 4 ms more than its script in that shell, 20 steps take 0.15 of 20 `docker exec`, a job's
container stands 100 ms after `docker run` would have it, and a workspace of 500 MB is there 50 ms
after it was asked for (as root; others have it copied). Without a daemon nothing is measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.images import make_tools_image

from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.errors import DockerError
from windlass.jobs.executors.docker import DockerExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.folders import JobFolders

if TYPE_CHECKING:
    from windlass.jobs.executors.interface import Session

IMAGE = "windlass-bench/tools:1"
CLIENT = "/usr/bin/docker"
SCRIPT = 'x=1; echo "step $x"\n'
STEP_MILLISECONDS = 4.0
EXEC_RATIO = 0.15
START_MILLISECONDS = 100.0
WORKSPACE_BYTES = 500_000_000
FILES = 500
WORKSPACE_MILLISECONDS = 50.0


class OpenShell:
    """A shell of the image that runs the scripts it is told of."""

    def __init__(self, client: list[str], image: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [*client, "run", "--rm", "--interactive", f"--volume={folder}:/__w", image, "/bin/sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.run()

    def run(self) -> float:
        """Return the seconds until a script has ended, as seen from here."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        started = time.perf_counter()
        self._process.stdin.write(b"/bin/sh -e /__w/script.sh; echo end\n")
        self._process.stdin.flush()
        while self._process.stdout.readline() != b"end\n":
            pass
        return time.perf_counter() - started

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def run_step(session: Session) -> float:
    """Return the seconds of one step: started, read to its end, waited for."""
    started = time.perf_counter()
    variables = {"PATH": "/bin", **{f"VARIABLE_{number}": "value" for number in range(50)}}
    process = session.spawn(["/bin/sh", "-e", "/__w/script.sh"], variables=variables, folder="/__w")
    size = 0
    while block := process.read():
        size += len(block)
    process.release(size)
    assert process.wait() == 0
    return time.perf_counter() - started


def time_client(client: list[str], *words: str) -> float:
    """Return the seconds of one call of Docker's client."""
    started = time.perf_counter()
    subprocess.run([*client, *words], check=True, capture_output=True)
    return time.perf_counter() - started


def ask(folder: Path) -> JobRequest:
    """Return the request for the place of a job."""
    folders = JobFolders(folder, "boat", folder / "tools")
    folders.make()
    (folder / "script.sh").write_text(SCRIPT)
    record = folder.parent / f"{folder.name}-record"
    record.mkdir()
    return JobRequest(key="bench", record=record, folders=folders)


def measure_steps(
    executor: DockerExecutor, client: list[str], image: str, folder: Path, steps: int
) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of steps, of scripts in an open shell, and of `docker exec`."""
    session = executor.open(ask(folder))
    shell = OpenShell(client, image, folder)
    container = session.facts["container"]
    assert isinstance(container, dict)
    words = ("exec", str(container["id"]), "/bin/sh", "-e", "/__w/script.sh")
    try:
        run_step(session)
        rounds = [
            (run_step(session), shell.run(), time_client(client, *words)) for _ in range(steps)
        ]
    finally:
        shell.close()
        session.close()
    ours, theirs, execs = zip(*rounds, strict=True)
    return list(ours), list(theirs), list(execs)


def time_start(executor: DockerExecutor, folder: Path) -> float:
    """Return the seconds until the first step of a job has run in its container."""
    request = ask(folder)
    started = time.perf_counter()
    session = executor.open(request)
    run_step(session)
    seconds = time.perf_counter() - started
    session.close()
    return seconds


def time_workspace(executor: DockerExecutor, folder: Path) -> float | None:
    """Return the seconds until a container sees 500 MB; None where nothing may be mounted."""
    request = ask(folder)
    lower, upper, work, target = (folder / name for name in ("base", "upper", "work", "target"))
    for each in (lower, upper, work, target):
        each.mkdir()
    for number in range(FILES):
        (lower / str(number)).write_bytes(os.urandom(WORKSPACE_BYTES // FILES))
    session = executor.open(request)
    try:
        run_step(session)
        started = time.perf_counter()
        mounted = session.overlay(lower, upper, work, target)
        seconds = time.perf_counter() - started
        return seconds if mounted else None
    finally:
        session.close()


def report(name: str, value: float, limit: float, unit: str) -> bool:
    """Print one result against its limit; tell whether it holds."""
    print(f"{name:44} {value:8.2f} {unit} (limit {limit}){'' if value <= limit else '  TOO SLOW'}")
    return value <= limit


def main() -> int:
    """Measure all, in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--image", default="")
    options = parser.parse_args()
    engine = Engine(find_address(os.environ))
    try:
        engine.ping()
    except DockerError as error:
        print(f"nothing measured: {error.message}")
        return 0
    image = options.image or IMAGE
    if not options.image:
        make_tools_image(engine, image)
    client = [shutil.which("docker", path="/usr/bin") or CLIENT, "-H", engine.address.text]
    executor = DockerExecutor({"DOCKER_HOST": engine.address.text}, image=image)
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch)
        steps, scripts, execs = measure_steps(executor, client, image, own / "job", options.steps)
        mounting = time_workspace(executor, own / "workspace")
        starts, runs = [], []
        for number in range(options.rounds):
            runs.append(time_client(client, "run", "--rm", image, "/bin/sh", "-c", "true"))
            starts.append(time_start(executor, own / str(number)))
    print(
        f"script in an open shell {median(scripts) * 1000:6.2f} ms, docker exec "
        f"{median(execs) * 1000:6.1f} ms, docker run {median(runs) * 1000:6.0f} ms"
    )
    over = (median(steps) - median(scripts)) * 1000
    holds = [
        report("step over that script", over, STEP_MILLISECONDS, "ms"),
        report("steps against docker exec", median(steps) / median(execs), EXEC_RATIO, "x "),
        report(
            "first step of a job over docker run",
            (median(starts) - median(runs)) * 1000,
            START_MILLISECONDS,
            "ms",
        ),
    ]
    if mounting is not None:
        limit = WORKSPACE_MILLISECONDS
        holds.append(report("workspace of 500 MB", mounting * 1000, limit, "ms"))
    return int(not all(holds))


if __name__ == "__main__":
    sys.exit(main())
