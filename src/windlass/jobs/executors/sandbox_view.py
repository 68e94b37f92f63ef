"""What a job in a sandbox sees of this machine's files, as arguments of bubblewrap.

Everything is where it is outside, and read-only. Over that lie empty folders that hide what is the
user's, and over those what the job needs from there: its own folder, and what Windlass, Git and
Node.js read.
"""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.jobs.supervisor.client import SOURCES
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from windlass.jobs.folders import JobFolders

PRIVATE: Final = "_sandbox"
"""Below the job's folder, what it has as /tmp: on a disk, since much may be written there."""

SCRATCH: Final = ("/tmp", "/var/tmp")  # noqa: S108 - these are hidden, not used
HOMES: Final = ("/home", "/root")
SOCKETS: Final = ("/run",)
"""Where the programs of this machine listen: Docker, the user's agents, the message bus."""

SECRETS: Final = (
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/krb5.keytab",
)
HOST_KEYS: Final = "/etc/ssh"
SOCKET_VARIABLES: Final = ("SSH_AUTH_SOCK", "DOCKER_HOST")
VITAL: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/proc", "/dev", "/sys")
"""What no program runs without: a home that holds one of these is not hidden."""

PACKAGES: Final = ("windlass", "zstandard", "ahocorasick_rs")
"""What brings a log to its end, and may be installed apart from the interpreter."""

RESOLVER: Final = "/etc/resolv.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Folders beyond what is the same for every job.

    `hidden` are the user's, `shown` what jobs may read in there.
    """

    hidden: Sequence[Path] = ()
    shown: Sequence[Path] = ()


def describe_mounts(view: View, folders: JobFolders | None) -> list[str]:
    """Return what bubblewrap is to mount, in its order; the folders of the job are there already.

    Raises:
        OSError: a folder cannot be made.
    """
    hidden = list_hidden(view)
    arguments: list[str] = []
    for path in hidden:
        arguments += ["--tmpfs", path]
    for path in _list_secrets():
        if not any(is_within(path, it) for it in (*hidden, *SCRATCH)):
            arguments += ["--ro-bind", os.devnull, path]
    for scratch in SCRATCH:
        arguments += _mount_scratch(scratch, folders)
    for path in list_shown(view, (*hidden, *SCRATCH)):
        arguments += ["--ro-bind-try", path, path]
    for writable in (folders.root, folders.tools) if folders is not None else ():
        arguments += ["--bind", str(writable), str(writable)]
    return arguments


def list_hidden(view: View) -> list[str]:
    """Return the folders that are empty in a sandbox, without those inside others."""
    paths = [*HOMES, *SOCKETS, *_list_own_homes(), *map(str, view.hidden)]
    known = sorted({os.path.realpath(path) for path in paths if os.path.isdir(path)})  # noqa: PTH112
    kept: list[str] = []
    for path in known:
        is_vital = any(is_within(it, path) for it in map(os.path.realpath, VITAL))
        if not is_vital and not any(is_within(path, it) for it in (*kept, *SCRATCH)):
            kept.append(path)
    return kept


def list_shown(view: View, hidden: Iterable[str]) -> list[str]:
    """Return what is read in hidden folders all the same, without what lies in others of it.

    What holds a hidden folder is left out: it would show that one again.
    """
    paths = [*_list_installation(), os.path.realpath(RESOLVER), *map(str, view.shown)]
    places = tuple(hidden)
    kept: list[str] = []
    for path in sorted({path for path in paths if os.path.exists(path)}):  # noqa: PTH110
        is_hidden = any(is_within(path, it) for it in places)
        is_wide = any(is_within(it, path) for it in places)
        if is_hidden and not is_wide and not any(is_within(path, it) for it in kept):
            kept.append(path)
    return kept


def is_within(path: str, folder: str) -> bool:
    """Tell whether a path is a folder, or lies in it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _mount_scratch(scratch: str, folders: JobFolders | None) -> list[str]:
    """Return the mount of one of the folders for temporary files."""
    if folders is None:
        return ["--tmpfs", scratch]
    place = folders.root / PRIVATE / scratch.strip("/").replace("/", "-")
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o1777)
    return ["--bind", str(place), scratch]


def _list_own_homes() -> Iterator[str]:
    yield os.environ.get("HOME") or "/root"
    try:
        yield pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return


def _list_secrets() -> Iterator[str]:
    """Yield files that only root can read, where this is root, and sockets of the user's."""
    keys = sorted(Path(HOST_KEYS).glob("ssh_host_*_key")) if os.path.isdir(HOST_KEYS) else ()  # noqa: PTH112
    for path in (*SECRETS, *map(str, keys)):
        if os.access(path, os.R_OK):
            yield path
    for name in SOCKET_VARIABLES:
        path = os.environ.get(name, "").removeprefix("unix://")
        if path.startswith("/") and os.path.exists(path):  # noqa: PTH110
            yield os.path.realpath(path)


def _list_installation() -> Iterator[str]:
    """Yield what the supervisor is made of: the interpreter, its libraries, and Windlass."""
    for prefix in {sys.prefix, sys.base_prefix}:
        for name in ("bin", "lib", "lib64", "pyvenv.cfg"):
            yield str(Path(prefix, name))
    yield os.path.realpath(sys.executable)
    for folder in (SOURCES, *sys.path):
        for name in PACKAGES:
            yield str(Path(folder, name))
