"""A content on its way in. All that is known of it lies in its folder, so that another process can
go on where one was killed:

    about                      what it is to become, in JSON
    blocks/NAME-TIME-SIZE      the blocks that came; NAME is in Base64, `.zst` behind one in zstd
    order                      the files of the blocks that make the content, in JSON
"""

from __future__ import annotations

import base64
import binascii
import errno
import json
import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import PlatformError
from windlass.listings import find_paths
from windlass.model.values import dataclass
from windlass.stores.blob_parts import DamagedBlobError, Part, list_parts, name_part, write_part
from windlass.stores.running_digest import RunningDigest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

LONGEST_NAME: Final = 128
"""Of a block; Azure allows 64 bytes, which are 88 characters in Base64."""

_ABOUT: Final = "about"
_BLOCKS: Final = "blocks"
_ORDER: Final = "order"
_COMPRESSED: Final = ".zst"
_DRAFT: Final = "~"
_LEFT_SECONDS: Final = 3600.0
"""What has been made or discarded for so long, nobody is at any more."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A content that is kept; `digest` is its SHA-256 in hexadecimal."""

    digest: str
    size: int


class StorageError(PlatformError):
    """The disk refuses."""

    code = "storage"


class MissingBlockError(Exception):
    """A list names blocks that were never received; the first of them."""

    def __init__(self, block: str) -> None:
        super().__init__(block)
        self.block = block


class Upload:
    """Takes blocks in any order, at once or again, and a list that orders them.

    Threads may share it, and processes each have one of the same folder. Blocks that no list names
    are thrown away when the content is kept.
    """

    def __init__(self, folder: Path, locate: Callable[[str], Path]) -> None:
        """Open a folder that `make_folder` has made; `locate` says where the blob of a digest is.

        Raises:
            OSError: it is not there.
        """
        self._folder = folder
        self._locate = locate
        self._digest = RunningDigest()
        self._lock = threading.Lock()
        self._identity = _identify(folder)
        self.about: Mapping[str, Any] = json.loads((folder / _ABOUT).read_bytes())
        """What its owner said that it is to become."""
        self._blocks: dict[str, Part] = {}
        self._order: tuple[Part, ...] | None = None
        self._digested: tuple[Part, ...] = ()
        self.ending = threading.Lock()
        """Held while somebody keeps the content: who asks again waits, and finds it done."""
        self._load()

    @property
    def id(self) -> str:
        """What the upload is called, by nobody who could guess it."""
        return self._folder.name

    @property
    def is_there(self) -> bool:
        """Whether its folder is the one that was opened."""
        try:
            return _identify(self._folder) == self._identity
        except OSError:
            return False

    @property
    def size(self) -> int | None:
        """How many bytes the list of blocks makes; None without a list."""
        # Another process may have been sent a list that is newer than the one known here.
        self._load()
        order = self._order
        return None if order is None else sum(part.size for part in order)

    @property
    def block_sizes(self) -> dict[str, int]:
        """How many bytes each block has that came so far."""
        self._load()
        return {name: part.size for name, part in self._blocks.items()}

    def put_block(self, name: str, read: Callable[[memoryview], int]) -> int:
        """Receive one block, in the place of an earlier one of that name; return its size.

        Raises:
            PlatformError: the disk refuses, e.g. for lack of space.
        """
        draft = self._folder / _BLOCKS / f"{_DRAFT}{os.urandom(8).hex()}"
        with explained(draft):
            size, is_compressed = write_part(draft, read)
            path = draft.rename(draft.with_name(_name_block(name, size, is_compressed)))
        part = Part(path, size)
        with self._lock:
            self._blocks[name] = part
        self._digest.add(name, part)
        return size

    def arrange(self, names: Sequence[str]) -> None:
        """Say which blocks make the content, in which order.

        Raises:
            MissingBlockError: one of them was not received.
            PlatformError: the disk refuses.
        """
        if any(name not in self._blocks for name in names):
            self._load()
        with self._lock:
            missing = next((name for name in names if name not in self._blocks), None)
            if missing is not None:
                raise MissingBlockError(missing)
            self._order = tuple(self._blocks[name] for name in names)
            draft = self._folder / f"{_DRAFT}{os.urandom(8).hex()}"
            with explained(draft):
                draft.write_text(json.dumps([part.path.name for part in self._order]))
                draft.rename(self._folder / _ORDER)

    def compute_digest(self) -> str:
        """Return the SHA-256 of the content in hexadecimal.

        The content is settled by that: a list that comes later does not change what is kept, or its
        writer could keep anything under the digest of something else.

        Raises:
            DamagedBlobError: a block is gone.
        """
        self._digested = self._order or ()
        return self._digest.finish(self._digested)

    def keep(self, digest: str) -> Blob:
        """Make a blob of the content whose digest was computed; to be called within `keeping`.

        The upload stays until it is discarded: what is to be noted of the blob may fail.

        Raises:
            PlatformError: the disk refuses.
        """
        order = self._digested
        blob = Blob(digest, sum(part.size for part in order))
        target = self._locate(digest)
        with explained(target):
            if not _is_whole(target, blob.size):
                target.parent.mkdir(mode=0o700, exist_ok=True)
                self._put_in_place(self._lay_out(order), target, blob.size)
        return blob

    def discard(self) -> None:
        """Throw away what was received."""
        self._digest.stop()
        # Its name is free at once: half a folder that a death leaves would keep it for ever.
        going = self._folder.with_name(f"{_DRAFT}{os.urandom(8).hex()}")
        # By now another upload may have the name.
        if self.is_there:
            with suppress(OSError):
                self._folder.rename(going)
            discard(going)

    def _load(self) -> None:
        """Look what is there: another process may have received it."""
        blocks: list[tuple[str, str, Part]] = []
        with suppress(FileNotFoundError), os.scandir(self._folder / _BLOCKS) as entries:
            for entry in entries:
                found = _read_block(entry.name)
                if found is not None:
                    moment, name, size = found
                    blocks.append((moment, name, Part(self._folder / _BLOCKS / entry.name, size)))
        order: list[str] | None = None
        with suppress(FileNotFoundError):
            order = json.loads((self._folder / _ORDER).read_bytes())
        files = {part.path.name: part for _, _, part in blocks}
        with self._lock:
            for _, name, part in sorted(blocks, key=lambda it: it[0]):
                self._blocks[name] = part
            if order is not None and files.keys() >= set(order):
                self._order = tuple(files[name] for name in order)

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
        folder = self._folder / f"blob-{os.urandom(4).hex()}"
        folder.mkdir(mode=0o700)
        for place, part in enumerate(order):
            os.link(
                part.path,
                folder / name_part(place, part.size, is_compressed=part.is_compressed),
            )
        return folder


def make_folder(folder: Path, about: Mapping[str, Any]) -> None:
    """Make the folder of a new upload, whole or not at all.

    Raises:
        FileExistsError: there is an upload of that name.
        OSError: the disk refuses.
    """
    draft = folder.with_name(f"{_DRAFT}{os.urandom(8).hex()}")
    (draft / _BLOCKS).mkdir(parents=True, mode=0o700)
    try:
        (draft / _ABOUT).write_text(json.dumps(about))
        draft.rename(folder)
    except OSError as error:
        discard(draft)
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise FileExistsError(errno.EEXIST, "it is there", str(folder)) from error
        raise


def is_upload(folder: Path) -> bool:
    """Tell whether a folder is that of an upload, and not one that is being made."""
    return not folder.name.startswith(_DRAFT) and (folder / _ABOUT).is_file()


def list_leftovers(folder: Path) -> list[Path]:
    """Return what those who died making or discarding uploads have left in a folder of them."""
    before, found = time.time() - _LEFT_SECONDS, []
    for draft in find_paths(folder, f"{_DRAFT}*"):
        # One that lives is renamed, or gone, within a moment.
        with suppress(FileNotFoundError):
            if draft.stat().st_ctime < before:
                found.append(draft)
    return found


def _name_block(name: str, size: int, is_compressed: bool) -> str:  # noqa: FBT001
    encoded = base64.urlsafe_b64encode(name.encode("utf-8", "surrogateescape")).decode()
    moment = f"{time.time_ns():016x}{os.urandom(4).hex()}"
    return f"{encoded}-{moment}-{size}{_COMPRESSED if is_compressed else ''}"


def _read_block(file: str) -> tuple[str, str, int] | None:
    """Return of the block that a file holds when it came, name and size.

    None of one that is being written.
    """
    parts = file.removesuffix(_COMPRESSED).rsplit("-", 2)
    if file.startswith(_DRAFT) or len(parts) != 3 or not parts[2].isdigit():
        return None
    try:
        name = base64.urlsafe_b64decode(parts[0]).decode("utf-8", "surrogateescape")
    except binascii.Error:
        return None
    return parts[1], name, int(parts[2])


def _identify(folder: Path) -> tuple[int, int]:
    """Return what another folder of that name does not have."""
    found = (folder / _ABOUT).stat()
    return found.st_ino, found.st_mtime_ns


def _is_whole(folder: Path, size: int) -> bool:
    """Tell whether a blob is there already and as long as it should be."""
    try:
        parts = list_parts(folder)
        for part in parts:
            part.check()
    except DamagedBlobError:
        return False
    return sum(part.size for part in parts) == size


def discard(folder: Path) -> None:
    """Remove a folder as far as that can be done."""
    # Imported only where something was stored: it is not free.
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say what to do where the disk refuses."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{error.filename or path} cannot be written: {error.strerror or error}",
            hint="Free some room: `windlass prune` removes old runs and what they have stored.",
        ) from error
