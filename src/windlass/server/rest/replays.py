"""Requests that may be made again: the same `Idempotency-Key` has the same answer.

Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import partial
from typing import TYPE_CHECKING, Final

from windlass.db.replies import (
    DONE,
    PENDING,
    ReplyRow,
    begin_reply,
    claim_reply,
    drop_reply,
    end_reply,
    find_reply,
    take_over,
)
from windlass.db.servers import list_servers
from windlass.errors import ConflictError, InvalidError
from windlass.model.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.db.connections import Connection
    from windlass.operations.hosted.site import Site

HEADER: Final = "idempotency-key"
REPLAYED: Final = "Idempotency-Replayed"
PATTERN: Final = r"^[\x21-\x7e]{1,128}$"
PATIENCE_SECONDS: Final = 60.0
"""So long an answer may take, of a server that is there."""

KEPT_SECONDS: Final = 86400.0
_KEY: Final = re.compile(PATTERN)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body; `is_replayed` where it was given before.

    `next` is the cursor of a list's next page.
    """

    status: int
    body: str
    is_replayed: bool = False
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a request is told apart by: who asks, the key, a digest of all of it.

    With `once` its answer holds a secret, and is not kept.
    """

    token: str
    key: str
    digest: str
    once: bool = False


def read_key(text: str) -> str:
    """Return a key as it was given.

    Raises:
        InvalidError: it cannot be one.
    """
    key = text.removeprefix('"').removesuffix('"')
    if not _KEY.fullmatch(key):
        raise InvalidError("an Idempotency-Key has 1 to 128 visible ASCII characters")
    return key


def digest_request(token: str, method: str, target: str, body: bytes) -> str:
    """Return what stands for a request.

    The body may hold a secret that could be guessed; the token, which is not kept, could not.
    """
    text = b"\n".join((method.encode(), target.encode(), body))
    return hmac.digest(token.encode(), text, hashlib.sha256).hex()


def answer_once(
    site: Site,
    request: Request,
    carry_out: Callable[[Site], Answer],
    again: Callable[[], Answer],
) -> Answer:
    """Carry a request out, or return what was answered to it before.

    `carry_out` is given a site whose `claim` it has to call in the transaction of what it does. A
    request that was done while its answer was lost is answered by `again`. One that was not done is
    carried out when it comes again and its server is gone, or has not answered in PATIENCE_SECONDS.

    Raises:
        ConflictError: it is being carried out, or its answer was for one reading only.
        InvalidError: another request has had the same key.
    """
    row = ReplyRow(
        token=request.token,
        key=request.key,
        digest=request.digest,
        created=site.now(),
        server=site.id,
    )
    with site.store.writing() as connection:
        begun = begin_reply(connection, row)
    if not begun:
        known = _find_known(site, row)
        if known is not None:
            is_lost = known.status == DONE and not request.once
            return replace(again(), is_replayed=True) if is_lost else _replay(known)
    try:
        answer = carry_out(replace(site, claim=partial(_claim, row)))
    except BaseException:
        # What has failed may be tried again; what was done has not failed, whatever came then.
        with site.store.writing() as connection:
            drop_reply(connection, row)
        raise
    with site.store.writing() as connection:
        body = "" if request.once else answer.body
        end_reply(connection, row.token, row.key, answer.status, body)
    return answer


def _claim(row: ReplyRow, connection: Connection) -> None:
    if not claim_reply(connection, row):
        raise ConflictError("another server carries the request out", hint="ask again in a moment")


def _find_known(site: Site, row: ReplyRow) -> ReplyRow | None:
    """Return what was answered before; None where that is to be done now."""
    known = find_reply(site.store, row.token, row.key)
    if known is None:
        raise ConflictError("a request with this Idempotency-Key has just failed")
    if known.digest != row.digest:
        raise InvalidError("another request has had this Idempotency-Key", hint="use a new one")
    if known.status != PENDING:
        return known
    if row.created - known.created > PATIENCE_SECONDS or _is_gone(site, known.server):
        with site.store.writing() as connection:
            if take_over(connection, known, row):
                return None
    raise ConflictError("the request is being carried out", hint="ask again in a moment")


def _is_gone(site: Site, server: str) -> bool:
    """Tell whether a server has ended or counts as dead (`windlass.engine.server.leases`)."""
    return server != site.id and server not in {it.id for it in list_servers(site.store)}


def _replay(known: ReplyRow) -> Answer:
    if not known.body and known.status not in (202, 204):
        raise ConflictError(
            "this has been done; its answer held a secret, which is shown once",
            hint="use a new Idempotency-Key",
        )
    return Answer(known.status, known.body, is_replayed=True)
