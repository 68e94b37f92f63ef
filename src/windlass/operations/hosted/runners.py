"""The machines that take a server's jobs: how they come, are told apart, and go.

A registration token is good for one machine, which gets a credential of its own for it. That one
can be revoked by itself; what a runner that was revoked or removed had taken ends as lost.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from windlass.db import runners as table
from windlass.db.jobs import list_running
from windlass.db.registrations import (
    add_registration,
    find_user,
    remove_registrations,
    use_registration,
)
from windlass.engine.server.changes import JOBS
from windlass.engine.server.losses import Loss, lose_job
from windlass.engine.server.runs import always
from windlass.errors import ConflictError, InvalidError, MissingError, StrangerError
from windlass.model.values import dataclass, field
from windlass.operations.hosted.credentials import (
    REGISTRATION,
    RUNNER,
    digest_credential,
    draw_credential,
)
from windlass.protocol.runner import VERSION

if TYPE_CHECKING:
    from windlass.db.connections import Connection
    from windlass.operations.hosted.site import Site
    from windlass.protocol.runner import RegisterRequest

PATIENCE_SECONDS: Final = 30.0
"""So long nothing may be heard of a runner, and of one that the server itself has started."""

REGISTRATION_SECONDS: Final = 3600.0
SEEN_SECONDS: Final = 1.0
"""A runner that was heard of within this time is not written down as heard of again."""

_MOST_LETTERS: Final = 100
_MOST_LABELS: Final = 50
_MOST_JOBS: Final = 1000
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_KEPT_SECONDS: Final = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Registration:
    """A token by which one machine may become a runner, until it expires."""

    token: str = field(repr=False)
    expires: float


@dataclass(frozen=True, slots=True)
class NewRunner:
    """A runner that was just registered; nobody can read its credential again.

    The credential is empty where the runner has drawn it itself.
    """

    row: table.RunnerRow
    credential: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RunnerState:
    """A runner as people see it: whether it was heard of lately, and how many jobs it has."""

    row: table.RunnerRow
    online: bool
    running: int


def create_registration(
    site: Site,
    *,
    seconds: float = REGISTRATION_SECONDS,
    patience: float = PATIENCE_SECONDS,
) -> Registration:
    """Make a token that is good for so many seconds; its runner is lost after `patience` seconds.

    Raises:
        InvalidError: the seconds are none.
    """
    if not 0 < seconds <= _KEPT_SECONDS:
        raise InvalidError("a registration token is good for up to 7 days")
    if not 1 <= patience <= _KEPT_SECONDS:
        raise InvalidError("a runner may be silent for 1 second to 7 days")
    token, now = draw_credential(REGISTRATION), site.now()
    with site.store.writing() as connection:
        site.claim(connection)
        remove_registrations(connection, now - _KEPT_SECONDS)
        add_registration(connection, digest_credential(token), patience, now, now + seconds)
    return Registration(token, now + seconds)


def register_runner(site: Site, request: RegisterRequest) -> NewRunner:
    """Make a machine a runner. Its token is used up, unless this fails.

    Asked again by a machine that has drawn its credential itself, it is the same runner.

    Raises:
        StrangerError: the token is not known, has been used or has expired.
        InvalidError: the name is taken, or something else of it cannot be.
    """
    _check(request)
    now, runner = site.now(), secrets.token_hex(8)
    credential = "" if request.digest else draw_credential(RUNNER)
    digest = request.digest or digest_credential(credential)
    token = digest_credential(request.token)
    with site.store.writing() as connection:
        patience = use_registration(connection, token, runner, now)
        if patience is None:
            return NewRunner(_find_registered(site, request, token, now), "")
        if table.find_by_credential(site.store, digest) is not None:
            raise InvalidError("another runner has that credential")
        row = table.RunnerRow(
            id=runner,
            name=request.name,
            labels=request.labels,
            capacity=request.capacity,
            ephemeral=request.ephemeral,
            credential=digest,
            version=request.version,
            protocol=min(request.protocol, VERSION),
            patience=patience,
            created=now,
            seen=now,
        )
        if not table.add_runner(connection, row):
            _make_room(site, connection, request.name)
            table.add_runner(connection, row)
    return NewRunner(row, credential)


def _find_registered(
    site: Site, request: RegisterRequest, token: str, now: float
) -> table.RunnerRow:
    """Return the runner that a machine has become which has not heard of it.

    Raises:
        StrangerError: it is none.
    """
    runner = find_user(site.store, token, now)
    row = table.find_runner(site.store, runner) if request.digest and runner else None
    asked = request.digest, request.name
    if row is None or (row.credential, row.name) != asked or row.state == "revoked":
        raise StrangerError(
            "the registration token is not known, has been used or has expired",
            hint="each is good for one runner; `windlass runners token` makes another",
        )
    return row


def _make_room(site: Site, connection: Connection, name: str) -> None:
    """Forget a runner of a name that is away and has no job: another machine takes its place."""
    row = next((it for it in table.list_runners(site.store) if it.name == name), None)
    if row is None:
        # It went in this moment.
        return
    state = _describe(site, row)
    if state.online or state.running:
        raise InvalidError(
            f"there is a runner '{name}' already",
            hint="give this one another name, or remove that one",
        )
    table.remove_runner(connection, row.id)


def check_runner(site: Site, credential: str) -> table.RunnerRow:
    """Return whose credential a text is, and note that the runner was heard of.

    Raises:
        StrangerError: nobody's, or that of one that was revoked.
    """
    row = find_credential(site, credential)
    if row is None:
        raise StrangerError(
            "the runner's credential is not known, or was revoked",
            hint="register the runner again, with a new token",
        )
    now = site.now()
    if abs(now - row.seen) >= SEEN_SECONDS:
        with site.store.writing() as connection:
            table.see_runner(connection, row.id, now)
    return row


def find_credential(site: Site, credential: str) -> table.RunnerRow | None:
    """Return whose credential a text is; None where it is none that is good."""
    if not credential.startswith(RUNNER):
        return None
    row = table.find_by_credential(site.store, digest_credential(credential))
    return None if row is None or row.state == "revoked" else row


def list_runners(site: Site) -> list[RunnerState]:
    """Return all runners, by name."""
    return [_describe(site, row) for row in table.list_runners(site.store)]


def read_runner(site: Site, runner: str) -> RunnerState:
    """Return a runner, by its id or its name.

    Raises:
        MissingError: there is no such runner.
    """
    return _describe(site, _find(site, runner))


def drain_runner(site: Site, runner: str) -> None:
    """Have a runner take no more jobs, end those it has and leave. It may be started again.

    Raises:
        MissingError: there is no such runner.
        ConflictError: it was revoked.
    """
    row = _find(site, runner)
    with site.store.writing() as connection:
        site.claim(connection)
        if not table.set_state(connection, row.id, "draining"):
            raise ConflictError(f"runner '{row.name}' was revoked")
    site.changes.tell(JOBS)


def revoke_runner(site: Site, runner: str) -> None:
    """Have a runner's credential not count any more; its jobs end as lost. May be done again.

    Raises:
        MissingError: there is no such runner.
    """
    row = _find(site, runner)
    with site.store.writing() as connection:
        site.claim(connection)
        table.set_state(connection, row.id, "revoked")
    _lose_jobs(site, row, f"the runner '{row.name}' was revoked")
    site.changes.tell(JOBS)


def remove_runner(site: Site, runner: str) -> None:
    """Forget a runner and its credential; its jobs end as lost.

    Raises:
        MissingError: there is no such runner.
    """
    row = _find(site, runner)
    with site.store.writing() as connection:
        table.remove_runner(connection, row.id)
    _lose_jobs(site, row, f"the runner '{row.name}' was removed")
    site.changes.tell(JOBS)


def leave(site: Site, row: table.RunnerRow) -> None:
    """Let a runner go that says that it goes: an ephemeral one for ever.

    Others may come back with the credential they have. A job that it has not ended is lost.
    """
    with site.store.writing() as connection:
        if row.ephemeral:
            table.remove_runner(connection, row.id)
        else:
            table.set_state(connection, row.id, "active")
            table.see_runner(connection, row.id, 0.0)
    _lose_jobs(site, row, f"the runner '{row.name}' has left")
    site.changes.tell(JOBS)


def _lose_jobs(site: Site, row: table.RunnerRow, reason: str) -> None:
    for job in list_running(site.store, row.id):
        lose_job(site.runs, Loss(job, reason, always))


def _find(site: Site, runner: str) -> table.RunnerRow:
    found = table.find_runner(site.store, runner)
    for row in [] if found else table.list_runners(site.store):
        if row.name == runner:
            return row
    if found is None:
        raise MissingError(f"there is no runner '{runner}'", hint="`windlass runners` lists them")
    return found


def _describe(site: Site, row: table.RunnerRow) -> RunnerState:
    online = row.state != "revoked" and site.now() - row.seen < row.patience
    return RunnerState(row, online, len(list_running(site.store, row.id)))


def _check(request: RegisterRequest) -> None:
    if request.protocol < VERSION:
        raise InvalidError(
            f"the runner speaks no version of the protocol that this server knows: {VERSION}"
        )
    if not _is_text(request.name):
        raise InvalidError(f"a runner's name has 1 to {_MOST_LETTERS} printable letters")
    if request.version and not _is_text(request.version):
        raise InvalidError("that is no version of Windlass")
    if len(request.labels) > _MOST_LABELS or not all(map(_is_text, request.labels)):
        raise InvalidError(
            f"a runner has up to {_MOST_LABELS} labels of 1 to {_MOST_LETTERS} printable letters"
        )
    if request.digest and not _DIGEST.fullmatch(request.digest):
        raise InvalidError("the digest of a credential has 64 hexadecimal digits")
    if not 1 <= request.capacity <= _MOST_JOBS:
        raise InvalidError(f"a runner runs 1 to {_MOST_JOBS} jobs at a time")


def _is_text(text: str) -> bool:
    return 0 < len(text) <= _MOST_LETTERS and text.isprintable() and text == text.strip()
