"""How runners talk to a server: version 1 of `windlass.protocol.runner`, below `/runner/v1`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from starlette.responses import Response
from starlette.routing import Route

from windlass.errors import GapError, GoneError, InvalidError
from windlass.operations.hosted.job_reports import end_job, take_events, write_log
from windlass.operations.hosted.jobs import answer_poll
from windlass.operations.hosted.runners import check_runner, leave, register_runner
from windlass.protocol.runner import (
    HOLD_SECONDS,
    PREFIX,
    EndRequest,
    EventsRequest,
    LogAnswer,
    PollRequest,
    RegisterAnswer,
    RegisterRequest,
    decode_message,
    encode_message,
    read_job_id,
)
from windlass.server.guard import read_bearer
from windlass.server.problems import problem_of
from windlass.server.runners.lobby import REPEAT_SECONDS, Lobby, Notices, Waiter
from windlass.server.runners.polls import Polls
from windlass.server.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from windlass.db.runners import RunnerRow
    from windlass.operations.hosted.site import Site
    from windlass.protocol.runner import JobId, PollAnswer

MESSAGE_BYTES: Final = 8 << 20
"""What a message may have; a file's bytes may have what the whole address may."""

_PATIENCE_SHARE: Final = 0.5
_JOB: Final = f"{PREFIX}/jobs/{{run}}/{{attempt}}/{{number}}"
_CLIENT_LEFT: Final = 499
_MOST_DIGITS: Final = 15
_MOST_JOBS: Final = (1 << 31) - 1


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of this room."""
    door = _Door(site)
    return [
        Route(f"{PREFIX}/register", door.register, methods=["POST"]),
        Route(f"{PREFIX}/poll", door.poll, methods=["POST"]),
        Route(f"{PREFIX}/leave", door.leave, methods=["POST"]),
        Route(f"{_JOB}/events", door.take_events, methods=["POST"]),
        Route(f"{_JOB}/log/{{name}}", door.write_log, methods=["PUT"]),
        Route(f"{_JOB}/end", door.end_job, methods=["POST"]),
    ]


class _Door:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._notices = Notices()
        self._polls = Polls()
        self._lobbies: WeakKeyDictionary[asyncio.AbstractEventLoop, Lobby] = WeakKeyDictionary()

    async def register(self, request: Request) -> Response:
        """Make a machine a runner."""
        body = await _read_message(request)

        def register() -> Response:
            made = register_runner(self._site, decode_message(RegisterRequest, body))
            return _answer(RegisterAnswer(made.row.id, made.credential))

        return await run_in_thread(register)

    async def poll(self, request: Request) -> Response:
        """Say what a runner is to do, as soon as there is anything."""
        body, credential = await _read_message(request), read_bearer(request.scope)
        poll = self._polls.begin(credential)

        def look() -> tuple[RunnerRow, PollRequest, PollAnswer]:
            runner = check_runner(self._site, credential)
            asked = decode_message(PollRequest, body)
            return runner, asked, poll.look(lambda: answer_poll(self._site, runner, asked))

        runner, asked, answer = await run_in_thread(look)
        is_last = asked.draining and not asked.running
        if not is_last and not self._notices.is_news(runner.id, answer):
            seconds = min(HOLD_SECONDS, runner.patience * _PATIENCE_SHARE)
            if answer.cancel:
                seconds = min(seconds, REPEAT_SECONDS)
            waiter = Waiter(runner, asked, poll)
            found = await _unless_gone(request, self._find_lobby().wait(waiter, seconds))
            if found is None:
                return Response(status_code=_CLIENT_LEFT)
            answer = await self._finish(waiter, credential, found)
        self._notices.note(runner.id, answer)
        return _answer(answer)

    async def _finish(self, waiter: Waiter, credential: str, found: PollAnswer) -> PollAnswer:
        """Return what a runner that has waited is told; one without news hears all there is."""
        if self._notices.is_news(waiter.runner.id, found):
            await run_in_thread(check_runner, self._site, credential)
            return found

        def look() -> PollAnswer:
            row = check_runner(self._site, credential)
            return waiter.poll.look(lambda: answer_poll(self._site, row, waiter.request))

        return await run_in_thread(look)

    def _find_lobby(self) -> Lobby:
        loop = asyncio.get_running_loop()
        lobby = self._lobbies.get(loop)
        if lobby is None:
            lobby = self._lobbies[loop] = Lobby(self._site, self._notices)
        return lobby

    async def take_events(self, request: Request) -> Response:
        """Take events of a job."""
        body = await _read_message(request)

        def take(runner: RunnerRow, job: JobId) -> Response:
            asked = decode_message(EventsRequest, body)
            return _answer(take_events(self._site, runner, job, asked))

        return await self._of_job(request, take, "received")

    async def write_log(self, request: Request) -> Response:
        """Take a piece of a file of a job's log."""
        body, offset = await request.body(), _read_offset(request)

        def write(runner: RunnerRow, job: JobId) -> Response:
            name = request.path_params["name"]
            return _answer(LogAnswer(write_log(self._site, runner, job, name, offset, body)))

        return await self._of_job(request, write, "size")

    async def end_job(self, request: Request) -> Response:
        """Take the end of a job."""
        body = await _read_message(request)

        def end(runner: RunnerRow, job: JobId) -> Response:
            end_job(self._site, runner, job, decode_message(EndRequest, body))
            return Response(status_code=204)

        return await self._of_job(request, end, "received")

    async def leave(self, request: Request) -> Response:
        """Let a runner go."""
        credential = read_bearer(request.scope)

        def let_go() -> Response:
            leave(self._site, check_runner(self._site, credential))
            return Response(status_code=204)

        return await run_in_thread(let_go)

    async def _of_job(
        self, request: Request, take: Callable[[RunnerRow, JobId], Response], gap: str
    ) -> Response:
        """Answer a message about a job; `gap` is the member that says what is expected."""
        names = ("run", "attempt", "number")
        credential, path = read_bearer(request.scope), request.path_params

        def answer() -> Response:
            runner = check_runner(self._site, credential)
            job = _read_job("/".join(path[name] for name in names))
            try:
                return take(runner, job)
            except GapError as error:
                more = {gap: error.expected}
                return problem_of(error.code, error.message, hint=error.hint, more=more)

        return await run_in_thread(answer)


async def _read_message(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MESSAGE_BYTES:
            raise InvalidError(f"a message has up to {MESSAGE_BYTES} bytes")
    return body


def _read_job(text: str) -> JobId:
    job = read_job_id(text)
    if max(job.attempt, job.number) > _MOST_JOBS or len(job.run) > _MOST_DIGITS + 5:
        raise GoneError(f"there is no job {text[:99]}")
    return job


def _read_offset(request: Request) -> int:
    text = request.query_params.get("offset", "0")
    if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        return int(text)
    raise InvalidError("the offset is a whole number from 0 on")


async def _unless_gone(request: Request, waiting: Awaitable[PollAnswer]) -> PollAnswer | None:
    """Wait for an answer; None where whoever asked has hung up meanwhile."""
    answer = asyncio.ensure_future(waiting)
    leaving = asyncio.ensure_future(_wait_until_gone(request))
    try:
        await asyncio.wait((answer, leaving), return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None
    finally:
        for task in (answer, leaving):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving


async def _wait_until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _answer(message: Any) -> Response:
    return Response(encode_message(message), media_type="application/json")
