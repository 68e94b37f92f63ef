"""The processes of a server that are there, as each says of itself."""

from __future__ import annotations

import os
import secrets
import socket
from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A process; `started` and `seen` are seconds since the epoch, by its own clock."""

    id: str
    started: float
    seen: float


def name_server() -> str:
    """Return an id for this process, which no other has or has had."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def note_server(connection: Connection, row: ServerRow) -> None:
    """Note that a process is there."""
    connection.execute(
        "INSERT INTO servers (id, started, seen) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET seen = excluded.seen",
        (row.id, row.started, row.seen),
    )


def list_servers(store: Store) -> list[ServerRow]:
    """Return the processes that have not said that they end, oldest first."""
    rows = store.ask("SELECT id, started, seen FROM servers ORDER BY started, id")
    return [ServerRow(*row) for row in rows]


def forget_server(connection: Connection, server: str) -> None:
    """Forget a process, which has ended."""
    connection.execute("DELETE FROM servers WHERE id = ?", (server,))
