"""Blobs: contents of any size under their SHA-256, each kept once.

    ab/cdef…/00000000-8388608    the parts of the blob abcdef…, see `windlass.stores.blob_parts`
    staged/NAME/…                what a process is receiving; its `lock` is held while it lives
    lock                         shared while a blob is kept, exclusive while some are removed

A blob is a folder that is filled under `staged` and then renamed, whole: nobody ever sees half of
one. Who keeps a blob writes down that it is needed while holding `keeping`; `remove_unneeded` asks
for what is needed when nobody does.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.model.values import dataclass
from windlass.stores.blob_parts import DamagedBlobError, Part, list_parts, name_part, write_part
from windlass.stores.running_digest import RunningDigest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from windlass.stores.blob_parts import FileSlice

STAGED: Final = "staged"
LOCK: Final = "lock"
_BLOCKS: Final = "blocks"


@dataclass(frozen=True, slots=True)
class Blob:
    """A content that is kept; `digest` is its SHA-256 in hexadecimal."""

    digest: str
    size: int


class MissingBlockError(Exception):
    """A list names blocks that were never received; the first of them."""

    def __init__(self, block: str) -> None:
        super().__init__(block)
        self.block = block


class BlobStore:
    """The blobs below one folder, which processes share, and the threads of each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._staged: Path | None = None
        self._staged_lock: int | None = None
        self._lock = threading.Lock()

    def begin_upload(self) -> Upload:
        """Return what takes a content block by block.

        Raises:
            PlatformError: the disk refuses.
        """
        with _explained(self.path):
            folder = self._open_staged() / os.urandom(12).hex()
            (folder / _BLOCKS).mkdir(parents=True, mode=0o700)
        return Upload(self, folder)

    def read(
        self, digest: str, start: int = 0, stop: int | None = None
    ) -> Iterator[bytes | FileSlice]:
        """Return the bytes of a blob from `start` to `stop`, or to its end.

        Raises:
            DamagedBlobError: they are not there any more.
        """
        position = 0
        for part in list_parts(self.locate(digest)):
            end = part.size if stop is None else min(part.size, stop - position)
            begin = max(start - position, 0)
            if begin < end:
                yield from part.read(begin, end)
            position += part.size

    def check(self, digest: str) -> int:
        """Return how many bytes a blob has, all of which are there.

        Raises:
            DamagedBlobError: it is not there, or not as a whole.
        """
        parts = list_parts(self.locate(digest))
        for part in parts:
            part.check()
        return sum(part.size for part in parts)

    def measure_files(self, digest: str) -> int:
        """Return how many bytes a blob takes on the disk.

        Raises:
            DamagedBlobError: it is not there, or not as a whole.
        """
        return sum(part.path.stat().st_blocks * 512 for part in list_parts(self.locate(digest)))

    def locate(self, digest: str) -> Path:
        """Return the folder of a blob, there or not."""
        return self.path / digest[:2] / digest[2:]

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Let nobody remove blobs while one is kept and noted as needed.

        Raises:
            PlatformError: the disk refuses.
        """
        with self._locked(fcntl.LOCK_SH):
            yield

    def remove_unneeded(self, list_needed: Callable[[], set[str]]) -> int:
        """Remove the blobs that are not needed; return how many bytes on the disk went with them.

        Raises:
            PlatformError: the disk refuses.
        """
        if not self.path.is_dir():
            return 0
        freed = 0
        with self._locked(fcntl.LOCK_EX), _explained(self.path):
            needed = list_needed()
            for folder in self._list_folders():
                if folder.parent.name + folder.name not in needed:
                    freed += _remove(folder)
            freed += self._remove_abandoned()
        return freed

    def list_digests(self) -> list[str]:
        """Return the digests of all blobs."""
        return [folder.parent.name + folder.name for folder in self._list_folders()]

    def close(self) -> None:
        """Throw away what was not received to its end."""
        with self._lock:
            if self._staged is not None:
                _discard(self._staged)
            if self._staged_lock is not None:
                os.close(self._staged_lock)
            self._staged = self._staged_lock = None

    def _open_staged(self) -> Path:
        """Return this process's own folder for what it receives."""
        with self._lock:
            if self._staged is None:
                folder = self.path / STAGED / os.urandom(8).hex()
                folder.mkdir(parents=True, mode=0o700)
                self._staged_lock = _open_lock(folder / LOCK)
                fcntl.flock(self._staged_lock, fcntl.LOCK_EX)
                self._staged = folder
            return self._staged

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        with _explained(self.path):
            self.path.mkdir(parents=True, mode=0o700, exist_ok=True)
            number = _open_lock(self.path / LOCK)
        try:
            fcntl.flock(number, kind)
            yield
        finally:
            os.close(number)

    def _list_folders(self) -> list[Path]:
        return sorted(it for it in self.path.glob("[0-9a-f][0-9a-f]/*") if it.is_dir())

    def _remove_abandoned(self) -> int:
        """Remove what processes that have died were receiving."""
        freed = 0
        for folder in self.path.glob(f"{STAGED}/*"):
            if folder == self._staged or _is_held(folder / LOCK):
                continue
            freed += _remove(folder)
        return freed


class Upload:
    """A content on its way in: blocks in any order, at once or again, and a list that orders them.

    Threads may share it. Blocks that no list names are thrown away when the content is kept.
    """

    def __init__(self, store: BlobStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._blocks: dict[str, Part] = {}
        self._order: tuple[Part, ...] | None = None
        self._digest = RunningDigest()
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        """What the upload is called, by nobody who could guess it."""
        return self._folder.name

    @property
    def size(self) -> int | None:
        """How many bytes the list of blocks makes; None without a list."""
        order = self._order
        return None if order is None else sum(part.size for part in order)

    def put_block(self, name: str, read: Callable[[memoryview], int]) -> int:
        """Receive one block, in the place of an earlier one of that name; return its size.

        Raises:
            PlatformError: the disk refuses, e.g. for lack of space.
        """
        path = self._folder / _BLOCKS / os.urandom(8).hex()
        with _explained(path):
            size, is_compressed = write_part(path, read)
            if is_compressed:
                path = path.rename(f"{path}.zst")
        part = Part(path, size)
        with self._lock:
            self._blocks[name] = part
        self._digest.add(name, part)
        return size

    def arrange(self, names: Sequence[str]) -> None:
        """Say which blocks make the content, in which order.

        Raises:
            MissingBlockError: one of them was not received.
        """
        with self._lock:
            missing = next((name for name in names if name not in self._blocks), None)
            if missing is not None:
                raise MissingBlockError(missing)
            self._order = tuple(self._blocks[name] for name in names)

    def compute_digest(self) -> str:
        """Return the SHA-256 of the content in hexadecimal.

        Raises:
            DamagedBlobError: a block is gone.
        """
        return self._digest.finish(self._order or ())

    def keep(self, digest: str) -> Blob:
        """Make a blob of the content, whose digest was computed; to be called within `keeping`.

        Raises:
            PlatformError: the disk refuses.
        """
        order = self._order or ()
        blob = Blob(digest, sum(part.size for part in order))
        target = self._store.locate(digest)
        with _explained(target):
            if not _is_whole(target, blob.size):
                target.parent.mkdir(mode=0o700, exist_ok=True)
                self._put_in_place(self._lay_out(order), target, blob.size)
        self.discard()
        return blob

    def discard(self) -> None:
        """Throw away what was received."""
        self._digest.stop()
        _discard(self._folder)

    def _put_in_place(self, folder: Path, target: Path, size: int) -> None:
        """Rename a folder to a blob; another one that is whole stays, a damaged one makes room."""
        while True:
            try:
                folder.rename(target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                return
            if _is_whole(target, size):
                return
            with suppress(FileNotFoundError):
                target.rename(self._folder / f"damaged-{os.urandom(4).hex()}")

    def _lay_out(self, order: Sequence[Part]) -> Path:
        """Return a folder with the parts under their names; a block may occur twice in a list."""
        folder = self._folder / "blob"
        folder.mkdir(mode=0o700)
        for place, part in enumerate(order):
            os.link(
                part.path,
                folder / name_part(place, part.size, is_compressed=part.is_compressed),
            )
        return folder


def _is_whole(folder: Path, size: int) -> bool:
    """Tell whether a blob is there already and as long as it should be."""
    try:
        parts = list_parts(folder)
        for part in parts:
            part.check()
    except DamagedBlobError:
        return False
    return sum(part.size for part in parts) == size


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_held(lock: Path) -> bool:
    try:
        number = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(number)
    return False


def _discard(folder: Path) -> None:
    """Remove a folder as far as that can be done."""
    # Imported only where something was stored: it is not free.
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _remove(folder: Path) -> int:
    """Remove a folder and return how many bytes it took."""
    import shutil

    freed = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                freed += os.lstat(f"{parent}/{name}").st_blocks * 512
    shutil.rmtree(folder)
    return freed


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PlatformError(
            f"{error.filename or path} cannot be written: {error.strerror or error}",
            hint="Free some room: `windlass prune` removes old runs and what they have stored.",
        ) from error
