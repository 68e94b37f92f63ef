#!/usr/bin/env python3
"""What a job in a container costs: its start, and its steps.

Usage: bench/containers.py [--steps N] [--rounds N] [--image NAME]

All is measured in turns in one run, against Docker's own client and against a shell of the same
image that is open already. The image is a small one, made of programs of this machine. Limits: a
step takes 4 ms more than its script in that shell, 20 steps take 0.15 of 20 `docker exec`, a job's
first step has run 100 ms after `docker run` would have run it, and a workspace of 500 MB is there
50 ms after it was asked for (as root; others have it copied), for several jobs without a copy.
Without a daemon nothing is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.images import make_tools_image

from measuring.places import OpenShell, find_daemon, name_client
from windlass.jobs.executors.docker import DockerExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.folders import JobFolders

if TYPE_CHECKING:
    from windlass.docker.engine import Engine
    from windlass.jobs.executors.interface import Session

IMAGE = "windlass-bench/tools:1"
SCRIPT = 'x=1; echo "step $x"\n'
COMMAND = "/bin/sh -e /__w/script.sh"
STEP_MILLISECONDS = 4.0
EXEC_RATIO = 0.15
START_MILLISECONDS = 100.0
WORKSPACE_BYTES = 500_000_000
FILES = 500
WORKSPACE_MILLISECONDS = 50.0
JOBS = 5
DISK_RATIO = 1.1


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


def time_run(client: list[str], image: str) -> float:
    """Return the seconds until a container that Docker's client starts has printed something."""
    words = ["run", "--rm", image, "/bin/sh", "-c", SCRIPT]
    started = time.perf_counter()
    with subprocess.Popen([*client, *words], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(1)
        seconds = time.perf_counter() - started
        process.stdout.read()
    return seconds


def ask(folder: Path) -> JobRequest:
    """Return the request for the place of a job."""
    folders = JobFolders(folder, "boat", folder / "tools")
    folders.make()
    (folder / "script.sh").write_text(SCRIPT)
    record = folder.parent / f"{folder.name}-record"
    record.mkdir()
    return JobRequest(key="bench", record=record, folders=folders)


def measure_steps(
    executor: DockerExecutor, engine: Engine, image: str, folder: Path, steps: int
) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of steps, of scripts in an open shell, and of `docker exec`."""
    session = executor.open(ask(folder))
    shell, client = OpenShell(engine, image, folder), name_client(engine)
    container = session.facts["container"]
    assert isinstance(container, dict)
    words = ("exec", str(container["id"]), "/bin/sh", "-e", "/__w/script.sh")
    try:
        run_step(session)
        rounds = [
            (run_step(session), shell.run(COMMAND), time_client(client, *words))
            for _ in range(steps)
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


def measure_workspaces(engine: Engine, image: str, folder: Path) -> tuple[float, float] | None:
    """Return the seconds until a container sees 500 MB, and what several take on disk against one.

    None where nothing may be mounted.
    """
    base = folder / "base"
    base.mkdir(parents=True)
    for number in range(FILES):
        (base / str(number)).write_bytes(os.urandom(WORKSPACE_BYTES // FILES))
    alone = count_blocks(folder)
    executor = make_executor(engine, image, base)
    seconds = []
    with contextlib.ExitStack() as sessions:
        for number in range(JOBS):
            request = ask(folder / str(number))
            assert request.folders is not None
            layers = [request.folders.root / name for name in ("upper", "work", "target")]
            for layer in layers:
                layer.mkdir()
            session = sessions.enter_context(contextlib.closing(executor.open(request)))
            run_step(session)
            started = time.perf_counter()
            if not session.overlay(base, *layers):
                return None
            seconds.append(time.perf_counter() - started)
        return median(seconds), count_blocks(folder) / alone


def make_executor(engine: Engine, image: str, *shown: Path) -> DockerExecutor:
    """Return what runs jobs in containers of an image, which may read these folders too."""
    return DockerExecutor({"DOCKER_HOST": engine.address.text}, image=image, shown=shown)


def count_blocks(folder: Path) -> int:
    """Return the bytes that a folder takes on disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


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
    engine = find_daemon()
    if engine is None:
        return 0
    image = options.image or IMAGE
    if not options.image:
        make_tools_image(engine, image)
    client = name_client(engine)
    executor = make_executor(engine, image)
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch)
        steps, scripts, execs = measure_steps(executor, engine, image, own / "job", options.steps)
        workspaces = measure_workspaces(engine, image, own / "workspaces")
        starts, runs = [], []
        for number in range(options.rounds):
            runs.append(time_run(client, image))
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
    if workspaces is not None:
        seconds, disk = workspaces
        holds += [
            report("workspace of 500 MB", seconds * 1000, WORKSPACE_MILLISECONDS, "ms"),
            report(f"what {JOBS} of them take on disk", disk, DISK_RATIO, "x "),
        ]
    return int(not all(holds))


if __name__ == "__main__":
    sys.exit(main())
