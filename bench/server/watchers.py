"""How many can watch one job at a time: a log that grows by a megabyte a second, and no lost line.

    .venv/bin/python bench/server/watchers.py [WATCHERS] [SECONDS]

A server in a process of its own, on SQLite, serves a run's log by event streams; a thread of it
appends to the log, in lines of 100 bytes, and says so, as the server does with what a runner sends.
Another process holds the watchers: nine in ten read all that comes, one in ten takes 200 kB a
second and falls behind. Each checks by numbers and lengths that all lines are there, in order, and
some by every byte. What is measured: how long after it was written a line arrives (of those who
keep up), the memory of the server, and the processor time of both; first with one watcher alone,
for comparison. A lost line is a failure, and so is a limit that is missed. Both processes together
need more than one processor.
"""

from __future__ import annotations

import json
import os
import re
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.db.announcements import add_announcements
from windlass.db.jobs import end_job, queue_job
from windlass.db.runs import AttemptRow, RunRow, enter_attempt
from windlass.db.server_database import ServerDatabase
from windlass.stores.logs import JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.operations.hosted.site import Site

WATCHERS = 200
SECONDS = 20
BYTES_A_SECOND = 1_000_000
LINE_BYTES = 100
BLOCKS_A_SECOND = 25
SLOW_BYTES_A_SECOND = 200_000
LIMITS = {"late p95 ms": 1000.0, "memory MB": 200.0}
TOKEN = "wlt_of_the_bench"
HEAD_BYTES = 160
HEAD = re.compile(rb'id: (\d+)\ndata: \{"first": (\d+), "step": "1", "time": ([\d.]+), "lines": \[')


def serve(folder: Path) -> None:
    """Be the server, until it is told to end; its address goes to standard output."""
    from windlass.engine.server.changes import LEAVING, Changes
    from windlass.engine.server.runs import ServerRuns
    from windlass.operations.hosted.callers import Caller
    from windlass.operations.hosted.site import Site
    from windlass.server.app import make_app
    from windlass.server.serving import listen
    from windlass.server.serving import serve as serve_app

    store = ServerDatabase(f"sqlite:///{folder / 'server.db'}")
    changes = Changes()
    runs = ServerRuns(store, lambda *_: sys.exit("nothing is opened here"), lambda *_: None)
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    site = Site(
        store=store,
        data=folder,
        runs=runs,
        changes=changes,
        address=f"http://127.0.0.1:{port}",
        now=time.time,
    )
    app = make_app(site, lambda token: Caller("1", "bench") if token == TOKEN else None)
    print(port, flush=True)
    threading.Thread(target=obey, args=(site,), daemon=True).start()
    serve_app(app, listening, on_leaving=lambda: changes.tell(LEAVING))
    store.close()


def obey(site: Site) -> None:
    """Write the log for so many seconds as standard input says, and end the job."""
    from windlass.engine.server.changes import name_attempt, name_log

    seconds = float(sys.stdin.readline())
    writer = JobLogWriter(site.data / "runs" / "1" / "1" / "jobs" / "1" / "log")
    written = write_log(writer, seconds, lambda: site.changes.tell(name_log("1", 1, 1)))
    writer.close()
    with site.store.writing() as connection:
        end_job(connection, "1", 1, "build")
    site.changes.tell(name_attempt("1", 1))
    print(written, flush=True)


class Watcher:
    """One event stream, read without waiting; each message begins where the last one ended."""

    def __init__(self, port: int, *, slow: bool) -> None:
        self.slow = slow
        self.lines = 0
        self.fault = ""
        self.is_over = False
        self.late: list[float] = []
        self.taken = 0
        self.socket = socket.create_connection(("127.0.0.1", port))
        if slow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        self.socket.sendall(
            b"GET /api/v1/runs/1/jobs/1/log HTTP/1.0\r\nHost: localhost\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
        )
        self.socket.settimeout(0)

    def read(self) -> None:
        """Take what has come."""
        data = self.socket.recv(1 << 14 if self.slow else 1 << 18)
        self.taken += len(data)
        if data:
            self.find_messages(data)
        else:
            self.is_over = True

    def find_messages(self, data: bytes) -> None:
        """Find the messages in what has come."""
        raise NotImplementedError

    def note(self, first: int, count: int, written: float) -> None:
        """Note lines that have come."""
        if first != self.lines or count < 0:
            self.fault = self.fault or f"line {self.lines} was expected, {first} came"
        self.lines = first + count
        if not self.slow:
            self.late.append(time.time() - written)


class Reader(Watcher):
    """Compares each line with what was written."""

    _rest = b""

    def find_messages(self, data: bytes) -> None:
        """Read the lines of all messages."""
        *messages, self._rest = (self._rest + data).split(b"\n\n")
        for message in messages:
            if message.startswith(b"id: "):
                self.note(*check(message))


class Skimmer(Watcher):
    """Looks at the numbers and the lengths of messages: to read all would measure this program."""

    _head = b""
    _size = 0
    _may_end = False

    def find_messages(self, data: bytes) -> None:
        """Find the ends of messages without copying them."""
        start = 0
        if self._may_end and data.startswith(b"\n"):
            start = 1
            self._add(data, 0, start)
            self._end_message()
        while (end := data.find(b"\n\n", start)) >= 0:
            self._add(data, start, end + 2)
            self._end_message()
            start = end + 2
        self._add(data, start, len(data))
        self._may_end = start < len(data) and data.endswith(b"\n")

    def _add(self, data: bytes, start: int, end: int) -> None:
        if len(self._head) < HEAD_BYTES:
            self._head += data[start : min(end, start + HEAD_BYTES - len(self._head))]
        self._size += end - start

    def _end_message(self) -> None:
        head, size = self._head, self._size - 2
        self._head, self._size = b"", 0
        if (found := HEAD.match(head)) is not None:
            last, first, written = int(found[1]), int(found[2]), float(found[3])
            count = last - first + 1
            good = size == found.end() + count * (LINE_BYTES + 3)
            self.note(first, count if good else -1, written)


def check(message: bytes) -> tuple[int, int, float]:
    """Return the number of the first line, how many there are, and when they were written.

    The count is negative where a line is not what was written under its number.
    """
    values = json.loads(message.split(b"data: ", 1)[1])
    first, lines = values["first"], values["lines"]
    good = all(line == write_line(first + n) for n, line in enumerate(lines))
    return first, len(lines) if good else -1, values["time"]


def write_line(number: int) -> str:
    return f"{number:09d} ".ljust(LINE_BYTES - 1, "x")


def watch(port: int, count: int) -> None:
    """Be all watchers; say what they have seen when all is over."""
    selector = selectors.DefaultSelector()
    watchers = [
        (Reader if number % 10 in (0, 9) else Skimmer)(port, slow=number % 10 == 9)
        for number in range(count)
    ]
    for it in watchers:
        selector.register(it.socket, selectors.EVENT_READ, it)
    print("watching", flush=True)
    began = time.monotonic()
    resting: list[Watcher] = []
    while len(selector.get_map()) or resting:
        for key, _ in selector.select(0.02):
            it = key.data
            it.read()
            if it.is_over:
                selector.unregister(it.socket)
            elif it.slow and it.taken > (time.monotonic() - began) * SLOW_BYTES_A_SECOND:
                selector.unregister(it.socket)
                resting.append(it)
        for it in [
            it for it in resting if it.taken <= (time.monotonic() - began) * SLOW_BYTES_A_SECOND
        ]:
            resting.remove(it)
            selector.register(it.socket, selectors.EVENT_READ, it)
    late = sorted(value for it in watchers for value in it.late)
    told = {
        "lines": [it.lines for it in watchers],
        "faults": [it.fault for it in watchers if it.fault],
        "p50": late[len(late) // 2],
        "p95": late[int(len(late) * 0.95)],
        "seconds": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
    }
    print(json.dumps(told), flush=True)


def prepare(store: ServerDatabase) -> None:
    run = RunRow(
        id="1", number=1, workflow="CI", path="ci.yml", event="push", sha="f" * 40,
        ref="refs/heads/main", created=time.time(),
    )  # fmt: skip
    with store.writing() as connection:
        enter_attempt(connection, AttemptRow(run=run, attempt=1, started=time.time()))
        queue_job(connection, "1", 1, "build", ["x"], time.time())
        add_announcements(connection, "1", 1, ["{}"])


def write_log(writer: JobLogWriter, seconds: float, tell: Callable[[], None]) -> int:
    """Append to the log, at its speed; return how many lines."""
    lines = BYTES_A_SECOND // LINE_BYTES // BLOCKS_A_SECOND
    blocks = int(seconds * BLOCKS_A_SECOND)
    began = time.monotonic()
    for block in range(blocks):
        text = "".join(write_line(block * lines + n) + "\n" for n in range(lines))
        writer.write("1", text.encode())
        tell()
        time.sleep(max(0.0, began + (block + 1) / BLOCKS_A_SECOND - time.monotonic()))
    return blocks * lines


class Server:
    """The server's process, and what it takes."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.memory = 0
        self._ended = threading.Event()
        self._looker = threading.Thread(target=self._look)
        self._looker.start()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
            self.memory = max(self.memory, pages * resource.getpagesize())

    def write(self, seconds: float) -> int:
        """Have the log written; return how many lines that was."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self._ended.set()
        self._looker.join()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


def measure(count: int, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logs = folder / "runs" / "1" / "1" / "jobs" / "1"
        logs.mkdir(parents=True)
        store = ServerDatabase(f"sqlite:///{folder / 'server.db'}")
        prepare(store)
        server = Server(folder)
        time.sleep(1)
        idle, before = server.memory, server.seconds()
        watching = subprocess.Popen(
            [sys.executable, __file__, "--watch", str(server.port), str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert watching.stdout is not None
        watching.stdout.readline()
        written = server.write(seconds)
        told = json.loads(watching.stdout.readline())
        watching.wait(30)
        spent = server.seconds() - before
        server.end()
        store.close()
    lost = [number for number in told["lines"] if number != written]
    if lost or told["faults"]:
        sys.exit(f"lines were lost: {len(lost)} watchers of {count}; {told['faults'][:3]}")
    return {
        "late p50 ms": told["p50"] * 1000,
        "late p95 ms": told["p95"] * 1000,
        "memory MB": server.memory / 1e6,
        "idle MB": idle / 1e6,
        "server s": spent,
        "watchers s": told["seconds"],
    }


def main(words: list[str]) -> int:
    if words[:1] == ["--serve"]:
        serve(Path(words[1]))
        return 0
    if words[:1] == ["--watch"]:
        watch(int(words[1]), int(words[2]))
        return 0
    count = int(words[0]) if words else WATCHERS
    seconds = float(words[1]) if words[1:] else SECONDS
    alone, together = measure(1, 5), measure(count, seconds)
    for watchers, figures in ((1, alone), (count, together)):
        print(f"{watchers} watchers, 1 MB/s each, no line lost")
        for name, value in figures.items():
            print(f"    {name:12} {value:9.1f}")
    missed = [
        f"{name}: {together[name]:.1f} > {limit}"
        for name, limit in LIMITS.items()
        if together[name] > limit
    ]
    print("\n".join(missed) or "all limits hold")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
