"""Caches on their way in: who writes which, and the upload that takes its content."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from windlass.model.values import dataclass, field
from windlass.services.caches.access import find_access
from windlass.services.caches.keys import find_fault_of_key, find_fault_of_version
from windlass.services.caches.portable import qualify_version
from windlass.services.caches.store import CacheName
from windlass.services.messages import RequestError

if TYPE_CHECKING:
    from windlass.services.caches.store import CacheStore
    from windlass.services.contents import Contents
    from windlass.services.jobs import ServedJob
    from windlass.stores.blobs import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A cache that a job writes: its number, where it is sent to, and the ranges received so far.

    `ranges` has the end of each range, which does not belong to it, by its start.
    """

    id: int
    name: CacheName
    job: ServedJob
    upload: Upload
    address: str
    ranges: dict[int, int] = field(default_factory=dict)


class Drafts:
    """The caches that the jobs of this process write. Threads may share it."""

    def __init__(self, store: CacheStore, contents: Contents) -> None:
        self._store = store
        self._contents = contents
        self._by_id: dict[int, Draft] = {}
        self._finished: dict[tuple[str, CacheName], int] = {}
        self._lock = threading.Lock()

    def begin(self, job: ServedJob, key: str, version: str, origin: str) -> Draft:
        """Let a job write a cache.

        Raises:
            RequestError: there is one of that name, or another job is writing it.
            PlatformError: the disk refuses.
        """
        fault = find_fault_of_key(key) or find_fault_of_version(version)
        if fault is not None:
            raise RequestError(400, fault)
        name = _name(job, key, version)
        upload, address = self._contents.offer_upload(origin)
        number = self._store.reserve(name, job)
        if number is None:
            self._contents.end_upload(upload)
            raise RequestError(
                409,
                f"Cache already exists. Scope: {name.scope}, Key: {key}, Version: {version}",
            )
        draft = Draft(id=number, name=name, job=job, upload=upload, address=address)
        with self._lock:
            self._by_id[number] = draft
        return draft

    def find(self, job: ServedJob, number: int) -> Draft:
        """Return what a job writes under a number.

        Raises:
            RequestError: it writes nothing of that number.
        """
        with self._lock:
            draft = self._by_id.get(number)
        if draft is None or draft.job.job_id != job.job_id:
            raise RequestError(404, f"This job is not writing a cache with the number {number}.")
        return draft

    def find_by_name(self, job: ServedJob, key: str, version: str) -> Draft | int:
        """Return what a job writes under a key, or the number of what it has written already.

        Raises:
            RequestError: it is neither.
        """
        name = _name(job, key, version)
        with self._lock:
            drafts = [it for it in self._by_id.values() if it.name == name]
            finished = self._finished.get((job.job_id, name))
        if drafts and drafts[0].job.job_id == job.job_id:
            return drafts[0]
        if finished is None:
            raise RequestError(404, f"This job is not writing a cache with the key {key}.")
        return finished

    def finish(self, draft: Draft, size: int | None) -> int:
        """Keep what was received; `size` is what its writer says it sent, None without a word.

        Raises:
            RequestError: it is not complete, too large, or was given up; it is thrown away.
            PlatformError: the disk refuses.
        """
        with self._lock:
            self._by_id.pop(draft.id, None)
        try:
            self._check(draft.upload, size)
            number = self._store.finish(draft.name, draft.job, draft.upload)
            if number is None:
                raise RequestError(409, f"The cache {draft.name.key} is not this job's any more.")
        except BaseException:
            self._store.release(draft.job, draft.id)
            raise
        finally:
            self._contents.end_upload(draft.upload)
        with self._lock:
            self._finished[draft.job.job_id, draft.name] = number
        return number

    def give_up(self, job: ServedJob) -> None:
        """Throw away what a job that has ended was writing.

        Raises:
            PlatformError: the index cannot be written.
        """
        with self._lock:
            drafts = [it for it in self._by_id.values() if it.job.job_id == job.job_id]
            for draft in drafts:
                del self._by_id[draft.id]
            own = [key for key in self._finished if key[0] == job.job_id]
            for key in own:
                del self._finished[key]
        for draft in drafts:
            self._contents.end_upload(draft.upload)
            self._store.release(job, draft.id)

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


def _name(job: ServedJob, key: str, version: str) -> CacheName:
    """Return what a job's own cache is called."""
    return CacheName(
        scope=find_access(job.github).written,
        version=qualify_version(version, job.places),
        key=key,
    )


def describe_excess(size: int, limit: int) -> str:
    """Return why a cache is not kept that is larger than all caches together may be."""
    return (
        f"Cache size of ~{round(size / (1 << 20))} MB ({size} B) is over the limit of "
        f"{round(limit / (1 << 20))} MB, not saving cache."
    )
