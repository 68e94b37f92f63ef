"""The SHA-256 of a content, computed while its blocks still come."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import threading
from typing import TYPE_CHECKING, Final

from windlass.stores.blob_parts import DamagedBlobError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.stores.blob_parts import Part

WORTH_A_THREAD: Final = 1 << 20
"""Blocks of fewer bytes are not hashed before they are needed, or others are."""

_NUMBER: Final = re.compile(rb"\d{6}$")


class RunningDigest:
    """Hashes blocks in the order that their names let expect; `finish` is right in any case.

    Azure's client numbers its blocks: the last six characters of a name, once decoded. Threads may
    share it.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._hashed: list[Part] = []
        self._waiting: dict[int, Part] = {}
        self._thread: threading.Thread | None = None
        self._is_over = False
        self._lock = threading.Lock()

    def add(self, name: str, part: Part) -> None:
        """Take a block that was received; it is hashed when all before it are."""
        number = _find_number(name)
        if number is None:
            return
        with self._lock:
            self._waiting[number] = part
            is_due = len(self._hashed) in self._waiting and part.size >= WORTH_A_THREAD
            if is_due and self._thread is None and not self._is_over:
                self._thread = threading.Thread(target=self._run, daemon=True, name="digest")
                self._thread.start()

    def finish(self, order: Sequence[Part]) -> str:
        """Return the digest of the blocks in this order, in hexadecimal.

        Raises:
            DamagedBlobError: one is gone.
        """
        self.stop()
        done = len(self._hashed)
        if list(order[:done]) != self._hashed:
            self._digest, done = hashlib.sha256(), 0
        digest = self._digest.copy()
        for part in order[done:]:
            for piece in part.read_bytes():
                digest.update(piece)
        return digest.hexdigest()

    def stop(self) -> None:
        """Hash nothing more beforehand."""
        with self._lock:
            self._is_over = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        digest = self._digest.copy()
        while (part := self._next()) is not None:
            try:
                for piece in part.read_bytes():
                    digest.update(piece)
            except DamagedBlobError:
                # Whoever needs the digest meets the same, and says so.
                self._is_over = True
            else:
                self._digest = digest.copy()
                self._hashed.append(part)

    def _next(self) -> Part | None:
        """Return the block that is due; None ends the thread."""
        with self._lock:
            part = None if self._is_over else self._waiting.pop(len(self._hashed), None)
            if part is None:
                self._thread = None
            return part


def _find_number(name: str) -> int | None:
    try:
        found = _NUMBER.search(base64.b64decode(name, validate=True))
    except (binascii.Error, ValueError):
        return None
    return None if found is None else int(found[0])
