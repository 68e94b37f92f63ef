"""Names for jobs whose key holds a secret: a journal must not hold it, and must still tell them.

The value of a matrix may be a secret, and it is part of the key. What stands for such a key is made
from the order in which a run's machine names its jobs, so a machine that is told the same again
finds the same names.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class KeyCover:
    """Finds what stands for a key, and back; `mask` hides the secrets of any text."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        self.mask = mask
        self._lock = threading.Lock()
        self._covers: dict[str, str] = {}
        self._keys: dict[str, str] = {}

    def cover(self, key: str) -> str:
        """Return what stands for a key: itself or, without its secrets, one of its own."""
        with self._lock:
            if key not in self._covers:
                masked = unique = self.mask(key)
                number = 2
                while unique in self._keys:
                    unique, number = f"{masked} #{number}", number + 1
                self._covers[key] = unique
                self._keys[unique] = key
            return self._covers[key]

    def uncover(self, cover: str) -> str:
        """Return the key that something stands for; itself where no key was given that name."""
        return self._keys.get(cover, cover)
