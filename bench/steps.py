#!/usr/bin/env python3
"""What a step costs: a job of 200 `run:` steps with 50 secrets, against `bash -e` of each script.

Usage: bench/steps.py [--steps N] [--rounds N]

The difference of two jobs, one of them with a single step, is what the other steps cost; masking,
command files, the job's log and the history of the run are on. A ratio over its limit is a failure.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

WINDLASS = str(Path(sys.executable).with_name("windlass"))
LIMIT = 2.5
SECRETS = 50
SCRIPT = 'x=1; echo "step $x"'


def make_repository(folder: Path, steps: int) -> None:
    """Make a repository whose one job has so many steps."""
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    lines = ["on: push", "jobs:", "  build:", "    runs-on: ubuntu-latest", "    steps:"]
    lines += [f"      - run: '{SCRIPT}'" for _ in range(steps)]
    (workflows / "steps.yml").write_text("\n".join(lines) + "\n")
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "--message", "Measure me"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    (folder.parent / "secrets").write_text(
        "".join(f"S{number}=a-secret-{number:03}-of-some-length\n" for number in range(SECRETS))
    )


def time_run(folder: Path) -> float:
    """Return the seconds of one `windlass run`."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    command = [WINDLASS, "run", "-P", "*=host", "--secret-file", str(folder.parent / "secrets")]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stderr.decode()}")
    return seconds


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
        make_repository(many, options.steps + 1)
        make_repository(one, 1)
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
