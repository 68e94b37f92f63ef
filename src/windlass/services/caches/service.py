"""The cache service in its second version, as npm's @actions/cache 4 and later talk to it.

    CreateCacheEntry            a signed address to which the archive is sent (`contents`)
    FinalizeCacheEntryUpload    the archive is complete and so long: keep it
    GetCacheEntryDownloadURL    which cache the keys find, and where it is fetched

BuildKit's cache of type `gha` uses the same calls. The scopes are those of the job's token; what a
message says of scopes itself is not listened to.
Source: https://github.com/actions/toolkit/tree/main/packages/cache/src/generated/results/api/v1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.services.caches.drafts import Draft, Drafts
from windlass.services.caches.keys import find_fault_of_keys, find_fault_of_version
from windlass.services.caches.rest import CacheApi
from windlass.services.messages import RequestError
from windlass.services.twirp import Call, serve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.caches import CacheRow
    from windlass.services.caches.store import CacheStore
    from windlass.services.contents import Contents
    from windlass.services.jobs import ServedJob
    from windlass.services.server import Server

SERVICE: Final = "github.actions.results.api.v1.CacheService"
ARCHIVE: Final = "application/octet-stream"
FILE: Final = "cache.tar"


class Caches:
    """The caches of a repository, which jobs of all its runs read and write."""

    def __init__(self, store: CacheStore, contents: Contents) -> None:
        self.drafts = Drafts(store, contents)
        self._store = store
        self._contents = contents

    @property
    def limit(self) -> int:
        """How many bytes one cache, and all of them together, may have."""
        return self._store.limits.bytes

    def create(self, call: Call) -> dict[str, Any]:
        """Offer an upload for a key that is free."""
        job = call.request.known_job
        key, version = call.text("key"), call.text("version")
        _, address = self.drafts.begin(job, key, version, call.request.origin)
        return {"ok": True, "signed_upload_url": address, "message": ""}

    def finalize(self, call: Call) -> dict[str, Any]:
        """Keep a cache that is complete; asked again, say the same again."""
        key, version = call.text("key"), call.text("version")
        draft = self.drafts.find_by_name(call.request.known_job, key, version)
        if isinstance(draft, Draft):
            draft = self.drafts.finish(draft, call.number("size_bytes"))
        return {"ok": True, "entry_id": str(draft), "message": ""}

    def find(self, call: Call) -> dict[str, Any]:
        """Return which cache a job gets, if any, and where it is fetched."""
        more = call.fields.get("restore_keys") or []
        if not isinstance(more, list) or not all(isinstance(key, str) for key in more):
            raise RequestError(400, "The field restore_keys has to be a list of texts.")
        keys = list(dict.fromkeys([call.text("key"), *more]))
        row = self.look_up(call.request.known_job, keys, call.text("version"))
        if row is None:
            return {"ok": False, "signed_download_url": "", "matched_key": ""}
        address = self.sign(row, call.request.origin)
        return {"ok": True, "signed_download_url": address, "matched_key": row.key}

    def look_up(self, job: ServedJob, keys: Sequence[str], version: str) -> CacheRow | None:
        """Return the cache that a job gets for its keys.

        Raises:
            RequestError: these can be no keys.
            PlatformError: the index cannot be read.
        """
        fault = find_fault_of_keys(keys) or find_fault_of_version(version)
        if fault is not None:
            raise RequestError(400, fault)
        return self._store.find(job, version, keys)

    def list_like(self, job: ServedJob, prefix: str) -> list[CacheRow]:
        """Return the caches that a job may read whose keys begin so.

        Raises:
            PlatformError: the index cannot be read.
        """
        return self._store.list_readable(job, prefix)

    def sign(self, row: CacheRow, origin: str) -> str:
        """Return where a finished cache is fetched."""
        digest = row.blob or ""
        return self._contents.sign_download(origin, digest, name=FILE, mime_type=ARCHIVE)

    def give_up(self, job: ServedJob) -> None:
        """Throw away what a job that has ended was writing.

        Raises:
            PlatformError: the index cannot be written.
        """
        self.drafts.give_up(job)


def add_routes(server: Server, caches: Caches) -> None:
    """Let a server answer the calls of both versions of the cache service."""
    procedures = {
        "CreateCacheEntry": caches.create,
        "FinalizeCacheEntryUpload": caches.finalize,
        "GetCacheEntryDownloadURL": caches.find,
    }
    serve(server, SERVICE, procedures)
    CacheApi(caches).add_routes(server)
