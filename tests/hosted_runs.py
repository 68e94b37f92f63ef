"""A site whose runs are real, and what they are made of, for tests of a server."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from windlass.db.server_database import ServerDatabase
from windlass.engine.server.changes import Changes
from windlass.model.repository import Repository
from windlass.operations.definitions import Definition, Given
from windlass.operations.hosted.attempts import make_runs
from windlass.operations.hosted.site import NoValues, Site
from windlass.plan.event import Event
from windlass.plan.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from windlass.operations.hosted.site import RepositoryValues

REPOSITORY = "7"
SHA = "f" * 40
PATH = ".github/workflows/ci.yml"


class Values:
    """Variables and secrets that every repository has."""

    def __init__(self, variables: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        self.variables = variables
        self.secrets = secrets

    def find_variables(self, _repository: str) -> Mapping[str, str]:
        return self.variables

    def find_secrets(self, _repository: str) -> Mapping[str, str]:
        return self.secrets


@contextmanager
def open_site(
    address: str,
    data: Path,
    *,
    values: RepositoryValues | None = None,
    now: Callable[[], float] = time.time,
) -> Iterator[Site]:
    """A process of a server on a database, which gets the repository REPOSITORY."""
    store, changes = ServerDatabase(address), Changes()
    add_repository(store, REPOSITORY)
    yield Site(
        store=store,
        data=data,
        runs=make_runs(store, changes),
        changes=changes,
        address="http://127.0.0.1:8484",
        now=now,
        values=values or NoValues(),
    )
    store.close()


def add_repository(store: ServerDatabase, repository: str) -> None:
    with store.writing() as connection:
        connection.execute(
            "INSERT INTO repositories "
            "(id, name, location, default_branch, settings, heads, created) "
            "VALUES (?, ?, '', 'main', '{}', '{}', 1.0) ON CONFLICT DO NOTHING",
            (repository, f"octo/boat{repository}"),
        )


def define(
    text: str, *, path: str = PATH, variables: Mapping[str, str] | None = None
) -> Definition:
    """What a push to `main` starts of one workflow file."""
    event = Event(
        name="push",
        payload={"ref": "refs/heads/main"},
        sha=SHA,
        ref="refs/heads/main",
        actor="octo",
    )
    repository = Repository(
        root="",
        owner="octo",
        name="boat",
        head_sha=SHA,
        base_sha=None,
        branch="main",
        tag=None,
        default_branch="main",
    )
    return Definition(
        run="",
        attempt=0,
        number=0,
        created=0.0,
        name="CI",
        path=path,
        texts={path: text},
        repository=repository,
        event=event,
        given=Given(vars=variables or {}),
        selection=Selection(),
        places={},
        allowed_environments=frozenset(),
        committed=True,
        keep=False,
        max_jobs=None,
    )
