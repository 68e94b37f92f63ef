"""Where others tell the server of events: webhooks of GitHub, and Git's own hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from windlass.operations.hosted.webhooks import Posted, receive_pushes, receive_webhook
from windlass.server.threads import run_in_thread

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from windlass.operations.hosted.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of hooks; what is posted there has to be signed."""

    async def receive_github(request: Request) -> Response:
        posted = Posted(
            event=request.headers.get("x-github-event", ""),
            guid=request.headers.get("x-github-delivery", ""),
            signature=request.headers.get("x-hub-signature-256", ""),
            media_type=request.headers.get("content-type", ""),
            body=await request.body(),
        )
        receipt = await run_in_thread(receive_webhook, site, _name(request), posted)
        if receipt is None:
            return _accept({"state": "ignored"})
        if not receipt.new:
            return _accept({"state": "known"})
        return _accept({"state": "received", "delivery": receipt.id})

    async def receive_git(request: Request) -> Response:
        signature = request.headers.get("x-windlass-signature-256", "")
        body = await request.body()
        count = await run_in_thread(receive_pushes, site, _name(request), body, signature)
        return _accept({"state": "received" if count else "known", "pushes": count})

    return [
        Route("/hooks/github/{owner}/{name}", receive_github, methods=["POST"]),
        Route("/hooks/git/{owner}/{name}", receive_git, methods=["POST"]),
    ]


def _name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def _accept(body: dict[str, Any]) -> Response:
    """Answer that it was written down; what comes of it is found later."""
    return JSONResponse(body, 202)
