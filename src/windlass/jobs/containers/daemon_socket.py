"""Where the socket of a job's own daemon is: in the job's folder, and where Docker's usually is."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from windlass.docker.addresses import Address
from windlass.docker.containers import put_archive
from windlass.docker.engine import Engine
from windlass.model.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.plan.containers import Container

FOLDER: Final = "_docker"
"""The folder of the job's folder in which the socket is."""

SOCKET: Final = "docker.sock"
USUAL: Final = ("/var/run/docker.sock", "/run/docker.sock")
"""Where programs look for a daemon without being told."""


def link_socket(engine: Engine, container: str, folder: str) -> None:
    """Let a container find, in the usual place, the socket in a folder of it.

    Raises:
        DockerError: the daemon that the container is in refused.
    """
    # Imported only for a job that has such a daemon.
    import io
    import tarfile

    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(USUAL[0].lstrip("/"))
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, f"{folder}/{SOCKET}", 0o777
        archive.addfile(entry)
    put_archive(engine, container, "/", [file.getvalue()])


@contextlib.contextmanager
def connecting(folder: Path) -> Iterator[Engine]:
    """Ask the daemon whose socket lies in a folder, however long the folder's name is.

    The path of a socket has at most 107 bytes, see unix(7).
    """
    opened = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        socket = f"/proc/self/fd/{opened}/{SOCKET}"
        yield Engine(Address(text=f"unix://{folder}/{SOCKET}", socket=socket))
    finally:
        os.close(opened)


def without_socket(container: Container) -> Container:
    """Return a container of a workflow without the socket of the machine's daemon as a volume."""
    volumes = tuple(it for it in container.volumes if not is_usual_socket(it))
    return container if volumes == container.volumes else replace(container, volumes=volumes)


def is_usual_socket(volume: str) -> bool:
    """Tell whether a volume, as a workflow writes it, is the socket of the machine's daemon."""
    return volume.partition(":")[0] in USUAL
