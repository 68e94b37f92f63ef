"""What a server lets browsers and busy programs do: headers, pages of other origins, rates.

Source: https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from windlass.errors import UsageError
from windlass.model.values import dataclass
from windlass.server.limits import AddressLimits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
_ASKED_WITH: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match")
_ANSWERED_WITH: Final = (
    *("ETag", "Link", "Idempotency-Replayed", "Retry-After", "X-Request-Id"),
    *("RateLimit", "RateLimit-Policy"),
)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who may ask a server from where, and how often.

    Pages of `origins` may ask it from a browser, of no other. An access token is good for so many
    requests `per_second`, an address for some more; None is any number: see
    `windlass.server.limits`.
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
    if exposure.per_second is not None:
        yield Middleware(AddressLimits, per_second=exposure.per_second)


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
