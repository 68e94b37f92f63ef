"""Where the REST API is on the server of a run's services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from windlass.services.catalogue import Means
    from windlass.services.messages import Request, Response
    from windlass.services.server import Server

API_PATH: Final = "/api/v3"
"""Where GitHub's own servers at customers have their REST API: clients derive others from it."""

GRAPHQL_PATH: Final = "/api/graphql"


def add_routes(server: Server, means: Means) -> None:
    """Let a server answer for GitHub's REST API, and refuse GraphQL in its own shape."""

    def serve(request: Request) -> Response:
        # Imported with the first question: most jobs ask none.
        from windlass.services.github_api.routes import answer_request

        return answer_request(request, server.tokens, means)

    def refuse(request: Request) -> Response:
        from windlass.services.github_api.routes import refuse_graphql

        return refuse_graphql(request)

    # The token is looked at by the API itself: it is another one, and errors have GitHub's shape.
    server.routes(f"{API_PATH}/", serve, needs_token=False)
    server.routes(GRAPHQL_PATH, refuse, needs_token=False)


def api_addresses(origin: str) -> dict[str, str]:
    """Return where this API is, by the keys of the `github` context."""
    return {"api_url": f"{origin}{API_PATH}", "graphql_url": f"{origin}{GRAPHQL_PATH}"}
