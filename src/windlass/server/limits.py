"""Refuses whoever asks too often, and tells all others what they have left.

    /api/, /metrics    so often with one access token, and twice as often from one address
    /hooks/            so often from one address

What runners and jobs ask is not counted: a job must not fail because others ask too much. Neither
are health, badges and Git. Each process counts for itself.

    RateLimit-Policy: "token";q=1000;w=2
    RateLimit: "token";r=987;t=1

1000 requests may come within 2 seconds; 987 may come at once, and in a second all of them again.

Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from windlass.server.problems import problem_of
from windlass.server.rates import BURST_SECONDS, Buckets, Rate

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from windlass.server.rates import Verdict

HOOKS: Final = "/hooks/"
API: Final = ("/api/", "/metrics")
_TOKENS_OF_AN_ADDRESS: Final = 2
_TRY_AGAIN_LATER: Final = 1013


class AddressLimits:
    """Counts what is asked from each address, before anything is known of who asks."""

    def __init__(self, app: ASGIApp, per_second: float) -> None:
        """Take how many requests a second one access token may make."""
        self._app = app
        self._api = Buckets(Rate("address", per_second * _TOKENS_OF_AN_ADDRESS))
        self._hooks = Buckets(Rate("address", per_second))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        buckets = None if scope["type"] == "lifespan" else self._find(scope["path"])
        if buckets is not None:
            verdict = buckets.take(_find_address(scope))
            if verdict.wait:
                await _refuse(buckets.rate, verdict, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _find(self, path: str) -> Buckets | None:
        if path.startswith(API):
            return self._api
        return self._hooks if path.startswith(HOOKS) else None


class TokenLimits:
    """Counts what is asked with each access token."""

    def __init__(self, per_second: float | None) -> None:
        """Take how many requests a second each may make; None is any number."""
        self._buckets = None if per_second is None else Buckets(Rate("token", per_second))

    async def pass_on(
        self, app: ASGIApp, token: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request on that shows the token with an id, or refuse it."""
        buckets = self._buckets
        if buckets is None:
            await app(scope, receive, send)
            return
        verdict = buckets.take(token)
        if verdict.wait:
            await _refuse(buckets.rate, verdict, scope, receive, send)
            return
        told = _describe(buckets.rate, verdict)
        headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        await app(scope, receive, send_on)


async def _refuse(rate: Rate, verdict: Verdict, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
        return
    detail = f"more than {rate.per_second:g} requests a second come from one {rate.whose}"
    headers = {"Retry-After": str(math.ceil(verdict.wait)), **_describe(rate, verdict)}
    hint = "wait as long as Retry-After says"
    await problem_of("too-many", detail, hint=hint, headers=headers)(scope, receive, send)


def _describe(rate: Rate, verdict: Verdict) -> dict[str, str]:
    window = math.ceil(max(BURST_SECONDS, 1 / rate.per_second))
    return {
        "RateLimit-Policy": f'"{rate.whose}";q={rate.at_once};w={window}',
        "RateLimit": f'"{rate.whose}";r={verdict.left};t={math.ceil(verdict.seconds)}',
    }


def _find_address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
