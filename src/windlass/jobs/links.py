"""Where symbolic links of steps lead: Windlass must not follow them out of the job's folder.

On the host a step could go there itself. In a sandbox or a container it could not, and what
Windlass reads, writes or removes by its own rights would be the step's way out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from windlass.jobs.executors.interface import Session

MOST_LINKS: Final = 40
"""As many as Linux follows: path_resolution(7)."""

_MAKE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def leads_out(path: Path, root: Path, session: Session, links: int = 0) -> bool:
    """Tell whether a path below a root leads elsewhere, by a link in it or on the way to it."""
    place = root
    for name in path.relative_to(root).parts:
        place /= name
        seen = session.see(place)
        if not seen.is_symlink():
            continue
        target = seen.readlink()
        if links == MOST_LINKS or not _is_plain(target):
            return True
        aim = Path(os.path.normpath(place.parent / target / path.relative_to(place)))
        return not aim.is_relative_to(root) or leads_out(aim, root, session, links + 1)
    return False


def write_new_file(folder: str | Path, name: str, data: bytes, mode: int = 0o666) -> None:
    """Write a file that is not there yet to a folder which a step may have put a link in place of.

    `mode` is cut down by the umask, as always.

    Raises:
        OSError: the folder is a link or not there, the file exists, or the system refused.
    """
    opened = os.open(folder, _FOLDER)
    try:
        with os.fdopen(os.open(name, _MAKE, mode, dir_fd=opened), "wb") as file:
            file.write(data)
    finally:
        os.close(opened)


def _is_plain(target: Path) -> bool:
    """Tell whether a target goes up at its beginning only: after a name that may be a link."""
    parts = list(target.parts)
    while parts[:1] == [".."]:
        del parts[0]
    return ".." not in parts
