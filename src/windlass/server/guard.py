"""Who may come in: requests have to show an access token.

Source: https://www.rfc-editor.org/rfc/rfc6750
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.errors import WindlassError
from windlass.server.problems import answer_error, problem_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from windlass.operations.hosted.callers import Caller
    from windlass.server.known_callers import KnownCallers
    from windlass.server.limits import TokenLimits

SCHEME: Final = "bearer"
REALM: Final = 'Bearer realm="windlass"'
_POLICY_VIOLATION: Final = 1008


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
            await self._limits.pass_on(self._app, caller.token, scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await (answer or _refuse(token))(scope, receive, send)


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
