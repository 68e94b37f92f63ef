"""What was answered to requests that may come again: by who asked, and the key they gave.

A reply without a status is one that is still to come. What a request changes and that it has been
done are written in one transaction; what was answered follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store

PENDING = 0
DONE = 1
"""What was asked for has been done, and nobody knows how it was answered."""

_STILL_TO_COME = (
    "WHERE token = ? AND idempotency_key = ? AND status = 0 AND created = ? AND server = ?"
)
"""What holds of a reply until it has come, or somebody else gives it; see `_name`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRow:
    """A reply: `token` is the id of the token that was shown, `key` what names the request.

    `digest` is of the whole request. `status` and `body` were answered; `created` is in seconds
    since the epoch. `server` is the id of the process that gives the answer.
    """

    token: str
    key: str
    digest: str
    status: int = PENDING
    body: str = ""
    created: float
    server: str


def begin_reply(connection: Connection, row: ReplyRow) -> bool:
    """Enter a reply that is to come; False where there is one of that key."""
    entered = connection.execute(
        "INSERT INTO replies (token, idempotency_key, digest, status, body, created, server) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (row.token, row.key, row.digest, row.status, row.body, row.created, row.server),
    )
    return entered.rowcount == 1


def find_reply(store: Store, token: str, key: str) -> ReplyRow | None:
    """Return the reply to a request."""
    rows = store.ask(
        "SELECT token, idempotency_key, digest, status, body, created, server FROM replies "
        "WHERE token = ? AND idempotency_key = ?",
        (token, key),
    )
    for token, key, digest, status, body, created, server in rows:
        return ReplyRow(
            token=token,
            key=key,
            digest=digest,
            status=status,
            body=body,
            created=created,
            server=server,
        )
    return None


def take_over(connection: Connection, row: ReplyRow, new: ReplyRow) -> bool:
    """Begin a reply anew that never came; False where somebody else has done so."""
    changed = connection.execute(
        f"UPDATE replies SET created = ?, server = ? {_STILL_TO_COME}",  # noqa: S608
        (new.created, new.server, *_name(row)),
    )
    return changed.rowcount == 1


def claim_reply(connection: Connection, row: ReplyRow) -> bool:
    """Note that a request is done, in the transaction that does it; False where it is another's."""
    changed = connection.execute(
        f"UPDATE replies SET status = ? {_STILL_TO_COME}",  # noqa: S608
        (DONE, *_name(row)),
    )
    return changed.rowcount == 1


def end_reply(connection: Connection, token: str, key: str, status: int, body: str) -> None:
    """Keep what was answered."""
    connection.execute(
        "UPDATE replies SET status = ?, body = ? WHERE token = ? AND idempotency_key = ?",
        (status, body, token, key),
    )


def drop_reply(connection: Connection, row: ReplyRow) -> None:
    """Forget a reply that has not come, unless it was done, or is somebody else's by now."""
    connection.execute(
        f"DELETE FROM replies {_STILL_TO_COME}",  # noqa: S608
        _name(row),
    )


def remove_replies(connection: Connection, before: float) -> int:
    """Forget the replies of before a moment, and return how many those were."""
    return connection.execute("DELETE FROM replies WHERE created < ?", (before,)).rowcount


def _name(row: ReplyRow) -> tuple[str, str, float, str]:
    return row.token, row.key, row.created, row.server
