"""A site without runs, and the application of it, for tests of operations and doors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from windlass.db.runs import AttemptRow, RunRow, enter_attempt
from windlass.db.server_database import ServerDatabase
from windlass.engine.server.changes import Changes
from windlass.engine.server.runs import ServerRuns, Staged
from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.operations.hosted.callers import Caller
from windlass.operations.hosted.site import Site
from windlass.server.app import make_app

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.routing import BaseRoute

    from windlass.db.connections import Store

ADDRESS = "http://127.0.0.1:8484"
TOKEN = "wlt_of_the_tests"


def make_site(data: Path, store: Store | None = None) -> Site:
    """A site on SQLite below a folder; the caller closes its store."""
    changes = Changes()
    store = store or ServerDatabase(f"sqlite:///{data / 'server.db'}")
    runs = ServerRuns(
        store, open_nothing, lambda run, attempt: changes.tell(f"run/{run}/{attempt}")
    )
    return Site(store=store, data=data, runs=runs, changes=changes, address=ADDRESS, now=time.time)


def open_nothing(run: str, attempt: int) -> Staged:
    raise PlatformError(f"run {run} has no definition")


def check_token(token: str) -> Caller | None:
    """The tests' own token is the only one."""
    return Caller("1", "tests") if token == TOKEN else None


def ask(
    site: Site,
    *,
    routes: Sequence[BaseRoute] = (),
    guarded: Sequence[BaseRoute] = (),
    token: str | None = TOKEN,
    address: str = ADDRESS,
    **options: Any,
) -> TestClient:
    """A client of a site's application, with the tests' token."""
    app = make_app(site, check_token, routes=routes, guarded=guarded)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return TestClient(app, base_url=address, headers=headers, **options)


def enter_runs(site: Site, count: int, *, repository: str = "r1") -> list[AttemptRow]:
    """Runs with ids 1, 2, ...; every second one has failed, the others go on. Newest first."""
    rows = [
        AttemptRow(
            run=RunRow(
                id=str(number),
                number=number,
                workflow="CI",
                path=".github/workflows/ci.yml",
                event="push",
                sha="f" * 40,
                ref="refs/heads/main",
                created=1000.5 + number,
                repository=repository,
            ),
            attempt=1,
            started=1000.5 + number,
            finished=None if number % 2 else 2000.5,
            result=None if number % 2 else Result.FAILURE,
        )
        for number in range(1, count + 1)
    ]
    with site.store.writing() as connection:
        for row in rows:
            enter_attempt(connection, row)
    return rows[::-1]
