"""The server itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass import __version__
from windlass.operations.hosted.operation import Operation
from windlass.protocol.api.messages import API_VERSION
from windlass.protocol.api.server import INFO, ServerInfo, ShowServer

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site


def show_server(site: Site, _given: ShowServer) -> ServerInfo:
    """Say what this server is: its versions, its address, its clock."""
    return ServerInfo(
        version=__version__,
        api=API_VERSION,
        address=site.address,
        time=site.now(),
    )


OPERATIONS: Final = (
    Operation(
        call=INFO,
        effect="read",
        function=show_server,
    ),
)
