"""Gives this user what the root of a container has written into folders of a job.

Without it neither a later step nor Windlass could remove these files. Where the daemon runs as this
user, or this user is root, there is nothing to do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from windlass.docker.containers import (
    create_container,
    remove_container,
    start_container,
    wait_for_container,
)
from windlass.errors import DockerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from windlass.docker.engine import Engine

_PLACE: Final = "/windlass"


def take_ownership(
    engine: Engine,
    images: Sequence[str],
    folders: Sequence[Path],
    *,
    user: int,
    group: int,
    labels: Mapping[str, str],
) -> bool:
    """Make all below the folders a user's, with the `chown` of the first image that has one.

    Returns False where none of the images could do it; nothing is started where all is in order.
    """
    targets = [folder for folder in folders if _has_foreign(folder, user)]
    return not targets or any(
        _change_owner(engine, image, targets, f"{user}:{group}", labels) for image in images
    )


def _has_foreign(folder: Path, user: int) -> bool:
    """Tell whether something below a folder is not the user's; what cannot be read is not."""
    for around, folders, files in os.walk(folder, onerror=lambda _: None):
        for name in (*folders, *files):
            try:
                found = os.lstat(f"{around}/{name}")
            except OSError:
                continue
            if found.st_uid != user:
                return True
    return False


def _change_owner(
    engine: Engine,
    image: str,
    folders: Sequence[Path],
    owner: str,
    labels: Mapping[str, str],
) -> bool:
    names = [f"{_PLACE}/{number}" for number in range(len(folders))]
    config = {
        "Image": image,
        "User": "0:0",
        "Entrypoint": ["chown"],
        "Cmd": ["-R", "-h", owner, *names],
        "Labels": dict(labels),
        "NetworkDisabled": True,
        "HostConfig": {
            "Mounts": [
                {"Type": "bind", "Source": str(folder), "Target": name}
                for folder, name in zip(folders, names, strict=True)
            ],
            "LogConfig": {"Type": "none"},
        },
    }
    try:
        container = create_container(engine, config)
    except DockerError:
        return False
    try:
        start_container(engine, container)
        return wait_for_container(engine, container) == 0
    except DockerError:
        return False
    finally:
        remove_container(engine, container)
