"""The server's application: the routes of all rooms behind one door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from windlass.errors import WindlassError
from windlass.server import badges, git, health, hooks, live, metrics, rest, runners, services
from windlass.server.boundary import BodyLimits, KnownHosts, LastResort
from windlass.server.exposure import Exposure, list_middleware
from windlass.server.guard import Guard
from windlass.server.known_callers import KnownCallers
from windlass.server.limits import TokenLimits
from windlass.server.problems import answer_error, answer_http_error
from windlass.server.request_lines import RequestLines
from windlass.server.standstills import Standstills

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from starlette.routing import BaseRoute

    from windlass.operations.hosted.callers import CheckToken
    from windlass.operations.hosted.site import Site


GUARDED: Final = (rest, live, metrics)
"""Rooms whose routes ask for an access token."""

OPEN: Final = (runners, services, git, hooks, badges, health)
"""Rooms that look at credentials of their own, at signatures, or tell nothing."""

NARROW: Final = Exposure()
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
    exposure: Exposure = NARROW,
    **options: Any,
) -> Starlette:
    """Return the application of a server.

    `routes` and, for those with an access token only, `guarded` are added to those of the rooms.
    `hosts` are the names, besides that of the site's address and those of loopback, by which it may
    be asked, `exposure` says by whom and how often. `options` are Starlette's, such as `lifespan`.
    """
    known = {*hosts, urlsplit(site.address).hostname or "localhost"}
    callers = KnownCallers(site, check_token)
    limits = TokenLimits(exposure.per_second)
    own = guard(guarded, callers, limits)
    return Starlette(
        routes=[*collect_routes(site, callers, limits), *own, *routes],
        middleware=[
            Middleware(RequestLines),
            *list_middleware(exposure, site.address),
            Middleware(LastResort),
            Middleware(KnownHosts, hosts=known),
            Middleware(BodyLimits, limits=LIMITS),
            Middleware(Standstills, stands_still=health.Readiness(site).stands_still),
        ],
        exception_handlers={WindlassError: answer_error, HTTPException: answer_http_error},
        **options,
    )


def collect_routes(site: Site, callers: KnownCallers, limits: TokenLimits) -> list[BaseRoute]:
    """Return the routes of all rooms."""
    guarded = [route for room in GUARDED for route in room.routes(site)]
    return guard(guarded, callers, limits) + [route for room in OPEN for route in room.routes(site)]


def guard(
    routes: Sequence[BaseRoute], callers: KnownCallers, limits: TokenLimits
) -> list[BaseRoute]:
    """Have whoever asks for one of some routes show an access token."""
    for route in routes:
        behind: Any = route
        behind.app = Guard(behind.app, callers, limits)
    return list(routes)
