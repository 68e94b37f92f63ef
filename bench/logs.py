"""How fast a step's output goes through: bytes of a pipe → masked events.

    .venv/bin/python bench/logs.py [MEGABYTES]

A child prints lines of 80 bytes, one in a hundred a runner command, into a pipe. The same pipe is
read bare for comparison. The job has 50 secrets, none of which is printed.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.jobs.command_handlers import CommandHandler, StepEffects
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.log import LineSplitter
from windlass.jobs.masking import Masker
from windlass.jobs.reports import StepReporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.protocol.events import RunEvent

MEGABYTES = int(sys.argv[1]) if len(sys.argv) > 1 else 64
LINE_BYTES = 80
LINES_PER_COMMAND = 100
SECRETS = 50
ROUNDS = 5


def make_output(folder: Path) -> Path:
    """Write what the child prints: words that look like a build's, and commands among them."""
    words = (
        "compiling",
        "linking",
        "/usr/lib/python3",
        "warning:",
        "unused variable",
        "0x7f",
        "ok",
    )
    lines = []
    for number in range(20_000):
        if number % LINES_PER_COMMAND == 0:
            line = f"::debug::step {number} of many "
        else:
            line = " ".join(words[(number + k) % len(words)] for k in range(12))
        lines.append(f"{line:.<{LINE_BYTES - 1}.{LINE_BYTES - 1}}\n")
    block = "".join(lines).encode()
    file = folder / "output"
    with file.open("wb") as out:
        for _ in range(MEGABYTES * 1_000_000 // len(block)):
            out.write(block)
    return file


def measure(file: Path, take: Callable[[bytes], None]) -> tuple[float, float]:
    """Return megabytes a second through a pipe: of wall time, and of our own processor time."""
    session = HostExecutor().open("bench")
    start, busy = time.perf_counter(), time.process_time()
    process = session.spawn(
        ["/bin/cat", str(file)], variables={"PATH": os.environ["PATH"]}, folder="/"
    )
    while block := process.read():
        take(block)
    process.wait()
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    session.close()
    size = file.stat().st_size / 1e6
    return size / seconds, size / busy


def make_taker(masker: Masker, events: list[int]) -> Callable[[bytes], None]:
    """Return what takes blocks: the whole way of a step's output."""

    def emit(event: RunEvent) -> None:
        events.append(len(getattr(event, "text", "")))

    reporter = StepReporter("job", "step", masker, emit)
    handler = CommandHandler(
        reporter.log, StepEffects(), reporter.annotate, variables={}, workspace="/w", debug=False
    )
    return LineSplitter(reporter.log, handler.handle, handler.refuse).feed


def main() -> None:
    secrets = [f"{os.urandom(15).hex()}-{number}" for number in range(SECRETS)]
    with tempfile.TemporaryDirectory() as folder:
        file = make_output(Path(folder))
        rows: dict[str, list[tuple[float, float]]] = {
            "bare read": [],
            "no secrets": [],
            "50 secrets": [],
        }
        events: list[int] = []
        for _ in range(ROUNDS):
            rows["bare read"].append(measure(file, lambda _: None))
            rows["no secrets"].append(measure(file, make_taker(Masker(), events)))
            rows["50 secrets"].append(measure(file, make_taker(Masker(secrets), events)))
    bare = statistics.median(wall for wall, _ in rows["bare read"])
    print(f"{MEGABYTES} MB, lines of {LINE_BYTES} bytes, 1 % commands, {len(events)} events")
    for name, speeds in rows.items():
        wall, busy = (statistics.median(column) for column in zip(*speeds, strict=True))
        print(
            f"{name:12} {wall:6.0f} MB/s ({busy:6.0f} MB per second of processor time), "
            f"{bare / wall:5.2f} x the time of a bare read"
        )


if __name__ == "__main__":
    main()
