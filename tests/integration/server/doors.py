"""The doors of a server, each of which takes the same operation: function, REST, client, CLI."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import httpx
from tests.hosted_site import TOKEN

from windlass.cli.main import main
from windlass.operations.hosted.catalogue import CATALOGUE, find_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest

    from windlass.client.client import Client
    from windlass.operations.hosted.site import Site

    Values = Mapping[str, Any]


class Door(Protocol):
    def __call__(self, name: str, values: Values) -> Any:
        """Carry an operation out; what it answers as JSON, None for nothing."""


class FunctionDoor:
    def __init__(self, site: Site) -> None:
        self._site = site

    def __call__(self, name: str, values: Values) -> Any:
        operation = find_operation(name)
        answer = operation.carry_out(self._site, operation.call.given(**values))
        return None if answer is None else json.loads(answer.model_dump_json())


class RestDoor:
    """Knows nothing but the server's own description of itself."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
            trust_env=False,
        )
        document = self.http.get("/api/v1/openapi.json").json()
        self._entries = {
            entry["operationId"]: (method.upper(), path, entry)
            for path, methods in document["paths"].items()
            for method, entry in methods.items()
        }

    def __call__(self, name: str, values: Values) -> Any:
        method, path, entry = self._entries[name]
        places = {it["name"]: it["in"] for it in entry["parameters"]}
        inside = {
            key: quote(str(it), safe="") for key, it in values.items() if places.get(key) == "path"
        }
        query = {key: it for key, it in values.items() if places.get(key) == "query"}
        body = {key: it for key, it in values.items() if key not in places}
        answer = self.http.request(
            method,
            path.format(**inside),
            params=query,
            json=body if "requestBody" in entry else None,
        )
        assert str(answer.status_code) in entry["responses"], answer.text
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def close(self) -> None:
        self.http.close()


class ClientDoor:
    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, name: str, values: Values) -> Any:
        call = find_operation(name).call
        answer = self._client.ask(call, call.given(**values))
        return json.loads(answer.model_dump_json()) or None


class CommandDoor:
    """The command line, in this process."""

    def __init__(
        self,
        address: str,
        words: Mapping[str, Callable[[Values], Sequence[str]]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self._words = words
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("WINDLASS_SERVER", address)
        monkeypatch.setenv("WINDLASS_TOKEN", TOKEN)

    def __call__(self, name: str, values: Values) -> Any:
        code, text, told = self.run(self._words[name](values), str(values.get("value", "")))
        assert code == 0, told
        if text.startswith("{\n"):
            return json.loads(text)
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        if find_operation(name).call.answer.model_fields.get("items"):
            return {"items": found}
        return found[0] if found else None

    def run(self, words: Sequence[str], given: str = "") -> tuple[int, str, str]:
        """Run a command; its exit code, stdout and stderr."""
        out, err = io.StringIO(), io.StringIO()
        with self._monkeypatch.context() as patched:
            patched.setattr(sys, "stdin", io.StringIO(given))
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            code = main(words)
        return code, out.getvalue(), err.getvalue()


NAMES = tuple(operation.name for operation in CATALOGUE)
