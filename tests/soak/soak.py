#!/usr/bin/env python3
"""Runs mixed workflows in a row, in one process, and watches what piles up.

Usage: tests/soak/soak.py [--runs N] [--every N]

Memory, open files, threads, child processes and the size of `.windlass` are taken at intervals. The
first tenth of the runs is for warming up; after it nothing may grow by more than half, and nothing
that was started may be left. Ends with 1 where something grows.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

from windlass.operations.plans import PlanOptions
from windlass.operations.runs import RunOptions, run_event

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
GROWTH = 1.5
SLACK = {"memory_mb": 8, "files": 4, "threads": 2, "processes": 2, "state_mb": 8, "entries": 200}
"""What may be added to half of the first figure before it counts as growth."""

WORKFLOWS = {
    "graph": """\
on: push
jobs:
  list:
    runs-on: ubuntu-latest
    outputs: {legs: '${{ steps.set.outputs.legs }}'}
    steps:
      - uses: actions/checkout@v4
      - {id: set, run: 'echo ''legs=["a", "b"]'' >> "$GITHUB_OUTPUT"'}
  test:
    needs: list
    strategy: {matrix: {leg: '${{ fromJSON(needs.list.outputs.legs) }}'}}
    runs-on: ubuntu-latest
    steps: [{run: 'echo "::notice::${{ matrix.leg }}"; echo "# done" >> "$GITHUB_STEP_SUMMARY"'}]
""",
    "failure": """\
on: push
jobs:
  bad:
    runs-on: ubuntu-latest
    steps:
      - {run: 'echo "::add-mask::not-to-be-seen"; echo not-to-be-seen; exit 1'}
      - {if: always(), run: 'sleep 300 & echo left behind'}
  after:
    needs: bad
    runs-on: ubuntu-latest
    steps: [{run: "true"}]
""",
    "chatter": """\
on: push
jobs:
  talk:
    runs-on: ubuntu-latest
    steps: [{run: 'yes a line of output | head -n 2000'}]
""",
    "action": """\
on: push
jobs:
  act:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - {id: greet, uses: ./.github/actions/greet, with: {who: you}}
      - run: test '${{ steps.greet.outputs.text }}' = 'hello you'
""",
}
ACTION = """\
inputs: {who: {required: true}}
outputs: {text: {value: '${{ steps.make.outputs.text }}'}}
runs:
  using: composite
  steps:
    - {id: make, shell: bash, run: 'echo "text=hello ${{ inputs.who }}" >> "$GITHUB_OUTPUT"'}
"""


@dataclass(frozen=True)
class Figures:
    """What a process and its repository hold at one moment."""

    memory_mb: float
    files: int
    threads: int
    processes: int
    state_mb: float
    entries: int


def make_repository(folder: Path) -> Path:
    for name, text in WORKFLOWS.items():
        path = folder / ".github" / "workflows" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    action = folder / ".github" / "actions" / "greet" / "action.yml"
    action.parent.mkdir(parents=True)
    action.write_text(ACTION)
    identity = ("-c", "user.name=Soak", "-c", "user.email=soak@example.org")
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*identity, "commit", "--quiet", "--message", "Soak"),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def take_figures(folder: Path) -> Figures:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    tasks = list(Path("/proc/self/task").iterdir())
    children = " ".join((task / "children").read_text() for task in tasks)
    sizes = []
    for root, _, names in os.walk(folder / ".windlass"):
        for name in names:
            try:
                sizes.append(os.lstat(os.path.join(root, name)).st_blocks * 512)  # noqa: PTH118
            except FileNotFoundError:
                continue
    return Figures(
        memory_mb=round(pages * PAGE_BYTES / 2**20, 1),
        files=len(os.listdir("/proc/self/fd")),  # noqa: PTH208
        threads=len(tasks),
        processes=len(children.split()),
        state_mb=round(sum(sizes) / 2**20, 1),
        entries=len(sizes),
    )


def find_growth(first: Figures, last: Figures) -> list[str]:
    grown = []
    for field in fields(Figures):
        before, after = getattr(first, field.name), getattr(last, field.name)
        if after > before * GROWTH + SLACK[field.name]:
            grown.append(f"{field.name}: {before} became {after}")
    return grown


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=0, help="runs between figures")
    options = parser.parse_args()
    every = options.every or max(1, options.runs // 20)
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_repository(Path(scratch) / "soak")
        paths = [folder / ".github" / "workflows" / f"{name}.yml" for name in WORKFLOWS]
        started = time.monotonic()
        first: Figures | None = None
        for number, path in zip(range(1, options.runs + 1), itertools.cycle(paths)):
            run_once(folder, path)
            if number % every == 0:
                figures = take_figures(folder)
                print(
                    f"{number:6d} runs {time.monotonic() - started:7.0f} s  {figures}", flush=True
                )
            if number == max(1, options.runs // 10):
                first = take_figures(folder)
        assert first is not None
        grown = find_growth(first, take_figures(folder))
    for line in grown:
        print(f"grows: {line}")
    return 1 if grown else 0


def run_once(folder: Path, path: Path) -> None:
    options = RunOptions(plan=PlanOptions(workflows=path, places={"*": "host"}))
    report = run_event(folder, "push", options, lambda _: None)
    expected = "failure" if path.stem == "failure" else "success"
    results = [run.result.value for run in report.runs]
    assert results == [expected], (path.stem, results, report.diagnostics, report.breakdowns)


if __name__ == "__main__":
    sys.exit(main())
