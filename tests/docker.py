"""The Docker daemon that tests use: the one there is, or one that is started for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.docker.addresses import Address, find_address, read_address
from windlass.docker.engine import Engine
from windlass.errors import DockerError

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 30
BRIDGE = Path("/sys/class/net/docker0")
"""The network of the daemon that runs on this machine."""


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The daemon that DOCKER_HOST names, or that listens in a usual place; else one of our own.

    DOCKER_HOST names it for everything that the tests start.
    """
    engine = Engine(find_address(os.environ))
    try:
        engine.ping()
    except DockerError as error:
        if "DOCKER_HOST" in os.environ or shutil.which("dockerd") is None or os.getuid() != 0:
            pytest.skip(f"no Docker daemon: {error.message}")
        if BRIDGE.exists():
            # Two daemons would share it, and the second one changes its addresses.
            pytest.skip("a Docker daemon runs somewhere: name it in DOCKER_HOST")
    else:
        yield from _named(engine.address)
        return
    yield from _start(tmp_path_factory.mktemp("docker"))


def _named(address: Address) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address.text)
        yield Engine(address)


def _start(folder: Path) -> Iterator[Engine]:
    """Start a daemon."""
    address = read_address(f"unix://{folder}/socket", {})
    log = folder / "log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            [
                *("dockerd", "--host", address.text, "--pidfile", folder / "pid"),
                *("--data-root", folder / "data", "--exec-root", folder / "exec"),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        if not _await(Engine(address)):
            lines = log.read_text("utf-8", "replace").splitlines()[-3:]
            pytest.skip(f"a Docker daemon could not be started: {' / '.join(lines)}")
        yield from _named(address)
    finally:
        daemon.terminate()
        daemon.wait()
        # It leaves a mount behind, which nobody could remove with the folder.
        subprocess.run(["umount", folder / "exec" / "netns" / "default"], capture_output=True)


def _await(engine: Engine) -> bool:
    """Wait until a daemon answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            engine.ping()
        except DockerError:
            time.sleep(0.1)
        else:
            return True
    return False
