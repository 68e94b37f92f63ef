"""Keeping small what jobs have stored: caches go by use and size, and blobs that nothing needs.

The limits are GitHub's: for caches see `windlass.services.caches.eviction`; an artifact goes at a
date of its own, or with its run.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from windlass.db.artifacts import list_all, list_blobs, remove_artifact, remove_orphans
from windlass.db.caches import list_cache_blobs, list_caches, remove_caches
from windlass.model.values import dataclass
from windlass.services.caches.eviction import Usage, choose_evicted
from windlass.stores.blob_parts import DamagedBlobError
from windlass.stores.blobs import BlobStore
from windlass.stores.state_folder import BLOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windlass.db.database import Database
    from windlass.operations.history import History
    from windlass.services.caches.eviction import Eviction


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that goes: what it is, why, and how many bytes that frees."""

    kind: str
    name: str
    reason: str
    bytes: int


def prune_stored(
    history: History, *, dry_run: bool, now: Callable[[], float] = time.time
) -> Iterator[Removal]:
    """Remove caches beyond the limits and artifacts whose time is over, and what they stored.

    Raises:
        PlatformError: something cannot be removed.
    """
    database, blobs = history.database, BlobStore(history.state / BLOBS)
    freed = 0
    for removal in _Stored(database, blobs, now()).prune(dry_run=dry_run):
        freed += removal.bytes
        yield removal
    if dry_run:
        return
    with database.writing() as connection:
        remove_orphans(connection)
    more = blobs.remove_unneeded(lambda: list_blobs(database) | list_cache_blobs(database)) - freed
    if more > 0:
        yield Removal("blobs", BLOBS, "no artifact and no cache needs them", more)


class _Stored:
    """What is stored at a moment; a blob is counted where the last that needs it goes."""

    def __init__(self, database: Database, blobs: BlobStore, now: float) -> None:
        self._database = database
        self._blobs = blobs
        self._now = now
        self._caches = {row.id: row for row in list_caches(database)}
        self._artifacts = list_all(database)
        blobs_of_caches = (row.blob or "" for row in self._caches.values())
        self._needed = Counter([*blobs_of_caches, *(row.blob for row in self._artifacts)])

    def prune(self, *, dry_run: bool) -> Iterator[Removal]:
        """Remove what is beyond the limits and say what it was, or say what would be."""
        evicted = self._evict()
        expired = [row for row in self._artifacts if row.expires <= self._now]
        if not dry_run:
            with self._database.writing() as connection:
                remove_caches(connection, [it.id for it in evicted])
                for artifact in expired:
                    remove_artifact(connection, artifact.id)
        for it in evicted:
            row = self._caches[it.id]
            yield Removal("cache", row.key, it.reason, self._release(row.blob or ""))
        for artifact in expired:
            day = datetime.fromtimestamp(artifact.expires, UTC).date()
            size = self._release(artifact.blob)
            yield Removal("artifact", artifact.name, f"was to be kept until {day}", size)

    def _evict(self) -> list[Eviction]:
        usages = [Usage(row.id, row.size, row.used) for row in self._caches.values()]
        return choose_evicted(usages, self._now)

    def _release(self, digest: str) -> int:
        """Return how many bytes go with one that needs a blob."""
        self._needed[digest] -= 1
        return _measure(self._blobs, digest) if self._needed[digest] == 0 else 0


def _measure(blobs: BlobStore, digest: str) -> int:
    with suppress(DamagedBlobError):
        return blobs.measure_files(digest)
    return 0
