"""Processes that carry effects out, and the ledger by which tests see what they do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.waiting import wait_until

from windlass.db.effects import list_waiting, post_effect
from windlass.db.server_database import ServerDatabase

ROOT = Path(__file__).parents[1]
ADAPTERS = ("threads", "dbos") if "WINDLASS_LONG" in os.environ else ("threads",)
"""What carries effects out where that takes long: by default what servers have by default, in
`./dev nightly` DBOS too. The contract suite has both every time."""


class Servers:
    """Processes that carry effects out, the database they share, and the ledger they write."""

    def __init__(self, adapter: str, address: str, folder: Path) -> None:
        self.adapter = adapter
        self.store = ServerDatabase(address)
        self._address = address
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, owner: str) -> subprocess.Popen[bytes]:
        """Start one, and wait until it is ready."""
        given = [self.adapter, self._address, str(self._folder), owner]
        self._running[owner] = started = subprocess.Popen(
            [sys.executable, "-m", "tests.effect_server", *given],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert wait_until(lambda: ("ready", "-", owner) in self.read_ledger())
        return started

    def kill(self, owner: str) -> None:
        """Kill one as a crash of the machine would."""
        self._running[owner].kill()
        self._end(owner)

    def end(self, owner: str) -> str:
        """Have one end by itself, and return what it has printed."""
        return self._end(owner)

    def _end(self, owner: str) -> str:
        return self._running.pop(owner).communicate(timeout=60)[0].decode()

    def post(self, key: str, seconds: float = 0) -> None:
        with self.store.writing() as connection:
            post_effect(connection, key, "work", {"seconds": seconds}, 0)

    def read_ledger(self) -> list[tuple[str, ...]]:
        path = self._folder / "ledger"
        if not path.exists():
            return []
        return [tuple(line.split()) for line in path.read_text().splitlines()]

    def is_done(self) -> bool:
        return list_waiting(self.store, 1) == []

    def close(self) -> None:
        for process in self._running.values():
            process.kill()
            process.communicate()
        self.store.close()
