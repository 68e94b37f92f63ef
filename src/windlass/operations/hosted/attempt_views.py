"""How attempts look, kept from one question to the next: only what is new is read and folded in."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from windlass.db.announcements import read_announcements
from windlass.operations.run_views import RunView, see_event
from windlass.protocol.event_lines import read_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.db.connections import Store

MOST_ATTEMPTS: Final = 64
MOST_LETTERS: Final = 4 << 20
"""An attempt of which more was told is read anew each time: its steps may write megabytes."""


class _Entry:
    """One attempt as far as `count` events of it were read."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.view = RunView()
        self.count = 0
        self.letters = 0


class AttemptViews:
    """Remembers the attempts that were last asked for; may be used from any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[str, int], _Entry] = OrderedDict()

    @contextmanager
    def look(self, store: Store, run: str, attempt: int) -> Iterator[RunView]:
        """Yield how an attempt looks now; it is not to be changed, nor used after the block.

        What has no end yet is `running`.

        Raises:
            PlatformError: the database cannot be used.
        """
        key = (run, attempt)
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > MOST_ATTEMPTS:
                self._entries.popitem(last=False)
        with entry.lock:
            _read_on(entry, store, run, attempt)
            if entry.letters > MOST_LETTERS:
                with self._lock:
                    self._entries.pop(key, None)
            yield entry.view


def _read_on(entry: _Entry, store: Store, run: str, attempt: int) -> None:
    for line in read_announcements(store, run, attempt, entry.count):
        found = read_event(line)
        if found is not None:
            see_event(entry.view, found[0])
        entry.count += 1
        entry.letters += len(line)
