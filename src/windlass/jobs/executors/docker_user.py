"""Lets a container's user write to the job's folders who is neither root nor ours.

`options: --user 1001` and the USER of an image have such processes. On GitHub the folders belong to
the runner, which is user 1001, and so do the files of a checkout, which is a step there. Here
Windlass makes them, as whoever it is: folders get an access control list by which all that is made
in them is the other user's to write, and what a checkout has put into the workspace is handed over.

Source: https://man7.org/linux/man-pages/man5/acl.5.html, Linux include/uapi/linux/posix_acl_xattr.h
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.folders import JobFolders

_LISTS: Final = ("system.posix_acl_access", "system.posix_acl_default")
_VERSION: Final = struct.Struct("<I").pack(2)
_ENTRY: Final = struct.Struct("<HHI")
_NOBODY: Final = 0xFFFF_FFFF
_OWNER, _USER, _GROUP, _MASK, _OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
_ALL, _READ = 0o7, 0o5
_IDS: Final = re.compile(r"^Uid:\t\d+\t(\d+)\t.*\nGid:\t\d+\t(\d+)\t", re.MULTILINE)
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class OtherUser:
    """The user and group of a container's processes, as this machine numbers them."""

    def __init__(self, user: int, group: int) -> None:
        self._user = user
        self._group = group
        self._given: dict[str, tuple[int, int]] = {}

    def open_folders(self, folders: JobFolders) -> None:
        """Let the user write to the job's folders, and to all that will be made in them.

        Raises:
            OSError: the file system has no access control lists.
        """
        made = (folders.home, folders.temp, folders.pipeline, folders.workspace)
        for folder in (folders.root, folders.tools, *made):
            for name in _LISTS:
                os.setxattr(folder, name, _write_list(self._user))

    def take_over(self, workspace: Path) -> None:
        """Hand over what has been put into the workspace since the last time."""
        with os.scandir(workspace) as entries:
            ours = [entry.name for entry in entries if self._is_new(entry)]
        for name in ours:
            path = workspace / name
            self._give(path)
            self._given[name] = _identify(path.lstat())

    def _is_new(self, entry: os.DirEntry[str]) -> bool:
        facts = entry.stat(follow_symlinks=False)
        return facts.st_uid == os.getuid() and self._given.get(entry.name) != _identify(facts)

    def _give(self, path: Path) -> None:
        place = os.open(path.parent, _OPEN | os.O_DIRECTORY)
        try:
            self._give_entry(path.name, place)
        finally:
            os.close(place)
        for _, folders, files, folder in os.fwalk(path):
            for name in (*folders, *files):
                self._give_entry(name, folder)

    def _give_entry(self, name: str, place: int) -> None:
        """Hand over one entry of an open folder, never what a link leads to."""
        if os.getuid() == 0:
            os.chown(name, self._user, self._group, dir_fd=place, follow_symlinks=False)
        else:
            _widen(name, place)


def admit_other_user(
    process: int, container: str, folders: JobFolders, note: Callable[[str], None]
) -> OtherUser | None:
    """Let the user of a container's process write to the job's folders; None where it can anyway.

    `note` is told where the file system does not serve.
    """
    user = _find_other_user(process, container)
    try:
        if user is not None:
            user.open_folders(folders)
    except OSError as error:
        note(
            "##[warning]The user of the container cannot be let write to the job's folders: "
            f"{error.strerror}"
        )
    return user


def _find_other_user(process: int, container: str) -> OtherUser | None:
    """Return the user of a container's process, unless it is ours or root, or not seen."""
    with contextlib.suppress(OSError):
        facts = Path(f"/proc/{process}")
        if container not in (facts / "cgroup").read_text(encoding="utf-8", errors="replace"):
            return None  # another process, which has the number here
        ids = _IDS.search((facts / "status").read_text(encoding="utf-8", errors="replace"))
        if ids is not None and int(ids[1]) not in (0, os.getuid()):
            return OtherUser(int(ids[1]), int(ids[2]))
    return None


def _widen(name: str, place: int) -> None:
    """Let everybody write to a file of ours; those who cannot get to its folder still cannot."""
    with contextlib.suppress(OSError):
        file = os.open(name, _OPEN, dir_fd=place)
        try:
            mode = os.fstat(file).st_mode
            runs = 0o111 if mode & 0o100 or stat.S_ISDIR(mode) else 0
            os.fchmod(file, stat.S_IMODE(mode) | 0o666 | runs)
        finally:
            os.close(file)


def _identify(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_ino, facts.st_ctime_ns


def _write_list(user: int) -> bytes:
    """Return the list of a folder: all for its owner and the user, the others may read."""
    entries = (
        (_OWNER, _ALL, _NOBODY),
        (_USER, _ALL, user),
        (_GROUP, _READ, _NOBODY),
        (_MASK, _ALL, _NOBODY),
        (_OTHERS, _READ, _NOBODY),
    )
    return _VERSION + b"".join(_ENTRY.pack(*entry) for entry in entries)
