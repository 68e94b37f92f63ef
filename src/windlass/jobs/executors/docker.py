"""Runs a job's steps in a container, one for the whole job, in which one shell starts them all."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Final

from windlass.docker.addresses import find_address
from windlass.docker.containers import (
    ATTACHED,
    attach,
    create_container,
    inspect_container,
    remove_container,
    start_container,
)
from windlass.docker.engine import Engine
from windlass.docker.events import find_exit_code
from windlass.docker.faults import RefusedError
from windlass.docker.images import inspect_image
from windlass.errors import ExecutorError, PlatformError
from windlass.jobs.containers.daemon_socket import without_socket
from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.labels import own_labels
from windlass.jobs.containers.pulling import fetch_image
from windlass.jobs.containers.requests import (
    DEFAULT_NETWORK,
    MACHINE_NETWORK,
    request_container,
)
from windlass.jobs.containers.sweeping import sweep_once
from windlass.jobs.environment import DEFAULT_PATH
from windlass.jobs.executors.docker_layout import CONTROL, ContainerLayout
from windlass.jobs.executors.docker_own_shell import IMAGE_SHELL, provide_shell
from windlass.jobs.executors.docker_session import DockerSession, Running, Shell
from windlass.jobs.executors.docker_shell import BLIND, LISTENER, READY
from windlass.jobs.executors.docker_variables import PRELOAD, PRELOAD_TEXT
from windlass.jobs.supervisor.client import Supervisor
from windlass.plan.containers import Container

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from windlass.docker.streams import Stream
    from windlass.jobs.containers.creation import Creation
    from windlass.jobs.executors.interface import Executor, JobRequest, Session
    from windlass.jobs.folders import JobFolders

_ROOTS: Final = frozenset(["", "0", "root"])
_ABSENT: Final = re.compile(r"no such file|not found", re.IGNORECASE)


class DockerExecutor:
    """Containers of one image, or of the one that the job itself names."""

    def __init__(
        self,
        machine: Mapping[str, str],
        *,
        image: str = "",
        otherwise: Executor | None = None,
        shown: Sequence[Path] = (),
    ) -> None:
        """Take the variables of this machine, which name the daemon, and what containers may read.

        `otherwise` runs a job whose own container turns out to be empty; `shown` are folders that
        every container finds under their own names.

        Raises:
            UsageError: DOCKER_HOST cannot be understood.
        """
        self.name = f"docker://{image}" if image else "docker"
        self._image = image
        self._otherwise = otherwise
        self._shown = shown
        self._address = find_address(machine)

    def check(self) -> None:
        """Find out whether there is a daemon.

        Raises:
            DockerError: there is none, or we may not talk to it.
        """
        self.engine.ping()

    def open(self, request: JobRequest) -> Session:
        """Make the container of one job, with its shell waiting for steps.

        Raises:
            DockerError: the daemon is not there, or refused.
            ExecutorError: there is no such image, or it does not start.
            ContainerFault: what the workflow says of the container cannot be had.
            StartCancelledError: the job is to end.
        """
        if request.container is None and self._otherwise is not None:
            return self._otherwise.open(request)
        if request.folders is None:
            raise ExecutorError("a container needs the folders of the job")
        sweep_once(self.engine)
        return _Opening(self, request, request.folders).open()

    @property
    def engine(self) -> Engine:
        """The daemon."""
        return Engine(self._address)

    def describe(self, request: JobRequest) -> Container:
        """Return the container that a job is to run in."""
        if request.container is not None:
            return request.container
        if not self._image:
            raise ExecutorError("the job names no container, and its label no image")
        return Container(image=self._image)

    def lay_out(self, folders: JobFolders) -> ContainerLayout:
        """Return where the container finds the job's folders."""
        return ContainerLayout(folders, self._shown)


class _NoShellError(Exception):
    """A container cannot be started, for want of the shell."""


class _Opening:
    """One container on its way."""

    def __init__(self, executor: DockerExecutor, request: JobRequest, folders: JobFolders) -> None:
        self._engine = executor.engine
        self._request = request
        self._container = executor.describe(request)
        self._layout = executor.lay_out(folders)
        self._shell: tuple[str, ...] = IMAGE_SHELL

    def open(self) -> DockerSession:
        self._fetch_image()
        creation = self._describe()
        try:
            self._layout.make(shares_temporary=self._shares_temporary)
            (self._layout.control / PRELOAD).write_text(PRELOAD_TEXT, encoding="utf-8")
        except OSError as error:
            raise PlatformError(
                f"The job's folder {self._layout.outside.root} cannot be written: {error.strerror}"
            ) from error
        while True:
            try:
                return self._make(creation)
            except _NoShellError as error:
                self._take_own_shell(creation, error)

    def _make(self, creation: Creation) -> DockerSession:
        container = create_container(
            self._engine, creation.config, name=creation.name, platform=creation.platform
        )
        with contextlib.ExitStack() as undo:
            undo.callback(remove_container, self._engine, container)
            session = self._start(container, creation)
            undo.pop_all()
        return session

    def _take_own_shell(self, creation: Creation, error: _NoShellError) -> None:
        """Have the container start with a shell of this machine.

        Raises:
            ContainerFault, ExecutorError: there is none that runs there.
        """
        image = self._container.image
        if self._shell != IMAGE_SHELL:
            raise self._fail(f"No shell runs in the image '{image}': {error}", None) from error
        try:
            own = provide_shell(self._layout.control, self._control_inside)
        except (OSError, ExecutorError) as reason:
            raise self._fail(
                f"The image '{image}' has no /bin/sh, and it cannot be given one: {reason}",
                "choose an image with a shell (most images have a variant with one)",
            ) from error
        self._shell = own.words
        self._request.note(
            f"The image {image} has no shell: steps that are no scripts run all the same, started "
            "by a shell of this machine. GitHub's runner needs `tail` in the image of a job."
        )
        self._start_with_shell(creation, own.starter)

    def _start(self, container: str, creation: Creation) -> DockerSession:
        with self._explaining():
            # Podman makes its container now, Docker when it is started.
            stream = attach(self._engine, container, input_too=True)
        supervisor = Supervisor()
        supervisor.tell("hold", files=[stream.socket.fileno()])
        is_root = _is_root(creation, self._user)
        shell = Shell(stream, self._layout.control, is_root=is_root)
        try:
            with self._explaining():
                start_container(self._engine, container)
            programs = self._await_shell(stream, container)
            running = self._look(container, programs, is_root=is_root)
        except BaseException:
            shell.close()
            supervisor.close(is_over=True)
            raise
        session = DockerSession(
            supervisor,
            self._request,
            engine=self._engine,
            layout=self._layout,
            shell=shell,
            running=running,
        )
        session.guard(container, self._engine.address.whole)
        return session

    def _fetch_image(self) -> None:
        request, name = self._request, self._container.image
        patience = request.patience
        try:
            with patience.limited():
                fetch_image(self._engine, self._container, note=request.note, pause=patience.pause)
        except RefusedError as error:
            raise self._fail(
                f"The image '{name}' cannot be had: {error.message}", error.hint
            ) from error
        image = inspect_image(self._engine, name)
        self._user = "" if image is None else str(image.config.get("User") or "")

    @property
    def _network(self) -> str:
        """The network of the container: that of the job's services, if it is one of the workflow.

        A job whose label stands for an image is written for a machine, where it finds its services
        on localhost: it gets the network of this one, unless it has a Docker daemon of its own,
        which cannot be there.
        """
        if self._stands_for_machine and self._request.services and self._request.docker is None:
            return MACHINE_NETWORK
        return self._request.network or DEFAULT_NETWORK

    @property
    def _stands_for_machine(self) -> bool:
        return self._request.container is None

    @property
    def _shares_temporary(self) -> bool:
        return self._stands_for_machine and self._request.docker is not None

    def _describe(self) -> Creation:
        creation = request_container(
            without_socket(self._container),
            network=self._network,
            alias="",
            labels=own_labels(self._request.key),
            rename_volume=self._request.rename_volume,
        )
        if self._network != self._request.network:
            # Names are for networks of a job's own; and Podman calls its default one otherwise.
            del creation.config["NetworkingConfig"]
        for bind in self._layout.binds(shares_temporary=self._shares_temporary):
            creation.add("HostConfig.Binds", bind)
        creation.add("Env", f"HOME={self._layout.inside.home}")
        self._start_with_shell(creation)
        # Nothing is to stand where an overlay may be mounted.
        creation.put("WorkingDir", "/")
        creation.config.update(ATTACHED)
        creation.config["HostConfig"]["AutoRemove"] = True
        return creation

    def _start_with_shell(self, creation: Creation, starter: Sequence[str] = ()) -> None:
        """Let the container begin with its shell; `starter` runs scripts in place of /bin/sh."""
        words = [*self._shell, "-c", LISTENER, "windlass", self._control_inside, *starter]
        creation.put("Entrypoint", words[:1])
        creation.put("Cmd", words[1:])

    @property
    def _control_inside(self) -> str:
        return f"{self._layout.inside.root}/{CONTROL}"

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        """Say why a container cannot be started.

        Raises:
            _NoShellError: for want of a shell.
            ContainerFault, ExecutorError: for another reason.
        """
        image = self._container.image
        try:
            yield
        except RefusedError as error:
            if "exec format" in error.message:
                what = f"/bin/sh of the image '{image}' cannot run here"
            elif self._shell[0] in error.message and _ABSENT.search(error.message):
                raise _NoShellError(error.message) from error
            else:
                what = f"The container of the image '{image}' cannot be started"
            raise self._fail(f"{what}: {error.message}", error.hint) from error

    def _await_shell(self, stream: Stream, container: str) -> list[str]:
        """Return the programs of the image that the shell names with its first words.

        Raises:
            ContainerFault, ExecutorError: it ended before, or does not see the job's folder.
        """
        said = b""
        with contextlib.suppress(OSError):
            while b"\n" not in said and (block := stream.read()) is not None:
                said += block[1]
        line = said.partition(b"\n")[0]
        if line.startswith(BLIND):
            raise ExecutorError(
                "The container does not see the job's folder",
                hint="Docker's daemon must run on this machine, not in another or in a virtual "
                "one: set DOCKER_HOST to the socket of a daemon here",
            )
        if line.startswith(READY):
            return line.decode("utf-8", "replace").split()[1:]
        raise self._explain_end(container, said)

    def _fail(self, message: str, hint: str | None) -> ContainerFault | ExecutorError:
        """Make a failure of the job of what its workflow says, else an error of this call."""
        if self._request.container is not None:
            return ContainerFault(message, hint=hint)
        return ExecutorError(message, hint=hint)

    def _explain_end(self, container: str, said: bytes) -> ContainerFault | ExecutorError:
        found = find_exit_code(self._engine, container)
        code = "" if found is None else f" with the exit code {found}"
        text = said.decode("utf-8", "replace").strip()
        return self._fail(
            f"The container of the image '{self._container.image}' ended at once{code}"
            + (f": {text}" if text else ""),
            "its /bin/sh must run on this machine's kind of processor"
            if "exec format" in text
            else "see what the image does: docker run --rm --entrypoint /bin/sh IMAGE -c true",
        )

    def _look(self, container: str, programs: Sequence[str], *, is_root: bool) -> Running:
        found = inspect_container(self._engine, container)
        networks: Mapping[str, Mapping[str, Any]] = found["NetworkSettings"]["Networks"]
        name, network = next(iter(networks.items()), ("", {}))
        told = found["Config"].get("Env") or ()
        variables = {
            "PATH": DEFAULT_PATH,
            "HOSTNAME": str(found["Config"].get("Hostname", "")),
            **dict(text.partition("=")[::2] for text in told),
        }
        return Running(
            id=container,
            pid=int(found["State"]["Pid"]),
            is_root=is_root,
            variables=variables,
            programs={program.rpartition("/")[2]: program for program in programs},
            shell=self._shell,
            address="127.0.0.1" if name == MACHINE_NETWORK else str(network.get("Gateway") or ""),
            network=name,
            binds=tuple(found["HostConfig"].get("Binds") or ()),
            facts={"container": {"id": container, "network": self._request.network or name}},
        )


def _is_root(creation: Creation, user: str) -> bool:
    told = str(creation.config.get("User") or user)
    return told.partition(":")[0] in _ROOTS
