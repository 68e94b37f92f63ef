"""Following what a server tells live: events of a run, lines of a log, across broken connections.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import httpx

from windlass.client.problems import explain_transport, read_problem
from windlass.errors import PlatformError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.client.client import Client

SECONDS_BETWEEN: Final = 60.0
"""Longer than a server is silent: it says now and then that there is nothing new."""

PAUSES: Final = (0.1, 0.4, 1.0, 2.0, 5.0, 5.0, 5.0)
_NO_CONTENT: Final = 204
_BUSY: Final = (429, 503)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream; `kind` is `message`, or `end` for the last one."""

    id: str
    kind: str
    data: str


def follow_events(client: Client, run: str, attempt: int) -> Iterator[str]:
    """Yield the events of an attempt from the first one on, as lines of JSON, until it has ended.

    Raises:
        InputError: there is no such attempt.
        PlatformError: the server was away for too long.
    """
    for message in _follow(client, f"/runs/{run}/events", attempt):
        yield message.data


def follow_log(client: Client, run: str, attempt: int, job: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of a job's log, some at a time, until the job has ended.

    Each has `first`, the number of the first line from 0, `step`, `time` and `lines`.

    Raises:
        InputError: there is no such job.
        PlatformError: the server was away for too long.
    """
    for message in _follow(client, f"/runs/{run}/jobs/{job}/log", attempt):
        yield json.loads(message.data)


def read_messages(lines: Iterable[str]) -> Iterator[Message]:
    """Yield the messages of an event stream."""
    fields = {"id": "", "event": "", "data": ""}
    for line in lines:
        if not line:
            if fields["data"]:
                yield Message(fields["id"], fields["event"] or "message", fields["data"][:-1])
            fields |= {"event": "", "data": ""}
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            fields["data"] += value + "\n"
        elif name in fields:
            fields[name] = value


def _follow(client: Client, path: str, attempt: int) -> Iterator[Message]:
    """Yield messages until the last one, asking again behind the last that came."""
    last = ""
    pauses = iter(PAUSES)
    while True:
        try:
            for message in _read_stream(client, path, attempt, last):
                if message.kind == "end":
                    return
                if message.kind == "problem":
                    # It was taken away meanwhile: whoever asks again is told.
                    break
                last, pauses = message.id, iter(PAUSES)
                yield message
        except StopFollowingError:
            return
        except httpx.TransportError as error:
            if (pause := next(pauses, None)) is None:
                raise explain_transport(error, client.url) from error
        else:
            if (pause := next(pauses, None)) is None:
                raise PlatformError(f"the server at {client.url} ends the stream again and again")
        client.sleep(pause)


class StopFollowingError(Exception):
    """All was told before."""


def _read_stream(client: Client, path: str, attempt: int, last: str) -> Iterator[Message]:
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
    timeout = httpx.Timeout(SECONDS_BETWEEN, connect=10.0)
    with client.http.stream(
        "GET", path, params={"attempt": str(attempt)}, headers=headers, timeout=timeout
    ) as answer:
        if answer.status_code == _NO_CONTENT:
            raise StopFollowingError
        if answer.status_code in _BUSY:
            return
        if answer.is_error:
            answer.read()
            raise read_problem(answer, client.url)
        yield from read_messages(_split_lines(answer.iter_text()))


def _split_lines(pieces: Iterable[str]) -> Iterator[str]:
    """Yield lines without their ends; only line feeds end one, other than httpx has it."""
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from (line.removesuffix("\r") for line in lines)
