"""A WebSocket client over a real socket, made of wsproto."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 30


class WebSocketClient:
    """One connection; `close_code` is set once the server has closed it."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._texts: list[str] = []
        self._part = ""
        self.close_code: int | None = None
        self.status: int | None = None
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]
        request = Request(host=f"127.0.0.1:{port}", target=path, extra_headers=extra)
        self._socket.sendall(self._connection.send(request))
        while self.status is None:
            self._receive()

    def send(self, message: object) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        self._socket.sendall(self._connection.send(TextMessage(data=text)))

    def read(self) -> Any:
        """The next message; None where the server has closed."""
        while not self._texts and self.close_code is None:
            self._receive()
        return json.loads(self._texts.pop(0)) if self._texts else None

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> None:
        data = self._socket.recv(1 << 20)
        if not data:
            self.close_code = self.close_code or 1006
            self.status = self.status or 0
            return
        self._connection.receive_data(data)
        for event in self._connection.events():
            match event:
                case AcceptConnection():
                    self.status = 101
                case RejectConnection():
                    self.status = event.status_code
                case TextMessage():
                    self._part += event.data
                    if event.message_finished:
                        self._texts.append(self._part)
                        self._part = ""
                case Ping():
                    self._socket.sendall(self._connection.send(event.response()))
                case CloseConnection():
                    self.close_code = event.code
                case _:
                    pass


@contextmanager
def connect(port: int, path: str, **headers: str) -> Iterator[WebSocketClient]:
    client = WebSocketClient(port, path, headers)
    try:
        yield client
    finally:
        client.close()
