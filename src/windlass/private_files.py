"""Files for their owner alone, there whole or not at all: credentials, tokens and keys.

Each is written beside its place first, with its mode before its content, and is on the disk before
it gets its name: whoever reads the file sees all of one version, even after the power went off.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_MODE: Final = 0o600


def replace_private_file(path: Path, content: bytes) -> None:
    """Put a file in the place of the one that may be there.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    draft = _write_draft(path, content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _keep_names(path.parent)


def add_private_file(path: Path, content: bytes) -> None:
    """Put a file where there is none; of several processes at once one does, the others leave it.

    Raises:
        OSError: it cannot be written.
    """
    draft = _write_draft(path, content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    _keep_names(path.parent)


def _write_draft(path: Path, content: bytes) -> Path:
    """Write a file beside another, and return it; nothing is left of one that fails."""
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(draft, flags, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _keep_names(folder: Path) -> None:
    """Have the disk know the names of a folder's files too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
