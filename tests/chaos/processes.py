"""Commands of Windlass as processes that can be killed, and what they leave running.

A command is a fork of this process, which has imported all of Windlass: what is tested costs a
second, not its imports. Orphans become children of this process, so that none goes unseen.
"""

from __future__ import annotations

import ctypes
import os
import pkgutil
import select
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import windlass
from windlass.cli.main import main
from windlass.jobs.supervisor.tree import list_descendants, send_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PR_SET_CHILD_SUBREAPER: Final = 36
PATIENCE_SECONDS: Final = 30.0
PAUSE_MILLISECONDS: Final = 5
SCRIPTS: Final = ("windlass.__main__", "windlass.db.env", "windlass.jobs.matchers.matching")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: its exit code, negative for a signal, and what it printed."""

    code: int
    output: str
    errors: str


def prepare() -> None:
    """Import all of Windlass and become the parent of every orphan."""
    for module in pkgutil.walk_packages(windlass.__path__, "windlass."):
        if module.name not in SCRIPTS:
            import_module(module.name)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Command:
    """One command of Windlass that runs in a folder; `before` is called in its process."""

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        *,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._output, self._errors = (os.memfd_create(name) for name in ("output", "errors"))
        self._code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._become(words, folder, variables, before)

    @property
    def is_over(self) -> bool:
        """Whether it has ended and only waits to be waited for."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self) -> Done:
        """Wait for its end."""
        _, status = os.waitpid(self.pid, 0)
        texts = [_read_all(it) for it in (self._output, self._errors)]
        return Done(os.waitstatus_to_exitcode(status), *texts)

    def _become(
        self,
        words: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        before: Callable[[], None],
    ) -> None:
        code = 70
        try:
            os.environ.clear()
            os.environ.update(variables)
            os.chdir(folder)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(self._output, 1)
            os.dup2(self._errors, 2)
            before()
            code = main(words)
        except BaseException:  # noqa: BLE001 (this process ends here)
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def wait_until_settled(
    seconds: float = PATIENCE_SECONDS, spared: Callable[[str], bool] = lambda _: False
) -> list[str]:
    """Wait until no process is left below this one; return how those were called that stayed.

    Whatever stayed is killed, so that the next test begins with none. Those that are `spared`, by
    how they are called, may stay.
    """
    deadline = time.monotonic() + seconds
    pause = select.poll()
    while left := _list_living(spared):
        if time.monotonic() > deadline:
            names = [_name(pid) for pid in left]
            while left := _list_living(spared):
                for pid in left:
                    send_signal(pid, signal.SIGKILL)
                pause.poll(PAUSE_MILLISECONDS)
            return names
        pause.poll(PAUSE_MILLISECONDS)
    return []


def is_job_process(pid: int) -> bool:
    """Tell whether a process is that of a job of a runner."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "windlass-job"
    except OSError:
        return False


def _list_living(spared: Callable[[str], bool]) -> list[int]:
    """Take the ends of children and return the processes that are left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    return [pid for pid in list_descendants(os.getpid()) if not spared(_name(pid))]


def _name(pid: int) -> str:
    try:
        with Path(f"/proc/{pid}/cmdline").open("rb") as file:
            return f"{pid} {file.read().replace(bytes(1), b' ').decode(errors='replace')}"
    except OSError:
        return str(pid)


def _read_all(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    data = os.pread(descriptor, size, 0)
    os.close(descriptor)
    return data.decode("utf-8", "replace")
