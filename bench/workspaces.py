"""How long a checkout takes and what it needs on disk, on a repository of 20,000 files.

Usage: bench/workspaces.py [--rounds N] [--folder DIR] [--megabytes N]

The repository is generated, and packed as a clone is. Each measure is a median; those with a ratio
are taken in turn with what they are compared with. What is over its limit is a failure. An overlay
is measured only where mounting one is allowed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from windlass.git.repository import read_repository
from windlass.git.trees import materialise_tree
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.source import Source
from windlass.jobs.workspaces.bases import FILES
from windlass.jobs.workspaces.copies import copy_base, put_facts
from windlass.jobs.workspaces.filling import fill_folder
from windlass.jobs.workspaces.removal import remove_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windlass.jobs.executors.interface import Session
    from windlass.jobs.workspaces.bases import Content

FILES_COUNT = 20_000
PER_FOLDER = 100
CHANGED = 10
JOBS = 20
WINDLASS = str(Path(sys.executable).with_name("windlass"))
FIRST_STEP = """\
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo the-first-byte
"""


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    command = ["git", *identity, *words]
    return subprocess.run(
        command,
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout.strip()


def generate(folder: Path, megabytes: int) -> None:
    """Make a packed repository of 20,000 files with this much in them, that does not compress."""
    noise = random.Random(1)
    block = noise.randbytes(1 << 20)
    size = megabytes * 1_000_000 // FILES_COUNT
    for number in range(FILES_COUNT):
        path = folder / f"part{number // 2000}/module{number // PER_FOLDER}/file{number}.txt"
        if number % PER_FOLDER == 0:
            path.parent.mkdir(parents=True)
        start = noise.randrange(len(block) - 2 * size - 1)
        path.write_bytes(block[start : start + noise.randrange(size // 2, size * 3 // 2)])
    (folder / ".github/workflows").mkdir(parents=True)
    (folder / ".github/workflows/first.yml").write_text(FIRST_STEP)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "core.compression", "0")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Measure me")
    # The payload of a push names the files of its last commit; few commits are of all files.
    for number in range(CHANGED):
        (folder / f"part1/module{20 + number}/added.txt").write_text(f"{number}\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Change a little")
    git(folder, "repack", "-a", "-d", "-q", "--window=0")
    time.sleep(1.1)  # git reads files again that changed in the second of its index
    git(folder, "status", "--porcelain")


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def make_source(root: Path, state: Path, *, layered: bool = False) -> Source:
    repository = read_repository(root)
    ref = repository.ref
    return Source(
        repository=repository, sha=repository.head_sha, ref=ref, state=state, layered=layered
    )


def provide(source: Source) -> Content:
    tree = source.find_tree()

    def write(folder: Path) -> tuple[str, ...]:
        materialise_tree(tree, folder / FILES, scratch=source.shadow, index=folder / "0.index")
        return ("",)

    return source.bases.provide(tree, write)


class Report:
    """Prints what was measured and remembers whether something was over its limit."""

    def __init__(self) -> None:
        self.is_over = False

    def tell(self, name: str, seconds: float, *, ratio: float | None, limit: float) -> None:
        value = seconds * 1000 if ratio is None else ratio
        over = value > limit
        self.is_over = self.is_over or over
        unit = "ms" if ratio is None else "x "
        shown = "" if ratio is None else f"{ratio:8.2f} x"
        verdict = "  TOO SLOW" if over else ""
        print(
            f"{name:<56} {seconds * 1000:9.1f} ms {shown:>10}  (at most {limit:g} {unit}){verdict}",
            flush=True,
        )


@contextmanager
def session() -> Iterator[Session]:
    opened = HostExecutor().open(JobRequest(key="bench"))
    try:
        yield opened
    finally:
        opened.close()


def measure_bases(root: Path, scratch: Path, rounds: int, report: Report) -> None:
    """A base from nothing beside `git worktree add`, and one after ten changed files."""
    cold, worktree = [], []
    for _ in range(rounds):
        target = scratch / "worktree"
        worktree.append(timed(lambda: git(root, "worktree", "add", "--detach", str(target))))  # noqa: B023
        remove_folder(target)
        git(root, "worktree", "prune")
        source = make_source(root, scratch / "cold")
        cold.append(timed(lambda: provide(source)))  # noqa: B023
        remove_folder(scratch / "cold")
    ratio = median(own / other for own, other in zip(cold, worktree, strict=True))
    report.tell("base, cold, beside git worktree add", median(cold), ratio=ratio, limit=1.5)
    state = scratch / "state"
    provide(make_source(root, state))
    changed = []
    for turn in range(rounds):
        for number in range(CHANGED):
            (root / f"part0/module{number}/file{number * PER_FOLDER}.txt").write_text(f"{turn}\n")
        source = make_source(root, state)
        changed.append(timed(lambda: provide(source)))  # noqa: B023
    report.tell("base after 10 changed files", median(changed), ratio=None, limit=100)
    git(root, "checkout", "--quiet", ".")


def fill(source: Source, job: Path, place: Session, *, layered: bool) -> bool:
    """Make one workspace; tell whether it was layered."""
    folder = job / "workspace"
    folder.mkdir(parents=True)
    content = provide(source)
    layers = job / "layers" if layered else None
    filled = fill_folder(content, folder, session=place, layers=layers, wide=False)
    if not filled.is_layered:
        index = source.find_index(content.base, 0, content.base.tree)
        index = put_facts(index, filled.facts[0], wide=False)
        (filled.folder / "index").write_bytes(index)
    return filled.is_layered


def measure_workspaces(root: Path, scratch: Path, rounds: int, report: Report, name: str) -> None:
    """A workspace with its base ready: by an overlay where that is allowed, and by a copy."""
    source = make_source(root, scratch / "state")
    provide(source)
    for layered, limit in ((True, 50), (False, 1000)):
        taken, was_layered = [], False
        for number in range(rounds):
            job = scratch / f"job{number}"
            with session() as place:
                started = time.perf_counter()
                was_layered = fill(source, job, place, layered=layered)
                taken.append(time.perf_counter() - started)
            remove_folder(job)
        if layered and not was_layered:
            print("overlay: not allowed here")
            continue
        way = "overlay" if layered else "copy"
        report.tell(f"workspace by {way}, {name}", median(taken), ratio=None, limit=limit)


def measure_beside_cp(source: Source, scratch: Path, rounds: int, report: Report) -> None:
    """The copy beside `cp -a`, which says how fast this disk is."""
    content = provide(source)
    own, other = [], []
    for _ in range(rounds):
        target = scratch / "copy"
        command = ["cp", "-a", str(content.base.files), str(target)]
        other.append(timed(lambda: subprocess.run(command, check=True)))  # noqa: B023
        remove_folder(target)
        own.append(timed(lambda: copy_base(content.base, target, wide=False)))  # noqa: B023
        remove_folder(target)
    ratio = median(mine / theirs for mine, theirs in zip(own, other, strict=True))
    report.tell("copy beside cp -a", median(own), ratio=ratio, limit=1.5)


def used_bytes(folder: Path) -> int:
    """What a folder takes on disk."""
    listing = subprocess.run(["du", "-s", "-B1", str(folder)], check=True, capture_output=True)
    return int(listing.stdout.split()[0])


def measure_disk(root: Path, scratch: Path, report: Report) -> None:
    """Twenty jobs at once beside the base alone."""
    source = make_source(root, scratch / "state")
    content = provide(source)
    jobs = scratch / "jobs"
    places = [HostExecutor().open(JobRequest(key=f"job {number}")) for number in range(JOBS)]
    try:
        layered = [
            fill(source, jobs / f"{number}", place, layered=True)
            for number, place in enumerate(places)
        ]
        if not all(layered):
            print("disk use of 20 jobs: no overlay here, so each has a copy")
            return
        one = used_bytes(content.base.files)
        ratio = (one + used_bytes(jobs)) / one
        report.tell("disk use of 20 jobs beside one", 0, ratio=ratio, limit=1.1)
    finally:
        for place in places:
            place.close()
        remove_folder(jobs)


def plain_environment() -> dict[str, str]:
    """The variables of somebody who has installed Windlass: modules are compiled but once."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.environ["HOME"], "LANG": "C.UTF-8"}


def measure_first_step(root: Path, rounds: int, report: Report) -> None:
    """From the command to the first byte of the first step after a checkout, base cached."""
    bare, own = [], []
    for turn in range(rounds + 1):
        command = [sys.executable, "-c", "pass"]
        bare.append(timed(lambda: subprocess.run(command, check=True, env=plain_environment())))  # noqa: B023
        started = time.perf_counter()
        process = subprocess.Popen(
            [WINDLASS, "run", "push", "-P", "*=host"],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=plain_environment(),
        )
        assert process.stdout is not None
        seen = b""
        while b"the-first-byte\n" not in seen:
            block = os.read(process.stdout.fileno(), 1 << 16)
            if not block:
                sys.exit(f"the first step never spoke:\n{seen.decode()}")
            seen += block
        if turn:  # the first one writes the base
            own.append(time.perf_counter() - started)
        process.communicate()
    ratio = median(own) / median(bare)
    name = "windlass run: first byte of a step after a checkout"
    report.tell(name, median(own), ratio=ratio, limit=20)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each")
    parser.add_argument("--folder", help="where to make the repositories: the disk to measure")
    parser.add_argument("--megabytes", type=int, default=500, help="size of the second repository")
    options = parser.parse_args()
    report = Report()
    for megabytes in (60, options.megabytes):
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            scratch = Path(name)
            root = scratch / "repository"
            generate(root, megabytes)
            print(f"\n{FILES_COUNT} files, {megabytes} MB", flush=True)
            measure_bases(root, scratch, options.rounds, report)
            measure_workspaces(root, scratch, options.rounds, report, f"{megabytes} MB")
            source = make_source(root, scratch / "state")
            measure_beside_cp(source, scratch, options.rounds, report)
            measure_disk(root, scratch, report)
            if megabytes != options.megabytes:
                measure_first_step(root, options.rounds, report)
    return int(report.is_over)


if __name__ == "__main__":
    sys.exit(main())
