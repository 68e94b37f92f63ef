"""One operation behind one method of one address."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from starlette.responses import Response

from windlass.server.guard import read_bearer
from windlass.server.problems import problem_of
from windlass.server.rest import replays
from windlass.server.rest.replays import Answer
from windlass.server.rest.requests import (
    JSON,
    BadFieldsError,
    BadMediaError,
    find_kinds,
    read_input,
)
from windlass.server.threads import run_in_thread

if TYPE_CHECKING:
    from starlette.requests import Request

    from windlass.operations.hosted.callers import Caller
    from windlass.operations.hosted.operation import Operation
    from windlass.operations.hosted.site import Site
    from windlass.protocol.api.messages import Input, Output

_NO_CONTENT: Final = 204
_NOT_MODIFIED: Final = 304


class Endpoint:
    """Answers requests for one operation."""

    def __init__(self, site: Site, operation: Operation) -> None:
        self._site = site
        self._operation = operation

    @functools.cached_property
    def _kinds(self) -> Any:
        return find_kinds(self._operation.call.given)

    async def answer(self, request: Request) -> Response:
        """Carry the operation out with what a request gives."""
        body = await request.body()
        try:
            given = read_input(self._operation, self._kinds, request, body)
        except BadFieldsError as error:
            return problem_of("invalid", error.message, more={"errors": error.errors})
        except BadMediaError as error:
            return problem_of("media-type", error.message)
        answer = await run_in_thread(self._answer, request, given, body)
        return self._respond(request, answer)

    def _answer(self, request: Request, given: Input, body: bytes) -> Answer:
        key = request.headers.get(replays.HEADER)
        if key is None or self._operation.call.method != "POST":
            return self._carry_out(self._site, given)
        caller: Caller = request.scope["caller"]
        target = request.url.path
        about = replays.Request(
            token=caller.token,
            key=replays.read_key(key),
            digest=replays.digest_request(read_bearer(request.scope), request.method, target, body),
            once=self._operation.once,
        )
        return replays.answer_once(
            self._site,
            about,
            lambda site: self._carry_out(site, given, f"{about.key}/{about.digest}"),
            lambda: self._tell(self._operation.retell(self._site, given)),
        )

    def _carry_out(self, site: Site, given: Input, key: str | None = None) -> Answer:
        return self._tell(self._operation.carry_out(site, given, key))

    def _tell(self, value: Output | None) -> Answer:
        text = "" if value is None else value.model_dump_json()
        return Answer(self._operation.status, text, next=getattr(value, "next", None))

    def _respond(self, request: Request, answer: Answer) -> Response:
        headers = {replays.REPLAYED: "true"} if answer.is_replayed else {}
        if answer.status == _NO_CONTENT:
            return Response(status_code=_NO_CONTENT, headers=headers)
        if self._operation.once:
            headers["Cache-Control"] = "no-store"
        if self._operation.call.method == "GET":
            tag = f'"{hashlib.sha256(answer.body.encode()).hexdigest()[:32]}"'
            headers |= {"ETag": tag, "Cache-Control": "private, no-cache"}
            if _is_known(request.headers.get("if-none-match", ""), tag):
                return Response(status_code=_NOT_MODIFIED, headers=headers)
            headers |= self._link(request, answer)
        return Response(answer.body, answer.status, headers=headers, media_type=JSON)

    def _link(self, request: Request, answer: Answer) -> dict[str, str]:
        """Return the header that leads to the next page of a list.

        Source: https://www.rfc-editor.org/rfc/rfc8288
        """
        if answer.next is None:
            return {}
        asked = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
        query = urlencode([*asked, ("cursor", answer.next)])
        path = quote(request.scope["path"])
        return {"Link": f'<{self._site.address}{path}?{query}>; rel="next"'}


def _is_known(header: str, tag: str) -> bool:
    """Tell whether whoever asks has what would be answered.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
    """
    return header.strip() == "*" or any(
        it.strip().removeprefix("W/") == tag for it in header.split(",")
    )
