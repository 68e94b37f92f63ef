"""GET /crossings, GET /crossings/last, POST /crossings {"port": ..., "seats": ...}."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

VERSION = "1.0"


class Api(BaseHTTPRequestHandler):
    """Answers from the store of its server."""

    def do_GET(self) -> None:
        """Answer what is planned."""
        store = self.server.store  # type: ignore[attr-defined]
        answers = {"/crossings": store.list, "/crossings/last": store.last}
        answer = answers.get(self.path)
        self._answer(200 if answer else 404, answer() if answer else None)

    def do_POST(self) -> None:
        """Plan a crossing."""
        wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = self.server.store.plan(wish["port"], wish["seats"])  # type: ignore[attr-defined]
        self._answer(201, {"number": number})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def make_server(store: Any, port: int = 0) -> HTTPServer:
    """Return a server over a store; port 0 is any that is free."""
    server = HTTPServer(("127.0.0.1", port), Api)
    server.store = store  # type: ignore[attr-defined]
    return server


def main() -> None:
    """Serve, or say the version."""
    if "--version" in sys.argv:
        print(f"ferry {VERSION}")
        return
    from ferry.stores import Crossings

    make_server(Crossings(), 8080).serve_forever()


if __name__ == "__main__":
    main()
