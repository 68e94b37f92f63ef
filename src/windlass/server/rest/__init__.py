"""The catalogue over HTTP: every operation has its address below `/api/v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from windlass.operations.hosted.catalogue import CATALOGUE
from windlass.server.rest.endpoints import Endpoint
from windlass.server.rest.openapi import PREFIX, write_document

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from windlass.operations.hosted.site import Site

_JSON: Final = "application/json"


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of all operations, one an address, and that of their description."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for operation in CATALOGUE:
        methods = by_path.setdefault(PREFIX + operation.call.path, {})
        methods[operation.call.method] = Endpoint(site, operation)
    found: list[BaseRoute] = [
        Route(path, _choose(methods), methods=sorted(methods)) for path, methods in by_path.items()
    ]
    return [_describe(site), *found]


def _choose(methods: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        # What is asked for with HEAD is answered as with GET; the server leaves the body away.
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method].answer(request)

    return answer


def _describe(site: Site) -> BaseRoute:
    document = ""

    async def describe(_: Request) -> Response:
        nonlocal document
        document = document or write_document(CATALOGUE, site.address)
        return Response(document, media_type=_JSON)

    return Route(f"{PREFIX}/openapi.json", describe)
