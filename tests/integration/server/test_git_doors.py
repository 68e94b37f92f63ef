"""Git reads the server's repositories over HTTP, and nobody else's business."""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.hosted_runner import StandIn, register
from tests.hosted_runs import REPOSITORY, add_repository, define, open_site
from tests.hosted_site import ask
from tests.live_server import RunningServer

from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.runners import create_registration, revoke_runner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

JOB = "on: push\njobs:\n  a: {runs-on: x, steps: [{run: echo}]}\n"
ADVERTISEMENT = "info/refs?service=git-upload-pack"


def git(*words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", "-c", "user.name=o", "-c", "user.email=o@x", *map(str, words)],
        env={**os.environ, **settings, "GIT_TERMINAL_PROMPT": "0"},
        check=check,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    data = tmp_path / "data"
    data.mkdir()
    with open_site(f"sqlite:///{tmp_path / 'server.db'}", data) as made:
        add_repository(made.store, "8")
        yield made


@pytest.fixture
def shas(site: Site, tmp_path: Path) -> list[str]:
    """The commits of both mirrors, of which only the last is a branch's."""
    work = tmp_path / "work"
    git("init", "-q", "-b", "main", work)
    found = []
    for number in range(3):
        (work / "file").write_text(f"{number}\n" * 5000)
        git("-C", work, "add", "file")
        git("-C", work, "commit", "-q", "-m", f"{number}")
        found.append(git("-C", work, "rev-parse", "HEAD").stdout.strip())
    for repository in (REPOSITORY, "8"):
        git("clone", "-q", "--mirror", work, site.data / "mirrors" / f"{repository}.git")
    return found


@pytest.fixture
def server(site: Site) -> Iterator[RunningServer]:
    made = RunningServer(site, (), 5)
    made.start()
    yield made
    made.end()


@pytest.fixture
def runner(site: Site) -> Iterator[StandIn]:
    with ask(site, token=None) as client:
        yield register(client, create_registration(site).token)


@pytest.fixture
def token(site: Site, runner: StandIn, shas: list[str]) -> str:
    """The token of a job of the first repository."""
    start_run(site, REPOSITORY, define(JOB))
    (given,) = runner.take()
    return str(given["git"]["token"])


def clone(
    server: RunningServer, header: str, folder: Path, *words: str, repository: str = REPOSITORY
) -> subprocess.CompletedProcess[str]:
    url = f"{server.address}/git/{repository}.git"
    return git(
        "-c", f"http.extraHeader=Authorization: {header}", "clone", "-q", *words, url, folder,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("version", [0, 2])
def test_cloning_with_a_jobs_token(
    server: RunningServer, token: str, tmp_path: Path, shas: list[str], version: int
) -> None:
    """A bearer's token or a password, in any version of Git's protocol."""
    basic = "Basic " + base64.b64encode(f"x:{token}".encode()).decode()
    for number, header in enumerate((f"Bearer {token}", basic)):
        folder = tmp_path / str(number)
        done = clone(server, header, folder, "-c", f"protocol.version={version}")
        assert done.returncode == 0, done.stderr
        assert git("-C", folder, "rev-parse", "HEAD").stdout.strip() == shas[-1]


def test_fetching_a_commit_that_no_branch_has(
    server: RunningServer, site: Site, runner: StandIn, token: str, tmp_path: Path, shas: list[str]
) -> None:
    """A run goes on although its branch was moved; a runner may use its own credential."""
    mirror = site.data / "mirrors" / f"{REPOSITORY}.git"
    git("-C", mirror, "update-ref", "refs/heads/main", shas[0])
    folder = tmp_path / "clone"
    git("init", "-q", "--bare", folder)
    for header in (token, runner.credential):
        header = f"http.extraHeader=Authorization: Bearer {header}"
        url = f"{server.address}/git/{REPOSITORY}.git"
        git("-C", folder, "-c", header, "fetch", "-q", "--depth=1", url, shas[2])
    assert git("-C", folder, "cat-file", "-t", shas[2]).stdout == "commit\n"


def test_who_may_not_read(
    server: RunningServer, site: Site, runner: StandIn, token: str, tmp_path: Path
) -> None:
    """Not without a token, not another repository, not when the job has ended."""
    (job,) = site.store.ask("SELECT run, attempt, number FROM jobs")
    name = "/".join(map(str, job))
    bad = "Bearer wlj_made_up"
    assert clone(server, bad, tmp_path / "a").returncode != 0
    for header in (f"Bearer {token}", f"Bearer {runner.credential}"):
        assert clone(server, header, tmp_path / "b", repository="8").returncode != 0
        assert clone(server, header, tmp_path / "b", repository="99").returncode != 0
    assert runner.end(name).status_code == 204
    for header in (f"Bearer {token}", f"Bearer {runner.credential}"):
        assert clone(server, header, tmp_path / "c").returncode != 0
    plain = httpx.get(f"{server.address}/git/{REPOSITORY}.git/{ADVERTISEMENT}", timeout=60)
    assert plain.status_code == 401
    assert plain.headers["www-authenticate"].startswith("Basic")


def test_a_revoked_runner_may_not_read(
    server: RunningServer, site: Site, runner: StandIn, token: str, tmp_path: Path
) -> None:
    revoke_runner(site, runner.id)
    for header in (token, runner.credential):
        assert clone(server, f"Bearer {header}", tmp_path / "a").returncode != 0


def test_nothing_is_written(
    server: RunningServer, token: str, tmp_path: Path, shas: list[str]
) -> None:
    """A push is refused."""
    folder = tmp_path / "clone"
    assert clone(server, f"Bearer {token}", folder).returncode == 0
    header = f"http.extraHeader=Authorization: Bearer {token}"
    done = git("-C", folder, "-c", header, "push", "-q", "origin", "main:other", check=False)
    assert done.returncode != 0
    assert "403" in done.stderr


@pytest.mark.parametrize(
    "path",
    ["..%2f7", "%2e%2e/7", "7%00", "7/objects", "-7", "..", "%2fetc%2fpasswd"],
)
def test_paths_that_lead_elsewhere(server: RunningServer, token: str, path: str) -> None:
    """Only a repository's id names one."""
    url = f"{server.address}/git/{path}.git/{ADVERTISEMENT}"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert answer.status_code in (400, 401, 404), answer.text


def test_bodies_that_are_not_what_they_say(server: RunningServer, token: str) -> None:
    """What is packed to harm, or not packed at all, is refused before anything is started."""
    url = f"{server.address}/git/{REPOSITORY}.git/git-upload-pack"
    head = {"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"}
    bomb = gzip.compress(b"0" * (200 << 20))
    for body in (bomb, b"not packed"):
        assert httpx.post(url, content=body, headers=head, timeout=60).status_code == 422
    head["Content-Encoding"] = "br"
    assert httpx.post(url, content=b"", headers=head, timeout=60).status_code == 422
