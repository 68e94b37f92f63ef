"""The Docker daemon that tests use: the one there is, or one that is started for them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.docker_keeper import KEEPER, LOG, LOOK, SOCKET, USERS, runs
from tests.npm import CACHE
from tests.waiting import wait_until

from windlass.docker.addresses import Address, find_address, read_address
from windlass.docker.engine import Engine
from windlass.errors import DockerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

PATIENCE_SECONDS = 120
END_SECONDS = 30


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The daemon that DOCKER_HOST names, or that listens in a usual place; else one of our own.

    DOCKER_HOST names it for everything that the tests start. All tests that run on this machine at
    once share it: a second daemon would take the network of the first. Which daemons jobs have used
    is remembered in a cache of the tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield from _find()


def _find() -> Iterator[Engine]:
    engine = Engine(find_address(os.environ))
    try:
        engine.ping()
    except DockerError as error:
        if "DOCKER_HOST" in os.environ or shutil.which("dockerd") is None or os.getuid() != 0:
            pytest.skip(f"no Docker daemon: {error.message}")
    else:
        yield from _named(engine.address)
        return
    folder = CACHE / "docker"
    folder.mkdir(parents=True, exist_ok=True)
    yield from _share(folder)


def _named(address: Address) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address.text)
        yield Engine(address)


def _share(folder: Path) -> Iterator[Engine]:
    """Start a daemon unless somebody has; whoever is the last to use it has it ended."""
    address = read_address(f"unix://{folder / SOCKET}", {})
    with (folder / USERS).open("w") as users:
        with _locked(folder):
            # Waits for the end of a daemon whose users are all gone.
            fcntl.flock(users, fcntl.LOCK_SH)
            # One that runs may be just starting, or ending by itself.
            wait_until(lambda: not runs(folder) or _answers(address), PATIENCE_SECONDS)
            if not runs(folder):
                _start(folder, address, users)
        yield from _named(address)
        with _locked(folder), contextlib.suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _leave(folder, users)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path, address: Address, users: TextIO) -> None:
    """Start a daemon; skip where one runs already that nobody named, or where none can run."""
    if _is_in_chroot():
        # `docker exec` would see the root that chroot(1) has left.
        pytest.skip("no Docker daemon: in a chroot no container can be given another root")
    # That of a keeper that was killed is about to end.
    if not wait_until(lambda: not _runs_elsewhere(), END_SECONDS):
        pytest.skip("a Docker daemon runs somewhere: name it in DOCKER_HOST")
    log = folder / LOG
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.docker_keeper", folder],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # It outlives the worker that starts it.
            start_new_session=True,
        )
    wait_until(lambda: keeper.poll() is not None or _answers(address), PATIENCE_SECONDS)
    if not _answers(address):
        _leave(folder, users)
        lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
        pytest.skip(f"a Docker daemon could not be started: {' / '.join(lines[-3:])}")
    # Nobody of this process waits for it.
    keeper.returncode = 0


def _answers(address: Address) -> bool:
    # An engine asks only once.
    with contextlib.suppress(DockerError):
        Engine(address).ping()
        return True
    return False


def _is_in_chroot() -> bool:
    """Say whether chroot(1) has given this process its root."""
    try:
        return not Path("/").samefile("/proc/1/root")
    except PermissionError:
        # Not everybody may look there; new user namespaces are refused too, see clone(2).
        return subprocess.run(["unshare", "--user", "true"], capture_output=True).returncode != 0


def _runs_elsewhere() -> bool:
    """Say whether a daemon runs in this network, wherever it listens."""
    own = Path("/proc/self/ns/net").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_daemon = (process / "comm").read_text() == "dockerd\n"
            if is_daemon and (process / "ns/net").readlink() == own:
                return True
    return False


def _leave(folder: Path, users: TextIO) -> None:
    """Use the daemon no more, and wait for the end of it that nobody else uses."""
    fcntl.flock(users, fcntl.LOCK_UN)
    with contextlib.suppress(ProcessLookupError):
        if runs(folder) and (keeper := (folder / KEEPER).read_text()):
            os.kill(int(keeper), LOOK)
    wait_until(lambda: not runs(folder), PATIENCE_SECONDS)
