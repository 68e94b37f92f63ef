"""How fast a step's output goes through, how much memory that takes, how fast a log opens.

    .venv/bin/python bench/logs.py [MEGABYTES]

A child prints lines of 80 bytes into a pipe, one in a hundred a runner command: `debug` and
`notice` in turns. The same pipe is read bare for comparison. The job has 50 secrets, none of which
is printed. The file sink is the whole way with a spool and the job's log; the JSON sink adds the
lines of `windlass run --json`. Memory is that of a process of its own and its supervisor while a
step prints 2 GB, after which the end and the middle of that log are opened. A limit that is missed
is a failure.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.json_events import JsonEvents
from windlass.jobs.command_handlers import CommandHandler, StepEffects
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.masking import Masker
from windlass.jobs.output import read_to_end
from windlass.jobs.reports import StepReporter
from windlass.stores.logs import JobLogReader, JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.protocol.events import RunEvent

MEGABYTES = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 64
LINE_BYTES = 80
LINES_PER_COMMAND = 100
COMMANDS = ("debug", "notice")
"""One that does nothing here, and one that is an annotation: a line of the log, an event."""

SECRETS = 50
ROUNDS = 5
LARGE_MEGABYTES = 2000
LIMITS = {"file sink": 100.0, "file and JSON sinks": 25.0}
"""Megabytes a second, at least."""

MOST_MEMORY_MEGABYTES = 90
MOST_SECONDS_TO_OPEN = 0.5


@dataclass
class Sink:
    """Where a step's output goes."""

    secrets: list[str]
    folder: Path | None = None
    emit: Callable[[RunEvent], None] = lambda _: None


class Nowhere:
    """A terminal whose output is written to a file that nobody keeps."""

    def __init__(self) -> None:
        self._file = io.TextIOWrapper(io.FileIO(os.devnull, "wb"), write_through=False)

    def write(self, text: str) -> None:
        self._file.write(text)


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
            line = f"::{COMMANDS[number // LINES_PER_COMMAND % 2]}::step {number} of many "
        else:
            line = " ".join(words[(number + k) % len(words)] for k in range(12))
        lines.append(f"{line:.<{LINE_BYTES - 1}.{LINE_BYTES - 1}}\n")
    block = "".join(lines).encode()
    file = folder / "output"
    with file.open("wb") as out:
        for _ in range(MEGABYTES * 1_000_000 // len(block)):
            out.write(block)
    return file


def measure_bare(file: Path) -> tuple[float, float]:
    """Return megabytes a second through a pipe that is only read."""
    with closing(HostExecutor().open("bench")) as session:
        start, busy = time.perf_counter(), time.process_time()
        process = session.spawn(["/bin/cat", str(file)], variables={}, folder="/")
        while process.read():
            pass
        process.wait()
        return speeds(file.stat().st_size, start, busy)


def measure(file: Path, sink: Sink, repeat: int = 1) -> tuple[float, float]:
    """Return megabytes a second the whole way: of wall time, of our own processor time."""
    masker = Masker(sink.secrets)
    writer = None if sink.folder is None else JobLogWriter(sink.folder / "log")
    reporter = StepReporter("job", "step", masker, sink.emit, writer)
    handler = CommandHandler(
        reporter.log, StepEffects(), reporter.collect, variables={}, workspace="/w", debug=False
    )
    with closing(HostExecutor().open("bench", sink.folder)) as session:
        masker.listen(session.hide)
        start, busy = time.perf_counter(), time.process_time()
        process = session.spawn(
            ["/bin/cat", *[str(file)] * repeat], variables={}, folder="/", step="step"
        )
        assert read_to_end(process, reporter.log, handler.find, handler.refuse) == 0
        found = speeds(file.stat().st_size * repeat, start, busy)
    if writer is not None:
        writer.close()
    return found


def speeds(size: int, start: float, busy: float) -> tuple[float, float]:
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    return size / 1e6 / seconds, size / 1e6 / busy


def measure_speed(folder: Path, file: Path, secrets: list[str]) -> bool:
    """Print megabytes a second of every way; tell whether all are fast enough."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for number in range(ROUNDS):
        record = folder / f"record{number}"
        record.mkdir()
        both = folder / f"both{number}"
        both.mkdir()
        show = JsonEvents(Nowhere()).show
        for name, found in (
            ("bare read", measure_bare(file)),
            ("no sink, no secrets", measure(file, Sink([]))),
            ("no sink", measure(file, Sink(secrets))),
            ("file sink", measure(file, Sink(secrets, record))),
            ("file and JSON sinks", measure(file, Sink(secrets, both, show))),
        ):
            rows.setdefault(name, []).append(found)
    print(f"{MEGABYTES} MB, lines of {LINE_BYTES} bytes, 1 % commands, {SECRETS} secrets")
    is_fast = True
    for name, column in rows.items():
        wall, busy = (statistics.median(it) for it in zip(*column, strict=True))
        limit = LIMITS.get(name, 0.0)
        is_fast &= wall >= limit
        print(
            f"{name:20} {wall:6.0f} MB/s ({busy:6.0f} MB per second of processor time)"
            + (f"  (at least {limit:.0f})" if limit else "")
            + ("  TOO SLOW" if wall < limit else "")
        )
    return is_fast


def measure_large(folder: Path, file: Path) -> bool:
    """Print what a step of 2 GB needs, and how fast its log opens; tell whether that will do."""
    record = folder / "large"
    record.mkdir()
    command = [sys.executable, __file__, "--large", str(record), str(file)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    memory = found["windlass"] + found["supervisor"]
    print(
        f"{LARGE_MEGABYTES} MB: {found['speed']:.0f} MB/s, memory {found['windlass']:.0f} MB and "
        f"{found['supervisor']:.0f} MB of the supervisor  (at most {MOST_MEMORY_MEGABYTES})"
    )
    waits = []
    for name, read in (
        ("tail", lambda reader: reader.tail(100)),
        ("tail of the step", lambda reader: reader.tail(100, "step")),
        ("middle", lambda reader: reader.lines(reader.line_count // 2, 100)),
        ("middle of the step", lambda reader: reader.lines(reader.line_count // 2, 100, "step")),
    ):
        start = time.perf_counter()
        with JobLogReader(record / "log") as reader:
            lines = read(reader)
        waits.append(time.perf_counter() - start)
        assert len(lines) == 100
        print(f"{name:20} {waits[-1] * 1000:6.1f} ms  (at most {MOST_SECONDS_TO_OPEN * 1000:.0f})")
    return memory <= MOST_MEMORY_MEGABYTES and max(waits) <= MOST_SECONDS_TO_OPEN


def run_large(record: Path, file: Path) -> None:
    """Run a step of 2 GB in this process and print what it needed."""
    peak = 0.0

    def watch(_: RunEvent) -> None:
        nonlocal peak
        presence = json.loads((record / "supervisor.json").read_text())
        peak = max(peak, highest_memory(presence["supervisor"][0]))

    secrets = make_secrets()
    repeat = LARGE_MEGABYTES * 1_000_000 // file.stat().st_size
    speed, _ = measure(file, Sink(secrets, record, watch), repeat)
    print(json.dumps({"speed": speed, "windlass": highest_memory(os.getpid()), "supervisor": peak}))


def highest_memory(pid: int) -> float:
    """Return the most memory a process has had, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def make_secrets() -> list[str]:
    return [f"{os.urandom(15).hex()}-{number}" for number in range(SECRETS)]


def main() -> int:
    if "--large" in sys.argv:
        run_large(Path(sys.argv[2]), Path(sys.argv[3]))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = make_output(folder)
        is_good = measure_speed(folder, file, make_secrets())
        is_good &= measure_large(folder, file)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
