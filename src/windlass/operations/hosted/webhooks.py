"""Webhooks of GitHub, and of servers that speak like it.

What is posted counts when it is signed with the secret of its repository. The signature is of the
body alone; so a body is known again under any `X-GitHub-Delivery`, except those of dispatches,
which may well say the same twice.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from windlass.db.deliveries import settle_delivery
from windlass.db.repositories import find_repository_named
from windlass.engine.server.changes import EFFECTS
from windlass.errors import InvalidError, RefusedError, UsageError
from windlass.events.occasions import KNOWN_EVENTS, NO_COMMIT, read_occasions
from windlass.events.signatures import is_signed
from windlass.lang.expressions import read_json
from windlass.model.values import dataclass
from windlass.operations.hosted.deliveries import Receipt, enter_delivery
from windlass.operations.hosted.pushes import Update, hear_push, note_pushes
from windlass.operations.hosted.repositories import find_webhook_secret

if TYPE_CHECKING:
    from windlass.db.repositories import RepositoryRow
    from windlass.operations.hosted.site import Site

_EVENT: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_GUID: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_REF: Final = re.compile(r"refs/(?:heads|tags)/[^\x00-\x20~^:?*\[\\\x7f]+")
_SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DISPATCHES: Final = frozenset({"workflow_dispatch", "repository_dispatch"})
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_UPDATES: Final = 10_000
_FOUND: Final = "the server had looked, and had found this push by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A request as it came in: the headers that matter, and the body as it was signed."""

    event: str
    guid: str
    signature: str
    media_type: str
    body: bytes


def receive_webhook(site: Site, name: str, posted: Posted) -> Receipt | None:
    """Write down what a webhook tells; None where it starts no workflow, whatever it says.

    Raises:
        RefusedError: there is no such repository, or it did not sign that.
        UsageError: the headers or the body cannot be read.
        InvalidError: it is not what such an event says.
        PlatformError: the database cannot be used, and nothing was written.
    """
    repository = _require_signed(site, name, posted.body, posted.signature)
    if not _EVENT.fullmatch(posted.event) or not _GUID.fullmatch(posted.guid):
        raise UsageError(
            "the headers X-GitHub-Event and X-GitHub-Delivery have to name the event and the "
            "delivery"
        )
    text, payload = _read_payload(posted)
    if posted.event not in KNOWN_EVENTS:
        return None
    read_occasions(posted.event, payload, repository.default_branch)
    digest = None
    if posted.event not in _DISPATCHES:
        digest = hashlib.sha256(f"{posted.event}\n{text}".encode()).hexdigest()
    with site.store.writing() as connection:
        receipt = enter_delivery(
            site, connection, repository.id, posted.guid, posted.event, text, digest=digest
        )
        is_push = receipt.new and posted.event == "push"
        if is_push and not hear_push(connection, repository.id, _update(payload)):
            settle_delivery(connection, receipt.id, "nothing", _FOUND)
    site.changes.tell(EFFECTS)
    return receipt


def receive_pushes(site: Site, name: str, body: bytes, signature: str) -> int:
    """Write down the pushes that Windlass's own hook tells of; return how many were news.

    The body is `{"updates": [{"ref", "before", "after"}]}`, with zeros where there is no commit.

    Raises:
        RefusedError: there is no such repository, or it did not sign that.
        UsageError: the headers or the body cannot be read.
        InvalidError: it names no updates.
        PlatformError: the repository or the database cannot be reached.
    """
    repository = _require_signed(site, name, body, signature)
    payload = _parse(body)
    updates = payload.get("updates")
    if not isinstance(updates, list) or len(updates) > _MOST_UPDATES:
        raise InvalidError(f"'updates' has to be a list of at most {_MOST_UPDATES} objects")
    told = [_update(it) for it in updates if isinstance(it, dict) and _is_ours(it.get("ref"))]
    return note_pushes(site, repository, told)


def _require_signed(site: Site, name: str, body: bytes, signature: str) -> RepositoryRow:
    repository = find_repository_named(site.store, name)
    secret = None if repository is None else find_webhook_secret(site, repository)
    # Strangers do not learn which repositories there are.
    if not is_signed(secret, body, signature) or repository is None:
        raise RefusedError(
            "the body is not signed with the webhook secret of such a repository",
            hint="`windlass repos webhook OWNER/NAME` makes a new secret",
        )
    return repository


def _read_payload(posted: Posted) -> tuple[str, dict[str, Any]]:
    """Return the payload as JSON and as what it says."""
    body = posted.body
    if posted.media_type.partition(";")[0].strip().lower() == _FORM:
        try:
            body = parse_qs(body, strict_parsing=True, max_num_fields=8)[b"payload"][0]
        except (ValueError, KeyError) as error:
            raise UsageError("the form has no field 'payload'") from error
    return body.decode("utf-8", "replace"), _parse(body)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = read_json(body.decode())
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise UsageError(f"the body is no JSON in UTF-8: {reason}") from error
    if not isinstance(payload, dict):
        raise UsageError("the body is no JSON object")
    return payload


def _is_ours(ref: Any) -> bool:
    return isinstance(ref, str) and _REF.fullmatch(ref) is not None


def _update(payload: dict[str, Any]) -> Update:
    before, after = payload.get("before"), payload.get("after")
    for sha in (before, after):
        if not isinstance(sha, str) or not _SHA.fullmatch(sha):
            raise InvalidError("'before' and 'after' of a push have to be full commit ids")
    old, new = str(before), str(after)
    return Update(payload["ref"], "" if old in NO_COMMIT else old, "" if new in NO_COMMIT else new)
