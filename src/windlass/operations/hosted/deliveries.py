"""Deliveries: what repositories tell the server, and the runs that come of it.

A delivery is written down in one transaction with the effect that processes it. Processing it again
starts nothing twice: a run is entered together with the delivery that caused it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.db.deliveries import (
    DeliveryRow,
    add_delivery,
    find_delivery,
    list_deliveries,
    read_payload,
    settle_delivery,
)
from windlass.db.effects import post_effect
from windlass.db.repositories import find_repository
from windlass.db.schedules import is_scheduled
from windlass.db.tickets import draw_ticket
from windlass.engine.server.changes import EFFECTS
from windlass.errors import InputError, PlatformError, UsageError
from windlass.events.occasions import NO_COMMIT, read_occasions
from windlass.git.objects import LargeObjectError
from windlass.lang.expressions import read_json
from windlass.model.values import dataclass
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.planning import plan_occasion
from windlass.operations.hosted.repositories import ask_refresh, fetch_repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from windlass.db.connections import Connection
    from windlass.db.deliveries import State
    from windlass.db.repositories import RepositoryRow
    from windlass.errors import WindlassError
    from windlass.events.mirrors import Mirrors
    from windlass.events.occasions import Occasion
    from windlass.operations.hosted.planning import Outcome
    from windlass.operations.hosted.site import Site

DELIVERY: Final = "delivery"
"""The kind of effect that processes a delivery."""

PAUSE_SECONDS: Final = 600.0
MOST_SECONDS: Final = 86400.0
_MOST_LETTERS: Final = 4000
"""A message says what is wrong with some files; nobody reads about hundreds of them."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery that was written down; it is not `new` where it came before."""

    id: str
    new: bool


def accept_delivery(
    site: Site, repository: RepositoryRow, guid: str, event: str, payload: str
) -> Receipt:
    """Write a delivery down and have it processed; `payload` is JSON.

    Raises:
        PlatformError: the database cannot be used, and nothing was written.
    """
    with site.store.writing() as connection:
        receipt = enter_delivery(site, connection, repository.id, guid, event, payload)
    site.changes.tell(EFFECTS)
    return receipt


def enter_delivery(
    site: Site,
    connection: Connection,
    repository: str,
    guid: str,
    event: str,
    payload: str,
    *,
    digest: str | None = None,
) -> Receipt:
    """Do what `accept_delivery` does as a part of a transaction; then EFFECTS has to be told.

    With a `digest` of the payload, the same under another name is known again too.
    """
    row = DeliveryRow(
        id=draw_ticket(), repository=repository, guid=guid, event=event, received=site.now()
    )
    if not add_delivery(connection, row, payload, digest):
        return Receipt("", new=False)
    _have_processed(connection, f"{DELIVERY}/{row.id}", row, site.now())
    return Receipt(row.id, new=True)


def show_deliveries(
    site: Site, repository: RepositoryRow, limit: int, before: str = ""
) -> list[DeliveryRow]:
    """Return deliveries of a repository, newest first: those that came before one of them."""
    if before:
        return list_deliveries(site.store, repository.id, limit, before)
    return list_deliveries(site.store, repository.id, limit)


def process_delivery(site: Site, delivery: str) -> None:
    """Start the runs that a delivery causes, and note what came of it.

    What can be wrong with a repository is noted, and is no exception: it would be the same again.

    Raises:
        PlatformError: the repository or the database cannot be reached; it is to be tried again.
    """
    row = find_delivery(site.store, delivery)
    if row is None or row.state != "received":
        return
    repository = find_repository(site.store, row.repository)
    assert repository is not None  # noqa: S101 (its deliveries go with it)
    payload = read_json(read_payload(site.store, row.id))
    try:
        result = _process(site, repository, row, payload)
    except (InputError, UsageError, LargeObjectError) as error:
        result = _Result("refused", describe_error(error))
    except PlatformError as error:
        _settle(site, row, _Result("received", f"to be tried again: {describe_error(error)}"))
        raise
    _settle(site, row, result, refresh=_is_default(row, payload, repository))


def put_off_delivery(site: Site, delivery: str, error: PlatformError) -> None:
    """Have a delivery processed later, since a repository cannot be reached for long.

    What came more than `MOST_SECONDS` ago is given up, and says so.

    Raises:
        PlatformError: the database cannot be used.
    """
    row = find_delivery(site.store, delivery)
    if row is None or row.state != "received":
        return
    now = site.now()
    if now - row.received > MOST_SECONDS:
        given_up = _Result("refused", f"given up: {describe_error(error)}")
        _settle(site, row, given_up)
        return
    with site.store.writing() as connection:
        again = f"{DELIVERY}/{row.id}/{now:.0f}"
        _have_processed(connection, again, row, now + PAUSE_SECONDS)


def give_up_delivery(site: Site, delivery: str, fault: Exception) -> None:
    """Note that a delivery was not processed for a fault of Windlass itself.

    Raises:
        PlatformError: the database cannot be used.
    """
    row = find_delivery(site.store, delivery)
    if row is not None:
        said = f"given up: Windlass met a fault of its own: {type(fault).__name__}"
        _settle(site, row, _Result("refused", said))


def _have_processed(connection: Connection, key: str, row: DeliveryRow, due: float) -> None:
    """Have a delivery processed: one repository's do not keep those of others waiting."""
    post_effect(connection, key, DELIVERY, {"delivery": row.id}, due, lane=row.repository)


@dataclass(frozen=True, slots=True)
class _Result:
    """What came of a delivery; `files` is the tree of its commit's workflow files, if any."""

    state: State
    message: str
    files: str | None = None


def _process(
    site: Site, repository: RepositoryRow, row: DeliveryRow, payload: dict[str, Any]
) -> _Result:
    occasions = read_occasions(row.event, payload, repository.default_branch)
    if not occasions:
        return _Result("nothing", _describe_nothing(row.event, payload))
    fetched = [ref for occasion in occasions for ref in occasion.fetched]
    mirrors = fetch_repository(site, repository, list(dict.fromkeys(fetched)))
    outcomes = [_start(site, mirrors, repository, row, occasion, payload) for occasion in occasions]
    runs = [run for started, _ in outcomes for run in started]
    said = [outcome for _, outcome in outcomes]
    return _Result(
        _judge(runs, said),
        _join(message for outcome in said for message in outcome.messages),
        said[0].files,
    )


def _start(
    site: Site,
    mirrors: Mirrors,
    repository: RepositoryRow,
    row: DeliveryRow,
    occasion: Occasion,
    payload: dict[str, Any],
) -> tuple[list[str], Outcome]:
    """Start what one event of a delivery causes; return the runs, and what is to be said."""
    outcome = plan_occasion(site, mirrors, repository, occasion, payload)
    cause = row.id if occasion.name == row.event else f"{row.id}/{occasion.name}"
    if outcome.definitions:
        mirrors.keep(repository.id, outcome.definitions[0].event.sha)
    runs = [start_run(site, repository.id, it, delivery=cause) for it in outcome.definitions]
    return runs, outcome


def _judge(runs: Sequence[str], outcomes: Sequence[Outcome]) -> State:
    if runs:
        return "started"
    return "refused" if any(outcome.refused for outcome in outcomes) else "nothing"


def _is_default(row: DeliveryRow, payload: dict[str, Any], repository: RepositoryRow) -> bool:
    """Tell whether a delivery is a push to the default branch, whose schedules count."""
    return row.event == "push" and payload.get("ref") == f"refs/heads/{repository.default_branch}"


def _settle(site: Site, row: DeliveryRow, result: _Result, *, refresh: bool = False) -> None:
    with site.store.writing() as connection:
        settle_delivery(connection, row.id, result.state, result.message[:_MOST_LETTERS])
        known = result.files is not None and is_scheduled(connection, row.repository, result.files)
        asked = refresh and not known
        if asked:
            ask_refresh(connection, row.repository, row.id)
    if asked:
        site.changes.tell(EFFECTS)


def _describe_nothing(event: str, payload: dict[str, Any]) -> str:
    if event == "push" and payload.get("after") in NO_COMMIT:
        return f"{payload.get('ref')} was deleted, which starts nothing but `on: delete`"
    return f"no workflow is started by '{event}'"


def _join(messages: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(messages))


def describe_error(error: WindlassError) -> str:
    """Return what an error says, and what to do."""
    return f"{error.message} ({error.hint})" if error.hint else error.message
