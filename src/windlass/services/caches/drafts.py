"""Caches on their way in: who writes which, and the upload that takes its content."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass
from windlass.services.caches.keys import find_fault_of_key, find_fault_of_version
from windlass.services.caches.store import CacheName
from windlass.services.messages import RequestError

if TYPE_CHECKING:
    from windlass.services.caches.store import CacheStore
    from windlass.services.contents import Contents
    from windlass.services.jobs import ServedJob
    from windlass.stores.uploads import Upload

_KIND: Final = "cache"
_MOST_FINISHED: Final = 1000
"""So many are remembered for clients whose answer was lost: they ask again within seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A cache that a job writes, its number, and the upload that takes its content."""

    id: int
    name: CacheName
    job: ServedJob
    upload: Upload


class Drafts:
    """The caches that jobs write. Threads may share it, and processes the folder of uploads."""

    def __init__(self, store: CacheStore, contents: Contents) -> None:
        self._store = store
        self._contents = contents
        self._finished: dict[tuple[str, CacheName], int] = {}
        self._lock = threading.Lock()

    def begin(self, job: ServedJob, key: str, version: str, origin: str) -> tuple[int, str]:
        """Let a job write a cache; return its number, and the address to which it is sent.

        Raises:
            RequestError: there is one of that name, or another job is writing it.
            PlatformError: the disk refuses.
        """
        fault = find_fault_of_key(key) or find_fault_of_version(version)
        if fault is not None:
            raise RequestError(400, fault)
        name = self._store.name(job, key, version)
        number = self._store.reserve(name, job)
        address = None
        if number is not None:
            facts = {"scope": name.scope, "version": name.version, "key": name.key}
            try:
                address = self._contents.offer_upload(origin, job, _name_upload(number), facts)
            finally:
                if address is None:
                    self._store.release(job, number)
        if number is None or address is None:
            raise RequestError(
                409,
                f"Cache already exists. Scope: {name.scope}, Key: {key}, Version: {version}",
            )
        return number, address

    def find(self, job: ServedJob, number: int) -> Draft:
        """Return what a job writes under a number.

        Raises:
            RequestError: it writes nothing of that number.
            PlatformError: the disk refuses.
        """
        draft = self._find(job, number)
        if draft is None:
            raise RequestError(404, f"This job is not writing a cache with the number {number}.")
        return draft

    def find_by_name(self, job: ServedJob, key: str, version: str) -> Draft | int:
        """Return what a job writes under a key, or the number of what it has written already.

        Raises:
            RequestError: it is neither.
            PlatformError: the index cannot be read.
        """
        name = self._store.name(job, key, version)
        number = self._store.find_number(name, job)
        draft = None if number is None else self._find(job, number)
        if draft is not None:
            return draft
        with self._lock:
            finished = self._finished.get((job.job_id, name))
        if finished is None:
            raise RequestError(404, f"This job is not writing a cache with the key {key}.")
        return finished

    def finish(self, draft: Draft, size: int | None) -> int:
        """Keep what was received; `size` is what its writer says it sent, None without a word.

        Raises:
            RequestError: it is not complete, too large, or was given up; it is thrown away.
            PlatformError: the disk refuses.
        """
        finished = (draft.job.job_id, draft.name)
        with draft.upload.ending:
            with self._lock:
                number = self._finished.get(finished)
            if number is not None and not draft.upload.is_there:
                return number
            try:
                self._check(draft.upload, size)
                number = self._store.finish(draft.name, draft.job, draft.upload)
                if number is None:
                    raise RequestError(
                        409, f"The cache {draft.name.key} is not this job's any more."
                    )
            except RequestError:
                self._contents.end_upload(draft.upload)
                self._store.release(draft.job, draft.id)
                raise
            # Where the machine is in trouble the content stays: its client may ask again.
            self._contents.end_upload(draft.upload)
            with self._lock:
                if len(self._finished) >= _MOST_FINISHED:
                    del self._finished[next(iter(self._finished))]
                self._finished[finished] = number
        return number

    def give_up(self, job: ServedJob) -> None:
        """Free what a job that has ended was writing.

        Raises:
            PlatformError: the index cannot be written.
        """
        with self._lock:
            own = [key for key in self._finished if key[0] == job.job_id]
            for key in own:
                del self._finished[key]
        self._store.release_all(job)

    def _find(self, job: ServedJob, number: int) -> Draft | None:
        upload = self._contents.find_upload(job, _name_upload(number))
        if upload is None:
            return None
        about = upload.about
        name = CacheName(scope=about["scope"], version=about["version"], key=about["key"])
        return Draft(id=number, name=name, job=job, upload=upload)

    def _check(self, upload: Upload, size: int | None) -> None:
        limit = self._store.limits.bytes
        if upload.size is None:
            raise RequestError(400, "The cache is not complete: its content was never sent.")
        if size is not None and size != upload.size:
            raise RequestError(
                400, f"The cache has {upload.size} bytes, and {size} were announced: send it again."
            )
        if upload.size > limit:
            raise RequestError(400, describe_excess(upload.size, limit))


def _name_upload(number: int) -> tuple[str, ...]:
    return (_KIND, str(number))


def describe_excess(size: int, limit: int) -> str:
    """Return why a cache is not kept that is larger than all caches together may be."""
    return (
        f"Cache size of ~{round(size / (1 << 20))} MB ({size} B) is over the limit of "
        f"{round(limit / (1 << 20))} MB, not saving cache."
    )
