"""What repositories have told a server: each event once, with what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.connections import Connection, Store

State: TypeAlias = Literal["received", "started", "nothing", "refused"]
"""Whether runs were started; `nothing` was to be, or all that was to be could not."""

_COLUMNS: Final = "id, repository, guid, event, received, state, message"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """An event of a repository; `id` sorts by when it came.

    `guid` names it for whoever sent it: one that comes again is no other event. `message` says why
    no runs were started, or not all.
    """

    id: str
    repository: str
    guid: str
    event: str
    received: float
    state: State = "received"
    message: str = ""


def add_delivery(
    connection: Connection, row: DeliveryRow, payload: str, digest: str | None = None
) -> bool:
    """Enter a delivery; False where it came before. `payload` is that of a webhook, as JSON.

    With a `digest` of it, it is known again under any name.
    """
    added = connection.execute(
        f"INSERT INTO deliveries ({_COLUMNS}, payload, digest) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            row.id,
            row.repository,
            row.guid,
            row.event,
            row.received,
            row.state,
            row.message,
            payload,
            digest,
        ),
    )
    return added.rowcount == 1


def find_delivery(store: Store, delivery: str) -> DeliveryRow | None:
    """Return a delivery by its id."""
    rows = store.ask(f"SELECT {_COLUMNS} FROM deliveries WHERE id = ?", (delivery,))  # noqa: S608
    return _read(rows[0]) if rows else None


def read_payload(store: Store, delivery: str) -> str:
    """Return what a delivery says, as JSON; it may be many megabytes."""
    ((payload,),) = store.ask("SELECT payload FROM deliveries WHERE id = ?", (delivery,))
    return str(payload)


def find_delivery_of(store: Store, repository: str, guid: str) -> DeliveryRow | None:
    """Return the delivery of a repository that came under a name."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM deliveries WHERE repository = ? AND guid = ?",  # noqa: S608
        (repository, guid),
    )
    return _read(rows[0]) if rows else None


def list_deliveries(
    store: Store, repository: str, limit: int, before: str = "g"
) -> list[DeliveryRow]:
    """Return deliveries of a repository, newest first: those that came before one of them."""
    # An id is of hexadecimal digits, and "g" is behind all of these.
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM deliveries "  # noqa: S608
        "WHERE repository = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (repository, before, limit),
    )
    return [_read(row) for row in rows]


def settle_delivery(connection: Connection, delivery: str, state: State, message: str) -> None:
    """Note what came of a delivery; the first to settle it is right.

    Somebody may come late who stood still meanwhile, and could not do it then.
    """
    connection.execute(
        "UPDATE deliveries SET state = ?, message = ? WHERE id = ? AND state = 'received'",
        (state, message, delivery),
    )


def remove_deliveries(connection: Connection, before: float) -> int:
    """Forget what came before a moment and was settled, and return how many that were.

    Whoever delivers one of these again is not recognised any more.
    """
    removed = connection.execute(
        "DELETE FROM deliveries WHERE received < ? AND state <> 'received'", (before,)
    )
    return removed.rowcount


def _read(row: Sequence[Any]) -> DeliveryRow:
    key, repository, guid, event, received, state, message = row
    return DeliveryRow(
        id=key,
        repository=repository,
        guid=guid,
        event=event,
        received=received,
        state=state,
        message=message,
    )
