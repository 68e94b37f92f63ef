"""The repositories of others that are kept, and their removal."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

import pytest
from tests.remotes import Remotes

from windlass.git.kept_repositories import LOCK, list_kept, remove_kept
from windlass.git.remote_actions import RemoteRepositories

if TYPE_CHECKING:
    from pathlib import Path

ACTION = {"action.yml": "runs: {using: composite, steps: []}\n"}


@pytest.fixture
def kept(tmp_path: Path) -> tuple[RemoteRepositories, str]:
    """A commit of a repository that is at hand."""
    remotes = Remotes(tmp_path)
    sha = remotes.publish("acme/tools", ACTION)
    repositories = RemoteRepositories(tmp_path / "cache", [remotes.url])
    repositories.provide("acme/tools", sha)
    return repositories, sha


def test_what_is_removed_is_fetched_again(
    kept: tuple[RemoteRepositories, str], tmp_path: Path
) -> None:
    """Nothing is lost by it but time."""
    repositories, sha = kept
    ((name, store),) = list_kept(tmp_path / "cache")

    assert name == "acme/tools"
    assert remove_kept(store)
    assert list((tmp_path / "cache").rglob("*.git*")) == []
    assert not repositories.has("acme/tools", sha)
    repositories.provide("acme/tools", sha)
    assert repositories.has("acme/tools", sha)


def test_what_somebody_fetches_into_stays(
    kept: tuple[RemoteRepositories, str], tmp_path: Path
) -> None:
    """Whoever holds the lock is not disturbed."""
    ((_, store),) = list_kept(tmp_path / "cache")
    with (store / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not remove_kept(store)

    assert kept[0].has("acme/tools", kept[1])
    assert remove_kept(store)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Nobody has fetched anything yet."""
    assert list(list_kept(tmp_path / "none")) == []
