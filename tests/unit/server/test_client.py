"""The typed client: what it sends again, and what it makes of answers that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.hosted_site import ask, enter_runs

from windlass import errors
from windlass.client.client import Client
from windlass.client.streams import follow_events, read_messages
from windlass.protocol.api import runs, server, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.operations.hosted.site import Site

URL = "http://127.0.0.1:8484"
INFO = {"version": "1", "api": 1, "address": URL, "time": 1.5}


class Answers:
    """Answers requests one after the other; an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def open(self) -> Client:
        transport = httpx.MockTransport(self)
        return Client(URL, "wlt_x", transport=transport, sleep=self.pauses.append)


def busy() -> httpx.Response:
    problem = {"code": "platform", "detail": "not now", "hint": "later"}
    return httpx.Response(503, json=problem)


def test_it_speaks_to_the_server(site: Site) -> None:
    """Lists are read across pages, and each item is a model."""
    rows = enter_runs(site, 7)
    http = ask(site)
    client = Client(URL, "wlt_of_the_tests", transport=http._transport)

    found = list(client.list_all(runs.LIST, runs.ListRuns(limit=2)))

    assert [run.run for run in found] == [row.run.id for row in rows]
    assert len(list(client.list_all(runs.LIST, runs.ListRuns(limit=2), 3))) == 3
    assert client.ask(runs.DELETE, runs.DeleteRun(run="2")) is not None
    with pytest.raises(errors.MissingError, match="there is no run '2'"):
        client.ask(runs.GET, runs.FindRun(run="2"))


@pytest.mark.parametrize(
    "trouble",
    [lambda: httpx.ConnectError("refused"), lambda: httpx.ReadError("cut off"), busy],
    ids=["away", "cut off", "busy"],
)
def test_what_may_be_sent_again_is(trouble: Callable[[], Any]) -> None:
    """A request comes again after a while; a POST under the same key."""
    for call, given, good in (
        (server.INFO, server.ShowServer(), INFO),
        (
            tokens.CREATE,
            tokens.CreateToken(name="x"),
            {"id": "1", "name": "x", "created": 1, "expires": None, "revoked": None, "token": "t"},
        ),
    ):
        answers = Answers(trouble(), trouble(), httpx.Response(200, json=good))

        answers.open().ask(call, given)  # type: ignore[arg-type]

        keys = {it.headers.get("idempotency-key") for it in answers.requests}
        assert (len(answers.requests), len(keys), len(answers.pauses)) == (3, 1, 2)
        assert (None in keys) == (call is server.INFO)


def test_a_removal_is_not_sent_twice() -> None:
    """Nobody knows whether it was done: the second one would find nothing."""
    answers = Answers(httpx.ReadError("cut off"))

    with pytest.raises(errors.PlatformError, match="cannot be reached: cut off"):
        answers.open().ask(runs.DELETE, runs.DeleteRun(run="1"))

    assert len(answers.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "usage", errors.UsageError),
        (401, "unauthenticated", errors.RefusedError),
        (403, "refused", errors.RefusedError),
        (404, "missing", errors.MissingError),
        (409, "conflict", errors.ConflictError),
        (422, "invalid", errors.InvalidError),
        (413, "too-large", errors.InputError),
        (418, "of-tomorrow", errors.InputError),
        (500, "internal", errors.PlatformError),
    ],
)
def test_a_problem_is_an_exception(
    status: int, code: str, kind: type[errors.WindlassError]
) -> None:
    """Its text and its hint are the server's."""
    body = {"code": code, "detail": "it cannot be", "hint": "try this"}

    with pytest.raises(kind, match="it cannot be") as caught:
        Answers(httpx.Response(status, json=body)).open().ask(server.INFO, server.ShowServer())

    assert caught.value.hint == "try this"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={}),
        httpx.Response(404, text="nginx"),
        httpx.Response(404, json=["x"]),
        httpx.Response(302, headers={"Location": "http://elsewhere"}),
    ],
    ids=["page", "other", "not found", "list", "redirect"],
)
def test_what_is_no_server_of_windlass_is_named_so(answer: httpx.Response) -> None:
    """Whatever else listens there, the message says that it is not Windlass."""
    with pytest.raises(errors.PlatformError, match="not a server of Windlass"):
        Answers(answer).open().ask(server.INFO, server.ShowServer())


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8484", "ftp://x", "http://", "http://x:port", "http://u:p@x", "http://x?q"],
)
def test_an_address_is_checked(url: str) -> None:
    """What cannot be the address of a server is refused before anything is sent."""
    with pytest.raises(errors.InputError, match="is not the address of a server"):
        Client(url, "t")


def test_messages_of_a_stream_are_read() -> None:
    """As the standard has it: several data lines are one text, comments count for nothing.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """
    lines = [
        ": hello",
        "id: 7",
        "data: a",
        "data:b",
        "",
        "data",
        "event: end",
        "data: {}",
        "",
        "data: x",
    ]

    found = [(it.id, it.kind, it.data) for it in read_messages(lines)]

    assert found == [("7", "message", "a\nb"), ("7", "end", "\n{}")]


def stream(text: str) -> httpx.Response:
    return httpx.Response(200, text=text, headers={"Content-Type": "text/event-stream"})


def test_a_stream_that_breaks_goes_on_behind_the_last_message() -> None:
    """Nothing is told twice, and nothing is lost."""
    answers = Answers(
        stream("id: 0\ndata: a\n\nid: 1\ndata: b\n\n"),
        httpx.ConnectError("away"),
        stream("id: 2\ndata: c\n\nevent: end\ndata: {}\n\n"),
    )

    assert list(follow_events(answers.open(), "1", 1)) == ["a", "b", "c"]
    assert [it.headers.get("last-event-id") for it in answers.requests] == [None, "1", "1"]


def test_a_stream_of_which_all_is_told_ends() -> None:
    """204 says so."""
    answers = Answers(stream("id: 0\ndata: a\n\n"), httpx.Response(204))

    assert list(follow_events(answers.open(), "1", 1)) == ["a"]


def test_a_server_that_stays_away_is_told() -> None:
    """After some tries the reader is told that nobody answers."""
    answers = Answers(*[httpx.ConnectError("refused")] * 20)

    with pytest.raises(errors.PlatformError, match="cannot be reached: refused"):
        list(follow_events(answers.open(), "1", 1))
