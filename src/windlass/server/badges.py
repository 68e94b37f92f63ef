"""`/badges/OWNER/NAME/WORKFLOW.svg?branch=`: images for a README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from windlass.operations.hosted.badges import draw_badge, find_badge
from windlass.operations.hosted.tokens import check_token
from windlass.server.guard import read_bearer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from windlass.operations.hosted.site import Site

_HEADERS: Final = {
    # Proxies for images, as GitHub has one, keep them as long as they may.
    "Cache-Control": "no-cache, max-age=0",
    "Content-Security-Policy": "default-src 'none'",
    # A README is on another site.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def routes(site: Site) -> list[BaseRoute]:
    """Return the route of badges."""

    def show(request: Request) -> Response:
        parts = request.path_params
        token = read_bearer(request.scope)
        badge = find_badge(
            site,
            f"{parts['owner']}/{parts['name']}",
            parts["workflow"],
            branch=request.query_params.get("branch", ""),
            known=bool(token) and check_token(site, token) is not None,
        )
        return Response(draw_badge(badge), media_type="image/svg+xml", headers=_HEADERS)

    return [Route("/badges/{owner}/{name}/{workflow}.svg", show)]
