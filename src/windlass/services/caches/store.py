"""The caches of one repository: reserved, written, found again, evicted.

Whoever reserves a name writes it, once; a finished cache never changes. A reservation ends with its
job, and with the process of Windlass that served the job, however that ends.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from windlass.db.artifacts import list_blobs
from windlass.db.caches import (
    add_cache,
    find_caches,
    find_number,
    finish_cache,
    list_cache_blobs,
    list_caches,
    place_cache,
    read_cache,
    remove_all_unfinished,
    remove_caches,
    remove_unfinished,
    touch_cache,
)
from windlass.model.values import dataclass
from windlass.services.caches.access import find_access
from windlass.services.caches.archives import list_names
from windlass.services.caches.eviction import (
    GITHUB_LIMITS,
    CacheLimits,
    Usage,
    choose_evicted,
    is_stale,
)
from windlass.services.caches.keys import Candidate, choose_cache
from windlass.services.caches.portable import (
    LAYERS,
    has_version,
    plain_version,
    qualify_version,
    recognise,
)
from windlass.services.owners import ProcessOwners
from windlass.stores.blob_parts import DamagedBlobError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.db.caches import CacheRow
    from windlass.db.connections import Connection, Store
    from windlass.services.caches.eviction import Eviction
    from windlass.services.jobs import ServedJob
    from windlass.services.owners import Owners
    from windlass.stores.blobs import BlobStore
    from windlass.stores.uploads import Upload

_OF: Final = ":"
"""Between a repository of a server and a ref of it; no ref has one in it."""

RESERVED_SECONDS: Final = 6 * 3600
"""How long a cache may be written; as long as the address that it is sent to is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheName:
    """What makes a cache the same: its scope, its version (`qualify_version`), and its key."""

    scope: str
    version: str
    key: str


class CacheStore:
    """Threads and processes may share the caches below one `.windlass`."""

    def __init__(
        self,
        database: Store,
        blobs: BlobStore,
        *,
        owners: Owners | None = None,
        limits: CacheLimits = GITHUB_LIMITS,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the index, the contents, and who knows which jobs still write.

        Each repository has room for as much as the limits say.
        """
        self.limits = limits
        self._owners = ProcessOwners() if owners is None else owners
        self._database = database
        self._blobs = blobs
        self._now = now

    def find(self, job: ServedJob, version: str, keys: Sequence[str]) -> CacheRow | None:
        """Return the cache that a job gets for its keys, and note that it was used.

        One whose content is lost is forgotten.

        Raises:
            PlatformError: the index cannot be read.
        """
        while True:
            row = self._choose(job, version, keys)
            if row is None:
                return None
            is_whole = self._is_whole(row)
            with self._database.writing() as connection:
                if is_whole:
                    touch_cache(connection, row.id, self._now())
                    return row
                remove_caches(connection, [row.id])

    def list_readable(self, job: ServedJob, prefix: str) -> list[CacheRow]:
        """Return the caches that a job may read whose keys begin so, the newest first.

        Raises:
            PlatformError: the index cannot be read.
        """
        scopes = _find_scopes(job)
        return [
            row
            for row in list_caches(self._database)
            if row.scope in scopes and row.key.startswith(prefix)
        ]

    def name(self, job: ServedJob, key: str, version: str) -> CacheName:
        """Return what a job's own cache is called."""
        return CacheName(
            scope=_find_scopes(job)[0], version=qualify_version(version, job.places), key=key
        )

    def find_number(self, name: CacheName, job: ServedJob) -> int | None:
        """Return the number of a cache that a job writes, or that is finished; None without one.

        Raises:
            PlatformError: the index cannot be read.
        """
        return find_number(
            self._database,
            scope=name.scope,
            version=name.version,
            key=name.key,
            writer=self._owners.name(job),
        )

    def reserve(self, name: CacheName, job: ServedJob) -> int | None:
        """Let a job write a cache; return its number, or None where it is there or being written.

        Raises:
            PlatformError: the index cannot be written.
        """
        with self._database.writing() as connection:
            found = _read(connection, name)
            if found is not None:
                if self._is_found(found) or self._is_writing(found):
                    return None
                remove_caches(connection, [found.id])
            elif self._is_there(name, job):
                return None
            return add_cache(
                connection,
                scope=name.scope,
                version=name.version,
                key=name.key,
                writer=self._owners.name(job),
                now=self._now(),
            )

    def finish(self, name: CacheName, job: ServedJob, upload: Upload) -> int | None:
        """Make a cache of what was received and return its number, again where that was done.

        None where the job does not hold the name any more. Older caches go where there is too
        little room now.

        Raises:
            PlatformError: the disk refuses.
        """
        digest = upload.compute_digest()
        with self._blobs.keeping(), self._database.writing() as connection:
            found = _read(connection, name)
            if found is not None and found.blob == digest:
                # Whoever finished it may have died before it could say so.
                return found.id
            if found is None or found.writer != self._owners.name(job):
                return None
            blob = upload.keep(digest)
            finish_cache(connection, found.id, blob=blob.digest, size=blob.size, now=self._now())
        self._note_places(found.id, digest, name, job)
        self.evict()
        return found.id

    def release(self, job: ServedJob, number: int) -> None:
        """Give up what a job was writing; what is finished stays.

        Raises:
            PlatformError: the index cannot be written.
        """
        with self._database.writing() as connection:
            remove_unfinished(connection, number, self._owners.name(job))

    def release_all(self, job: ServedJob) -> None:
        """Give up all that a job was writing.

        Raises:
            PlatformError: the index cannot be written.
        """
        with self._database.writing() as connection:
            remove_all_unfinished(connection, self._owners.name(job))

    def evict(self) -> list[Eviction]:
        """Remove the caches that are beyond the limits; return which, and why.

        Raises:
            PlatformError: the index cannot be written.
        """
        usages: dict[str, list[Usage]] = {}
        for row in list_caches(self._database):
            repository = row.scope.rpartition(_OF)[0]
            usages.setdefault(repository, []).append(Usage(row.id, row.size, row.used))
        now = self._now()
        chosen = (choose_evicted(it, now, self.limits) for it in usages.values())
        evicted = [it for of_one in chosen for it in of_one]
        if evicted:
            with self._database.writing() as connection:
                remove_caches(connection, [it.id for it in evicted])
            self._blobs.remove_unneeded(
                lambda: list_cache_blobs(self._database) | list_blobs(self._database)
            )
        return evicted

    def _choose(self, job: ServedJob, version: str, keys: Sequence[str]) -> CacheRow | None:
        scopes, wanted = _find_scopes(job), qualify_version(version, job.places)
        rows = {
            row.id: row
            for row in find_caches(self._database, scopes, wanted)
            if has_version(row.version, row.places, wanted, job.places) and self._is_found(row)
        }
        chosen = choose_cache(map(_to_candidate, rows.values()), keys, scopes)
        return None if chosen is None else rows[chosen.id]

    def _is_there(self, name: CacheName, job: ServedJob) -> bool:
        """Tell whether another job has saved the same, of the same paths in its own folder."""
        rows = find_caches(self._database, [name.scope], name.version)
        return any(
            row.key == name.key
            and has_version(row.version, row.places, name.version, job.places)
            and self._is_found(row)
            for row in rows
        )

    def _note_places(self, number: int, digest: str, name: CacheName, job: ServedJob) -> None:
        """Note of which paths a version was made, if they are in the folder of its job."""
        version = plain_version(name.version)
        if job.places is None or version == LAYERS:
            return
        names = list_names(iter(self._blobs.read(digest)))
        found = recognise(version, names, job.places)
        if found is not None:
            with self._database.writing() as connection:
                place_cache(connection, number, found.to_text())

    def _is_whole(self, row: CacheRow) -> bool:
        try:
            return self._blobs.check(row.blob or "") == row.size
        except DamagedBlobError:
            return False

    def _is_found(self, row: CacheRow) -> bool:
        """Tell whether a cache is finished and was not unused for too long: that one is to go."""
        return row.writer is None and not is_stale(row.used, self._now(), self.limits)

    def _is_writing(self, row: CacheRow) -> bool:
        is_recent = self._now() - row.created < RESERVED_SECONDS
        return is_recent and row.writer is not None and self._owners.is_alive(row.writer)


def plain_scope(scope: str) -> str:
    """Return a scope as GitHub's clients know it: a ref."""
    return scope.rpartition(_OF)[2]


def _find_scopes(job: ServedJob) -> tuple[str, ...]:
    """Return the scopes a job may read, of its repository alone; it writes to the first."""
    of = f"{job.repository}{_OF}" if job.repository else ""
    return tuple(f"{of}{scope}" for scope in find_access(job.github).scopes)


def _read(connection: Connection, name: CacheName) -> CacheRow | None:
    return read_cache(connection, scope=name.scope, version=name.version, key=name.key)


def _to_candidate(row: CacheRow) -> Candidate:
    return Candidate(id=row.id, scope=row.scope, key=row.key, created=row.created)
