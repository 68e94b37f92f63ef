"""The messages between runners and a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from windlass.errors import InputError
from windlass.model.status import Result
from windlass.protocol.runner import (
    CancelNotice,
    EndRequest,
    EventsAnswer,
    EventsRequest,
    JobId,
    LogAnswer,
    PollAnswer,
    PollRequest,
    RegisterAnswer,
    RegisterRequest,
    decode_message,
    encode_message,
    read_job_id,
    require_version,
)

MESSAGES: dict[str, Any] = {
    "register": RegisterRequest(
        token="wlg_1", name="north", labels=("linux", "x64"), capacity=2, ephemeral=True
    ),
    "registered": RegisterAnswer("r1", "wlr_1"),
    "poll": PollRequest(running=("1/1/1",), free=3, draining=True),
    "polled": PollAnswer(
        assignments=({"job": "1/1/2"},),
        cancel=(CancelNotice("1/1/1", "somebody asked"),),
        gone=("1/1/3",),
        drain=True,
    ),
    "nothing to do": PollAnswer(),
    "events": EventsRequest(4, ('{"event": "job-started", "job": "\udcff"}',)),
    "events taken": EventsAnswer(5, "no longer wanted"),
    "log taken": LogAnswer(1 << 40),
    "end": EndRequest(received=5, result=Result.FAILURE, outputs={"a": "\N{SNOWMAN}"}),
}
FIRST = {"register": "wlg_1", "registered": "wlr_1"}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_arrives(name: str) -> None:
    """Through ASCII, and with members that this version does not know."""
    message = MESSAGES[name]
    text = encode_message(message)
    more = json.dumps({**json.loads(text), "of_the_future": [1]})

    assert text.isascii()
    assert decode_message(type(message), text) == message
    assert decode_message(type(message), more.encode()) == message


@pytest.mark.parametrize("name", FIRST)
def test_what_is_shown_of_a_message_has_no_token(name: str) -> None:
    """A log may show a message."""
    assert FIRST[name] not in repr(MESSAGES[name])


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (PollAnswer, "<html>", "the PollAnswer is no JSON"),
        (PollAnswer, b"\xff", "the PollAnswer is no JSON"),
        (PollAnswer, "[" * 100_000, "the PollAnswer is no JSON"),
        (PollAnswer, "[]", "the PollAnswer is an array; an object was expected"),
        (PollAnswer, '{"gone": "1/1/1"}', "'gone' of the PollAnswer is a string; an array"),
        (PollAnswer, '{"cancel": [{"job": "1"}]}', "an item of 'cancel' of the PollAnswer has no"),
        (PollAnswer, '{"assignments": [1]}', "an item of 'assignments' of the PollAnswer is 1"),
        (RegisterAnswer, '{"runner": "a"}', "the RegisterAnswer has no 'credential'"),
        (EventsAnswer, '{"received": -1}', "'received' of the EventsAnswer is -1; a whole number"),
        (
            EventsAnswer,
            '{"received": true}',
            "'received' of the EventsAnswer is true; a whole number",
        ),
        (
            EndRequest,
            '{"received": 1, "result": "odd", "outputs": {}}',
            "'result' of the EndRequest is 'odd'; one of success, failure, cancelled, skipped",
        ),
    ],
)
def test_a_message_that_is_none(kind: Any, text: str | bytes, message: str) -> None:
    """The error says what was found and what was expected."""
    with pytest.raises(InputError) as refused:
        decode_message(kind, text)

    assert refused.value.message.startswith(message)


def test_a_job_has_a_name() -> None:
    """RUN/ATTEMPT/NUMBER, there and back."""
    job = JobId("1700000000000000", 1, 12)

    assert read_job_id(str(job)) == job


@pytest.mark.parametrize(
    "text", ["", "1/1", "1/1/1/1", "../1/1", "1/-1/1", "1/1/x", "1/01/1", "1/\u0661/1", "/1/1"]
)
def test_what_names_no_job(text: str) -> None:
    """A path that leads elsewhere is none, and every job has one name."""
    with pytest.raises(InputError, match="is not the id of a job"):
        read_job_id(text)


def test_a_version_of_the_future() -> None:
    """Whoever speaks only another one is told so."""
    require_version(1)
    with pytest.raises(InputError, match="version 2 of the runner protocol is spoken"):
        require_version(2)
