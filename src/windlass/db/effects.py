"""What has to be done outside of a transaction: written with what causes it, done afterwards.

An effect is entered once for ever under its id, which is the key of its idempotency. Who carries it
out holds it for a while, by moving `due` ahead and writing its name beside it; whoever dies lets it
fall due again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from windlass.db.connections import marks
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from windlass.db.connections import Connection, Store

_COLUMNS: Final = "id, kind, payload, lane, due, tries"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """Something that is still to be done.

    `payload` is a JSON object and holds no secret; `due` is in seconds since the epoch; `tries`
    counts those that have failed. Effects of one `lane` wait for each other, more or less: they ask
    the same remote. Those of no lane wait for nobody.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    lane: str = ""
    due: float
    tries: int = 0


def post_effect(
    connection: Connection,
    key: str,
    kind: str,
    payload: Mapping[str, Any],
    due: float = 0.0,
    lane: str = "",
) -> bool:
    """Have something done, not before `due`; False where that key was entered before.

    The key becomes the id; what recurs has its time or its number within it. Whoever has committed
    wakes the effects.
    """
    added = connection.execute(
        "INSERT INTO effects (id, kind, payload, due, lane) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (key, kind, json.dumps(payload), due, lane),
    )
    return added.rowcount == 1


def list_due(
    store: Store, kinds: Sequence[str], now: float, limit: int, full: Collection[str] = ()
) -> list[EffectRow]:
    """Return effects of some kinds whose time has come, those that have waited longest first.

    Lanes that are `full` are left out.
    """
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM effects WHERE done IS NULL AND due <= ? "  # noqa: S608
        f"AND kind IN ({marks(kinds)}){_outside(full)} ORDER BY due LIMIT ?",
        (now, *kinds, *full, limit),
    )
    return [_read(row) for row in rows]


def find_next_due(store: Store, kinds: Sequence[str], full: Collection[str] = ()) -> float | None:
    """Return when the next effect of `list_due` is due; None where none is waiting."""
    ((due,),) = store.ask(
        "SELECT min(due) FROM effects WHERE done IS NULL "  # noqa: S608
        f"AND kind IN ({marks(kinds)}){_outside(full)}",
        (*kinds, *full),
    )
    return None if due is None else float(due)


def list_waiting(store: Store, limit: int) -> list[EffectRow]:
    """Return what is still to be done, whenever that is."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM effects WHERE done IS NULL ORDER BY due LIMIT ?",  # noqa: S608
        (limit,),
    )
    return [_read(row) for row in rows]


def hold_effect(connection: Connection, row: EffectRow, owner: str, until: float) -> bool:
    """Take an effect for a while; False where somebody else was faster."""
    held = connection.execute(
        "UPDATE effects SET owner = ?, due = ? WHERE id = ? AND due = ? AND done IS NULL",
        (owner, until, row.id, row.due),
    )
    return held.rowcount == 1


def keep_holding(
    connection: Connection, keys: Iterable[str], owner: str, until: float
) -> list[str]:
    """Hold effects for longer, and return those that are somebody else's by now."""
    return [
        key
        for key in keys
        if connection.execute(
            "UPDATE effects SET due = ? WHERE id = ? AND owner = ? AND done IS NULL",
            (until, key, owner),
        ).rowcount
        == 0
    ]


def finish_effect(connection: Connection, row: EffectRow, now: float, message: str = "") -> bool:
    """Note that an effect is done, or with a message that it was given up.

    False where the end of that try is known already.
    """
    done = connection.execute(
        "UPDATE effects SET done = ?, message = ?, owner = NULL "
        "WHERE id = ? AND tries = ? AND done IS NULL",
        (now, message, row.id, row.tries),
    )
    return done.rowcount == 1


def put_off_effect(connection: Connection, row: EffectRow, due: float, message: str) -> bool:
    """Note that a try has failed, and when the next is due; False as of `finish_effect`."""
    put_off = connection.execute(
        "UPDATE effects SET tries = tries + 1, due = ?, message = ?, owner = NULL "
        "WHERE id = ? AND tries = ? AND done IS NULL",
        (due, message, row.id, row.tries),
    )
    return put_off.rowcount == 1


def move_effects(connection: Connection, after: float, seconds: float) -> int:
    """Let what waits for a time after a moment wait so much less; return how much that is.

    What is held is left alone: whoever holds it says until when.
    """
    moved = connection.execute(
        "UPDATE effects SET due = due - ? WHERE due > ? AND owner IS NULL AND done IS NULL",
        (seconds, after),
    )
    return moved.rowcount


def release_effects(connection: Connection) -> int:
    """Let everything that is held fall due at once: whoever held it is dead. Return how much."""
    released = connection.execute(
        "UPDATE effects SET owner = NULL, due = 0 WHERE owner IS NOT NULL AND done IS NULL"
    )
    return released.rowcount


def remove_done_effects(connection: Connection, before: float) -> int:
    """Forget what was done before a moment, and return how much that was."""
    removed = connection.execute("DELETE FROM effects WHERE done < ?", (before,))
    return removed.rowcount


def _outside(lanes: Collection[str]) -> str:
    return f" AND lane NOT IN ({marks(lanes)})" if lanes else ""


def _read(row: Sequence[Any]) -> EffectRow:
    key, kind, payload, lane, due, tries = row
    return EffectRow(
        id=key, kind=kind, payload=json.loads(payload), lane=lane, due=due, tries=tries
    )
