"""The HTTP server that jobs talk to: threads of the standard library, on addresses of this machine.

    server = Server()
    server.routes("/twirp/some.Service/", handler)
    origin = server.listen("127.0.0.1")     # http://127.0.0.1:PORT
    token = server.tokens.issue(job)

A handler takes a `Request` and returns a `Response`. The longest prefix wins. A route gets requests
with the token of a job that runs; all others are refused before it hears of them, unless it says
`needs_token=False`: then it looks itself at `request.job` or at a signature.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from windlass.errors import DatabaseError, PlatformError
from windlass.model.values import dataclass, replace
from windlass.services.connections import Connection
from windlass.services.listening import LOOPBACK, Listeners
from windlass.services.messages import Request, RequestError, Response, TruncatedBodyError
from windlass.services.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.services.jobs import ServedJob
    from windlass.services.messages import Handler

_SCHEMES: Final = ("bearer", "token")


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers the paths that begin so."""

    prefix: str
    handler: Handler
    needs_token: bool


class Server:
    """Answers on every address it listens on, each with the same routes and tokens."""

    def __init__(
        self,
        tell: Callable[[str], None] | None = None,
        now: Callable[[], float] = time.time,
        tokens: Tokens | None = None,
    ) -> None:
        """Take what hears, in a line each, of faults of ours, and the clock of tokens.

        Without `tokens` they are those of this process.
        """
        self.tokens = Tokens(now) if tokens is None else tokens
        self._tell = tell or (lambda _line: None)
        self._routes: list[Route] = []
        self._listeners = Listeners(lambda it, _origin: Connection(it, self.answer))

    def routes(self, prefix: str, handler: Handler, *, needs_token: bool = True) -> None:
        """Let a handler answer all paths that begin with a prefix."""
        self._routes.append(Route(prefix, handler, needs_token))
        self._routes.sort(key=lambda route: -len(route.prefix))

    def listen(self, address: str = LOOPBACK) -> str:
        """Listen on one address of this machine; see `Listeners.listen`."""
        return self._listeners.listen(address)

    def adopt(self, number: int) -> tuple[str, Callable[[], None]]:
        """Answer on an open socket that listens already; see `Listeners.adopt`."""
        return self._listeners.adopt(number)

    def close(self) -> None:
        """Stop listening; connections that are open end with their clients."""
        self._listeners.close()

    def find_job(self, authorization: str) -> ServedJob | str:
        """Return whose token a header `Authorization` holds, or why it is none."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in _SCHEMES or not token:
            return "The request has no token: a header `Authorization: Bearer TOKEN` is needed."
        return self.tokens.find(token.strip())

    def answer(self, request: Request, authorization: str) -> Response:
        """Return the answer to a request whose token has not been looked at."""
        route = next((it for it in self._routes if request.path.startswith(it.prefix)), None)
        try:
            if route is None:
                raise RequestError(404, f"Windlass serves nothing at {request.path}.")
            job = self.find_job(authorization)
            if route.needs_token and isinstance(job, str):
                raise RequestError(401, job)
            known = None if isinstance(job, str) else job
            return route.handler(replace(request, job=known))
        except RequestError as error:
            return error.respond()
        except TruncatedBodyError:
            raise
        except DatabaseError as error:
            # Clients ask again after this, and after 507 they do not.
            self._tell(f"{request.method} {request.path}: {error.message}")
            return RequestError(503, "Windlass's database is not there now.").respond()
        except PlatformError as error:
            self._tell(f"{request.method} {request.path}: {error.message}")
            hint = f"; {error.hint}" if error.hint else ""
            return RequestError(507, f"{error.message}{hint}").respond()
        except Exception as error:  # noqa: BLE001 - the boundary: a client gets an answer always
            self._tell(f"{request.method} {request.path}: {type(error).__name__}: {error}")
            return RequestError(500, "Windlass could not answer: a fault of its own.").respond()
