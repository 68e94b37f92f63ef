#!/usr/bin/env python3
"""What a sandbox costs: the start of a job and each of its steps, against the same on the host.

Usage: bench/sandboxes.py [--steps N] [--rounds N]

Whole commands are compared, in turns: with a single step, and the difference to one with more. A
step may take 1.5 times as long as on the host, and a job 100 ms longer to start and to end. Where
no sandbox can be made nothing is measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from measuring.places import find_sandbox
from measuring.repositories import WINDLASS, make_repository, time_command, write_job

STEP = "run: 'x=1; echo \"step $x\"'"
PLACES = ("host", "sandbox")
STEP_RATIO = 1.5
JOB_MILLISECONDS = 100.0


def main() -> int:
    """Measure both, in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if not find_sandbox():
        return 0
    jobs: dict[str, list[float]] = {place: [] for place in PLACES}
    steps: dict[str, list[float]] = {place: [] for place in PLACES}
    with tempfile.TemporaryDirectory() as folder:
        workflows = {"one.yml": [STEP], "many.yml": [STEP] * (options.steps + 1)}
        repository = make_repository(
            Path(folder, "repository"), {name: write_job(it) for name, it in workflows.items()}
        )
        for _ in range(options.rounds):
            for place in PLACES:
                one, many = (
                    time_command(
                        [WINDLASS, "run", "-W", f".github/workflows/{name}", "-P", f"*={place}"],
                        repository,
                    )
                    for name in ("one.yml", "many.yml")
                )
                jobs[place].append(one)
                steps[place].append((many - one) / options.steps)
    ratio = median(steps["sandbox"]) / median(steps["host"])
    over = (median(jobs["sandbox"]) - median(jobs["host"])) * 1000
    print(
        f"step of a job  {median(steps['sandbox']) * 1000:7.2f} ms  {ratio:5.2f} x host "
        f"(limit {STEP_RATIO}){'  TOO SLOW' if ratio > STEP_RATIO else ''}"
    )
    print(
        f"whole job      {median(jobs['sandbox']) * 1000:7.2f} ms  {over:+.1f} ms to host "
        f"(limit {JOB_MILLISECONDS}){'  TOO SLOW' if over > JOB_MILLISECONDS else ''}"
    )
    return int(ratio > STEP_RATIO or over > JOB_MILLISECONDS)


if __name__ == "__main__":
    sys.exit(main())
