"""Where jobs can run on this machine, and a shell there to compare with."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.errors import DockerError, ExecutorError
from windlass.jobs.executors.bubblewrap import require_sandbox

if TYPE_CHECKING:
    from pathlib import Path


def find_sandbox() -> bool:
    """Tell whether jobs can run in a sandbox; say so where they cannot."""
    try:
        require_sandbox(offline=False)
    except ExecutorError as error:
        print(f"not measured in a sandbox: {error.message}")
        return False
    return True


def find_daemon() -> Engine | None:
    """Return the Docker daemon; say so where none answers."""
    engine = Engine(find_address(os.environ))
    try:
        engine.ping()
    except DockerError as error:
        print(f"not measured in containers: {error.message}")
        return None
    return engine


def name_client(engine: Engine) -> list[str]:
    """Return the words that begin a call of Docker's own client."""
    return [shutil.which("docker", path="/usr/bin") or "docker", "-H", engine.address.text]


class OpenShell:
    """A shell of an image that runs the commands it is told of; it finds a folder in `/__w`."""

    def __init__(self, engine: Engine, image: str, folder: Path) -> None:
        words = ["run", "--rm", "--interactive", f"--volume={folder}:/__w", image, "/bin/sh"]
        self._process = subprocess.Popen(
            [*name_client(engine), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.run(":")

    def run(self, command: str) -> float:
        """Return the seconds until a command has ended, as seen from here."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        started = time.perf_counter()
        self._process.stdin.write(f"{command}; echo end\n".encode())
        self._process.stdin.flush()
        while self._process.stdout.readline() != b"end\n":
            pass
        return time.perf_counter() - started

    def close(self) -> None:
        """End it."""
        self._process.communicate()
