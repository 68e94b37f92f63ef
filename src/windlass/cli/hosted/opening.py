"""Reaching a server, and finding a run there by what a person calls it."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Final

from windlass.cli.hosted.fields import make_input
from windlass.cli.servers import require_server
from windlass.db.runs import AttemptRow, RunRow
from windlass.errors import InputError, MissingError, UsageError
from windlass.model.status import Result
from windlass.operations.history import LATEST

if TYPE_CHECKING:
    from windlass.client.client import Client
    from windlass.client.logins import Login
    from windlass.protocol.api.calls import Answer, Call, Given
    from windlass.protocol.api.runs import Run

_LOOKED_AT: Final = 200
"""So many of the latest runs are looked through for one whose id begins or ends so."""

_ON_A_PAGE: Final = 100
_SHORTEST_END: Final = 4
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def ask(arguments: Any, call: Call[Given, Answer], **values: Any) -> Answer:
    """Make one call to the server that a command is about; None is what was left out.

    Raises:
        UsageError: a value cannot be used.
        InputError: no server is named, or it refuses.
        PlatformError: it cannot be reached, or is in trouble.
    """
    given = make_input(call.given, **values)
    with open_client(require_server(arguments)) as client:
        return client.ask(call, given)


def ask_about(
    arguments: Any, repository: str | None, call: Call[Given, Answer], **values: Any
) -> Answer:
    """Make one call about a repository of a server, that of a name or the only one; see `ask`."""
    with open_client(require_server(arguments)) as client:
        name = find_repository(client, repository)
        return client.ask(call, make_input(call.given, **name, **values))


def list_all(arguments: Any, call: Call[Given, Answer], **values: Any) -> list[Any]:
    """Return what is on all pages of a list of the server that a command is about; see `ask`."""
    with open_client(require_server(arguments)) as client:
        return list(client.list_all(call, make_input(call.given, **values, limit=_ON_A_PAGE)))


def list_about(
    arguments: Any,
    repository: str | None,
    call: Call[Given, Answer],
    limit: int | None = None,
) -> list[Any]:
    """Return what a list says of a repository, or the first `limit` of it; see `ask_about`."""
    with open_client(require_server(arguments)) as client:
        name = find_repository(client, repository)
        return list(client.list_all(call, make_input(call.given, **name), limit))


def open_client(server: Login) -> Client:
    """Return a client of a server; use it as a context.

    Raises:
        InputError: the address is none.
    """
    from windlass.client.client import Client

    return Client(server.url, server.token)


def find_run(client: Client, name: str, attempt: int | None = None) -> Run:
    """Return the run that is meant by an id, by its beginning or end, or by `latest`.

    Raises:
        InputError: there is none, or it has no such attempt.
        UsageError: there are several, or the number cannot be that of an attempt.
    """
    from windlass.protocol.api import runs

    found = find_newest(client) if name == LATEST else _find_named(client, name)
    if found is None:
        raise InputError(f"there are no runs on {client.url} yet")
    if attempt is None or attempt == found.attempt:
        return found
    return client.ask(runs.GET, make_input(runs.FindRun, run=found.run, attempt=attempt))


def find_newest(client: Client) -> Run | None:
    """Return the newest run of a server; None where it has none yet."""
    from windlass.protocol.api import runs

    return next(iter(client.ask(runs.LIST, runs.ListRuns(limit=1)).items), None)


def _find_named(client: Client, name: str) -> Run:
    from windlass.protocol.api import runs

    if _ID.fullmatch(name):
        with contextlib.suppress(MissingError):
            return client.ask(runs.GET, runs.FindRun(run=name))
    return _choose(client, name)


def _choose(client: Client, name: str) -> Run:
    from windlass.protocol.api import runs

    latest: list[Run] = list(client.list_all(runs.LIST, runs.ListRuns(limit=100), _LOOKED_AT))
    found = [run for run in latest if run.run.startswith(name)]
    if not found and len(name) >= _SHORTEST_END:
        found = [run for run in latest if run.run.endswith(name)]
    if not found:
        raise InputError(f"there is no run '{name}'", hint="`windlass runs` lists them")
    if len(found) > 1:
        some = ", ".join(run.run for run in found[:5])
        raise UsageError(f"'{name}' may be any of {len(found)} runs", hint=f"for instance {some}")
    return found[0]


def find_repository(client: Client, name: str | None) -> dict[str, Any]:
    """Return the owner and name of a repository: the one that is named, or the only one.

    Raises:
        UsageError: the name is none, or none is given and there is not just one.
    """
    from windlass.protocol.api import repositories

    if name is None:
        page = client.ask(repositories.LIST, repositories.ListRepositories(limit=2))
        if len(page.items) != 1:
            raise UsageError(
                "which repository?", hint="-R OWNER/NAME; `windlass repos list` lists them"
            )
        name = page.items[0].name
    owner, slash, rest = name.partition("/")
    if not (owner and slash and rest):
        raise UsageError(f"'{name}' is not OWNER/NAME")
    return {"owner": owner, "name": rest}


def to_row(run: Run) -> AttemptRow:
    """Return a run as local history has it."""
    row = RunRow(
        id=run.run,
        number=run.number,
        workflow=run.workflow,
        path=run.path,
        event=run.event,
        sha=run.sha,
        ref=run.ref,
        created=run.created,
        repository=run.repository,
    )
    return AttemptRow(
        run=row,
        attempt=run.attempt,
        started=run.started,
        finished=run.finished,
        result=None if run.result is None else Result(run.result),
    )
