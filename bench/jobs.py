#!/usr/bin/env python3
"""What a job costs: 500 jobs of `true` in a graph, against GNU parallel over the same commands.

Usage: bench/jobs.py [--jobs N] [--rounds N]

Both run as many at once as there are processors. A ratio over its limit is a failure. GNU parallel
has to be on PATH (Debian: parallel).
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

from measuring.repositories import WINDLASS, make_repository

LIMIT = 2.0
WIDTH = 25
"""Jobs of a layer; each needs two of the layer before."""


def workflow(jobs: int) -> str:
    """A graph of jobs in layers."""
    lines = ["on: push", "jobs:"]
    for number in range(jobs):
        lines += [f"  job{number}:", "    runs-on: ubuntu-latest"]
        if number >= WIDTH:
            first = number - WIDTH
            second = first - first % WIDTH + (first + 1) % WIDTH
            lines.append(f"    needs: [job{first}, job{second}]")
        lines.append("    steps: [{run: 'true'}]")
    return "\n".join(lines) + "\n"


def timed(command: list[str], folder: Path, commands: str = "") -> float:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "HOME": str(folder),
        "LANG": "C.UTF-8",
    }
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, input=commands, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    parallel = shutil.which("parallel")
    if parallel is None:
        sys.exit("GNU parallel is missing (Debian: apt-get install parallel)")
    commands = "true\n" * options.jobs
    theirs, ours = [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "graph")
        make_repository(folder, {"graph.yml": workflow(options.jobs)})
        for _ in range(options.rounds):
            theirs.append(
                timed([parallel, "--no-notice", "-j", str(os.cpu_count())], folder, commands)
            )
            ours.append(timed([WINDLASS, "run", "-P", "*=host"], folder))
    ratio = median(ours) / median(theirs)
    verdict = "  TOO SLOW" if ratio > LIMIT else ""
    print(f"GNU parallel, {options.jobs} jobs   {median(theirs):6.2f} s")
    print(
        f"windlass run, {options.jobs} jobs   {median(ours):6.2f} s  {ratio:5.2f} x  "
        f"(at most {LIMIT}){verdict}"
    )
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
