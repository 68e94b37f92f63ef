"""A job that prints gigabytes: all of it gets to the server, in little memory."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.e2e.servers import Api, make_repository, runner
from tests.waiting import wait_until

from windlass.jobs.supervisor.tree import list_descendants
from windlass.stores.logs import JobLogReader
from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.testing.servers import RunningServer

BYTES: Final = 2 << 30 if "WINDLASS_LONG" in os.environ else 192 << 20
"""`./dev nightly` prints two gigabytes, continuous integration less."""

LINE: Final = "all hands on deck, and every line of it has 64 letters in all .."
SECONDS: Final = 600 if "WINDLASS_LONG" in os.environ else 120
MOST_BYTES: Final = 256 << 20
"""Far less than is printed; idle they have about a hundred megabytes."""

WORKFLOW: Final = f"""
on: workflow_dispatch
jobs:
  print:
    runs-on: ubuntu-latest
    steps:
      - run: yes '{LINE[:-1]}' | head -c {BYTES}
      - run: echo that was all
"""


def measure_peaks(*processes: int) -> Iterator[tuple[str, int]]:
    """Yield how much memory each process, and each below it, has had at most, in bytes."""
    for process in processes:
        for pid in (process, *list_descendants(process)):
            try:
                name = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
                status = Path(f"/proc/{pid}/status").read_text().splitlines()
            except OSError:
                continue
            peaks = [it.split()[1] for it in status if it.startswith("VmHWM")]
            yield from ((f"{pid} {name}", int(it) << 10) for it in peaks)


def find_log(server: RunningServer, run: str) -> Path:
    return server.data / "runs" / run / "1" / "jobs/1/log"


def test_gigabytes_of_output(tmp_path: Path) -> None:
    """No line is lost or doubled, no process holds much of it, and the runner keeps nothing."""
    root = make_repository(tmp_path / "boat", WORKFLOW)
    peaks: dict[str, int] = {}
    with run_server(tmp_path / "data", "--no-runner") as server:
        api = Api(server)
        api.register_boat(root)
        token = api.post("/runner-registrations")["token"]
        words = ("--name", "north", "--allow-host")
        with runner(server.url, token, tmp_path / "north", *words) as process:
            run, began = api.start(), time.monotonic()

            def has_ended() -> bool:
                for name, size in measure_peaks(server.process.pid, process.pid):
                    peaks[name] = max(size, peaks.get(name, 0))
                return api.has_ended(run)

            assert wait_until(has_ended, SECONDS, pause_milliseconds=200)
            seconds = time.monotonic() - began
            assert api.get(f"/runs/{run}")["result"] == "success"
            assert wait_until(lambda: not list((tmp_path / "north/runs").glob("*")))
        log = find_log(server, run)
        count = subprocess.check_output(["grep", "-c", "-x", "-F", LINE[:-1], log], text=True)
        assert int(count) == BYTES // len(LINE)
        with JobLogReader(log) as reader:
            (last,) = reader.lines(reader.line_count - 1, 1)
        assert last.text == "that was all"
    top = [size >> 20 for size in sorted(peaks.values(), reverse=True)[:4]]
    print(f"{BYTES >> 20} MiB printed in {seconds:.1f} s; peaks of memory: {top} MiB")
    large = {name: size for name, size in peaks.items() if size > MOST_BYTES}
    assert not large, f"bytes of memory: {large}"
