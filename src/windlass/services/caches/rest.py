"""The cache service in its first version, as npm's @actions/cache up to 3 talks to it.

    GET   cache?keys=A,B&version=V    which cache the keys find; 204 for none
    GET   caches?key=A                caches with keys like it, shown where none was found
    POST  caches                      {key, version, cacheSize} → {cacheId}
    PATCH caches/ID                   a part of the archive, as its Content-Range says
    POST  caches/ID                   {size}: the archive is complete

Source: https://github.com/actions/toolkit/blob/main/packages/cache/src/internal/cacheHttpClient.ts
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from windlass.services.caches.drafts import describe_excess
from windlass.services.caches.portable import plain_version
from windlass.services.caches.store import plain_scope
from windlass.services.messages import RequestError, Response, read_text

if TYPE_CHECKING:
    from windlass.db.caches import CacheRow
    from windlass.services.caches.drafts import Draft
    from windlass.services.caches.service import Caches
    from windlass.services.messages import Request
    from windlass.services.server import Server

PREFIX: Final = "/_apis/artifactcache/"
_CACHE: Final = re.compile(r"caches/(\d{1,18})")
_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:\*|\d+)")
_EXISTS: Final = "ArtifactCacheItemAlreadyExistsException"


class CacheApi:
    """Answers below `/_apis/artifactcache/`."""

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def add_routes(self, server: Server) -> None:
        """Let a server answer the calls of this version."""
        server.routes(PREFIX, self.handle)

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path.removeprefix(PREFIX)
        match = _CACHE.fullmatch(path)
        try:
            if match is not None:
                draft = self._caches.drafts.find(request.known_job, int(match[1]))
                if request.method == "PATCH":
                    return self._receive(request, draft)
                if request.method == "POST":
                    return self._commit(request, draft)
            answer = {
                ("GET", "cache"): self._find,
                ("GET", "caches"): self._list,
                ("POST", "caches"): self._reserve,
            }.get((request.method, path))
            if answer is None:
                raise RequestError(404, f"Windlass has no {request.method} {request.path}.")
            return answer(request)
        except RequestError as error:
            return _refuse(error)

    def _find(self, request: Request) -> Response:
        keys = list(dict.fromkeys(request.query.get("keys", "").split(",")))
        row = self._caches.look_up(request.known_job, keys, request.query.get("version", ""))
        if row is None:
            return Response(204)
        return Response.json(
            {**_describe(row), "archiveLocation": self._caches.sign(row, request.origin)}
        )

    def _list(self, request: Request) -> Response:
        rows = self._caches.list_like(request.known_job, request.query.get("key", ""))
        return Response.json(
            {"totalCount": len(rows), "artifactCaches": [_describe(row) for row in rows]}
        )

    def _reserve(self, request: Request) -> Response:
        fields = request.read_json()
        key, version = read_text(fields, "key"), read_text(fields, "version")
        size, limit = fields.get("cacheSize"), self._caches.limit
        if isinstance(size, int) and size > limit:
            raise RequestError(400, describe_excess(size, limit))
        number, _ = self._caches.drafts.begin(request.known_job, key, version, request.origin)
        return Response.json({"cacheId": number}, status=201)

    def _receive(self, request: Request, draft: Draft) -> Response:
        """Take a range; one that comes again takes the place of the first."""
        match = _RANGE.fullmatch(request.headers.get("content-range", ""))
        if match is None:
            raise RequestError(400, "A part of a cache needs `Content-Range: bytes FIRST-LAST/*`.")
        start, stop = int(match[1]), int(match[2]) + 1
        if start >= stop or stop > self._caches.limit:
            raise RequestError(400, f"The range {match[0]} is none of a cache that can be kept.")
        size = draft.upload.put_block(str(start), request.body.readinto)
        if size != stop - start:
            raise RequestError(400, f"The range {match[0]} has {size} bytes, not {stop - start}.")
        return Response(204)

    def _commit(self, request: Request, draft: Draft) -> Response:
        size = request.read_json().get("size")
        if not isinstance(size, int):
            raise RequestError(400, "The field size has to be a whole number.")
        _arrange(draft)
        self._caches.drafts.finish(draft, size)
        return Response(204)


def _arrange(draft: Draft) -> None:
    """Put the ranges in order, if each begins where the one before it ends."""
    end, sizes = 0, {int(name): size for name, size in draft.upload.block_sizes.items()}
    for start in sorted(sizes):
        if start != end:
            raise RequestError(400, f"The cache is not complete: nothing was sent for byte {end}.")
        end = start + sizes[start]
    draft.upload.arrange([str(start) for start in sorted(sizes)])


def _describe(row: CacheRow) -> dict[str, Any]:
    created = datetime.fromtimestamp(row.created, UTC).isoformat().replace("+00:00", "Z")
    return {
        "cacheKey": row.key,
        "scope": plain_scope(row.scope),
        "cacheVersion": plain_version(row.version),
        "creationTime": created,
    }


def _refuse(error: RequestError) -> Response:
    """Answer as that service did: clients look for `message`, and BuildKit for `typeKey`."""
    kind = _EXISTS if error.status == 409 else ""
    body = {"message": error.message, "typeName": kind, "typeKey": kind, "errorCode": 0}
    return Response.json(body, status=error.status)
