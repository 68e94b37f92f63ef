"""What jobs have printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.operations.hosted.cursors import read_cursor, write_cursor
from windlass.operations.hosted.logs import find_job, read_lines
from windlass.operations.hosted.operation import Operation
from windlass.protocol.api import logs as api

if TYPE_CHECKING:
    from windlass.operations.hosted.logs import LogPart
    from windlass.operations.hosted.site import Site


def read_log(site: Site, given: api.ReadLog) -> api.LogPage:
    """Read lines of a job's log, page by page; as long as the job runs there is a next page."""
    first = 0 if given.cursor is None else max(0, read_cursor(given.cursor, int)[0])
    job = find_job(site, given.run, given.attempt, given.number)
    items: list[api.Line] = []
    while len(items) < given.limit:
        part = read_lines(site, job, first + len(items))
        if not part.printed:
            break
        items += _number_lines(part)
    else:
        part = None
    shown = items[: given.limit]
    is_over = part is not None and part.is_over
    return api.LogPage(items=shown, next=None if is_over else write_cursor(first + len(shown)))


def _number_lines(part: LogPart) -> list[api.Line]:
    return [
        api.Line(line=number, step=printed.step, time=round(printed.time, 6), text=text)
        for printed in part.printed
        for number, text in enumerate(printed.lines, printed.first + 1)
    ]


OPERATIONS: Final = (
    Operation(
        call=api.READ,
        effect="read",
        function=read_log,
        errors=("missing",),
    ),
)
