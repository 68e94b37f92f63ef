"""What a server says of itself: a line each, without tokens."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from windlass import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKENS = (
    "wlt_0123456789abcdef",
    "wlj_aaaaaaaaaaaaaaaa",
    "ghp_0123456789abcdefghij",
    "github_pat_11AAAAAAA0abcdefghij",
    "Bearer s3cr3t",
    "postgresql://me:s3cr3t@db/boats",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJib2F0In0.c2lnbmF0dXJl",
)


@pytest.fixture(autouse=True)
def _unchanged() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)


def log(**options: Any) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(stream, **options)
    return stream


@pytest.mark.requirement("K08")
@pytest.mark.requirement("K08")
def test_a_line_of_json() -> None:
    """Its own fields, those of what goes on around it, when, who and how bad."""
    stream = log()
    logger = logging.getLogger("windlass.boats")
    with logs.telling_of(request="r1"), logs.telling_of(run="7"):
        logs.tell(logger, "launched", boat="Ada", seconds=0.5)
    logger.warning("%d leaks", 3)

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "event": "launched",
        "level": "info",
        "logger": "windlass.boats",
        "boat": "Ada",
        "seconds": 0.5,
        "request": "r1",
        "run": "7",
    }
    assert (second["event"], second["level"]) == ("3 leaks", "warning")
    assert "request" not in second


def test_an_exception_is_one_line() -> None:
    """Its traceback is a field."""
    stream = log()
    try:
        raise ZeroDivisionError("wlt_0123456789abcdef")
    except ZeroDivisionError:
        logging.getLogger("windlass").exception("failed")

    (line,) = stream.getvalue().splitlines()
    assert "ZeroDivisionError: ***" in json.loads(line)["exception"]


@pytest.mark.parametrize("token", TOKENS, ids=[it[:8] for it in TOKENS])
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
def test_tokens_are_hidden(token: str, as_json: bool) -> None:
    """In a message and in a field, also of libraries."""
    stream = log(as_json=as_json)
    logging.getLogger("some.library").warning("asked with %s here", token)
    logs.tell(logging.getLogger("windlass"), "asked", header=f"x {token}")

    assert "s3cr3t" not in stream.getvalue()
    assert token not in stream.getvalue()
    assert stream.getvalue().count("***") == 2
    assert "here" in stream.getvalue()


def test_what_people_read() -> None:
    """On a terminal it is no JSON."""
    stream = log(as_json=False)
    logs.tell(logging.getLogger("windlass"), "launched", boat="Ada")

    assert "launched" in stream.getvalue()
    assert "boat=Ada" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_libraries_that_talk_too_much() -> None:
    """They tell the paths of requests, with all that stands in them."""
    stream = log()
    logging.getLogger("uvicorn.error").info("GET /?token=1")
    logging.getLogger("httpx").info("HTTP Request: GET http://h/?token=1")

    assert stream.getvalue() == ""
