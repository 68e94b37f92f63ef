"""Real Git repositories, and the command line run in them as a process."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).resolve().parents[2]
ON_HOST = str(CHECKOUT / "tests/host.toml")
"""Settings by which jobs run on this machine."""

WINDLASS = (sys.executable, "-m", "windlass")
SECONDS = 180
"""No command may take longer unless its test says so."""


class Repository:
    """A folder with workflows, and what the command line says about it."""

    def __init__(self, path: Path, home: Path) -> None:
        self.path = path
        self.home = home

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file; folders are made."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def workflow(self, content: str | bytes, name: str = "ci.yml") -> Path:
        """Write a workflow."""
        return self.write(f".github/workflows/{name}", content)

    def heed_host_notice(self) -> None:
        """Act as if Windlass had run here before, so that it does not say where jobs run."""
        state = self.path / ".windlass"
        state.mkdir(mode=0o700)
        (state / ".gitignore").write_text("*\n")
        (state / "host-notice").touch()

    def git(self, *words: str) -> str:
        """Run Git and return what it prints."""
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        done = subprocess.run(
            ["git", *identity, "-c", "protocol.file.allow=always", *words],
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, message: str = "Change") -> str:
        """Commit everything; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """A clean environment in which this checkout's Windlass runs."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT / "src"),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "WINDLASS_CONFIG": ON_HOST,
            **(variables or {}),
        }

    def windlass(
        self,
        *words: str,
        variables: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        folder: Path | None = None,
        seconds: float = SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        done = subprocess.run(
            [*WINDLASS, *words],
            cwd=folder or self.path,
            env=self.environment(variables),
            input=stdin,
            capture_output=True,
            timeout=seconds,
        )
        return subprocess.CompletedProcess(
            done.args,
            done.returncode,
            done.stdout.decode("utf-8"),
            done.stderr.decode("utf-8"),
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start the command line and leave it running."""
        return subprocess.Popen(
            [*WINDLASS, *words],
            cwd=self.path,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def read_until(process: subprocess.Popen[bytes], text: bytes) -> bytes:
    """Read what a run prints until it has printed a text; return all of it."""
    assert process.stdout is not None
    seen = b""
    while text not in seen:
        block = os.read(process.stdout.fileno(), 65536)
        assert block, seen
        seen += block
    return seen


def processes_below(folder: Path) -> set[int]:
    """The processes that work in a folder or below it."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve().is_relative_to(folder):
                found.add(int(process.name))
        except OSError:
            continue
    return found


def assert_is_for_people(done: subprocess.CompletedProcess[str]) -> None:
    """No traceback, no unexpected error, and nothing that steers a terminal."""
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "error: unexpected " not in done.stderr.partition("\n")[0]
    assert "\x1b" not in said


def wait_until_gone(processes: set[int]) -> None:
    """Wait for the end of processes that are not ours to reap."""
    for process in processes:
        try:
            handle = os.pidfd_open(process)
        except ProcessLookupError:
            continue
        try:
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            assert ended.poll(SECONDS * 1000), f"process {process} is still there"
        finally:
            os.close(handle)
