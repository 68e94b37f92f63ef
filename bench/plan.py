"""How long a plan of a whole repository takes, as a ratio to a bare start of the interpreter.

Usage: bench/plan.py [--rounds N] [--event NAME]

The repository is the corpus of workflows (tests/corpus/ok) in a fresh Git checkout. The whole is a
new process that imports, reads Git, reads all workflows, plans and prints JSON; the parts are
medians within one process. A ratio over the limit is a failure.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from windlass.git.repository import read_repository
from windlass.operations.loading import load_workflows
from windlass.plan.planner import Knowledge, make_plan
from windlass.plan.synthesis import synthesise_event

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "corpus" / "ok"
LIMIT = 60
WHOLE = (
    "import json, sys; from pathlib import Path; from windlass.operations.plans import plan_event; "
    "print(json.dumps(plan_event(Path(sys.argv[1]), sys.argv[2]).plan.to_json()))"
)


def main() -> int:
    """Measure, print a table, and return 1 if the whole takes too long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--event", default="push")
    options = parser.parse_args()
    if not CORPUS.is_dir():
        print(f"there is no corpus at {CORPUS}")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        checkout = make_checkout(Path(folder))
        bare, whole = measure_processes(checkout, options.event, options.rounds)
        parts = measure_parts(checkout, options.event, options.rounds)
    for name, seconds in {"bare interpreter": bare, "whole plan": whole, **parts}.items():
        print(f"{name:<20}{seconds * 1000:>9.1f} ms{seconds / bare:>8.1f} ×")
    print(f"limit for the whole: {LIMIT} ×")
    return 0 if whole <= LIMIT * bare else 1


def make_checkout(folder: Path) -> Path:
    """Return a Git checkout of the corpus with one commit."""
    checkout = folder / "corpus"
    shutil.copytree(CORPUS, checkout, symlinks=True)
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "All"]):
        identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=checkout, check=True)
    return checkout


def measure_processes(checkout: Path, event: str, rounds: int) -> tuple[float, float]:
    """Return the medians of a bare start and of a whole plan, taken in turn."""
    bare, whole = [], []
    for _ in range(rounds):
        bare.append(clock(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)))
        command = [sys.executable, "-c", WHOLE, str(checkout), event]
        whole.append(
            clock(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))  # noqa: B023
        )
    return median(bare), median(whole)


def measure_parts(checkout: Path, event: str, rounds: int) -> dict[str, float]:
    """Return the median of each part of a plan."""
    repository = read_repository(checkout)
    library = load_workflows(checkout)
    happened = synthesise_event(event, repository)
    knowledge = Knowledge(repository=repository, digests=library.digests)
    plan = make_plan(library.workflows, happened, knowledge)
    parts: dict[str, Callable[[], object]] = {
        "  Git's facts": lambda: read_repository(checkout),
        "  reading files": lambda: load_workflows(checkout),
        "  the event": lambda: synthesise_event(event, repository),
        "  deciding": lambda: make_plan(library.workflows, happened, knowledge),
        "  JSON and hash": lambda: json.dumps(plan.to_json()),
    }
    jobs = sum(1 for _ in plan.jobs())
    print(f"{len(plan.workflows)} workflows, {jobs} jobs, event {event}")
    return {name: median(clock(run) for _ in range(rounds)) for name, run in parts.items()}


def clock(run: Callable[[], object]) -> float:
    """Return the seconds a call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
