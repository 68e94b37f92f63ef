"""A Docker daemon of one job's own, in a container beside that of the job's steps.

It has the network of the job's container, so that what it publishes is on the job's localhost; the
job's folders under the same names, so that a job can mount them; and its data in a volume without
a name, which goes with it. Its socket lies in the job's folder.

Its first process holds on to its standard input, as the shell of the job's container does: when
Windlass and the job's supervisor are both gone it ends, and with it all containers in it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from windlass.docker.containers import (
    ATTACHED,
    attach,
    create_container,
    inspect_container,
    remove_container,
    start_container,
)
from windlass.docker.faults import DaemonGoneError, RefusedError
from windlass.docker.images import inspect_image, load_images, save_image
from windlass.errors import DockerError, ExecutorError
from windlass.jobs.containers.daemon_socket import SOCKET, connecting, link_socket
from windlass.jobs.containers.requests import DEFAULT_NETWORK, MACHINE_NETWORK
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from windlass.docker.engine import Engine
    from windlass.docker.streams import Stream
    from windlass.jobs.containers.services import Forward

IMAGE: Final = "windlass/docker"
DATA: Final = "/var/lib/docker"

_NEEDED: Final = ("SYS_ADMIN", "NET_ADMIN")
"""What a daemon cannot do without: mounts and networks. The others are those of any container."""

_WANTED: Final = {"SYS_RESOURCE": 24, "SYS_PTRACE": 19}
"""What it hands on where this machine itself has it, by the number of linux/capability.h."""

_UNCONFINED: Final = ("seccomp=unconfined", "apparmor=unconfined", "label=disable")
_OLD_GROUPS: Final = {"DeviceCgroupRules": ["a *:* rwm"]}
_NEW_GROUPS: Final = {"CgroupnsMode": "private"}
"""It makes groups below its own; in a namespace of its own it sees no others."""

_LOOPBACK: Final = ("127.", "::1")
_RESOLVERS: Final = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))
_CONTROLLERS: Final = Path("/sys/fs/cgroup/cgroup.controllers")
_STATUS: Final = Path("/proc/self/status")

_READY: Final = b"ready"
_TRIES: Final = 5
"""How often it is asked whether it answers; each time a minute is waited for that."""

_SCRIPT: Final = r"""
socket=$1; forwards=$2; shift 2
# Groups of processes are made for every container; Docker gives them to a container to be read.
while read -r _ path type _; do
  case $type in cgroup|cgroup2) echo "$path";; esac
done </proc/self/mounts | while read -r path; do mount -o remount,bind,rw "$path"; done
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  # No process may be where limits are handed on to groups below.
  mkdir -p /sys/fs/cgroup/init
  for process in $(cat /sys/fs/cgroup/cgroup.procs); do
    echo "$process" >/sys/fs/cgroup/init/cgroup.procs
  done
  for name in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$name" >/sys/fs/cgroup/cgroup.subtree_control
  done
fi 2>/dev/null
end() { echo "ended with the exit code $1"; tail -n 8 /var/log/dockerd.log; }
(dockerd --host "unix:///var/run/docker.sock" --host "unix://$socket" "$@" \
  >/var/log/dockerd.log 2>&1 </dev/null; end "$?") &
until [ -S "$socket" ] && [ -S /var/run/docker.sock ]; do
  kill -0 "$!" 2>/dev/null || exit 1
  sleep 0.02
done
chmod 666 "$socket" /var/run/docker.sock
for forward in $forwards; do
  IFS=, read -r protocol port address inner <<EOF
$forward
EOF
  docker-proxy -proto "$protocol" -host-ip 127.0.0.1 -host-port "$port" \
    -container-ip "$address" -container-port "$inner" </dev/null >/dev/null 2>&1 3>&1 &
done
echo ready
while read -r _; do :; done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonRequest:
    """What a daemon is made for.

    `container` is that of the job's steps, running. `folder` is where this machine has the folder
    of the socket, `inside` what the job calls it. `binds` are the folders that the job has, as
    `HostConfig.Binds` has them. `forwards` are what the job is to find on localhost besides;
    `images` are brought along from the daemon outside. `network` is that of the job.
    """

    container: str
    network: str
    folder: Path
    inside: str
    binds: Sequence[str]
    labels: Mapping[str, str]
    forwards: Sequence[Forward] = ()
    images: Sequence[str] = ()


class JobDaemon:
    """A daemon that runs; `pid` is its first process, `link` the connection that keeps it."""

    def __init__(self, engine: Engine, container: str, stream: Stream) -> None:
        self.container = container
        self.pid = int(inspect_container(engine, container)["State"]["Pid"])
        self.link = stream.socket.fileno()
        self._engine = engine
        self._stream = stream

    def close(self) -> str:
        """Remove it, all containers in it and all that it has.

        Returns what it said of its end where it had ended by itself, else nothing.

        Raises:
            DockerError: the daemon outside is not there.
        """
        try:
            said = self._hear()
            remove_container(self._engine, self.container)
            return said
        finally:
            self._stream.close()

    def _hear(self) -> str:
        """Return what has been said since the start, without waiting for more."""
        self._stream.socket.settimeout(0)
        try:
            found = self._stream.read()
        except OSError:
            return ""
        return "" if found is None else found[1].decode("utf-8", "replace").strip()


def start_daemon(
    engine: Engine, request: DaemonRequest, *, note: Callable[[str], None]
) -> JobDaemon:
    """Start a job's own daemon; it can be connected to when this returns.

    Raises:
        ExecutorError: its image has not been made, or it does not start.
        DockerError: the daemon outside is not there.
    """
    if request.network == MACHINE_NETWORK:
        raise ExecutorError(
            "The job turns out to need Docker when its place is made already, in the network of "
            "this machine, where its services are: a Docker daemon of its own cannot be there",
            hint="write `LABEL = true` below [docker.labels] in config.toml",
        )
    if inspect_image(engine, IMAGE) is None:
        raise ExecutorError(
            f"The job needs Docker, and the image {IMAGE} has not been made on this machine",
            hint="`windlass images setup` makes it; `LABEL = false` below [docker.labels] in "
            "config.toml lets the job run without a daemon",
        )
    request.folder.mkdir(exist_ok=True)
    config = describe_daemon(
        request,
        resolvers=() if request.network == DEFAULT_NETWORK else list(_list_resolvers()),
        capabilities=[*_NEEDED, *_list_wanted()],
        has_old_groups=not _CONTROLLERS.exists(),
    )
    container = create_container(engine, config)
    with contextlib.ExitStack() as undo:
        undo.callback(remove_container, engine, container)
        stream = attach(engine, container, input_too=True)
        undo.callback(stream.close)
        start_container(engine, container)
        _await_socket(stream)
        daemon = JobDaemon(engine, container, stream)
        link_socket(engine, request.container, request.inside)
        _bring_images(engine, request, note)
        undo.pop_all()
    return daemon


def describe_daemon(
    request: DaemonRequest,
    *,
    resolvers: Sequence[str],
    capabilities: Sequence[str],
    has_old_groups: bool,
) -> dict[str, Any]:
    """Return what the daemon outside is told: `POST /containers/create`.

    `resolvers` are the name servers that its containers ask: in a network with names the daemon
    sees one on a loopback address, which they cannot reach. It has what a daemon needs, and less
    than `--privileged` would give it: no device of the machine beyond those of any container,
    unless version 1 of cgroups is in use (`has_old_groups`): there a privileged container of the
    job is refused otherwise.
    """
    forwards = " ".join(it.as_text() for it in request.forwards)
    told = [f"--dns={it}" for it in resolvers]
    command = ["-c", _SCRIPT, "windlass", f"{request.inside}/{SOCKET}", forwards, *told]
    return {
        "Image": IMAGE,
        "Entrypoint": ["/bin/sh"],
        "Cmd": command,
        "Labels": dict(request.labels),
        "Volumes": {DATA: {}},
        "WorkingDir": "/",
        **ATTACHED,
        "HostConfig": {
            "AutoRemove": True,
            "Binds": list(request.binds),
            "NetworkMode": f"container:{request.container}",
            "CapAdd": list(capabilities),
            "SecurityOpt": list(_UNCONFINED),
            "MaskedPaths": [],
            "ReadonlyPaths": [],
            **(_OLD_GROUPS if has_old_groups else _NEW_GROUPS),
        },
    }


def _await_socket(stream: Stream) -> None:
    """Wait until the daemon can be connected to; it may answer a little later.

    Raises:
        ExecutorError: it ended before.
    """
    said = b""
    with contextlib.suppress(OSError):
        while _READY + b"\n" not in said and (block := stream.read()) is not None:
            said += block[1]
    if _READY + b"\n" not in said:
        text = said.decode("utf-8", "replace").strip()
        raise ExecutorError(
            f"The job's own Docker daemon did not start: {text or 'it ended at once'}",
            hint="`LABEL = false` below [docker.labels] in config.toml lets the job run without",
        )


def _bring_images(engine: Engine, request: DaemonRequest, note: Callable[[str], None]) -> None:
    """Copy images of the daemon outside.

    Raises:
        ExecutorError: there is no such image, or the daemon does not answer.
    """
    if not request.images:
        return
    with connecting(request.folder) as inner:
        _await_answer(inner)
        for name in request.images:
            if inspect_image(engine, name) is None:
                raise ExecutorError(
                    f"The image {name}, which the job's own Docker daemon is to have, is not on "
                    "this machine",
                    hint=f"get it by `docker pull {name}`, or take it out of config.toml",
                )
            note(f"Copying {name} to the job's own Docker daemon")
            try:
                load_images(inner, save_image(engine, name))
            except RefusedError as error:
                raise ExecutorError(
                    f"The image {name} cannot be copied to the job's own Docker daemon: "
                    f"{error.message}",
                    hint=error.hint,
                ) from error


def _await_answer(inner: Engine) -> None:
    """Wait until the daemon answers, which takes minutes to start on a machine that is busy.

    Raises:
        ExecutorError: it never does.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            inner.ping()
        except DockerError as error:
            if tries_left and isinstance(error, DaemonGoneError):
                continue
            raise ExecutorError(
                f"The job's own Docker daemon does not answer: {error.message}"
            ) from error
        else:
            return


def _list_resolvers() -> Iterator[str]:
    """Yield the name servers of this machine that can be reached from others."""
    for path in _RESOLVERS:
        with contextlib.suppress(OSError):
            lines = path.read_text("utf-8", "replace").splitlines()
            found = [line.split()[1] for line in lines if line.startswith("nameserver ")]
            if outer := [it for it in found if not it.startswith(_LOOPBACK)]:
                yield from outer
                return


def _list_wanted() -> list[str]:
    """Return what of the wanted this machine can give: asking for more would be refused."""
    for line in _STATUS.read_text("ascii").splitlines():
        if line.startswith("CapBnd:"):
            held = int(line.split()[1], 16)
            return [name for name, number in _WANTED.items() if held >> number & 1]
    return []
