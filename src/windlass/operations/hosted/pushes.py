"""Pushes that no webhook tells of: a hook of Git's does, or the server finds them when it looks.

The server knows which commits the refs of a repository were when it last heard of them. Whoever
tells of a change, hook or look, moves that on in the transaction that writes the delivery down: so
a push is told once, whoever is first, and none is lost while the server is down.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from windlass.db.repositories import (
    change_default_branch,
    find_repository,
    lock_repository,
    note_heads,
)
from windlass.db.tickets import draw_ticket
from windlass.engine.server.changes import EFFECTS
from windlass.events.mirrors import find_mirrors
from windlass.git.folders import BRANCH_PREFIX, TAG_PREFIX
from windlass.model.values import dataclass
from windlass.operations.hosted.deliveries import enter_delivery
from windlass.operations.hosted.repositories import ask_refresh, find_token, locate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from windlass.db.connections import Connection
    from windlass.db.repositories import RepositoryRow
    from windlass.operations.hosted.site import Site

_MOST_TRIES: Final = 5
MOST_TAGS: Final = 3
"""More tags than these at once start nothing, as on GitHub: somebody has copied a repository."""


@dataclass(frozen=True, slots=True)
class Update:
    """A branch or a tag that was moved; `before` or `after` is empty where there was, is none."""

    ref: str
    before: str
    after: str


def note_pushes(site: Site, repository: RepositoryRow, told: Sequence[Update]) -> int:
    """Write down what a hook tells of; return how many refs had not been heard of.

    A hook may come late, when others were faster: what the repository holds now decides then.

    Raises:
        InvalidError: the server does not fetch from there any more.
        PlatformError: the repository or the database cannot be reached.
    """
    for _ in range(_MOST_TRIES):
        heads = repository.heads
        if all(heads.get(it.ref, "") in (it.before, it.after) for it in told):
            count = _advance(site, repository, told)
        else:
            count = _look(site, repository)
        current = find_repository(site.store, repository.id)
        if count is not None or current is None:
            return count or 0
        repository = current
    return 0


def look(site: Site, repository: RepositoryRow) -> int:
    """Ask a repository what its branches and tags are; return how many have moved.

    Raises:
        InvalidError: the server does not fetch from there any more.
        PlatformError: the repository or the database cannot be reached.
    """
    return _look(site, repository) or 0


def _look(site: Site, repository: RepositoryRow) -> int | None:
    """Return how many refs have moved; None where others heard of some of them meanwhile."""
    place, token = locate(site, repository), find_token(site, repository)
    refs = find_mirrors(site.data).list_refs(place, token)
    updates = list(_compare(repository.heads, refs.heads))
    branch = refs.default_branch
    if branch and branch != repository.default_branch:
        with site.store.writing() as connection:
            change_default_branch(connection, repository.id, branch)
            ask_refresh(connection, repository.id, draw_ticket())
        site.changes.tell(EFFECTS)
    return _advance(site, repository, updates)


def _compare(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Update]:
    for ref in dict.fromkeys((*before, *after)):
        if before.get(ref) != after.get(ref):
            yield Update(ref, before.get(ref, ""), after.get(ref, ""))


def _advance(site: Site, repository: RepositoryRow, updates: Sequence[Update]) -> int | None:
    """Note what refs are now, and write that down as pushes; return how many those are.

    None where others have heard of one of them since `repository` was read.
    """
    moved = [it for it in updates if repository.heads.get(it.ref, "") != it.after]
    if not moved:
        return 0
    with site.store.writing() as connection:
        current = lock_repository(connection, repository.id)
        if current is None:
            return 0
        if any(current.heads.get(it.ref) != repository.heads.get(it.ref) for it in moved):
            return None
        _note(connection, current, moved)
        tags = [it for it in moved if it.ref.startswith(TAG_PREFIX)]
        for update in moved:
            if update not in tags or len(tags) <= MOST_TAGS:
                _deliver(site, connection, repository.id, update)
    site.changes.tell(EFFECTS)
    return len(moved)


def _note(connection: Connection, row: RepositoryRow, moved: Sequence[Update]) -> None:
    heads = dict(row.heads)
    for update in moved:
        heads.pop(update.ref, None)
        if update.after:
            heads[update.ref] = update.after
    note_heads(connection, row.id, heads)


def hear_push(connection: Connection, repository: str, update: Update) -> bool:
    """Note a push that a webhook tells of; False where a look was faster and has told of it."""
    row = lock_repository(connection, repository)
    if row is None or row.heads.get(update.ref, "") == update.after:
        return False
    _note(connection, row, [update])
    return True


def _deliver(site: Site, connection: Connection, repository: str, update: Update) -> None:
    """Write down the events of one ref: a push, and what made it or took it away."""
    nothing = "0" * max(len(update.before), len(update.after))
    payload = {
        "ref": update.ref,
        "before": update.before or nothing,
        "after": update.after or nothing,
        "created": not update.before,
        "deleted": not update.after,
    }
    guid = f"push/{draw_ticket()}"
    enter_delivery(site, connection, repository, guid, "push", json.dumps(payload))
    if not update.before or not update.after:
        event = "create" if update.after else "delete"
        kind = "tag" if update.ref.startswith(TAG_PREFIX) else "branch"
        name = update.ref.removeprefix(BRANCH_PREFIX).removeprefix(TAG_PREFIX)
        named = json.dumps({"ref": name, "ref_type": kind})
        enter_delivery(site, connection, repository, f"{event}/{guid}", event, named)
