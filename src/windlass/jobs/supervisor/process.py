"""The supervisor of a job: the process that starts, signals and ends the job's processes.

It leads a session of its own, stands in the root folder and adopts what its descendants leave
behind, so that nothing can leave its tree. It does what it is asked over its channel. When the
channel closes without a farewell, Windlass has died: the supervisor kills the job's processes,
keeps what they had printed, brings the job's log to its end and goes.

All supervisors are forks of one process that does nothing else: to start an interpreter for each
takes longer than most jobs. The first step waits for that one: it imports as little as it can, and
neither `signal` nor `contextlib`, which take longer than all that is done with them.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import errno
import os
import select
import sys

from windlass.jobs.supervisor import channel, kernel, listening, tree
from windlass.jobs.supervisor.ends import BLOCK_BYTES, drain_wake, make_wake, tell_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

RESTORED = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGQUIT, _signal.SIGPIPE, _signal.SIGXFSZ)


class Started:
    """One program that was asked for: the process, this end of its output, and its spool."""

    def __init__(
        self, pid: int, step: str, output: int, ended: int, segments: dict[int, int]
    ) -> None:
        self.pid = pid
        self.step = step
        self.output = output
        self.ended = ended
        self.segments = segments

    def drop_segments(self) -> None:
        """Let go of what was spooled: it is in the log."""
        for file in self.segments.values():
            os.close(file)
        self.segments.clear()


class Supervisor:
    """What is known of the job, and what can be asked for."""

    def __init__(self, link: socket, wake: int, *, may_stay: bool = True) -> None:
        """Take the channel, what tells of ends, and whether it may look after other jobs later."""
        self._link = link
        self._wake = wake
        self._may_stay = may_stay
        self._folder = ""
        self._path: list[str] = []
        self._masks: list[str] = []
        self._started: dict[int, Started] = {}
        self._leaders: dict[int, Started] = {}
        self._unread: set[int] = set()
        self._poll = select.poll()
        self._poll.register(link.fileno(), select.POLLIN)
        self._poll.register(wake, select.POLLIN)
        self._has_mounts = False
        self._held: list[int] = []
        self._containers: dict[str, str] = {}
        self._restored: tuple[int, ...] = (*RESTORED, _signal.SIGHUP)

    def serve(self) -> bool:
        """Do what is asked until the job is closed; False where Windlass died before."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._wake:
                    self._reap()
                elif descriptor in self._unread:
                    self._throw_away(descriptor)
                elif (over := self._answer()) is not None:
                    return over

    def bury(self) -> None:
        """Windlass has died: end the job's processes and bring its log to an end."""
        self.end_all()
        if self._containers:
            sys.path[:] = self._path
            # Imported here only, as below.
            from windlass.jobs.supervisor.containers import remove_containers

            remove_containers(self._containers)
        if self._folder:
            sys.path[:] = self._path
            # Imported here only: nobody waits for it any more.
            from windlass.jobs.supervisor.recovery import Left, finish_log

            left = {
                number: Left(it.step, it.output, it.segments)
                for number, it in self._started.items()
                if it.output not in self._unread
            }
            finish_log(self._folder, left, self._masks)

    def _answer(self) -> bool | None:
        """Do one thing; True when that was the farewell, False when there was none."""
        try:
            received = channel.receive(self._link)
        except OSError:
            received = None
        if received is None:
            return False
        (word, *values), files = received
        match word:
            case "begin":
                self._begin(files, *values)
            case "start":
                self._start(files, *values)
            case "signal":
                self._signal(*values)
            case "follow" | "hold" | "spool" | "drop" | "release":
                self._keep(files, word, *values)
            case "mask":
                self._masks += values[0]
            case "guard":
                self._guard(*values)
            case "overlay" | "overlay within" | "share mount":
                self._change_mounts(word, *values)
            case "listen":
                self._listen()
            case _:
                return self._leave(*values) or None
        return None

    def _begin(
        self,
        files: list[int],
        folder: str,
        path: list[str],
        ignores_hangup: bool,  # noqa: FBT001
    ) -> None:
        """Learn where the log is kept; an open folder stands for a name that leads nowhere here."""
        self._folder = f"/proc/self/fd/{files[0]}" if files else folder
        self._path = path
        if ignores_hangup:
            self._restored = RESTORED

    def _guard(self, container: str, address: str, path: list[str]) -> None:
        """Keep in mind where a container is to be removed should Windlass die; "" for nowhere."""
        self._path = path
        self._containers.pop(container, None)
        if address:
            self._containers[container] = address

    def _say(self, *message: Any, files: Sequence[int] = ()) -> None:
        """Answer; who has asked may have died, of which the channel tells next."""
        try:
            channel.send(self._link, message, files)
        except OSError:
            return

    def _listen(self) -> None:
        """Answer with a socket that listens on the localhost of the job's own network.

        Windlass takes what connects: a socket belongs to the network that it was made in.
        """
        try:
            listener = listening.listen_locally()
        except OSError as error:
            self._say("refused", error.errno)
            return
        self._say("listening", files=(listener.fileno(),))
        listener.close()

    # Processes

    def _start(
        self,
        files: list[int],
        number: int,
        step: str,
        program: bytes,
        arguments: list[bytes],
        variables: bytes,
        folder: bytes,
    ) -> None:
        """Start a program and answer with its id.

        `files` are both ends of its output, where its end is told, and its spool if it has one. Who
        asked has them too: should we be killed, what is printed until then is not lost.
        """
        output, writer, teller, *spool = files
        try:
            pairs = dict(it.split(b"=", 1) for it in variables.split(b"\0") if it)
            pid = self._spawn(program, arguments, pairs, folder, writer)
        except OSError as error:
            for descriptor in files:
                os.close(descriptor)
            self._say("refused", error.errno)
            return
        os.close(writer)
        started = Started(pid, step, output, teller, dict(enumerate(spool)))
        self._started[number] = self._leaders[pid] = started
        self._say("started", pid)

    def _spawn(
        self,
        program: bytes,
        arguments: list[bytes],
        variables: dict[bytes, bytes],
        folder: bytes,
        output: int,
    ) -> int:
        """Start a program as the leader of a new session, without standard input.

        A fork would cost more than most programs: every page of this process would be copied.

        Raises:
            OSError: the folder is not there, or the program cannot be started.
        """
        os.chdir(folder)
        try:
            return os.posix_spawn(
                program,
                arguments,
                variables,
                file_actions=[(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)],
                setsid=True,
                setsigmask=(),
                setsigdef=self._restored,
            )
        finally:
            os.chdir("/")

    def _reap(self) -> bool:
        """Take the ends of children, tell of those that were asked for; False: none is left."""
        drain_wake(self._wake)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            started = self._leaders.pop(pid, None)
            if started is not None:
                tell_end(started.ended, status)

    def _signal(self, number: int, signal: int) -> None:
        """Send a signal to the process group of a step; the last one, to all of its tree."""
        started = self._started.get(number)
        if started is None or started.pid not in self._leaders:
            return
        if signal == tree.SIGKILL:
            for pid in tree.list_tree(started.pid, os.getpid()):
                tree.send_signal(pid, signal)
        tree.send_signal(-started.pid, signal)

    def end_all(self) -> bool:
        """Kill whatever of the job still runs; False where something cannot be killed."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        return tree.kill_descendants(os.getpid(), self._reap, poll.poll)

    def _leave(self, is_over: bool) -> bool:  # noqa: FBT001
        """End what is left of the job; True where nobody can be looked after from now on."""
        is_clean = self.end_all()
        if is_over and self._folder:
            try:  # noqa: SIM105
                os.unlink(f"{self._folder}/supervisor.json")  # noqa: PTH108
            except OSError:
                pass
        stays = is_clean and is_over and self._may_stay and not self._has_mounts
        if stays:
            self._forget_job()
        self._say("closed", is_clean, stays)
        return not stays

    def _forget_job(self) -> None:
        """Be as at first: to look after another job takes less time than to start anew."""
        for started in self._started.values():
            started.drop_segments()
            os.close(started.output)
        for output in self._unread:
            self._poll.unregister(output)
        for file in self._held:
            os.close(file)
        self._held.clear()
        self._started.clear()
        self._unread.clear()
        self._containers.clear()
        self._folder, self._path, self._masks = "", [], []

    # Output

    def _keep(self, files: list[int], word: str, *values: Any) -> None:
        match word:
            case "hold":
                self._held += files
            case "follow":
                self._follow(files, *values)
            case "spool":
                number, segment = values
                self._started[number].segments[segment] = files[0]
            case "drop":
                number, segment = values
                os.close(self._started[number].segments.pop(segment))
            case _:
                self._release(*values)

    def _follow(self, files: list[int], number: int, step: str) -> None:
        """Hold what a process prints that others have started, and its spool if it has one."""
        output, *spool = files
        self._started[number] = Started(0, step, output, -1, dict(enumerate(spool)))

    def _release(self, number: int) -> None:
        """The output of a step has been read to its end: what still comes is nobody's."""
        started = self._started.get(number)
        if started is not None:
            started.drop_segments()
            os.set_blocking(started.output, False)
            self._unread.add(started.output)
            self._poll.register(started.output, select.POLLIN)

    def _throw_away(self, output: int) -> None:
        """Keep processes that a step left behind from waiting for a reader, or dying of none."""
        try:
            data = os.read(output, BLOCK_BYTES)
        except OSError:
            return
        if not data:
            self._poll.unregister(output)
            self._unread.discard(output)
            os.close(output)
            number = next(key for key, it in self._started.items() if it.output == output)
            del self._started[number]

    # Mounts

    def _change_mounts(self, word: str, *values: Any) -> None:
        match word:
            case "overlay":
                self._mount(*values)
            case "overlay within":
                self._mount_within(*values)
            case _:
                self._share_mount(*values)

    def _mount(self, lower: bytes, upper: bytes, work: bytes, target: bytes) -> None:
        try:
            if not self._has_mounts:
                # What runs already would not see the mount.
                if tree.list_descendants(os.getpid()):
                    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
                kernel.leave_mounts()
                self._has_mounts = True
            kernel.mount_overlay(lower, upper, work, target)
        except OSError as error:
            self._say("refused", error.errno)
        else:
            self._say("mounted")

    def _mount_within(self, pid: int, *paths: bytes) -> None:
        """Mount an overlay where another process sees it, and this one does not."""

        def mount() -> None:
            kernel.enter_mounts(pid)
            kernel.mount_overlay(*paths)

        self._mount_apart(mount)

    def _share_mount(self, pid: int, other: int, path: bytes) -> None:
        """Let a process see what is mounted for another one."""
        self._mount_apart(lambda: kernel.share_mount(pid, other, path))

    def _mount_apart(self, mount: Callable[[], None]) -> None:
        """Mount something from a process of its own, which may go where other mounts are."""
        child = os.fork()
        if child == 0:
            code = 0
            try:
                mount()
            except OSError as error:
                code = error.errno or errno.EPERM
            finally:
                os._exit(code)
        number = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self._say(*(("refused", number) if number else ("mounted",)))


def supervise(link: Any, *, may_stay: bool = True) -> NoReturn:
    """Be the supervisor of one job, and end with it."""
    try:
        os.setsid()
        kernel.adopt_orphans()
        supervisor = Supervisor(link, make_wake(), may_stay=may_stay)
        try:
            is_closed = supervisor.serve()
        except BaseException:
            # Whatever has gone wrong here, the job does not go on unseen. Windlass notices.
            supervisor.end_all()
            raise
        if not is_closed:
            supervisor.bury()
    finally:
        os._exit(0)
