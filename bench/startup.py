"""How long people wait for the command line, as ratios to a bare start of the same interpreter.

Usage: bench/startup.py [--rounds N] [--json FILE]

Each measure is a median of wall-clock times, taken in turn with the bare start so that a busy
machine slows both. A ratio over its limit is a failure. actionlint and act are measured beside,
without a limit, when they are on PATH or in the folder $WINDLASS_BENCH_PATH names.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from measuring.repositories import WINDLASS, make_repository

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).resolve().parent.parent
CORPUS = CHECKOUT / "tests" / "corpus" / "ok"
TOOLS_PATH = os.pathsep.join(
    filter(None, [os.environ.get("WINDLASS_BENCH_PATH"), os.environ["PATH"]])
)
FIRST_STEP = """\
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - run: echo the-first-byte
"""


@dataclass(frozen=True)
class Measure:
    """One thing to wait for; `limit` is the highest ratio allowed, None for others' tools."""

    name: str
    run: Callable[[], float]
    limit: float | None


@dataclass(frozen=True)
class Outcome:
    name: str
    milliseconds: float
    ratio: float
    limit: float | None

    @property
    def is_over(self) -> bool:
        return self.limit is not None and self.ratio > self.limit


def environment() -> dict[str, str]:
    """A plain environment: no shellcheck of the virtual environment, no colour, Git as itself."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.environ["HOME"], "LANG": "C.UTF-8"}


def timed(command: list[str], folder: Path, accepted: tuple[int, ...] = (0,)) -> float:
    """Seconds until the command has ended."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode not in accepted:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stderr.decode()[-2000:]}")
    return seconds


def until_printed(command: list[str], folder: Path, text: bytes) -> float:
    """Seconds until the text appears on stdout; then the command may end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    seen = b""
    while text not in seen:
        block = os.read(process.stdout.fileno(), 65536)
        if not block:
            sys.exit(f"{command} never printed {text!r}, but:\n{seen.decode()}")
        seen += block
    seconds = time.perf_counter() - started
    process.communicate()
    return seconds


def own_measures(first: Path, corpus: Path) -> list[Measure]:
    run = [WINDLASS, "run", "push", "-P", "*=host"]
    lint = [WINDLASS, "lint", "--no-shellcheck"]  # without what other people wrote
    return [
        Measure("windlass --version", lambda: timed([WINDLASS, "--version"], first), 4),
        Measure(
            "windlass run: first byte of the first step",
            lambda: until_printed(run, first, b"the-first-byte"),
            20,
        ),
        Measure("windlass plan: 66 workflows", lambda: timed([WINDLASS, "plan"], corpus), 60),
        Measure("windlass lint: 66 workflows", lambda: timed(lint, corpus, (0, 1)), 150),
    ]


def other_measures(first: Path, corpus: Path) -> list[Measure]:
    measures = []
    if actionlint := shutil.which("actionlint", path=TOOLS_PATH):
        lint = [actionlint, "-shellcheck=", "-pyflakes="]
        measures.append(Measure("actionlint", lambda: timed(lint, corpus, (0, 1)), None))
    if act := shutil.which("act", path=TOOLS_PATH):
        host = [act, "push", "-P", "ubuntu-latest=-self-hosted", "--quiet=false"]
        measures.append(Measure("act --list", lambda: timed([act, "--list"], corpus, (0, 1)), None))
        measures.append(
            Measure(
                "act: first byte of the first step",
                lambda: until_printed(host, first, b"the-first-byte"),
                None,
            )
        )
    return measures


def take(measure: Measure, rounds: int) -> Outcome:
    """Measure in turn with the bare interpreter."""
    bare, own = [], []
    for _ in range(rounds):
        bare.append(timed([sys.executable, "-c", "pass"], CHECKOUT))
        own.append(measure.run())
    seconds = median(own)
    return Outcome(measure.name, seconds * 1000, seconds / median(bare), measure.limit)


def report(outcome: Outcome) -> None:
    limit = "" if outcome.limit is None else f"  (at most {outcome.limit:g})"
    verdict = "  TOO SLOW" if outcome.is_over else ""
    figures = f"{outcome.milliseconds:8.1f} ms  {outcome.ratio:6.1f} x"
    print(f"{outcome.name:<44} {figures}{limit}{verdict}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=11, help="measurements of each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to a file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        first, corpus = Path(scratch, "first"), Path(scratch, "corpus")
        make_repository(first, {"first.yml": FIRST_STEP})
        shutil.copytree(CORPUS, corpus)
        make_repository(corpus)
        outcomes = []
        for measure in own_measures(first, corpus) + other_measures(first, corpus):
            outcomes.append(take(measure, options.rounds))
            report(outcomes[-1])
    if options.json:
        options.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
    return int(any(outcome.is_over for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
