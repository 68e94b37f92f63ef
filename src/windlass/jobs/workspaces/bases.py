"""Bases: the content of trees on disk, written once and served to jobs ever after.

A base lies at `<folder>/<key>`: its `files`, git's index of them, and `about.json`. Nobody changes
it once it has that name; while it is written it has another, and a lock lets one writer through, of
whatever process. A tree that differs little from one that has a base gets a **patch** on it instead
of a base of its own.

Who uses a base holds a shared lock on its folder, which ends with the process. A base written
before the machine was last started is not trusted: it may not have reached the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError, WorkspaceError
from windlass.git.trees import compare_trees, write_changes
from windlass.jobs.boot import read_boot
from windlass.jobs.workspaces.patches import INDEX, Patch, read_patch, write_patch
from windlass.jobs.workspaces.removal import remove_at_once, remove_folder
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ABOUT: Final = "about.json"
FILES: Final = "files"
SHADOW: Final = "shadow"
"""A repository of the base's own, where it holds only some files of its tree."""

MOST_CHANGES: Final = 200
MOST_BYTES: Final = 8 << 20
"""A patch is copied into every workspace, so it stays small."""

MOST_CANDIDATES: Final = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A repository in a base, itself or a submodule: the folder it lies in, git's index of it."""

    prefix: str
    index: Path


@dataclass(frozen=True, slots=True)
class Base:
    """The content of a tree, ready in a folder.

    `parts` begins with the repository itself. `shadow` is a repository with its objects, in which
    Git leaves out what the base leaves out.
    """

    key: str
    tree: str
    files: Path
    parts: tuple[Part, ...]
    shadow: Path


@dataclass(frozen=True, slots=True)
class Content:
    """What a workspace is to hold: a base, and what differs from it."""

    base: Base
    patch: Patch | None = None


class Bases:
    """The bases of one repository. What is provided stays locked until this is closed."""

    def __init__(self, folder: Path, shadow: Path) -> None:
        """Take the folder they are kept in and the repository that has the objects of trees."""
        self._folder = folder
        self._shadow = shadow
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}

    def provide(
        self,
        tree: str,
        write: Callable[[Path], tuple[str, ...]],
        *,
        variant: str = "",
    ) -> Content:
        """Return the content of a tree; `write` fills a new folder with it if there is none yet.

        `write` makes `files` and, for each part, `<number>.index`, and returns their prefixes.
        `variant` tells apart what else decides about the content: submodules, patterns.

        Raises:
            GitError: git failed.
            WorkspaceError: the content cannot be written.
        """
        key = f"{tree}-{variant}" if variant else tree
        try:
            if found := self._open(key):
                return found
            self._folder.mkdir(parents=True, exist_ok=True)
            with _hold(self._folder / f".lock-{key[0]}"):
                if found := self._open(key):
                    return found
                remove_folder(self._folder / key)
                if variant or not self._write_patch(key, tree):
                    self._write_base(key, tree, write)
            found = self._open(key)
        except OSError as error:
            raise WorkspaceError(
                f"The content of tree {tree} cannot be written to {self._folder}: {error.strerror}",
                hint="Check the permissions of the folder and the free space of its disk.",
            ) from error
        if found is None:
            raise WorkspaceError(
                f"The content of tree {tree} was removed from {self._folder} while it was written",
                hint="Run it again.",
            )
        return found

    def close(self) -> None:
        """Let go of what was provided; it may be removed from now on."""
        with self._lock:
            while self._used:
                os.close(self._used.popitem()[1])

    def __del__(self) -> None:
        """Let go of it also where nobody said so."""
        self.close()

    def _open(self, key: str) -> Content | None:
        """Return what is kept under a key, locked; None if there is nothing to be trusted."""
        folder = self._folder / key
        if not self._use(key):
            return None
        about = _read_about(folder)
        if about is None:
            return None
        tree, on = str(about["tree"]), about.get("on")
        if on is None:
            prefixes = about["parts"]
            assert isinstance(prefixes, list)  # noqa: S101 (we wrote it)
            parts = tuple(
                Part(prefix, folder / f"{number}.index") for number, prefix in enumerate(prefixes)
            )
            own = folder / SHADOW
            shadow = own if own.is_dir() else self._shadow
            return Content(Base(key, tree, folder / FILES, parts, shadow))
        below = self._open(str(on))
        if below is None or not (folder / INDEX).exists():
            return None
        return Content(below.base, read_patch(folder, tree))

    def _use(self, key: str) -> bool:
        """Hold a shared lock on a base, and let its folder's time say when it was used last."""
        folder = self._folder / key
        with self._lock:
            try:
                facts = folder.stat()
                if key in self._used and not os.path.samestat(os.fstat(self._used[key]), facts):
                    os.close(self._used.pop(key))  # it was removed and written again
                if key not in self._used:
                    self._used[key] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    fcntl.flock(self._used[key], fcntl.LOCK_SH)
                os.utime(folder)
                # Removing begins with a new name: what was opened may be on its way out.
                return os.path.samestat(os.fstat(self._used[key]), folder.stat())
            except OSError:
                if key in self._used:
                    os.close(self._used.pop(key))
                return False

    def _write_base(self, key: str, tree: str, write: Callable[[Path], tuple[str, ...]]) -> None:
        with self._writing(key) as unfinished:
            prefixes = write(unfinished)
            _write_about(unfinished, {"tree": tree, "parts": list(prefixes)})

    def _write_patch(self, key: str, tree: str) -> bool:
        """Write what a tree has other than the base used last; False if that is much."""
        for candidate in self._candidates():
            below = self._open(candidate)
            if below is None or below.patch is not None:
                continue
            try:
                changes = compare_trees(below.base.tree, tree, scratch=self._shadow)
            except GitError:  # a tree whose objects are gone
                continue
            if len(changes) > MOST_CHANGES or any(
                # It says how other files are written.
                change.name.rpartition(b"/")[2] == b".gitattributes"
                for change in changes
            ):
                continue
            write = functools.partial(
                write_changes,
                changes,
                scratch=self._shadow,
                beside=below.base.files,
                like=below.base.parts[0].index,
            )
            with self._writing(key) as unfinished:
                size = write_patch(
                    unfinished,
                    changes,
                    lambda files, index: write(files, index=index),  # noqa: B023
                )
                if size <= MOST_BYTES:
                    _write_about(unfinished, {"tree": tree, "on": candidate})
            return size <= MOST_BYTES
        return False

    def _candidates(self) -> list[str]:
        """Return the bases used last."""
        times = [
            (entry.stat().st_mtime_ns, entry.name)
            for entry in os.scandir(self._folder)
            if entry.is_dir() and "-" not in entry.name and "." not in entry.name
            if (about := _read_about(Path(entry.path))) is not None and "on" not in about
        ]
        return [name for _, name in sorted(times, reverse=True)[:MOST_CANDIDATES]]

    @contextlib.contextmanager
    def _writing(self, key: str) -> Iterator[Path]:
        """Yield a folder to fill; it gets its name if it was filled.

        It is a new one each time: the git of a writer that was killed may still fill the old one.
        """
        for left in self._folder.glob(f"{key}.*unfinished"):
            with contextlib.suppress(OSError):
                remove_folder(left)
        unfinished = self._folder / f"{key}.{os.urandom(4).hex()}.unfinished"
        unfinished.mkdir()
        try:
            yield unfinished
        except BaseException:
            remove_folder(unfinished)
            raise
        if (unfinished / ABOUT).exists():
            unfinished.rename(self._folder / key)
        else:
            remove_folder(unfinished)


def list_bases(folder: Path) -> list[str]:
    """Return the keys of the bases and patches in a folder, the one used last first."""
    with contextlib.suppress(FileNotFoundError):
        times = [
            (entry.stat().st_mtime_ns, entry.name)
            for entry in os.scandir(folder)
            if entry.is_dir(follow_symlinks=False)
        ]
        return [name for _, name in sorted(times, reverse=True)]
    return []


def remove_base(folder: Path, key: str) -> bool:
    """Remove a base, or what a killed writer left of one; False if somebody uses or did so.

    Raises:
        OSError: it cannot be removed.
    """
    path = folder / key
    lock = folder / f".lock-{key[0]}"
    with _hold(lock):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # it was finished, or removed by somebody else
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            remove_at_once(path)
            return True
        finally:
            os.close(descriptor)


def _read_about(folder: Path) -> dict[str, object] | None:
    """Return what a base says of itself; None if it is not to be trusted."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(about, dict) and about.get("boot") == read_boot() and "tree" in about
    return about if known and ("on" in about or "parts" in about) else None


def _write_about(folder: Path, about: dict[str, object]) -> None:
    text = json.dumps({**about, "boot": read_boot()})
    (folder / ABOUT).write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _hold(path: Path) -> Iterator[None]:
    """Hold a lock file's lock; it is left by whoever dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
