"""The log of a job as a text, whole or in part, as far as it has been written.

Source of ranges: https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.responses import Response, StreamingResponse

from windlass.operations.hosted import logs
from windlass.server.problems import problem
from windlass.server.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windlass.operations.hosted.logs import JobOfRun
    from windlass.operations.hosted.site import Site

MEDIA_TYPE: Final = "text/plain; charset=utf-8"
BYTES_AT_ONCE: Final = 1 << 18
_RANGE: Final = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?", re.ASCII)


class Span(NamedTuple):
    """Bytes from `start` up to `end`, which is exclusive."""

    start: int
    end: int


def answer_log(site: Site, job: JobOfRun, wanted: str | None, *, is_head: bool) -> Response:
    """Return a job's log, or the part of it that a Range header wants; the head alone if `is_head`.

    A header that is no range of bytes, or names several, is ignored as the RFC allows.
    """
    size = logs.measure_log(site, job)
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    found = _RANGE.fullmatch(wanted.strip()) if wanted else None
    if found is None or found.group(1, 2) == (None, None):
        return _answer(site, job, Span(0, size), 200, headers, is_head=is_head)
    span = _find_span(size, *found.groups())
    if span is None:
        headers["Content-Range"] = f"bytes */{size}"
        detail = f"the log has {size} bytes so far, none of them in '{wanted}'"
        return problem(416, "Range not satisfiable", detail, code="range", headers=headers)
    headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    return _answer(site, job, span, 206, headers, is_head=is_head)


def _find_span(size: int, first: str | None, last: str | None) -> Span | None:
    """Return which bytes are wanted; None where there are none of them."""
    if first is None:
        span = Span(max(0, size - int(last or 0)), size)
    else:
        span = Span(int(first), size if last is None else min(int(last) + 1, size))
    return span if span.start < span.end else None


def _answer(
    site: Site, job: JobOfRun, span: Span, status: int, headers: dict[str, str], *, is_head: bool
) -> Response:
    headers |= {
        "Content-Length": str(span.end - span.start),
        # What a job prints is not to be taken for a page.
        "X-Content-Type-Options": "nosniff",
    }
    if is_head:
        return Response(status_code=status, headers=headers, media_type=MEDIA_TYPE)
    return StreamingResponse(_read(site, job, span), status, headers=headers, media_type=MEDIA_TYPE)


async def _read(site: Site, job: JobOfRun, span: Span) -> AsyncIterator[bytes]:
    start = span.start
    while start < span.end:
        size = min(BYTES_AT_ONCE, span.end - start)
        data = await run_in_thread(logs.read_bytes, site, job, start, size)
        if not data:
            # The run was removed meanwhile; the answer breaks off, which its length says.
            return
        yield data
        start += len(data)
