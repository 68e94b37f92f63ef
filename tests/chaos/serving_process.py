"""Serves one job of a run from a process of its own, until it is killed or its input ends.

    python -m tests.chaos.serving_process STATE RUN

Prints the job's variables in JSON, in one line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.services.serving import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]


class Served:
    """A process that serves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the process ended"
        said = json.loads(line)
        self.variables: dict[str, str] = said["variables"]
        self.run_id: str = said["run_id"]

    @property
    def origin(self) -> str:
        """Where it is reached."""
        return self.variables["ACTIONS_RESULTS_URL"].rstrip("/")

    @property
    def token(self) -> str:
        """The token of its job."""
        return self.variables["ACTIONS_RUNTIME_TOKEN"]

    def kill(self) -> None:
        """Kill it by SIGKILL and wait for its end."""
        self.process.kill()
        self.process.wait()

    def measure_memory(self) -> float:
        """Return the most memory it has had, in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


@contextmanager
def serving(state: Path, run: str = "1") -> Iterator[Served]:
    """Serve from a process for as long as the context is open."""
    command = [sys.executable, "-m", "tests.chaos.serving_process", str(state), run]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Served(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    state, run = sys.argv[1:]
    place = Place(Path(state))
    job = place.begin(run=run)
    said = {"variables": job.action_variables, "run_id": job.job.run_id}
    print(json.dumps(said), flush=True)
    sys.stdin.read()
    place.close()


if __name__ == "__main__":
    main()
