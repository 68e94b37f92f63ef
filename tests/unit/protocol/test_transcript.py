"""Version 1 of the runner protocol as it was first spoken: what was recorded goes on being read.

`tests/frozen/runner-v1.jsonl` has all that a runner and a server said to each other about two jobs.
It is never written again: a runner of that version may still be running somewhere.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from windlass.model.status import Result
from windlass.protocol.assignments import decode_assignment, encode_assignment
from windlass.protocol.event_lines import read_event
from windlass.protocol.events import JobFinished
from windlass.protocol.runner import (
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
)

TRANSCRIPT = Path(__file__).resolve().parents[2] / "frozen" / "runner-v1.jsonl"
DIGEST = "32d8e91cd572046ef3efc45c5a2db01e6c4079cfb62229ab44af82b7aef9cedc"
EXCHANGES: list[dict[str, Any]] = [
    json.loads(line) for line in TRANSCRIPT.read_text(encoding="utf-8").splitlines()
]
KINDS: dict[str, tuple[Any, Any]] = {
    "register": (RegisterRequest, RegisterAnswer),
    "poll": (PollRequest, PollAnswer),
    "events": (EventsRequest, EventsAnswer),
    "log": (None, LogAnswer),
    "end": (EndRequest, None),
    "leave": (None, None),
}


def kind_of(exchange: dict[str, Any]) -> str:
    words = exchange["path"].partition("?")[0].split("/")
    return str(words[4] if words[0] == "jobs" else words[0])


MESSAGES = [
    (kind, text)
    for exchange in EXCHANGES
    for kind, text in zip(
        KINDS[kind_of(exchange)], (exchange["body"], exchange["answer"]), strict=True
    )
    if kind is not None
]
ASSIGNMENTS = [
    values
    for kind, text in MESSAGES
    if kind is PollAnswer
    for values in json.loads(text)["assignments"]
]


def test_the_transcript_is_what_it_was() -> None:
    """Whoever changes it would have to change the runners that are out there."""
    assert hashlib.sha256(TRANSCRIPT.read_bytes()).hexdigest() == DIGEST
    assert {kind_of(exchange) for exchange in EXCHANGES} == set(KINDS)


@pytest.mark.parametrize(("kind", "text"), MESSAGES)
def test_messages_are_read_and_still_said_so(kind: Any, text: str) -> None:
    """Each is understood, and what is said today has all its members, with the same meaning."""
    today = json.loads(encode_message(decode_message(kind, text)))

    assert _as_far_as(today, json.loads(text)) == json.loads(text)


def _as_far_as(said: Any, known: Any) -> Any:
    """What is said, without the members that were added since."""
    if isinstance(said, dict) and isinstance(known, dict):
        return {name: _as_far_as(it, known[name]) for name, it in said.items() if name in known}
    if isinstance(said, list) and isinstance(known, list) and len(said) == len(known):
        return [_as_far_as(*pair) for pair in zip(said, known, strict=True)]
    return said


@pytest.mark.parametrize("values", ASSIGNMENTS, ids=[it["job"] for it in ASSIGNMENTS])
def test_assignments_are_read_and_still_said_so(values: dict[str, Any]) -> None:
    """Each is understood down to its job's steps, and what is said today has all its members."""
    decoded = decode_assignment(values)
    today = encode_assignment(decoded)

    assert {name: today.get(name) for name in values} == values
    assert {name: today["order"].get(name) for name in values["order"]} == values["order"]


def test_what_the_first_assignment_means() -> None:
    """A job with a checkout, an output, a secret and the URL of its repository."""
    it = decode_assignment(ASSIGNMENTS[0])

    assert (it.job, it.order.key) == (JobId("1700000000000000", 1, 1), "build")
    assert [step.id for step in it.order.job.steps] == ["__actions_checkout", "look", "__run"]
    assert (it.order.timeout_minutes, it.order.continue_on_error) == (360, False)
    assert it.secrets == {"WORD": "open sesame"}
    assert it.env == {"CI": "true"}
    assert (it.allow_host, it.asks_api) == (True, True)
    assert (it.git.repository, it.git.url) == ("7", "file:///srv/boat")
    assert it.repository.full_name == "octo/boat"


def test_how_the_jobs_went() -> None:
    """The first one succeeds with an output, the second one is cancelled."""
    ends = [decode_message(kind, text) for kind, text in MESSAGES if kind is EndRequest]
    notices = [
        notice
        for kind, text in MESSAGES
        if kind is PollAnswer
        for notice in decode_message(PollAnswer, text).cancel
    ]
    lines = [
        line
        for kind, text in MESSAGES
        if kind is EventsRequest
        for line in decode_message(EventsRequest, text).lines
    ]
    told = [read_event(line) for line in lines]

    assert [(it.result, it.outputs, it.started) for it in ends] == [
        (Result.SUCCESS, {"colour": "white"}, True),
        (Result.CANCELLED, {}, True),
    ]
    assert {(it.job, it.reason) for it in notices} == {("1700000000000000/1/2", "somebody asked")}
    assert len(told) == sum(it.received for it in ends)
    assert all(it is not None for it in told)
    results = [it[0].result for it in told if it is not None and isinstance(it[0], JobFinished)]
    assert results == [Result.SUCCESS, Result.CANCELLED]
