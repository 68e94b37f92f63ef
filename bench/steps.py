#!/usr/bin/env python3
"""What a step costs: a job of 200 `run:` steps with 50 secrets, against `bash -e` of each script.

Usage: bench/steps.py [--steps N] [--rounds N]

The difference of two jobs, one of them with a single step, is what the other steps cost; masking,
command files, the job's log and the history of the run are on. A ratio over its limit is a failure.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from measuring.repositories import WINDLASS, make_repository, time_command, write_job

LIMIT = 2.5
SECRETS = 50
SCRIPT = 'x=1; echo "step $x"'


def make_job(folder: Path, steps: int) -> None:
    """Make a repository whose one job has so many steps, and the secrets of its runs beside it."""
    make_repository(folder, {"steps.yml": write_job([f"run: '{SCRIPT}'"] * steps)})
    (folder.parent / "secrets").write_text(
        "".join(f"S{number}=a-secret-{number:03}-of-some-length\n" for number in range(SECRETS))
    )


def time_run(folder: Path) -> float:
    """Return the seconds of one `windlass run`."""
    secrets = str(folder.parent / "secrets")
    return time_command([WINDLASS, "run", "-P", "*=host", "--secret-file", secrets], folder)


def time_bash(folder: Path, steps: int) -> float:
    """Return the seconds of so many `bash -e SCRIPT`, each read to its end."""
    script = folder / "script.sh"
    script.write_text(SCRIPT)
    started = time.perf_counter()
    for _ in range(steps):
        subprocess.run(["bash", "-e", str(script)], capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> int:
    """Measure both, in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        many, one = Path(scratch, "many", "repository"), Path(scratch, "one", "repository")
        make_job(many, options.steps + 1)
        make_job(one, 1)
        ours, theirs = [], []
        for folder in (many, one):
            time_run(folder)
        for _ in range(options.rounds):
            ours.append((time_run(many) - time_run(one)) / options.steps)
            theirs.append(time_bash(many, options.steps) / options.steps)
    ratio = median(ours) / median(theirs)
    print(f"bash -e        {median(theirs) * 1000:7.2f} ms")
    print(
        f"step of a job  {median(ours) * 1000:7.2f} ms  {ratio:5.2f} x  (limit {LIMIT})"
        f"{'  TOO SLOW' if ratio > LIMIT else ''}"
    )
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
