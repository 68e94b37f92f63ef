"""The server itself."""

from __future__ import annotations

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Input, Output, Time


class ShowServer(Input):
    """Nothing: there is one server."""


class ServerInfo(Output):
    """What a server is."""

    version: str = Field(description="The version of Windlass.", examples=["0.5.0"])
    api: int = Field(description="The version of this API.", examples=[1])
    address: str = Field(description="Where it is found.", examples=["http://127.0.0.1:8484"])
    time: Time = Field(description="What its clock says.")


INFO = Call("server.info", "GET", "/server", ShowServer, ServerInfo)
