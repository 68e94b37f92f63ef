"""Who may come in, and stay: requests have to show an access token.

What is told for long, of a run while it goes on, ends soon after its token was revoked or expired.

Source: https://www.rfc-editor.org/rfc/rfc6750
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import WindlassError
from windlass.server.problems import answer_error, problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from windlass.operations.hosted.callers import Caller
    from windlass.server.known_callers import KnownCallers
    from windlass.server.limits import TokenLimits

SCHEME: Final = "bearer"
REALM: Final = 'Bearer realm="windlass"'
AGAIN_SECONDS: Final = 5.0
"""The token of whoever is still told something is looked at again after this."""

_POLICY_VIOLATION: Final = 1008
_CLOSE: Final[Message] = {"type": "websocket.close", "code": _POLICY_VIOLATION}
_ENDS: Final[Mapping[str, Message]] = {
    "http.response.body": {"type": "http.response.body", "body": b"", "more_body": False},
    "websocket.send": _CLOSE,
}
"""What ends an answer in place of what was to be sent."""


class _EndedTokenError(Exception):
    """The token that a request has shown counts no more."""


class Guard:
    """Lets those pass who show a token, not too often; `scope["caller"]` says who it is."""

    def __init__(self, app: ASGIApp, callers: KnownCallers, limits: TokenLimits) -> None:
        self._app = app
        self._callers = callers
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        token = read_bearer(scope)
        caller: Caller | None = None
        answer: Response | None = None
        if token:
            try:
                caller = await self._callers.find(token)
            except WindlassError as error:
                answer = answer_error(None, error)
        if caller is not None:
            scope["caller"] = caller
            checked = self._check_again(token, send)
            with contextlib.suppress(_EndedTokenError):
                await self._limits.pass_on(self._app, caller.token, scope, receive, checked)
        elif scope["type"] == "websocket":
            await send(_CLOSE)
        else:
            await (answer or _refuse(token))(scope, receive, send)

    def _check_again(self, token: str, send: Send) -> Send:
        """Return what sends as long as a token counts, and then ends the answer."""
        looked = time.monotonic()

        async def send_checked(message: Message) -> None:
            nonlocal looked
            end = _ENDS.get(message["type"])
            if end is not None and time.monotonic() - looked >= AGAIN_SECONDS:
                if not await self._still_counts(token):
                    await send(end)
                    raise _EndedTokenError
                looked = time.monotonic()
            await send(message)

        return send_checked

    async def _still_counts(self, token: str) -> bool:
        try:
            return await self._callers.find(token) is not None
        except WindlassError:
            # While the database is away nobody is taken for revoked.
            return True


def read_bearer(scope: Scope | dict[str, Any]) -> str:
    """Return the token that a request shows; empty where there is none."""
    for key, value in scope["headers"]:
        if key == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == SCHEME else ""
    return ""


def _refuse(token: str) -> Response:
    if not token:
        detail, challenge = "an access token has to be shown: `Authorization: Bearer TOKEN`", REALM
    else:
        detail = "the access token is not valid: not known, expired or revoked"
        challenge = f'{REALM}, error="invalid_token"'
    hint = (
        "`windlass login` keeps one; the server's first one is in its folder, in the file `token`"
    )
    return problem_of("unauthenticated", detail, hint=hint, headers={"WWW-Authenticate": challenge})
