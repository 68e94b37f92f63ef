"""The server's application: the routes of all rooms behind one door."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from windlass.errors import WindlassError
from windlass.model.values import dataclass
from windlass.server.boundary import BodyLimits, KnownHosts, LastResort
from windlass.server.guard import Guard
from windlass.server.problems import answer_error, answer_http_error
from windlass.server.request_lines import RequestLines

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from starlette.routing import BaseRoute

    from windlass.operations.hosted.callers import CheckToken
    from windlass.operations.hosted.site import Site


@dataclass(frozen=True, slots=True)
class Room:
    """A module with `routes(site)`; where it is guarded, requests have to show an access token."""

    module: str
    guarded: bool


ROOMS: Final = (
    Room("windlass.server.rest", guarded=True),
    Room("windlass.server.live", guarded=True),
    Room("windlass.server.runners", guarded=False),  # runners show credentials of their own
    Room("windlass.server.services", guarded=False),
    Room("windlass.server.git", guarded=False),
    Room("windlass.server.hooks", guarded=False),  # deliveries are signed
    Room("windlass.server.health", guarded=False),
    Room("windlass.server.metrics", guarded=True),
)

LIMITS: Final[Mapping[str, int | None]] = {
    "/hooks/": 25 << 20,  # GitHub's own, of the payload of a webhook
    "/runner/": 32 << 20,
    "/git/": 32 << 20,
}
"""Bytes that a body may have, by the beginning of its path; 1 MiB elsewhere."""


def make_app(
    site: Site,
    check_token: CheckToken,
    *,
    routes: Sequence[BaseRoute] = (),
    guarded: Sequence[BaseRoute] = (),
    hosts: Collection[str] = (),
    **options: Any,
) -> Starlette:
    """Return the application of a server.

    `routes` and, for those with an access token only, `guarded` are added to those of the rooms.
    `hosts` are the names, besides that of the site's address and those of loopback, by which it may
    be asked. `options` are Starlette's, such as `lifespan`.
    """
    known = {*hosts, urlsplit(site.address).hostname or "localhost"}
    return Starlette(
        routes=[*collect_routes(site, check_token), *guard(guarded, check_token), *routes],
        middleware=[
            Middleware(RequestLines),
            Middleware(LastResort),
            Middleware(KnownHosts, hosts=known),
            Middleware(BodyLimits, limits=LIMITS),
        ],
        exception_handlers={WindlassError: answer_error, HTTPException: answer_http_error},
        **options,
    )


def collect_routes(site: Site, check_token: CheckToken) -> list[BaseRoute]:
    """Return the routes of all rooms."""
    routes: list[BaseRoute] = []
    for room in ROOMS:
        if find_spec(room.module) is not None:
            found = import_module(room.module).routes(site)
            routes += guard(found, check_token) if room.guarded else found
    return routes


def guard(routes: Sequence[BaseRoute], check_token: CheckToken) -> list[BaseRoute]:
    """Have whoever asks for one of some routes show an access token."""
    for route in routes:
        behind: Any = route
        behind.app = Guard(behind.app, check_token)
    return list(routes)
