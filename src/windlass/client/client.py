"""Asking a server: each call of `windlass.protocol.api` has its answer, or an error that says why.

    with Client("http://127.0.0.1:8484", token) as client:
        for run in client.list_all(runs.LIST, runs.ListRuns(state="failure")):
            client.ask(runs.RERUN, runs.RerunRun(run=run.run, failed=True))

What may be sent again is sent again where the server was not reached: a `POST` has a key by which
it is carried out once.
"""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

from windlass import __version__
from windlass.client.logins import LOOPBACK
from windlass.client.problems import explain_transport, read_problem
from windlass.errors import InputError, PlatformError
from windlass.protocol.api.messages import API_VERSION, Input, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from windlass.protocol.api.calls import Call


Given = TypeVar("Given", bound=Input)
Answer = TypeVar("Answer", bound=Output)

PREFIX: Final = f"/api/v{API_VERSION}"
SECONDS_TO_CONNECT: Final = 10.0
SECONDS_TO_ANSWER: Final = 60.0
PAUSES: Final = (0.1, 0.4, 1.0, 2.0)
"""How long to wait before each further try."""

_TOKEN: Final = re.compile(r"[!-~]+")
_BUSY: Final = (429, 503)
_NO_CONTENT: Final = 204


class Client:
    """Asks one server; may be used by several threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the address of a server and an access token for it; nothing is asked yet.

        Raises:
            InputError: the address is none, or the token cannot be one.
        """
        self.url = check_url(url)
        if not _TOKEN.fullmatch(token):
            raise InputError(
                "what is given as the access token cannot be one: it holds other letters",
                hint="`windlass tokens create` makes one",
            )
        self.sleep = sleep
        self.http = httpx.Client(
            base_url=self.url + PREFIX,
            headers={"Authorization": f"Bearer {token}", "User-Agent": f"windlass/{__version__}"},
            timeout=httpx.Timeout(SECONDS_TO_ANSWER, connect=SECONDS_TO_CONNECT),
            # A proxy that the environment names is for what is far away.
            trust_env=not is_loopback(self.url),
            transport=transport,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def ask(self, call: Call[Given, Answer], given: Given) -> Answer:
        """Make a call and return its answer.

        Raises:
            InputError: the server refused it; the subclass says why.
            PlatformError: the server was not reached, is in trouble, or is none.
        """
        answer = self._send(call, given)
        if answer.is_error:
            raise read_problem(answer, self.url)
        text = b"{}" if answer.status_code == _NO_CONTENT else answer.content
        try:
            return call.answer.model_validate_json(text)
        except ValidationError:
            raise PlatformError(
                f"what answers at {self.url} is not a server of Windlass, or of another version",
                hint="is that the address that `windlass up` printed?",
            ) from None

    def list_all(
        self, call: Call[Given, Answer], given: Given, limit: int | None = None
    ) -> Iterator[Any]:
        """Yield what is on all pages of a list, or the first `limit` of it."""
        count = 0
        while True:
            page: Any = self.ask(call, given)
            for item in page.items:
                if limit is not None and count >= limit:
                    return
                yield item
                count += 1
            if page.next is None or (limit is not None and count >= limit):
                return
            given = given.model_copy(update={"cursor": page.next})

    def _send(self, call: Call[Given, Answer], given: Given) -> httpx.Response:
        request = self._build(call, given)
        for pause in (*PAUSES, None):
            try:
                answer = self.http.send(request)
            except httpx.TransportError as error:
                if pause is None or not _may_be_sent_again(call, error):
                    raise explain_transport(error, self.url) from error
            else:
                if pause is None or answer.status_code not in _BUSY:
                    return answer
            self.sleep(pause)
        raise AssertionError  # the last pause is None

    def _build(self, call: Call[Given, Answer], given: Given) -> httpx.Request:
        values = given.model_dump(mode="json", exclude_none=True)
        path = call.path.format(
            **{name: quote(str(values[name]), safe="") for name in call.in_path}
        )
        others = {name: values[name] for name in call.others if name in values}
        headers = {"Idempotency-Key": secrets.token_hex(16)} if call.method == "POST" else {}
        if call.has_body:
            return self.http.build_request(call.method, path, json=others, headers=headers)
        return self.http.build_request(call.method, path, params=_spell(others), headers=headers)


def check_url(url: str) -> str:
    """Return the address of a server without a slash at its end.

    Raises:
        InputError: it is none.
    """
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_good = False
    if not is_good or parts.query or parts.fragment or parts.username:
        raise InputError(
            f"'{url}' is not the address of a server", hint="for instance http://127.0.0.1:8484"
        )
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Tell whether a server is on this machine."""
    return urlsplit(url).hostname in LOOPBACK


def _spell(values: dict[str, Any]) -> dict[str, str]:
    """Return values as they stand in an address."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }


def _may_be_sent_again(call: Call[Any, Any], error: httpx.TransportError) -> bool:
    """Tell whether nothing happens twice: what was removed, for one, would not be found again."""
    return call.method != "DELETE" or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
