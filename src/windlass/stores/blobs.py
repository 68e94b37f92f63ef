"""Blobs: contents of any size under their SHA-256, each kept once.

    ab/cdef…/00000000-8388608    the parts of the blob abcdef…, see `windlass.stores.blob_parts`
    staged/NAME/…                what a process is receiving; its `lock` is held while it lives
    uploads/NAME/…               what the processes of a server are receiving, whichever lives
    lock                         shared while a blob is kept, exclusive while some are removed

A blob is a folder that is filled under `staged` and then renamed, whole: nobody ever sees half of
one. Who keeps a blob writes down that it is needed while holding `keeping`; `remove_unneeded` asks
for what is needed when nobody does.
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from windlass.listings import find_paths
from windlass.stores.blob_parts import list_parts
from windlass.stores.locks import is_locked
from windlass.stores.uploads import (
    Upload,
    discard,
    explained,
    is_upload,
    list_leftovers,
    make_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from windlass.stores.blob_parts import FileSlice

STAGED: Final = "staged"
LOCK: Final = "lock"
UPLOADS: Final = "uploads"


class BlobStore:
    """The blobs below one folder, which processes share, and the threads of each."""

    def __init__(self, path: Path, *, outlives: bool = False) -> None:
        """Name the folder; what is received outlives the process where others may go on with it."""
        self.path = path
        self._outlives = outlives
        self._staged: Path | None = None
        self._staged_lock: int | None = None
        self._uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def begin_upload(self, name: str = "", about: Mapping[str, Any] | None = None) -> Upload:
        """Return what takes a content block by block; without a name it gets one.

        `about` is what is to be known of it afterwards, in values of JSON.

        Raises:
            FileExistsError: there is one of that name.
            PlatformError: the disk refuses.
        """
        name = name or os.urandom(12).hex()
        try:
            folder = self._open_uploads() / name
            make_folder(folder, about or {})
            upload = Upload(folder, self.locate)
        except FileExistsError:
            raise
        except OSError:
            with explained(self.path):
                raise
        with self._lock:
            self._uploads[name] = upload
        return upload

    def find_upload(self, name: str) -> Upload | None:
        """Return the upload of a name, which another process may have begun; None without one.

        Raises:
            PlatformError: the disk refuses.
        """
        with self._lock:
            upload = self._uploads.get(name)
        if upload is not None and upload.is_there:
            return upload
        with explained(self.path):
            folder = self._open_uploads() / name
            with self._lock:
                upload = self._uploads.get(name)
                if upload is None or not upload.is_there:
                    self._uploads.pop(name, None)
                    upload = None
                if upload is None and is_upload(folder):
                    upload = self._uploads[name] = Upload(folder, self.locate)
                return upload

    def list_uploads(self) -> list[Upload]:
        """Return all uploads that are under way.

        Raises:
            PlatformError: the disk refuses.
        """
        with explained(self.path):
            names = [it.name for it in self._open_uploads().iterdir() if is_upload(it)]
        found = (self.find_upload(name) for name in names)
        return [upload for upload in found if upload is not None]

    def end_upload(self, upload: Upload) -> None:
        """Throw an upload away, unless it was kept."""
        with self._lock:
            if self._uploads.get(upload.id) is upload:
                del self._uploads[upload.id]
        upload.discard()

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
        with self._locked(fcntl.LOCK_EX), explained(self.path):
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
                discard(self._staged)
            if self._staged_lock is not None:
                os.close(self._staged_lock)
            self._staged = self._staged_lock = None
            self._uploads.clear()

    def _open_uploads(self) -> Path:
        """Return the folder for what is received: of this process alone, or of all."""
        if self._outlives:
            folder = self.path / UPLOADS
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            return folder
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
        with explained(self.path):
            self.path.mkdir(parents=True, mode=0o700, exist_ok=True)
            number = _open_lock(self.path / LOCK)
        try:
            fcntl.flock(number, kind)
            yield
        finally:
            os.close(number)

    def _list_folders(self) -> list[Path]:
        return [it for it in find_paths(self.path, "[0-9a-f][0-9a-f]/*") if it.is_dir()]

    def _remove_abandoned(self) -> int:
        """Remove what processes that have died were receiving."""
        freed = 0
        for folder in find_paths(self.path, f"{STAGED}/*"):
            if folder == self._staged or is_locked(folder / LOCK):
                continue
            freed += _remove(folder)
        for folder in list_leftovers(self.path / UPLOADS):
            freed += _remove(folder)
        return freed


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


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
