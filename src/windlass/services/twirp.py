"""Remote procedures as GitHub's clients call them: Twirp over JSON.

Source: https://twitchtv.github.io/twirp/docs/spec_v7.html and, for what may be written how in JSON,
https://protobuf.dev/programming-guides/json/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from windlass.model.values import dataclass
from windlass.services.messages import Request, RequestError, Response, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.services.server import Server

_CAPITAL: Final = re.compile(r"[A-Z]")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `fields` are the message's, under their names in the definition (`like_this`)."""

    request: Request
    fields: Mapping[str, Any]

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text.

        Raises:
            RequestError: it is missing where no default is given, or it is no text.
        """
        if self.fields.get(name) is None and default is not None:
            return default
        return read_text(self.fields, name)

    def number(self, name: str) -> int | None:
        """Return a whole number, which JSON has as a text where it may be large; None without one.

        Raises:
            RequestError: it is no whole number.
        """
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, (int, str)) and not isinstance(value, bool):
                return int(value)
        except ValueError:
            pass
        raise RequestError(400, f"The field {name} has to be a whole number.")


Procedure: TypeAlias = "Callable[[Call], Mapping[str, Any]]"


def serve(server: Server, service: str, procedures: Mapping[str, Procedure]) -> None:
    """Let a server answer the calls of one service, for jobs with a token."""
    prefix = f"/twirp/{service}/"

    def handle(request: Request) -> Response:
        procedure = procedures.get(request.path.removeprefix(prefix))
        if procedure is None or request.method != "POST":
            message = f"Windlass has no {request.method} {request.path}."
            raise RequestError(404, message, body={"code": "bad_route", "msg": message})
        fields = {_to_field(name): value for name, value in request.read_json().items()}
        return Response.json(procedure(Call(request, fields)))

    server.routes(prefix, handle)


def _to_field(name: str) -> str:
    """Return the name in the definition; JSON may say `likeThis` for `like_this`."""
    return _CAPITAL.sub(lambda match: f"_{match[0].lower()}", name)
