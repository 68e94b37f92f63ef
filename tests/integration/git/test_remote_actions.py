"""Repositories of others, fetched by a real Git from real remotes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from tests.remotes import Remotes

from windlass.errors import GitError
from windlass.git.asking_remotes import UnresolvedError
from windlass.git.remote_actions import RemoteRepositories

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"action.yml": "runs: {using: node20, main: a.js}\n", "a.js": "1\n"}
MISSING = "a" * 40


@pytest.fixture
def remotes(tmp_path: Path) -> Remotes:
    """An empty folder of remotes."""
    return Remotes(tmp_path)


def open_cache(tmp_path: Path, *bases: str, offline: bool = False) -> RemoteRepositories:
    return RemoteRepositories(tmp_path / "cache", bases, offline=offline)


def fetch(repositories: RemoteRepositories, ref: str, folder: Path) -> str:
    sha = repositories.resolve("acme/say", ref).sha
    repositories.provide("acme/say", sha)
    repositories.write("acme/say", sha, folder)
    return sha


@pytest.mark.parametrize("protocol", ["file", "folder", "smart", "plain"])
@pytest.mark.parametrize("kind", ["tag", "branch", "commit", "full name"])
def test_a_ref_is_fetched(protocol: str, kind: str, remotes: Remotes, tmp_path: Path) -> None:
    """Tags, branches and commits come over every protocol that Git speaks here."""
    first = remotes.publish("acme/say", FILES, tag="v1")
    second = remotes.publish("acme/say", {"a.js": "2\n"}, tag="v2", branch="feature/x")
    ref, sha, text = {
        "tag": ("v1", first, "1\n"),
        "branch": ("feature/x", second, "2\n"),
        "commit": (first, first, "1\n"),
        "full name": ("refs/heads/feature/x", second, "2\n"),
    }[kind]

    def check(base: str) -> None:
        assert fetch(open_cache(tmp_path, base), ref, tmp_path / "out") == sha
        assert (tmp_path / "out/a.js").read_text() == text
        assert not (tmp_path / "out/.git").exists()

    if protocol in ("file", "folder"):
        check(remotes.url if protocol == "file" else str(remotes.root))
        return
    with remotes.over_http(smart=protocol == "smart") as url:
        check(url)


def test_a_tag_comes_before_a_branch_of_the_same_name(remotes: Remotes, tmp_path: Path) -> None:
    """As `git rev-parse` looks for names."""
    tagged = remotes.publish("acme/say", FILES, tag="v1")
    remotes.publish("acme/say", {"a.js": "2\n"}, tag="other", branch="v1")

    assert open_cache(tmp_path, remotes.url).resolve("acme/say", "v1").sha == tagged


def test_the_first_base_that_has_a_repository_answers(remotes: Remotes, tmp_path: Path) -> None:
    """A ref that it does not have is not looked for elsewhere."""
    (tmp_path / "second").mkdir()
    other = Remotes(tmp_path / "second")
    sha = other.publish("acme/say", FILES)
    repositories = open_cache(tmp_path, remotes.url, other.url)

    assert repositories.resolve("acme/say", "v1").sha == sha
    remotes.publish("acme/say", FILES, tag="v0")
    with pytest.raises(UnresolvedError, match="unable to find version `v1`"):
        repositories.resolve("acme/say", "v1")


def test_what_was_fetched_needs_no_remote(remotes: Remotes, tmp_path: Path) -> None:
    """A commit is kept, and so is what a ref was when its remote could last be asked."""
    with remotes.over_http(smart=True) as url:
        sha = remotes.publish("acme/say", FILES)
        fetch(open_cache(tmp_path, url), "v1", tmp_path / "out")
    gone = open_cache(tmp_path, url)

    known = gone.resolve("acme/say", "v1")
    assert (known.sha, known.remembered is not None) == (sha, True)
    assert "Git cannot read http" in known.problem
    assert fetch(gone, sha, tmp_path / "again") == sha
    with pytest.raises(UnresolvedError) as error:
        gone.resolve("acme/say", "v2")
    assert error.value.reason == "unreachable"
    offline = open_cache(tmp_path, url, offline=True).resolve("acme/say", "v1")
    assert (offline.sha, offline.problem) == (sha, "")


def test_what_other_bases_said_is_not_remembered(remotes: Remotes, tmp_path: Path) -> None:
    """A ref of one server says nothing about that of another."""
    remotes.publish("acme/say", FILES)
    fetch(open_cache(tmp_path, remotes.url), "v1", tmp_path / "out")

    with pytest.raises(UnresolvedError):
        open_cache(tmp_path, "https://elsewhere.example", offline=True).resolve("acme/say", "v1")


def test_a_ref_that_moves_is_asked_anew(remotes: Remotes, tmp_path: Path) -> None:
    """A tag is what its remote says today."""
    remotes.publish("acme/say", FILES)
    repositories = open_cache(tmp_path, remotes.url)
    fetch(repositories, "v1", tmp_path / "out")
    moved = remotes.publish("acme/say", {"a.js": "2\n"})

    assert fetch(repositories, "v1", tmp_path / "again") == moved
    assert (tmp_path / "again/a.js").read_text() == "2\n"


@pytest.mark.parametrize(
    ("name", "ref", "reason", "message"),
    [
        ("acme/none", "v1", "repository", "repository not found"),
        ("acme/say", "v9", "ref", "unable to find version `v9`"),
        ("acme/say", "abcdef0", "ref", "the provided ref `abcdef0` is the shortened version"),
    ],
)
@pytest.mark.parametrize("protocol", ["file", "smart", "plain"])
def test_what_is_not_there_is_said_in_githubs_words(
    protocol: str, name: str, ref: str, reason: str, message: str, remotes: Remotes, tmp_path: Path
) -> None:
    """Repository or ref: the error tells which, and what to do."""
    remotes.publish("acme/say", FILES)

    def check(base: str) -> None:
        with pytest.raises(UnresolvedError) as error:
            open_cache(tmp_path, base).resolve(name, ref)
        assert error.value.reason == reason
        assert error.value.message.startswith(message)
        assert error.value.hint

    if protocol == "file":
        check(remotes.url)
        return
    with remotes.over_http(smart=protocol == "smart") as url:
        check(url)


@pytest.mark.parametrize("protocol", ["file", "smart", "plain"])
def test_a_commit_that_is_nowhere_is_an_error(
    protocol: str, remotes: Remotes, tmp_path: Path
) -> None:
    """A SHA that the repository does not have."""
    remotes.publish("acme/say", FILES)

    def check(base: str) -> None:
        with pytest.raises(UnresolvedError, match="acme/say has no commit"):
            open_cache(tmp_path, base).provide("acme/say", MISSING)

    if protocol == "file":
        check(remotes.url)
        return
    with remotes.over_http(smart=protocol == "smart") as url:
        check(url)


def test_nothing_of_a_repository_is_run(
    remotes: Remotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither filters that the user has set up nor hooks see what others publish."""
    trace = tmp_path / "trace"
    configuration = tmp_path / "gitconfig"
    configuration.write_text(
        f'[filter "evil"]\n\tsmudge = tee {trace}\n\trequired = true\n'
        f"[core]\n\thooksPath = {tmp_path}/hooks\n"
    )
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        file = tmp_path / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\necho {hook} >> {trace}\n")
        file.chmod(0o755)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    remotes.publish("acme/say", {**FILES, ".gitattributes": "*.js filter=evil\n"})

    fetch(open_cache(tmp_path, remotes.url), "v1", tmp_path / "out")

    assert (tmp_path / "out/a.js").read_text() == "1\n"
    assert not trace.exists()


def test_the_users_configuration_says_how_a_remote_is_reached(
    remotes: Remotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`insteadOf` leads elsewhere, as do proxies and credential helpers."""
    configuration = tmp_path / "gitconfig"
    configuration.write_text(f'[url "{remotes.url}/"]\n\tinsteadOf = https://github.com/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    sha = remotes.publish("acme/say", FILES)

    assert fetch(open_cache(tmp_path, "https://github.com"), "v1", tmp_path / "out") == sha


def test_links_that_lead_out_are_left_out(remotes: Remotes, tmp_path: Path) -> None:
    """Absolute, by `..`, and by way of another link; those that stay inside are kept."""
    links = {
        "absolute": "/etc/passwd",
        "up": "../../outside",
        "chain": "folder/up",
        "inside": "a.js",
        "folder": "sub",
        "sub/up": "../..",
    }
    remotes.publish("acme/say", {**FILES, "sub/b": ""}, links=links)
    repositories = open_cache(tmp_path, remotes.url)
    sha = repositories.resolve("acme/say", "v1").sha
    repositories.provide("acme/say", sha)

    left_out = repositories.write("acme/say", sha, tmp_path / "out")

    assert {"absolute", "up", "sub/up"} <= set(left_out) <= {*links} - {"inside", "folder"}
    for path in (tmp_path / "out").rglob("*"):
        assert path.resolve().is_relative_to((tmp_path / "out").resolve())
    assert (tmp_path / "out/inside").readlink().name == "a.js"


def test_a_file_is_read_without_writing_any(remotes: Remotes, tmp_path: Path) -> None:
    """Only a regular file is one, and a large one is refused."""
    sha = remotes.publish("acme/say", FILES, links={"link": "a.js"})
    repositories = open_cache(tmp_path, remotes.url)
    repositories.provide("acme/say", sha)

    def read(path: str, most_bytes: int = 100) -> bytes | None:
        return repositories.read("acme/say", sha, path, most_bytes=most_bytes)

    assert read("a.js") == b"1\n"
    assert [read(path) for path in ("link", "none", "sub/none")] == [None] * 3
    with pytest.raises(GitError, match="larger than 1 bytes"):
        read("a.js", 1)


def test_a_damaged_copy_is_found(remotes: Remotes, tmp_path: Path) -> None:
    """An object whose bytes were changed is told, with the folder to remove."""
    sha = remotes.publish("acme/say", FILES)
    repositories = open_cache(tmp_path, remotes.url)
    repositories.provide("acme/say", sha)
    repositories.check("acme/say", sha)
    objects = tmp_path / "cache/acme/say.git/objects"
    for path in objects.rglob("*"):
        if path.is_file() and path.parent.name != "info":
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-10] + b"\0" * 10)

    with pytest.raises(GitError, match="what is kept of acme/say is damaged") as error:
        repositories.check("acme/say", sha)
    assert str(tmp_path / "cache/acme/say.git") in str(error.value.hint)


def test_many_may_fetch_at_once(remotes: Remotes, tmp_path: Path) -> None:
    """Jobs, and other runs, that need the same commit at the same moment all get it."""
    remotes.publish("acme/say", FILES)
    shas: list[str] = []

    def work(number: int) -> None:
        repositories = open_cache(tmp_path, remotes.url)
        shas.append(fetch(repositories, "v1", tmp_path / f"out-{number}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(shas) == 6
    assert all((tmp_path / f"out-{number}/a.js").exists() for number in range(6))


def test_git_brings_the_credentials(
    remotes: Remotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's credential helper is asked; without one the repository is as good as not there."""
    configuration = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    sha = remotes.publish("acme/say", FILES)

    with remotes.over_http(smart=True, password="hunter2") as url:
        with pytest.raises(UnresolvedError, match="repository not found") as error:
            open_cache(tmp_path, url).resolve("acme/say", "v1")
        assert "give Git access to it" in str(error.value.hint)
        configuration.write_text(
            '[credential]\n\thelper = "!f() { echo username=me; echo password=hunter2; }; f"\n'
        )
        assert fetch(open_cache(tmp_path, url), "v1", tmp_path / "out") == sha


def test_what_a_killed_fetch_left_is_in_nobodys_way(remotes: Remotes, tmp_path: Path) -> None:
    """Git's own lock files of somebody who is dead are removed."""
    remotes.publish("acme/say", FILES)
    repositories = open_cache(tmp_path, remotes.url)
    fetch(repositories, "v1", tmp_path / "out")
    store = tmp_path / "cache/acme/say.git"
    (store / "shallow.lock").touch()
    (store / "refs/windlass/x.lock").touch()
    moved = remotes.publish("acme/say", {"a.js": "2\n"})

    assert fetch(repositories, "v1", tmp_path / "again") == moved
    assert not [*store.rglob("*.lock")]


PROVIDE = """
import sys
from pathlib import Path
from windlass.git.remote_actions import RemoteRepositories
RemoteRepositories(Path(sys.argv[1]), sys.argv[2:3]).provide("acme/say", sys.argv[3])
"""


def test_a_fetch_that_is_killed_is_done_again(remotes: Remotes, tmp_path: Path) -> None:
    """In the middle of the objects, with `kill -9` for Windlass and Git: nothing half is used."""
    sha = remotes.publish("acme/say", {"a.js": os.urandom(40_000).hex()})
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    hook = tmp_path / "half"
    hook.write_text(f'#!/bin/sh\n"$@" | head -c 30000\necho > {begun}\nexec sleep 60\n')
    hook.chmod(0o755)
    configuration = tmp_path / "gitconfig"
    configuration.write_text(f"[uploadpack]\n\tpackObjectsHook = {hook}\n")
    words = (str(tmp_path / "cache"), remotes.url, sha)
    fetching = subprocess.Popen(
        [sys.executable, "-c", PROVIDE, *words],
        env={**os.environ, "GIT_CONFIG_GLOBAL": str(configuration)},
        start_new_session=True,
    )
    begun.read_text()
    os.killpg(fetching.pid, signal.SIGKILL)
    fetching.wait()
    repositories = open_cache(tmp_path, remotes.url)
    assert not repositories.has("acme/say", sha)

    assert fetch(repositories, "v1", tmp_path / "out") == sha
    repositories.check("acme/say", sha)
    assert not list((tmp_path / "cache").rglob("tmp_*"))


def test_ssh_never_asks(remotes: Remotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no terminal to ask for a password or about a host, and says so at once."""
    ssh = tmp_path / "bin/ssh"
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexit 255\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=":")

    with pytest.raises(UnresolvedError) as error:
        open_cache(tmp_path, "git@forge.example:").resolve("acme/say", "v1")
    assert error.value.reason == "unreachable"
    assert "-o BatchMode=yes" in (tmp_path / "asked").read_text()
    assert "git@forge.example git-upload-pack 'acme/say'" in (tmp_path / "asked").read_text()


def test_a_remote_that_never_answers_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as one that cannot be reached."""
    monkeypatch.setattr("windlass.git.asking_remotes.LOOK_UP_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnresolvedError, match="there was no answer within"):
            open_cache(tmp_path, silent_url).resolve("acme/say", "v1")


def test_a_guess_may_be_out_of_reach(remotes: Remotes, tmp_path: Path) -> None:
    """The server of the repository itself is asked first, but it may have no actions at all."""
    sha = remotes.publish("acme/say", FILES)
    folder, silent = tmp_path / "cache", "http://127.0.0.1:9"
    guessing = RemoteRepositories(folder, [remotes.url], guess=silent)

    assert fetch(guessing, "v1", tmp_path / "out") == sha
    with pytest.raises(UnresolvedError) as error:
        guessing.resolve("acme/none", "v1")
    assert error.value.reason == "repository"
    with pytest.raises(UnresolvedError, match="Git cannot read http"):
        RemoteRepositories(tmp_path / "other", [silent, remotes.url]).resolve("acme/say", "v1")
