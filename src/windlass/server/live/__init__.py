"""What is told live: the events of runs, and the logs of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from windlass.operations.hosted import logs
from windlass.server.live.hub import Hub
from windlass.server.live.sockets import Conversation
from windlass.server.live.sources import EventSource, LogSource, Source
from windlass.server.live.streams import (
    MEDIA_TYPE,
    EventStream,
    read_attempt,
    read_number,
    read_position,
)
from windlass.server.live.texts import answer_log
from windlass.server.problems import problem
from windlass.server.threads import run_in_thread

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from windlass.operations.hosted.logs import JobOfRun
    from windlass.operations.hosted.site import Site

RUN = "/api/v1/runs/{run}"
HEAD = "HEAD"
JOB = "/api/v1/runs/{run}/jobs/{number}"


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of what is told live."""
    live = Live(site)
    return [
        Route(f"{RUN}/events", live.watch_events),
        Route(f"{JOB}/log", live.watch_log),
        Route(f"{JOB}/log.txt", live.read_log),
        WebSocketRoute("/api/v1/live", live.converse),
    ]


class Live:
    """The handlers; each reads what a request names and leaves the rest to others."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._hub = Hub(site.changes)

    async def watch_events(self, request: Request) -> Response:
        """Tell the events of an attempt."""
        run, attempt = request.path_params["run"], read_attempt(request)
        row = await run_in_thread(logs.find_attempt, self._site, run, attempt)
        return await self._stream(request, EventSource(self._site, run, row.attempt))

    async def watch_log(self, request: Request) -> Response:
        """Tell the lines of a job's log."""
        job = await run_in_thread(_find_job, self._site, request)
        return await self._stream(request, LogSource(self._site, job))

    def read_log(self, request: Request) -> Response:
        """Return a job's log as it is now."""
        job, is_head = _find_job(self._site, request), request.method == HEAD
        # A range is of GET alone.
        wanted = None if is_head else request.headers.get("Range")
        return answer_log(self._site, job, wanted, is_head=is_head)

    async def converse(self, socket: WebSocket) -> None:
        """Tell whatever a client wants to watch."""
        await Conversation(self._site, self._hub, socket).hold()

    async def _stream(self, request: Request, source: Source) -> Response:
        position = read_position(request)
        if self._hub.is_leaving:
            return problem(503, "Service unavailable", "the server is about to end")
        if "Last-Event-ID" in request.headers:
            # Whoever has all of it would ask again and again.
            frame = await run_in_thread(source.read, position)
            if frame.outcome:
                return Response(status_code=204)
        if request.method == HEAD:
            return Response(media_type=MEDIA_TYPE)
        return EventStream(self._hub, source, position)


def _find_job(site: Site, request: Request) -> JobOfRun:
    number = read_number("the number of the job", request.path_params["number"], least=1)
    return logs.find_job(site, request.path_params["run"], read_attempt(request), number)
