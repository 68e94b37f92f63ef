"""The runtime services of jobs on runners: where tunnels end (`windlass.protocol.services`).

A connection that asks for a tunnel is looked at as any request, and then handed over, socket and
all, to the server that jobs talk to on a machine of their own. What they send and fetch never
passes through the event loop.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from windlass.errors import InvalidError, PlatformError
from windlass.operations.hosted.job_reports import require_job
from windlass.operations.hosted.runners import check_runner
from windlass.operations.hosted.services import (
    Claims,
    make_hosted_means,
    make_tokens,
    open_services,
)
from windlass.protocol.runner import PREFIX, read_job_id
from windlass.protocol.services import (
    ORIGIN,
    TUNNELS,
    UPGRADE,
    decode_services_request,
    encode_services_answer,
)
from windlass.server.guard import read_bearer
from windlass.server.patience import CONNECTION, PatientProtocol
from windlass.server.problems import problem
from windlass.server.threads import run_in_thread
from windlass.services.catalogue import add_all_routes
from windlass.services.connections import Connection
from windlass.services.listening import Guests
from windlass.services.server import Server

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from windlass.operations.hosted.site import Site
    from windlass.protocol.runner import JobId

MOST_TUNNELS: Final = 1024
SWEEPING_SECONDS: Final = 60.0
_JOB: Final = "{run}/{attempt}/{number}"
_MESSAGE_BYTES: Final = 1 << 16
_LONGEST_ORIGIN: Final = 255
_SWITCHING: Final = (
    f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {UPGRADE}\r\n\r\n"
).encode()
_log = logging.getLogger(__name__)


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of this room."""
    door = _Door(HostedServices(site))
    return [
        Route(f"{PREFIX}/jobs/{_JOB}/services", door.open, methods=["POST"]),
        Route(f"{TUNNELS}{_JOB}", door.connect, methods=["GET"]),
    ]


class HostedServices:
    """What answers jobs on runners; the parts of it are made when the first one comes."""

    def __init__(self, site: Site) -> None:
        self.site = site
        claims = Claims(site)
        self._claims = claims
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._guests = Guests(MOST_TUNNELS)
        self._swept = -SWEEPING_SECONDS

    def open(self, credential: str, job: JobId, body: bytes) -> str:
        """Return, as JSON, the tokens of a job of the runner whose credential is shown.

        Raises:
            StrangerError, GoneError, InvalidError, PlatformError: it gets none.
        """
        runner = check_runner(self.site, credential)
        request = decode_services_request(body)
        answer = open_services(self.site, self._find_server().tokens, runner, job, request)
        self._sweep_if_due()
        return encode_services_answer(answer)

    def check(self, credential: str, job: JobId) -> None:
        """See whether a job is of the runner whose credential is shown, and runs.

        Raises:
            StrangerError, GoneError, PlatformError: it does not.
        """
        require_job(self.site, check_runner(self.site, credential), job)
        self._find_server()
        self._sweep_if_due()

    def answer(self, connection: PatientProtocol, origin: str) -> None:
        """Answer what comes through a tunnel whose other end is at an origin."""
        handed = connection.hand_over()
        # What is so short finds room at once: nothing was sent on this connection before.
        handed.send(_SWITCHING)
        self._guests.admit(Connection(handed, self._find_server().answer, origin))

    def _find_server(self) -> Server:
        with self._lock:
            if self._server is None:
                tokens = make_tokens(self.site, self._claims)
                server = Server(_log.error, tokens=tokens)
                self._means = make_hosted_means(self.site, tokens, self._claims)
                add_all_routes(server, self._means)
                self._server = server
            return self._server

    def _sweep_if_due(self) -> None:
        """Throw away what jobs were sending that have ended: nobody else would.

        It may take long: never within the event loop.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._swept < SWEEPING_SECONDS:
                return
            self._swept = now
        try:
            self._means.contents.sweep()
        except PlatformError as error:
            _log.warning("what ended jobs were sending stays for now: %s", error)


class _Door:
    def __init__(self, services: HostedServices) -> None:
        self._services = services

    async def open(self, request: Request) -> Response:
        """Give a job its tokens."""
        credential, job = read_bearer(request.scope), _read_job(request)
        body = await request.body()
        if len(body) > _MESSAGE_BYTES:
            raise InvalidError(f"a message has up to {_MESSAGE_BYTES} bytes")
        answer = await run_in_thread(self._services.open, credential, job, body)
        return Response(answer, media_type="application/json")

    async def connect(self, request: Request) -> Response:
        """Make a connection a tunnel."""
        credential, job = read_bearer(request.scope), _read_job(request)
        await run_in_thread(self._services.check, credential, job)
        origin = request.headers.get(ORIGIN, "")
        if request.headers.get("upgrade", "").lower() != UPGRADE:
            detail = f"this address is for tunnels: `Upgrade: {UPGRADE}`"
            headers = {"Upgrade": UPGRADE, "Connection": "Upgrade"}
            return problem(426, "Upgrade required", detail, code="invalid", headers=headers)
        if not origin.startswith("http://") or len(origin) > _LONGEST_ORIGIN:
            raise InvalidError(f"the field {ORIGIN} is http://HOST:PORT")
        connection = request.scope.get("state", {}).get(CONNECTION)
        if not isinstance(connection, PatientProtocol):
            return problem(
                501, "Not implemented", "this server cannot make tunnels", code="internal"
            )
        self._services.answer(connection, origin)
        # Nobody hears this any more; it is for the log.
        return Response(status_code=101)


def _read_job(request: Request) -> JobId:
    path = request.path_params
    return read_job_id(f"{path['run']}/{path['attempt']}/{path['number']}")
