"""Keeping small what jobs have stored: caches go by use and size, and blobs that nothing needs.

The limits are GitHub's: for caches see `windlass.services.caches.eviction`; an artifact goes at a
date of its own, or with its run.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from windlass.db.artifacts import list_blobs, remove_expired
from windlass.db.caches import list_cache_blobs, list_caches, remove_caches
from windlass.model.values import dataclass
from windlass.services.caches.eviction import Usage, choose_evicted
from windlass.stores.blob_parts import DamagedBlobError
from windlass.stores.blobs import BlobStore
from windlass.stores.state_folder import BLOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.db.database import Database
    from windlass.operations.history import History


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that goes: what it is, why, and how many bytes that frees."""

    kind: str
    name: str
    reason: str
    bytes: int


def prune_stored(history: History, *, dry_run: bool) -> Iterator[Removal]:
    """Remove caches beyond the limits and artifacts whose time is over, and what they stored.

    Raises:
        PlatformError: something cannot be removed.
    """
    database, blobs = history.database, BlobStore(history.state / BLOBS)
    freed = 0
    for removal in _prune_caches(database, blobs, dry_run=dry_run):
        freed += removal.bytes
        yield removal
    if dry_run:
        return
    with database.writing() as connection:
        remove_expired(connection, time.time())
    more = blobs.remove_unneeded(lambda: list_blobs(database) | list_cache_blobs(database)) - freed
    if more > 0:
        yield Removal("blobs", BLOBS, "no artifact and no cache needs them", more)


def _prune_caches(database: Database, blobs: BlobStore, *, dry_run: bool) -> Iterator[Removal]:
    rows = {row.id: row for row in list_caches(database)}
    usages = [Usage(row.id, row.size, row.used) for row in rows.values()]
    evicted = choose_evicted(usages, time.time())
    if evicted and not dry_run:
        with database.writing() as connection:
            remove_caches(connection, [it.id for it in evicted])
    needed = Counter([*(row.blob or "" for row in rows.values()), *list_blobs(database)])
    for it in evicted:
        row = rows[it.id]
        digest = row.blob or ""
        needed[digest] -= 1
        size = _measure(blobs, digest) if needed[digest] == 0 else 0
        yield Removal("cache", row.key, it.reason, size)


def _measure(blobs: BlobStore, digest: str) -> int:
    with suppress(DamagedBlobError):
        return blobs.measure_files(digest)
    return 0
