"""How long linting the corpus takes, as a ratio to a bare start of the same interpreter.

Usage: bench/lint.py [--rounds N]

The whole command is measured, start-up and reading of the 66 workflows included, once without and
once with ShellCheck. Without it the limit is 150 bare starts. actionlint is measured beside if it
is on PATH or in $WINDLASS_BENCH_PATH (it also runs ShellCheck if that is on PATH).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "corpus" / "ok"
LIMIT = 150
LINT = "from windlass.operations.lint import lint; lint(use_shellcheck={})"
FINDINGS = (0, 1)


def measure(command: list[str]) -> float:
    """Return the seconds a command takes in the corpus."""
    started = time.perf_counter()
    answer = subprocess.run(command, cwd=CORPUS, capture_output=True, check=False)
    elapsed = time.perf_counter() - started
    if answer.returncode not in FINDINGS:
        raise SystemExit(f"{command[0]} failed: {answer.stderr.decode()}")
    return elapsed


def main() -> int:
    """Print medians and ratios; 1 if the limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    commands = {
        "bare interpreter": [sys.executable, "-c", "pass"],
        "lint": [sys.executable, "-c", LINT.format("False")],
        "lint with ShellCheck": [sys.executable, "-c", LINT.format("True")],
    }
    path = os.pathsep.join(
        filter(None, [os.environ.get("WINDLASS_BENCH_PATH"), os.environ["PATH"]])
    )
    actionlint = shutil.which("actionlint", path=path)
    if actionlint is not None:
        files = sorted(map(str, (CORPUS / ".github" / "workflows").glob("*.yml")))
        commands["actionlint"] = [actionlint, "-no-color", *files]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(measure(command))
    bare = median(times["bare interpreter"])
    for name, found in times.items():
        print(f"{name:24} {median(found) * 1000:8.1f} ms {median(found) / bare:7.1f} x")
    return 0 if median(times["lint"]) / bare <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
