"""A process that carries effects out and writes what it does into a ledger, to be killed by tests.

    python -m tests.effect_server threads|dbos ADDRESS FOLDER OWNER

Each effect takes its payload's `seconds`. Lines of the ledger are `begin ID OWNER`, `end ID OWNER`.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.db.server_database import ServerDatabase
from windlass.engine.effects.dbos import DbosEffects, place_tables
from windlass.engine.effects.desk import Rules
from windlass.engine.effects.threads import ThreadedEffects

if TYPE_CHECKING:
    from windlass.engine.effects.interface import Effect, Effects


def main(adapter: str, address: str, folder: str, owner: str) -> None:
    """Carry effects out until standard input ends."""
    data = Path(folder)
    ledger = os.open(data / "ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def work(effect: Effect) -> None:
        os.write(ledger, f"begin {effect.id} {owner}\n".encode())
        select.poll().poll(1000 * effect.payload["seconds"])
        os.write(ledger, f"end {effect.id} {owner}\n".encode())

    store = ServerDatabase(address)
    rules = Rules(owner=owner)
    effects: Effects
    if adapter == "threads":
        effects = ThreadedEffects(store, {"work": work}, rules)
    else:
        effects = DbosEffects(store, {"work": work}, rules, place_tables(address, data))
    effects.start()
    os.write(ledger, f"ready - {owner}\n".encode())
    sys.stdin.read()
    effects.stop(5)
    store.close()
    assert not [it for it in threading.enumerate() if it.name.startswith("effect ")]


if __name__ == "__main__":
    main(*sys.argv[1:])
