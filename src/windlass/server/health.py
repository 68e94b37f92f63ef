"""Whether a server lives, and whether it can work: for supervisors, load balancers and people.

    /health         200 while the process answers
    /health/ready   200 where it can work; 503 where its database cannot be written or is of another
                    version, its disk is full, or it is about to end

Anybody may ask, so nothing is said but that: the log says why.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse
from starlette.routing import Route

from windlass.db.migrations import MIGRATIONS
from windlass.engine.server.changes import LEAVING
from windlass.errors import PlatformError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from windlass.operations.hosted.site import Site

LEAST_FREE_BYTES: Final = 256 << 20
PATIENCE_SECONDS: Final = 2.0
"""A database that takes longer is not ready, whatever it says in the end."""

STANDS_STILL: Final = "the database does not answer in time"
FRESH_SECONDS: Final = 1.0
"""However often somebody asks, the database is not asked more often."""

_log = logging.getLogger(__name__)


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of health."""
    readiness = Readiness(site)
    return [Route("/health", _say_alive), Route("/health/ready", readiness.answer)]


async def _say_alive(_request: Request) -> Response:
    return _answer("ok", 200)


class Readiness:
    """Finds out whether a server can work; to be used within one event loop."""

    def __init__(self, site: Site) -> None:
        self._site = site
        # A thread of its own: where all others wait for a database, this is worth knowing.
        self._pool = ThreadPoolExecutor(1, "windlass-ready")
        self._looking: asyncio.Future[str] | None = None
        self._looked = float("-inf")
        self._obstacle = ""

    async def answer(self, _request: Request) -> Response:
        """Answer whether the server can work."""
        obstacle = await self.find_obstacle()
        return _answer("unavailable", 503) if obstacle else _answer("ready", 200)

    async def find_obstacle(self) -> str:
        """Return why the server cannot work; empty where it can."""
        if self._site.changes.count(LEAVING):
            return "the server is about to end"
        loop = asyncio.get_running_loop()
        if loop.time() - self._looked <= FRESH_SECONDS:
            return self._obstacle
        if self._looking is None:
            self._looking = loop.run_in_executor(self._pool, find_obstacle, self._site)
            self._looking.add_done_callback(self._forget)
        try:
            # Where it takes longer it goes on; whoever asks next waits for the same answer.
            found = await asyncio.wait_for(asyncio.shield(self._looking), PATIENCE_SECONDS)
            self._looked = loop.time()
        except TimeoutError:
            found = STANDS_STILL
        self._note(found)
        return found

    async def stands_still(self) -> bool:
        """Tell whether the database neither answers nor refuses to."""
        return await self.find_obstacle() == STANDS_STILL

    def _forget(self, _looking: object) -> None:
        self._looking = None

    def _note(self, obstacle: str) -> None:
        if obstacle != self._obstacle:
            level = logging.WARNING if obstacle else logging.INFO
            _log.log(level, "%s", obstacle or "the server can work again")
        self._obstacle = obstacle


def find_obstacle(site: Site) -> str:
    """Return why a server cannot work; empty where it can."""
    try:
        with site.store.writing() as connection:
            # Nobody has this id. A database that may only be read refuses all the same.
            connection.execute("UPDATE servers SET seen = seen WHERE id = ?", ("",))
        ((version,),) = site.store.ask("SELECT version_num FROM alembic_version")
        free = shutil.disk_usage(site.data).free
    except PlatformError as error:
        return error.message
    except OSError as error:
        return f"{site.data} cannot be looked at: {error.strerror}"
    if int(version) != len(MIGRATIONS):
        return f"the database has version {version}, and this Windlass knows {len(MIGRATIONS)}"
    if free < LEAST_FREE_BYTES:
        return f"{site.data} has {free >> 20} MiB left, and {LEAST_FREE_BYTES >> 20} are needed"
    return ""


def _answer(status: str, code: int) -> Response:
    return JSONResponse({"status": status}, code, {"Cache-Control": "no-store"})
