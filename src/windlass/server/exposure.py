"""What a server lets browsers and busy programs do: headers, pages of other origins, rates.

Source: https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from windlass.errors import UsageError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Of every answer that does not say otherwise: what is sent is no page, and is for no other one."""

OVER_TLS: Final = (b"strict-transport-security", b"max-age=31536000")
_BURST_SECONDS: Final = 2.0
_MOST_NAMES: Final = 10_000
_ASKED_WITH: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match")
_ANSWERED_WITH: Final = ("ETag", "Link", "Idempotency-Replayed", "Retry-After", "X-Request-Id")


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who may ask a server from where, and how often.

    Pages of `origins` may ask it from a browser, of no other. An access token is good for so many
    requests `per_second`, and for those of two seconds at once; None is any number.
    """

    origins: tuple[str, ...] = ()
    per_second: float | None = None


def read_exposure(origins: Iterable[str], per_second: float | None) -> Exposure:
    """Return what options say.

    Raises:
        UsageError: one is no origin, or the rate is none.
    """
    chosen = tuple(origins)
    for origin in chosen:
        parts = urlsplit(origin)
        if origin != f"{parts.scheme}://{parts.netloc}" or parts.scheme not in ("http", "https"):
            raise UsageError(f"'{origin}' is no origin", hint="such as https://ci.example.org")
    if per_second is not None and not 0 < per_second < float("inf"):
        raise UsageError(f"{per_second:g} requests a second is no rate", hint="give more than 0")
    return Exposure(chosen, per_second)


def list_middleware(exposure: Exposure, address: str) -> Iterator[Middleware]:
    """Yield what stands before the application of a server, for an address of its."""
    yield Middleware(SafeHeaders, over_tls=address.startswith("https://"))
    if exposure.origins:
        yield Middleware(
            CORSMiddleware,
            allow_origins=exposure.origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=_ASKED_WITH,
            expose_headers=_ANSWERED_WITH,
        )


class SafeHeaders:
    """Adds HEADERS to answers that have none of that name."""

    def __init__(self, app: ASGIApp, *, over_tls: bool) -> None:
        self._app = app
        self._headers = (*HEADERS, OVER_TLS) if over_tls else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = list(message.get("headers", ()))
                names = {name.lower() for name, _ in said}
                more = [header for header in self._headers if header[0] not in names]
                message = {**message, "headers": [*said, *more]}
            await send(message)

        await self._app(scope, receive, send_on)


class Rates:
    """How often each of some names may do something: a bucket each that fills steadily.

    For one event loop. Source: https://en.wikipedia.org/wiki/Token_bucket
    """

    def __init__(
        self, per_second: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> float:
        """Count one time; return 0, or after how many seconds it may be tried again."""
        rate = self._per_second
        if rate is None:
            return 0.0
        now, most = self._clock(), max(1.0, rate * _BURST_SECONDS)
        left, since = self._left.get(name, (most, now))
        left = min(most, left + (now - since) * rate)
        if len(self._left) >= _MOST_NAMES:
            self._left.clear()
        if left < 1:
            self._left[name] = (left, now)
            return (1 - left) / rate
        self._left[name] = (left - 1, now)
        return 0.0
