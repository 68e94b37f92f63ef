"""Health: whether a server answers, and whether it can work; nobody is told more than that."""

from __future__ import annotations

import asyncio
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_site import ask, make_site
from tests.waiting import wait_until

from windlass.db.server_database import ServerDatabase
from windlass.engine.server.changes import LEAVING
from windlass.server import health

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.db.connections import Connection
    from windlass.operations.hosted.site import Site


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a busy machine be no obstacle."""
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 60.0)


@pytest.fixture
def site(tmp_path: Path, database_address: str) -> Iterator[Site]:
    made = make_site(tmp_path, ServerDatabase(database_address))
    yield made
    made.store.close()


@pytest.mark.requirement("P01")
def test_a_server_that_works(site: Site) -> None:
    """Nobody needs a token to ask, and nobody keeps the answer."""
    client = ask(site, token=None)
    for path, status in (("/health", "ok"), ("/health/ready", "ready")):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": status})
        assert answer.headers["cache-control"] == "no-store"


def refuses(site: Site, caplog: pytest.LogCaptureFixture) -> str:
    """Have it asked, and return what the log says: the answer says nothing."""
    client = ask(site, token=None)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    assert client.get("/health").status_code == 200
    (record,) = [it for it in caplog.records if it.name == "windlass.server.health"]
    return record.getMessage()


def test_a_database_of_another_version(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Another process, of a newer Windlass, may have changed it meanwhile."""
    with site.store.writing() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")

    assert "the database has version 0099" in refuses(site, caplog)


def test_a_database_that_may_only_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It answers every question and is of no use all the same."""
    site = make_site(tmp_path)
    site.store.close()
    with site.store.writing() as connection:
        connection.execute("PRAGMA query_only = 1")

    assert "readonly" in refuses(site, caplog)
    site.store.close()


def test_a_database_that_is_gone(
    tmp_path: Path, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not waited for."""
    server = request.getfixturevalue("postgres")
    store = ServerDatabase(server.make_database())
    site = make_site(tmp_path, store)
    server.stop("immediate")
    try:
        assert "cannot be" in refuses(site, caplog)
    finally:
        server.resume()
    assert ask(site).get("/health/ready").status_code == 200
    store.close()


def test_a_full_disk(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A server needs room for logs and mirrors."""
    usage = shutil.disk_usage(site.data)._replace(free=100 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    assert "has 100 MiB left, and 256 are needed" in refuses(site, caplog)


def test_a_server_that_is_about_to_end(site: Site) -> None:
    """Nothing new is to be sent to it."""
    site.changes.tell(LEAVING)

    assert ask(site, token=None).get("/health/ready").status_code == 503


class Slow:
    """A database that answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.count = 0

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self.count += 1
        assert self.go_on.wait(30)
        raise health.PlatformError("no")
        yield

    def ask(self, *_: object) -> Any:
        raise health.PlatformError("no")


def test_a_database_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer does not wait for it, and however many ask, it is asked once."""
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    slow = Slow()
    site = make_site(tmp_path, slow)  # type: ignore[arg-type]

    async def play() -> list[str]:
        readiness = health.Readiness(site)
        return await asyncio.gather(*(readiness.find_obstacle() for _ in range(20)))

    try:
        assert set(asyncio.run(play())) == {"the database does not answer in time"}
    finally:
        slow.go_on.set()
    assert wait_until(lambda: slow.count > 0)
    assert slow.count == 1
