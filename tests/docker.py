"""The Docker daemon that tests use: the one there is, or one that is started for them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.docker.addresses import Address, find_address, read_address
from windlass.docker.engine import Engine
from windlass.errors import DockerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_SECONDS = 30
BRIDGE = Path("/sys/class/net/docker0")
"""The network that a daemon makes, and leaves behind."""


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Engine]:
    """The daemon that DOCKER_HOST names, or that listens in a usual place; else one of our own.

    DOCKER_HOST names it for everything that the tests start. All workers of one pytest share it.
    """
    engine = Engine(find_address(os.environ))
    try:
        engine.ping()
    except DockerError as error:
        if "DOCKER_HOST" in os.environ or shutil.which("dockerd") is None or os.getuid() != 0:
            pytest.skip(f"no Docker daemon: {error.message}")
    else:
        yield from _named(engine.address)
        return
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "docker"
    folder.mkdir(exist_ok=True)
    yield from _share(folder)


def _named(address: Address) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address.text)
        yield Engine(address)


def _share(folder: Path) -> Iterator[Engine]:
    """Start a daemon unless another worker has; whoever is the last to use it ends it."""
    address = read_address(f"unix://{folder}/socket", {})
    with (folder / "users").open("w") as users:
        with _locked(folder):
            if not (folder / "pid").exists():
                _start(folder, address)
            fcntl.flock(users, fcntl.LOCK_SH)
        yield from _named(address)
        with _locked(folder), contextlib.suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _stop(folder)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path, address: Address) -> None:
    """Start a daemon; skip where one runs already, or none can run."""
    if _runs_elsewhere():
        # Two daemons would share a network, and the second one changes its addresses.
        pytest.skip("a Docker daemon runs somewhere: name it in DOCKER_HOST")
    if not BRIDGE.exists():
        (folder / "makes-bridge").touch()
    log = folder / "log"
    with log.open("wb") as output:
        subprocess.Popen(
            [
                *("dockerd", "--host", address.text, "--pidfile", folder / "pid"),
                *("--data-root", folder / "data", "--exec-root", folder / "exec"),
            ],
            stdout=output,
            stderr=output,
            # It outlives the worker that starts it.
            start_new_session=True,
        )
    if not _await(Engine(address)):
        lines = log.read_text("utf-8", "replace").splitlines()[-3:]
        _stop(folder)
        pytest.skip(f"a Docker daemon could not be started: {' / '.join(lines)}")


def _runs_elsewhere() -> bool:
    """Say whether a daemon runs on this machine, wherever it listens."""
    return subprocess.run(["pidof", "dockerd"], capture_output=True).returncode == 0


def _stop(folder: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        daemon = int((folder / "pid").read_text())
        os.kill(daemon, signal.SIGTERM)
        # It removes the file when all its containers are gone.
        _wait_until(lambda: not (folder / "pid").exists())
    if (folder / "makes-bridge").exists():
        subprocess.run(["ip", "link", "delete", BRIDGE.name], capture_output=True)
    # It leaves a mount behind, which nobody could remove with the folder.
    subprocess.run(["umount", folder / "exec" / "netns" / "default"], capture_output=True)


def _await(engine: Engine) -> bool:
    """Wait until a daemon answers."""

    def answers() -> bool:
        try:
            engine.ping()
        except DockerError:
            return False
        return True

    return _wait_until(answers)


def _wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False
