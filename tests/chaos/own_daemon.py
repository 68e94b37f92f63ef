"""A Docker daemon of a test's own, which may be stopped, killed, filled and started again.

It has network, mounts and processes of its own, so that it disturbs no other daemon of the machine,
and keeps everything in memory. Commands and registries that it is to be reached with run in its
network (`OwnDaemon.enter`, `OwnDaemon.entered`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.docker_keeper import ENTER
from tests.e2e.repositories import wait_until_gone
from tests.waiting import wait_until

from windlass.docker.addresses import read_address
from windlass.docker.engine import Engine
from windlass.errors import DockerError
from windlass.jobs.supervisor.tree import list_descendants

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Sequence

SECONDS = 120
CLONE_NEWNET = 0x40000000
INIT = """
ip link set lo up
mount -t tmpfs -o size="$SIZE" tmpfs "$DATA" && mount -t tmpfs tmpfs /run || exit 77
while read -r _; do
  {
    dockerd --data-root "$DATA" --exec-root "$FOLDER/exec" --host "unix://$FOLDER/socket" \
      --pidfile "$FOLDER/pid" --max-download-attempts 1 >> "$FOLDER/log" 2>&1
    touch "$FOLDER/ended"
  } &
done
"""
"""The first process of the namespaces: each line it reads starts the daemon anew."""


class OwnDaemon:
    """The daemon; `engine` asks it."""

    def __init__(self, size: str) -> None:
        """Start it with so much room for its data, or skip where that cannot be."""
        if os.getuid() != 0 or shutil.which("dockerd") is None:
            pytest.skip("a daemon of one's own needs root and dockerd")
        # The path of a socket, of its containerd's too, has 107 bytes at most.
        folder = Path(tempfile.mkdtemp(prefix="windlass-daemon-", dir="/tmp"))
        (folder / "data").mkdir()
        self._folder = folder
        self.address = f"unix://{folder}/socket"
        self.engine = Engine(read_address(self.address, {}))
        spaces = ("--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
        self._init = subprocess.Popen(
            ["unshare", *spaces, "sh", "-c", ENTER, "sh", "sh", "-c", INIT],
            env={**os.environ, "SIZE": size, "DATA": f"{folder}/data", "FOLDER": str(folder)},
            stdin=subprocess.PIPE,
        )
        if not self._starts():
            said = self._last_words()
            self.close()
            pytest.skip(f"a Docker daemon could not be started: {said}")

    def start(self) -> None:
        """Start it again, and wait until it answers."""
        if not self._starts():
            pytest.fail(f"the Docker daemon could not be started again: {self._last_words()}")

    def end(self, number: signal.Signals) -> None:
        """Send it a signal, and wait until it has ended; containers outlive SIGKILL.

        Its containerd ends with it, a moment later: a daemon that started meanwhile would take it
        to be alive, wait for it in vain and give up.
        """
        (daemon,) = (pid for pid in list_descendants(self._init.pid) if _name(pid) == "dockerd")
        ending = {daemon, *list_descendants(daemon)}
        os.kill(daemon, number)
        wait_until_gone(ending)
        assert wait_until(self._is_over)

    def enter(self, words: Sequence[str]) -> list[str]:
        """Return the words of a command that runs in its network."""
        return ["nsenter", f"--net={self._seen}/ns/net", "--", *words]

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread in its network: what it makes there can be reached by the daemon."""
        with (
            Path("/proc/thread-self/ns/net").open("rb") as own,
            Path(f"{self._seen}/ns/net").open("rb") as network,
        ):
            _set_namespace(network.fileno())
            try:
                yield
            finally:
                _set_namespace(own.fileno())

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Leave no room for its data."""
        filler = Path(f"{self._seen}/root{self._folder}/data/filler")
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(1 << 16)):
                pass
        try:
            yield
        finally:
            filler.unlink()

    def close(self) -> None:
        """End everything."""
        self._init.kill()
        self._init.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _starts(self) -> bool:
        assert self._init.stdin is not None
        for left in ("pid", "ended"):
            (self._folder / left).unlink(missing_ok=True)
        # Where there can be no such namespaces, nobody reads it.
        with contextlib.suppress(BrokenPipeError):
            self._init.stdin.write(b"start\n")
            self._init.stdin.flush()
        wait_until(lambda: self._is_over() or self._answers(), SECONDS)
        return not self._is_over() and self._answers()

    def _is_over(self) -> bool:
        return self._init.poll() is not None or (self._folder / "ended").exists()

    def _last_words(self) -> str:
        log = self._folder / "log"
        return log.read_text(errors="replace")[-500:] if log.exists() else ""

    def _answers(self) -> bool:
        with contextlib.suppress(DockerError):
            Engine(self.engine.address).ping()
            return True
        return False

    @property
    def _seen(self) -> str:
        return f"/proc/{list_descendants(self._init.pid)[0]}"


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _set_namespace(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
