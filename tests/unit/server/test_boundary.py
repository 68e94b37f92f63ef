"""What stands between the network and the routes, when whoever asks dies in mid-sentence."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

from windlass.server.boundary import LastResort

if TYPE_CHECKING:
    import pytest

SCOPE = {"type": "http", "method": "PUT", "path": "/x"}


async def _receive() -> dict[str, Any]:
    return {"type": "http.disconnect"}


def answer(error: Exception) -> list[Any]:
    """Return what is sent where a route raises an exception."""
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise error

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(LastResort(app)(SCOPE, _receive, send))
    return sent


def test_who_hangs_up_is_not_answered(caplog: pytest.LogCaptureFixture) -> None:
    """A runner that is killed while it sends bytes is no fault of the server: nothing is logged."""
    with caplog.at_level(logging.INFO):
        assert answer(ClientDisconnect()) == []
    assert caplog.records == []


def test_a_fault_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Anything else nobody foresaw is a 500, and the log has it."""
    with caplog.at_level(logging.INFO):
        assert answer(ValueError("secret"))[0]["status"] == 500
    assert [it.levelname for it in caplog.records] == ["ERROR"]
