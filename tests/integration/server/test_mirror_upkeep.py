"""Mirrors do not grow for ever: what no run needs is let go, the rest packed at quiet times."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import open_site
from tests.pushed_repository import PushedRepository, tell_push

from windlass.db.effects import list_waiting
from windlass.errors import GitError
from windlass.events.mirrors import KEPT, Mirrors, find_mirrors
from windlass.operations.hosted.deliveries import accept_delivery
from windlass.operations.hosted.mirror_upkeep import YOUNG_SECONDS, tidy_mirrors
from windlass.operations.hosted.repositories import register_repository, require_repository
from windlass.operations.hosted.watching import list_handlers
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

NAME = "octo/boat"
START = 1_800_000_000.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


@pytest.fixture
def site(
    database_address: str, tmp_path: Path, clock: ManualClock, pushed: PushedRepository
) -> Iterator[Site]:
    with open_site(database_address, tmp_path / "data", now=lambda: START + clock.now()) as opened:
        with opened.store.writing() as connection:
            connection.execute("DELETE FROM repositories")
        register_repository(opened, str(pushed.bare), NAME)
        yield opened


def push(site: Site, pushed: PushedRepository) -> str:
    """Push a commit that starts a run, of which the mirror knows since now."""
    before, after = pushed.push()
    row = require_repository(site, NAME)
    accept_delivery(site, row, after, "push", tell_push(before, after))
    handlers = list_handlers(site)
    for effect in list_waiting(site.store, 99):
        handlers[effect.kind](effect)
        with site.store.writing() as connection:
            connection.execute("UPDATE effects SET done = 1.0 WHERE id = ?", (effect.id,))
    os.utime(find_mirrors(site.data).find(row.id) / KEPT / after, (site.now(),) * 2)
    return after


def forget_run_of(site: Site, sha: str) -> None:
    with site.store.writing() as connection:
        connection.execute("DELETE FROM runs WHERE sha = ?", (sha,))


def list_kept(site: Site) -> set[str]:
    return set(find_mirrors(site.data).list_kept(require_repository(site, NAME).id))


def test_commits_of_forgotten_runs(
    site: Site, clock: ManualClock, pushed: PushedRepository
) -> None:
    """They are let go a day later; those of runs that are known stay, however old."""
    one, two = push(site, pushed), push(site, pushed)
    assert list_kept(site) == {one, two}
    forget_run_of(site, one)
    clock.advance(YOUNG_SECONDS)
    assert tidy_mirrors(site) == 0, "its run may just be entered"
    clock.advance(1.0)
    assert tidy_mirrors(site) == 1
    assert list_kept(site) == {two}
    clock.advance(1000 * YOUNG_SECONDS)
    assert tidy_mirrors(site) == 0


def test_a_mirror_that_is_in_use(
    site: Site, pushed: PushedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tidied when no job of its repository runs or waits, and not before."""
    tidied: list[str] = []
    monkeypatch.setattr(Mirrors, "tidy", lambda _self, repository: tidied.append(repository))
    push(site, pushed)
    tidy_mirrors(site)
    assert tidied == []
    with site.store.writing() as connection:
        connection.execute("UPDATE jobs SET state = 'ended'")
    tidy_mirrors(site)
    assert tidied == [require_repository(site, NAME).id]


def test_a_mirror_that_gives_trouble(
    site: Site,
    clock: ManualClock,
    pushed: PushedRepository,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is named in the log, and nobody else waits for it; one that is missing is no trouble."""

    def fail(_self: Mirrors, _repository: str) -> None:
        raise GitError("git gc failed: the disk is full")

    monkeypatch.setattr(Mirrors, "tidy", fail)
    forget_run_of(site, push(site, pushed))
    clock.advance(2 * YOUNG_SECONDS)
    with caplog.at_level(logging.WARNING):
        assert tidy_mirrors(site) == 1
    assert f"the mirror of {NAME} cannot be tidied: git gc failed" in caplog.text
    find_mirrors(site.data).remove(require_repository(site, NAME).id)
    assert tidy_mirrors(site) == 0
