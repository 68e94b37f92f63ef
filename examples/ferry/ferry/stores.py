"""Where crossings are kept: PostgreSQL, with the last one in Redis."""

from __future__ import annotations

import json
import os
from typing import Any

import pg8000.native
import redis

TABLE = "CREATE TABLE IF NOT EXISTS crossings (number serial PRIMARY KEY, port text, seats int)"


class Crossings:
    """The crossings that are planned."""

    def __init__(self) -> None:
        """Connect to what the variables name; PostgreSQL keeps, Redis remembers the last."""
        self._database = pg8000.native.Connection(
            "postgres",
            host=os.environ.get("DATABASE_HOST", "127.0.0.1"),
            port=int(os.environ.get("DATABASE_PORT", "5432")),
            password=os.environ["DATABASE_PASSWORD"],
        )
        self._memory = redis.Redis(
            host=os.environ.get("REDIS_HOST", "127.0.0.1"),
            port=int(os.environ.get("REDIS_PORT", "6379")),
        )
        self._database.run(TABLE)

    def plan(self, port: str, seats: int) -> int:
        """Plan a crossing and return its number."""
        statement = "INSERT INTO crossings (port, seats) VALUES (:port, :seats) RETURNING number"
        ((number,),) = self._database.run(statement, port=port, seats=seats)
        self._memory.set("last", json.dumps({"number": number, "port": port, "seats": seats}))
        return int(number)

    def list(self) -> list[dict[str, Any]]:
        """Return all crossings in the order they were planned."""
        rows = self._database.run("SELECT number, port, seats FROM crossings ORDER BY number")
        return [{"number": number, "port": port, "seats": seats} for number, port, seats in rows]

    def last(self) -> dict[str, Any] | None:
        """Return the crossing that was planned last, from memory."""
        found = self._memory.get("last")
        return json.loads(found) if found else None

    def close(self) -> None:
        """Close both connections."""
        self._database.close()
        self._memory.close()
