"""A job with a service, in a process that is killed around a certain question to the daemon.

Arguments: a folder, an image, which question (from 0), `before` or `after` it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.jobs.containers.surroundings import serve
from windlass.jobs.executors.interface import JobRequest
from windlass.plan.containers import Container, JobContainers


class DoomedEngine(Engine):
    """Kills its process around one question."""

    def __init__(self, number: int, moment: str) -> None:
        super().__init__(find_address(os.environ))
        self._left = number
        self._moment = moment
        self._counting = threading.Lock()

    def ask(self, method: str, path: str, **keys: Any) -> Any:
        with self._counting:
            is_due = self._left == 0
            self._left -= 1
        if is_due and self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = super().ask(method, path, **keys)
        if is_due:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def main() -> None:
    folder, image, number, moment = sys.argv[1:]
    service = Container(
        image=image, volumes=("data:/data",), entrypoint="/bin/sh", command='-c "sleep 60"'
    )
    containers = JobContainers(services={"a": service})
    request = JobRequest(key="doomed", record=Path(folder))
    with serve(containers, DoomedEngine(int(number), moment), request):
        print("served", flush=True)
    print("over", flush=True)


if __name__ == "__main__":
    main()
