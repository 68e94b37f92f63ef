#!/usr/bin/env python3
"""The same workflow by Windlass and by act, in containers of the same image, in turns.

Usage: bench/engines.py [--steps N] [--rounds N]

What is compared is a whole command: one with a single step, which is how long a job takes to start
and to end, and the difference to one with more, which is what a step takes. Windlass must be the
faster one in both. Without act on PATH, or without a Docker daemon, nothing is measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.images import TOOLS, make_tools_image

from measuring.places import find_daemon
from measuring.repositories import WINDLASS, make_repository, time_command, write_job

IMAGE = "windlass-bench/engines:1"
PROGRAMS = (*TOOLS, "bash", "tail", "tar", "uname")
STEP = "run: 'x=1; echo \"step $x\"'"
LIMIT = 1.0


def list_commands(name: str) -> dict[str, list[str]]:
    """Return the command of each engine for a workflow."""
    file = f".github/workflows/{name}.yml"
    act = shutil.which("act") or "act"
    return {
        "Windlass": [WINDLASS, "run", "push", "-W", file, "-P", f"ubuntu-latest=docker://{IMAGE}"],
        "act": [act, "push", "-W", file, "-P", f"ubuntu-latest={IMAGE}", "--pull=false"],
    }


def report(name: str, ours: list[float], theirs: list[float]) -> bool:
    """Print how long something takes with both; tell whether Windlass is faster."""
    ratio = median(ours) / median(theirs)
    verdict = "" if ratio <= LIMIT else "  TOO SLOW"
    print(
        f"{name:24} Windlass {median(ours) * 1000:7.1f} ms, act {median(theirs) * 1000:7.1f} ms: "
        f"{ratio:5.2f} x (limit {LIMIT}){verdict}"
    )
    return ratio <= LIMIT


def main() -> int:
    """Measure both, in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    engine = find_daemon()
    if engine is None or shutil.which("act") is None:
        print("nothing measured: act and a Docker daemon are wanted")
        return 0
    make_tools_image(engine, IMAGE, PROGRAMS)
    variables = {"DOCKER_HOST": engine.address.text, "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8")}
    starts: dict[str, list[float]] = {"Windlass": [], "act": []}
    steps: dict[str, list[float]] = {"Windlass": [], "act": []}
    with tempfile.TemporaryDirectory() as folder:
        workflows = {"one.yml": [STEP], "many.yml": [STEP] * (options.steps + 1)}
        repository = make_repository(
            Path(folder, "repository"), {name: write_job(it) for name, it in workflows.items()}
        )
        for _ in range(options.rounds):
            for name in starts:
                one, many = (
                    time_command(list_commands(it)[name], repository, variables)
                    for it in ("one", "many")
                )
                starts[name].append(one)
                steps[name].append((many - one) / options.steps)
    holds = [
        report("job of a single step", starts["Windlass"], starts["act"]),
        report("one more step", steps["Windlass"], steps["act"]),
    ]
    return int(not all(holds))


if __name__ == "__main__":
    sys.exit(main())
