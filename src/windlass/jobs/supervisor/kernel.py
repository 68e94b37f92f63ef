"""What of Linux a supervisor needs and Python's own modules do not offer."""

from __future__ import annotations

import ctypes
import os

PR_SET_DUMPABLE = 4
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS = 0x00020000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
OPEN_TREE = 428
MOVE_MOUNT = 429
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
AT_FDCWD = -100

_LIBRARY = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends: prctl(2)."""
    _check(_LIBRARY.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def hide_memory() -> None:
    """Let nobody of the same user look into this process or trace it: prctl(2)."""
    _check(_LIBRARY.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))


def limit_capabilities(kept: frozenset[int]) -> None:
    """Let no program that is started from here have other capabilities; this process keeps its own.

    Source: capabilities(7), the bounding set

    Raises:
        OSError: that is not allowed here.
    """
    number = 0
    while (is_allowed := _LIBRARY.prctl(PR_CAPBSET_READ, number, 0, 0, 0)) >= 0:
        if is_allowed and number not in kept:
            _check(_LIBRARY.prctl(PR_CAPBSET_DROP, number, 0, 0, 0))
        number += 1


def leave_mounts() -> None:
    """Get mounts of one's own: what is mounted from now on, nobody else sees.

    Raises:
        OSError: that is not allowed here.
    """
    _check(_LIBRARY.unshare(CLONE_NEWNS))
    _check(_LIBRARY.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))


def enter_mounts(pid: int) -> None:
    """See the mounts that a process sees, and no others: setns(2).

    Raises:
        OSError: that is not allowed here, or there is no such process.
    """
    namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_LIBRARY.setns(namespace, CLONE_NEWNS))
    finally:
        os.close(namespace)


def share_mount(pid: int, other: int, path: bytes) -> None:
    """Let another process see, under the same path, what is mounted there for the first one.

    It is one file system for both. This process sees the mounts of the other one afterwards.
    Source: open_tree(2), move_mount(2) of Linux 5.2; their numbers are the same everywhere

    Raises:
        OSError: that is not allowed here, or there is no such process or folder.
    """
    # Opened first: what is in /proc is another thing among other mounts.
    namespace = os.open(f"/proc/{other}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    enter_mounts(pid)
    tree = _LIBRARY.syscall(OPEN_TREE, AT_FDCWD, path, OPEN_TREE_CLONE)
    _check(min(tree, 0))
    _check(_LIBRARY.setns(namespace, CLONE_NEWNS))
    _check(_LIBRARY.syscall(MOVE_MOUNT, tree, b"", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH))


def mount_overlay(lower: bytes, upper: bytes, work: bytes, target: bytes) -> None:
    """Mount an overlay file system: what is written over `lower` goes to `upper`.

    Folders of `lower` can be renamed, as anywhere else; without the option they cannot.

    Raises:
        OSError: that is not allowed here, or the file systems do not serve.
    """
    options = b",".join(
        name + b"=" + _escape(path)
        for name, path in ((b"lowerdir", lower), (b"upperdir", upper), (b"workdir", work))
    )
    options += b",redirect_dir=on"
    _check(_LIBRARY.mount(b"overlay", target, b"overlay", 0, options))


def _escape(path: bytes) -> bytes:
    for character in (b"\\", b":", b","):
        path = path.replace(character, b"\\" + character)
    return path


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
