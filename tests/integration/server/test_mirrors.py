"""Mirrors: what a server fetches, from where, and what it never does meanwhile."""

from __future__ import annotations

import fcntl
import os
import shutil
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest
from tests.pushed_repository import PushedRepository
from tests.remotes import Remotes
from tests.serving import serve

from windlass.errors import GitError
from windlass.events.addresses import Allowance, read_location
from windlass.events.mirrors import KEPT, Mirrors
from windlass.git.kept_repositories import LOCK
from windlass.git.packing import COMMAND

if TYPE_CHECKING:
    from pathlib import Path

HERE = Allowance(["127.0.0.1"])


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


@pytest.fixture
def mirrors(tmp_path: Path) -> Mirrors:
    return Mirrors(tmp_path / "mirrors")


@pytest.fixture
def remotes(tmp_path: Path) -> Remotes:
    found = Remotes(tmp_path)
    found.publish("octo/boat", {"a": "1"})
    return found


def test_a_folder(mirrors: Mirrors, pushed: PushedRepository) -> None:
    """A mirror has its branches and tags, and loses those that are deleted."""
    place = read_location(str(pushed.bare), HERE)
    pushed.git("tag", "v1")
    pushed.git("push", "-q", str(pushed.bare), "v1", "main:feature")
    mirrors.fetch("1", place)
    assert mirrors.find_commit("1", "refs/tags/v1") == pushed.find("main")
    assert mirrors.find_commit("1", "refs/heads/feature") == pushed.find("main")
    refs = mirrors.list_refs(place)
    assert refs.default_branch == "main"
    assert sorted(refs.heads) == ["refs/heads/feature", "refs/heads/main", "refs/tags/v1"]

    pushed.git("push", "-q", str(pushed.bare), ":feature")
    mirrors.fetch("1", place)
    assert mirrors.find_commit("1", "refs/heads/feature") is None


@pytest.mark.parametrize("smart", [True, False], ids=["smart", "plain"])
def test_over_http(mirrors: Mirrors, remotes: Remotes, *, smart: bool) -> None:
    """A server that speaks HTTP is asked where it is allowed."""
    with remotes.over_http(smart=smart) as url:
        mirrors.fetch("1", read_location(f"{url}/octo/boat.git", HERE))
    assert mirrors.find_commit("1", "refs/heads/main")


def test_refs_beside_branches(mirrors: Mirrors, pushed: PushedRepository) -> None:
    """Those of pull requests are fetched where they are there, and missing ones are no mistake."""
    pushed.git("push", "-q", str(pushed.bare), "main:refs/pull/7/head")
    place = read_location(str(pushed.bare), HERE)
    mirrors.fetch("1", place, more=["refs/pull/7/merge", "refs/pull/7/head"])
    assert mirrors.find_commit("1", "refs/pull/7/head") == pushed.find("main")
    assert mirrors.find_commit("1", "refs/pull/7/merge") is None


def test_redirects_are_not_followed(mirrors: Mirrors, remotes: Remotes) -> None:
    """A public host must not lead the server to one inside."""
    with remotes.over_http(smart=True) as inside:

        class Redirecting(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(302)
                self.send_header("Location", f"{inside}{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with serve(Redirecting) as url, pytest.raises(GitError, match=r"redirect|302"):
            mirrors.fetch("1", read_location(f"{url}/octo/boat.git", HERE))
    assert mirrors.find_commit("1", "refs/heads/main") is None


def test_a_name_is_not_looked_up_again(mirrors: Mirrors, remotes: Remotes) -> None:
    """Git uses the addresses that were looked at: a name may stand for others a moment later."""
    with remotes.over_http(smart=True) as url:
        port = url.rpartition(":")[2]
        place = read_location(
            f"http://boats.invalid:{port}/octo/boat.git",
            Allowance(["boats.invalid"]),
            lambda _: ["127.0.0.1"],
        )
        mirrors.fetch("1", place)
    assert mirrors.find_commit("1", "refs/heads/main")


def test_settings_of_the_user_are_not_used(
    mirrors: Mirrors, pushed: PushedRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No helper, no rewritten URL, no hook of whoever runs the server."""
    witness = tmp_path / "witness"
    settings = tmp_path / "settings"
    settings.write_text(
        f'[credential]\n\thelper = "!touch {witness}"\n'
        f'[url "file:///nowhere"]\n\tinsteadOf = {pushed.bare}\n'
        f'[uploadpack]\n\tpackObjectsHook = "touch {witness};"\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    mirrors.fetch("1", read_location(str(pushed.bare), HERE))
    assert mirrors.find_commit("1", "refs/heads/main") == pushed.find("main")
    assert not witness.exists()


def test_settings_and_hooks_of_the_repository_are_not_used(
    mirrors: Mirrors, pushed: PushedRepository, tmp_path: Path
) -> None:
    """A folder that is registered runs nothing on the server."""
    witness = tmp_path / "witness"
    pushed.git("config", "uploadpack.packObjectsHook", f"touch {witness};", at=pushed.bare)
    for name in ("post-upload-pack", "pre-upload-pack", "reference-transaction"):
        hook = pushed.bare / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {witness}\n")
        hook.chmod(0o755)
    mirrors.fetch("1", read_location(str(pushed.bare), HERE))
    assert not witness.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_a_folder_of_another_user(mirrors: Mirrors, pushed: PushedRepository) -> None:
    """Registering a folder is what says that it may be read."""
    for path in (pushed.bare, *pushed.bare.rglob("*")):
        shutil.chown(path, 65534)
    mirrors.fetch("1", read_location(str(pushed.bare), HERE))
    assert mirrors.find_commit("1", "refs/heads/main")


def test_the_token_of_a_repository(mirrors: Mirrors, remotes: Remotes) -> None:
    """It opens a private repository as on GitHub, and no complaint tells it."""
    with remotes.over_http(smart=True, password="hunter2", user="x-access-token") as url:
        place = read_location(f"{url}/octo/boat.git", HERE)
        for token in ("", "wrong-hunter"):
            with pytest.raises(GitError) as caught:
                mirrors.fetch("1", place, token=token)
            assert not token or token not in caught.value.message
        mirrors.fetch("1", place, token="hunter2")
    assert mirrors.find_commit("1", "refs/heads/main")


def test_ids_of_sha256(mirrors: Mirrors, tmp_path: Path, remotes: Remotes) -> None:
    """A repository with longer ids has such a mirror."""
    work = tmp_path / "wide"
    remotes.git("init", "-q", "-b", "main", "--object-format=sha256", str(work))
    remotes.git("commit", "-q", "--allow-empty", "-m", "A", at=work)
    mirrors.fetch("1", read_location(str(work), HERE))
    assert mirrors.find_commit("1", "main") == remotes.git("rev-parse", "HEAD", at=work)


def test_what_a_dead_fetch_has_left(mirrors: Mirrors, pushed: PushedRepository) -> None:
    """Its locks keep nobody out."""
    place = read_location(str(pushed.bare), HERE)
    mirrors.fetch("1", place)
    (mirrors.find("1") / "packed-refs.lock").touch()
    (mirrors.find("1") / "refs/heads/main.lock").touch()
    after = pushed.push()[1]
    mirrors.fetch("1", place)
    assert mirrors.find_commit("1", "refs/heads/main") == after


def test_commits_that_are_kept(mirrors: Mirrors, pushed: PushedRepository) -> None:
    """They outlive their branch until they are let go, and a young one is not."""
    place = read_location(str(pushed.bare), HERE)
    one, two = pushed.push()[1], pushed.push()[1]
    mirrors.fetch("1", place)
    for sha in (one, two):
        mirrors.keep("1", sha)
    assert sorted(mirrors.list_kept("1")) == sorted((one, two))
    moment = (mirrors.find("1") / KEPT / one).stat().st_mtime

    assert mirrors.release("1", [one, two], moment - 10) == 0
    os.utime(mirrors.find("1") / KEPT / one, (0, 0))
    assert mirrors.release("1", [one, two, "0" * 40], moment - 10) == 1
    assert mirrors.list_kept("1") == [two]
    os.utime(mirrors.find("1") / KEPT / two, (0, 0))
    mirrors.keep("1", two)
    assert mirrors.release("1", [two], moment - 10) == 0, "it is wanted once more"


def test_commits_that_git_has_packed(mirrors: Mirrors, pushed: PushedRepository) -> None:
    """Those count as old, and are let go all the same."""
    mirrors.fetch("1", read_location(str(pushed.bare), HERE))
    mirrors.keep("1", sha := pushed.find("main"))
    pushed.git("pack-refs", "--all", at=mirrors.find("1"))
    assert mirrors.list_kept("1") == [sha]
    assert mirrors.release("1", [sha], 0.0) == 1
    assert mirrors.list_kept("1") == []


def test_tidying(
    mirrors: Mirrors, pushed: PushedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small objects become a pack; a kept commit stays, and its ref in a file of its own."""
    place = read_location(str(pushed.bare), HERE)
    lost = pushed.push()[1]
    mirrors.fetch("1", place)
    mirrors.keep("1", lost)
    pushed.git("reset", "-q", "--hard", "HEAD~1")
    pushed.push()
    mirrors.fetch("1", place)
    packs = mirrors.find("1") / "objects" / "pack"
    before = len(list(packs.glob("*.pack")))
    mirrors.tidy("1")
    assert len(list(packs.glob("*.pack"))) == before, "it is not worth it yet"
    # Git estimates the number of loose objects from one folder of 256.
    monkeypatch.setattr("windlass.git.packing.COMMAND", _eager(COMMAND))
    mirrors.tidy("1")
    assert list(packs.glob("*.pack"))
    assert mirrors.find_commit("1", lost) == lost
    assert (mirrors.find("1") / KEPT / lost).exists()


def _eager(command: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(it for it in command if it != "--auto")


def test_tidying_waits_for_nobody(mirrors: Mirrors, pushed: PushedRepository) -> None:
    """A mirror that is fetched into is left as it is."""
    place = read_location(str(pushed.bare), HERE)
    mirrors.fetch("1", place)
    with (mirrors.find("1") / LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        mirrors.tidy("1")


def test_a_mirror_that_is_removed(mirrors: Mirrors, pushed: PushedRepository) -> None:
    """Nothing of it is left, and it may be removed again."""
    mirrors.fetch("1", read_location(str(pushed.bare), HERE))
    mirrors.tidy("1")
    mirrors.remove("1")
    mirrors.remove("1")
    assert list(mirrors.find("1").parent.iterdir()) == []
    assert mirrors.find_commit("1", "main") is None
