"""The contract of every executor.

`Executor.open` is called once per job and gives a session: one place (this host, one container, one
namespace) in which all steps of the job run. `Session.spawn` starts one process tree. A session may
be used from several threads: background steps have their own. `Process.interrupt`, `terminate` and
`kill` may be called from any thread while another one reads or waits.

Delivery: `Process.read` yields stdout and stderr merged in the order the kernel saw them, in blocks
of any size, and returns b"" once, after the last byte. A process that closes its output early goes
on until `wait` returns. Output of children left behind is read until the step's own process has
ended and the pipe is drained; what they write later is lost, and `Session.close` ends them.

Death: a session that was opened with a folder keeps what was read there until `Process.release`
says that it is in the job's log. When Windlass dies, the job's processes are ended and what was not
in the log yet is added to it, masked by what `Session.hide` was told.

Faults: a program that cannot be started raises ExecutorError; the step fails, nothing else does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from windlass.jobs.patience import Patience
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from windlass.jobs.containers.services import Forward
    from windlass.jobs.folders import JobFolders
    from windlass.lang.expressions import Value
    from windlass.plan.containers import Container


def _say_nothing(line: str) -> None:
    """Keep it to oneself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What a place is made for.

    `key` names the job within its run. `record` is the folder in which its log is written (`log`),
    if it is. `folders` are the job's own, made already; a place in which they cannot be seen under
    their names shows them under others (`Session.folders`). `container` is what the job's steps run
    in, where the workflow says so; `services` run beside them by then, by name, in the daemon's
    `network`, which a container of the job joins; `rename_volume` gives what the daemon is to call
    a named volume of the job. `note` takes lines for the job's log about how the place is made.
    `docker` is there where the job is to have a Docker daemon; `forwards` are the ports that its
    services publish. `patience` tells who makes the place when the job is to end before it begins.
    """

    key: str
    record: Path | None = None
    folders: JobFolders | None = None
    container: Container | None = None
    services: Mapping[str, Container] = field(default_factory=dict)
    network: str = ""
    rename_volume: Callable[[str], str] = str
    note: Callable[[str], None] = _say_nothing
    docker: DockerNeed | None = None
    forwards: Sequence[Forward] = ()
    patience: Patience = field(default_factory=Patience)


class Ending(Protocol):
    """What can be asked to end, more and more urgently, from any thread."""

    def interrupt(self) -> None:
        """Send SIGINT to the whole tree: GitHub's first word on cancellation."""

    def terminate(self) -> None:
        """Send SIGTERM to the whole tree: GitHub's second word, 7.5 s later."""

    def kill(self) -> None:
        """Send SIGKILL to the whole tree: GitHub's last word, 2.5 s later."""


class Process(Ending, Protocol):
    """One step's process tree; `number` counts the processes of a job, from 1."""

    number: int

    def read(self) -> bytes:
        """Return the next block of output, waiting for it; b"" at the end.

        Raises:
            OSError: the output cannot be kept, e.g. for lack of space.
        """

    def release(self, offset: int) -> None:
        """All output before this position (in bytes, of what was read) is in the job's log."""

    def wait(self) -> int:
        """Return the exit code (128 + N where signal N ended the process), waiting for it.

        Raises:
            ExecutorError: nobody can tell it any more.
        """


@dataclass(frozen=True, slots=True)
class DockerNeed:
    """Why a job needs a Docker daemon, and the images that one of its own begins with."""

    reason: str
    images: Sequence[str] = ()


class Session(Protocol):
    """The place where one job's steps run. Paths are as the job's processes see them.

    `folders` are the job's folders so; `facts` is what the place adds to the `job` context:
    `container` and `services`. `variables` are those that processes have there by themselves, such
    as those of an image; None for those of this machine.
    """

    folders: JobFolders | None
    facts: Mapping[str, Value]
    address: str
    """Under which the job's processes reach this machine; what serves them listens there."""
    variables: Mapping[str, str] | None

    def spawn(
        self,
        arguments: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: str,
        step: str = "",
    ) -> Process:
        """Start a program with exactly these variables in this folder; `step` is whose it is.

        Raises:
            ExecutorError: the program or the folder does not exist, or the machine refused.
        """

    def find_program(self, name: str, *, search_path: str) -> str | None:
        """Return the full path of a program on `search_path` (as PATH), or None."""

    def hide(self, texts: Sequence[str]) -> None:
        """Add to what is not to be shown, in any of its encoded forms (`Masker.listen`)."""

    def listen(self) -> int | None:
        """Return an open socket that listens at `address`, where that is the job's alone.

        None where `address` is this machine's, on which everybody can listen.

        Raises:
            ExecutorError: the machine refuses it.
        """

    def overlay(self, lower: Path, upper: Path, work: Path, target: Path) -> bool:
        """Mount an overlay for the job's processes alone; False where that cannot be done.

        What is written below `target` over the files of `lower` goes to `upper`; `work` is an empty
        folder on the same file system as `upper`. To be asked for before any step runs. It is gone
        when the job is.
        """

    def see(self, path: Path) -> Path:
        """Return where this process finds what is `path` to the processes of the job."""

    def keep_still(self) -> AbstractContextManager[None]:
        """Let no process of the job do anything for the time being, where it could do harm.

        On this machine itself a job has the rights of Windlass in any case.

        Raises:
            ExecutorError: one of them cannot be stopped.
        """

    def provide_docker(self, need: DockerNeed) -> None:
        """Have a Docker daemon there for the job's processes from now on, if there is none yet.

        Raises:
            ExecutorError: it cannot be had here.
        """

    def close(self) -> None:
        """End whatever the job left running."""


class Executor(Protocol):
    """A way to run jobs; `name` is the place where they run, as a user names it behind `-P`."""

    name: str

    def open(self, request: JobRequest) -> Session:
        """Make the place for one job.

        Raises:
            ExecutorError: the place cannot be made.
            StartCancelledError: the job is to end.
        """
