"""What a server forgets, and what it keeps."""

from __future__ import annotations

import io
import logging
import os
from typing import TYPE_CHECKING

import pytest
from tests.hosted_site import make_site
from tests.waiting import wait_until

from windlass.cmd.tidying import Tidying
from windlass.db.access_tokens import list_access_tokens
from windlass.db.announcements import add_announcements
from windlass.db.artifacts import ArtifactRow, enter_artifact
from windlass.db.definitions import add_definition
from windlass.db.effects import finish_effect, list_waiting, post_effect
from windlass.db.jobs import queue_job
from windlass.db.runs import AttemptRow, RunRow, enter_attempt, finish_attempt, list_ids
from windlass.db.server_database import ServerDatabase
from windlass.engine.effects.desk import Rules
from windlass.engine.effects.threads import ThreadedEffects
from windlass.errors import InputError
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.operations.hosted.retention import (
    DAY_SECONDS,
    Limits,
    Removed,
    read_limits,
    remove_what_is_old,
)
from windlass.operations.hosted.tokens import create_token, revoke_token
from windlass.stores.blobs import BlobStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.engine.effects.interface import Effects
    from windlass.operations.hosted.site import Site

NOW = 1_800_000_000.0
TABLES = ("attempts", "definitions", "announcements", "jobs", "artifacts")


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    store = ServerDatabase(database_address)
    yield replace(make_site(tmp_path, store), now=lambda: NOW)
    store.close()


@pytest.fixture
def effects(site: Site) -> Effects:
    return ThreadedEffects(site.store, {}, Rules(owner="a"))


def add_run(
    site: Site, run: str, *ended: float | None, repository: str = "1", created: float | None = None
) -> None:
    """A run whose attempts ended so many days ago, None for one that goes on, with its logs."""
    begun = max((days for days in ended if days is not None), default=0) if created is None else 0
    row = RunRow(
        id=run,
        number=int(run),
        workflow="CI",
        path="ci.yml",
        event="push",
        sha="f" * 40,
        ref="refs/heads/main",
        created=NOW - (begun + 0.01 if created is None else created) * DAY_SECONDS,
        repository=repository,
    )
    # First, and whole: who tidies beside this may remove the run as soon as it is known, and its
    # folder even before.
    folder = site.data / "made" / run
    log = folder / "1" / "jobs" / "1" / "log"
    log.parent.mkdir(parents=True)
    log.write_text("a line\n")
    (site.data / "runs").mkdir(exist_ok=True)
    folder.rename(site.data / "runs" / run)
    for attempt, days in enumerate(ended, start=1):
        with site.store.writing() as connection:
            enter_attempt(connection, AttemptRow(run=row, attempt=attempt, started=row.created))
            add_definition(connection, run, attempt, "{}")
            add_announcements(connection, run, attempt, ["{}"])
            queue_job(connection, run, attempt, "build", (), row.created)
            if days is not None:
                moment = NOW - days * DAY_SECONDS
                finish_attempt(connection, run, attempt, moment, Result.SUCCESS)


def list_folders(site: Site) -> list[str]:
    return sorted(it.name for it in (site.data / "runs").iterdir())


def test_old_runs_are_forgotten_with_all_that_is_theirs(site: Site, effects: Effects) -> None:
    """By the end of their last attempt; what goes on stays however old it is."""
    add_run(site, "1", 91)
    add_run(site, "2", 89)
    add_run(site, "3", 200, 10)
    add_run(site, "4", None, created=400)
    add_run(site, "5", 300, None)

    removed = remove_what_is_old(site, effects, Limits())

    assert removed.runs == 1
    assert sorted(list_ids(site.store)) == ["2", "3", "4", "5"]
    assert list_folders(site) == ["2", "3", "4", "5"]
    for table in TABLES:
        assert site.store.ask(f"SELECT count(*) FROM {table} WHERE run = '1'") == [(0,)]
    assert remove_what_is_old(site, effects, Limits()) == Removed()


def test_of_many_runs_the_newest_stay(site: Site, effects: Effects) -> None:
    """So many of each repository, and what goes on besides."""
    for number in range(1, 7):
        add_run(site, str(number), 10 - number)
    add_run(site, "7", None, created=50)
    add_run(site, "8", 30, repository="2")

    removed = remove_what_is_old(site, effects, Limits(runs=3))

    assert removed.runs == 3
    assert sorted(list_ids(site.store)) == ["4", "5", "6", "7", "8"]
    assert list_folders(site) == ["4", "5", "6", "7", "8"]


def test_logs_may_go_before_their_runs(site: Site, effects: Effects) -> None:
    """The run stays in the list; logs of what goes on stay."""
    add_run(site, "1", 20)
    add_run(site, "2", 5)
    add_run(site, "3", 30, None)

    removed = remove_what_is_old(site, effects, Limits(log_days=14))

    assert (removed.runs, removed.logs) == (0, 1)
    assert list_folders(site) == ["2", "3"]
    assert sorted(list_ids(site.store)) == ["1", "2", "3"]


def test_folders_that_a_dying_server_has_left_are_removed(site: Site, effects: Effects) -> None:
    """After a day, for a run that is just beginning may have its folder already."""
    add_run(site, "1", 5)
    for run, days in (("2", 2), ("3", 0)):
        folder = site.data / "runs" / run
        folder.mkdir()
        os.utime(folder, (NOW - days * DAY_SECONDS,) * 2)

    remove_what_is_old(site, effects, Limits())

    assert list_folders(site) == ["1", "3"]


def test_a_run_that_began_again_stays(
    site: Site, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where that happens between the look and the removal."""
    from windlass.operations.hosted import retention

    add_run(site, "1", 100)
    look = retention.list_old_runs

    def look_and_begin(store: ServerDatabase, before: float, limit: int) -> list[str]:
        found = look(store, before, limit)
        if found:
            with store.writing() as connection:
                row = RunRow(
                    id="1",
                    number=1,
                    workflow="CI",
                    path="ci.yml",
                    event="push",
                    sha="",
                    ref="",
                    created=0.0,
                )
                enter_attempt(connection, AttemptRow(run=row, attempt=2, started=NOW))
        return found

    monkeypatch.setattr(retention, "list_old_runs", look_and_begin)
    assert remove_what_is_old(site, effects, Limits()).runs == 0
    assert list_ids(site.store) == ["1"]
    assert list_folders(site) == ["1"]


def test_artifacts_go_at_their_date_and_with_their_run(site: Site, effects: Effects) -> None:
    """Their contents go with the last that needs them."""
    blobs = BlobStore(site.data / "blobs", outlives=True)
    add_run(site, "1", 100)
    add_run(site, "2", 10)
    contents = {"lasting": b"a" * 5000, "expired": b"b" * 5000, "old": b"a" * 5000}
    rows = {}
    for number, (name, content) in enumerate(contents.items()):
        digest = store_blob(blobs, content)
        row = ArtifactRow(
            id=number,
            run="1" if name == "old" else "2",
            attempt=1,
            job="build",
            name=name,
            blob=digest,
            size=len(content),
            mime_type="application/zip",
            created=NOW,
            expires=NOW + (-1 if name == "expired" else 1e6),
        )
        with site.store.writing() as connection:
            rows[name] = enter_artifact(connection, row)

    removed = remove_what_is_old(site, effects, Limits())

    assert removed.artifacts == 1
    assert site.store.ask("SELECT name FROM artifacts") == [("lasting",)]
    assert blobs.list_digests() == [rows["lasting"].blob]
    assert removed.bytes > 0


def store_blob(blobs: BlobStore, content: bytes) -> str:
    upload = blobs.begin_upload()
    upload.put_block("1", io.BytesIO(content).readinto)
    upload.arrange(["1"])
    digest = upload.compute_digest()
    with blobs.keeping():
        upload.keep(digest)
    return digest


def test_what_is_kept_for_repetitions_is_forgotten(site: Site, effects: Effects) -> None:
    """Deliveries that are settled, replies, effects that are done, tokens that have ended."""
    revoke_token(replace(site, now=lambda: NOW - 40 * DAY_SECONDS), make_token(site, "old"))
    make_token(site, "lasting")
    with site.store.writing() as connection:
        connection.execute(
            "INSERT INTO repositories (id, name, location, default_branch, settings, heads, "
            "created) VALUES ('1', 'octo/boat', '/srv', 'main', '{}', '{}', 1)"
        )
        for key, days, state in (("a", 40, "done"), ("b", 40, "received"), ("c", 5, "done")):
            connection.execute(
                "INSERT INTO deliveries (id, repository, guid, event, payload, received, state) "
                "VALUES (?, '1', ?, 'push', '{}', ?, ?)",
                (key, key, NOW - days * DAY_SECONDS, state),
            )
        for key, days in (("a", 2), ("b", 0.5)):
            connection.execute(
                "INSERT INTO replies VALUES ('1', ?, '', 200, '', ?, 'north')",
                (key, NOW - days * DAY_SECONDS),
            )
        for key in ("done", "waiting"):
            post_effect(connection, key, "x", {}, 0)
    with site.store.writing() as connection:
        (row,) = (it for it in list_waiting(site.store, 9) if it.id == "done")
        finish_effect(connection, row, NOW - 10 * DAY_SECONDS)

    removed = remove_what_is_old(site, effects, Limits())

    assert (removed.deliveries, removed.replies, removed.tokens, removed.effects) == (1, 1, 1, 1)
    assert site.store.ask("SELECT id FROM deliveries ORDER BY id") == [("b",), ("c",)]
    assert site.store.ask("SELECT idempotency_key FROM replies") == [("b",)]
    assert [row.name for row in list_access_tokens(site.store)] == ["lasting"]
    assert [row.id for row in list_waiting(site.store, 9)] == ["waiting"]


def make_token(site: Site, name: str) -> str:
    return create_token(site, name).row.id


def test_a_server_does_so_by_itself(
    site: Site, effects: Effects, caplog: pytest.LogCaptureFixture
) -> None:
    """Again and again; a database that is away does not end that."""
    caplog.set_level(logging.INFO)
    add_run(site, "1", 91)
    tidying = Tidying(site, effects, Limits(), first_seconds=0, pause_seconds=0.05)
    tidying.start()
    assert wait_until(lambda: list_ids(site.store) == [])
    add_run(site, "2", 91)
    assert wait_until(lambda: list_ids(site.store) == [])
    tidying.stop()

    assert "what is old was removed: Removed(runs=" in caplog.text


def test_limits_are_read_from_variables() -> None:
    """Those that are not set are GitHub's, or ours."""
    assert read_limits({}) == Limits()
    assert read_limits({"WINDLASS_KEEP_DAYS": "7.5", "WINDLASS_KEEP_RUNS": "100"}) == Limits(
        days=7.5, runs=100
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("WINDLASS_KEEP_DAYS", "soon"),
        ("WINDLASS_KEEP_LOG_DAYS", "-1"),
        ("WINDLASS_KEEP_RUNS", "1.5"),
        ("WINDLASS_KEEP_REPLY_DAYS", "inf"),
        ("WINDLASS_KEEP_REPLY_DAYS", "nan"),
    ],
)
def test_limits_that_cannot_be(variable: str, text: str) -> None:
    """The error names the variable and what it is."""
    with pytest.raises(InputError, match=f"{variable} is '{text}'"):
        read_limits({variable: text})
