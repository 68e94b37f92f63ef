"""Caches as GitHub's own clients save and restore them, in both versions of the service."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from tests import npm
from tests.integration.services.serving import Place
from tests.integration.services.test_cache_protocol import Client

from windlass.db.caches import list_caches
from windlass.services.caches.portable import Places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.services.job_services import JobServices

CLIENTS = {
    "v2": ("cache-6", "@actions/cache@6.3.0"),
    "v1": ("cache-3", "@actions/cache@3.2.4"),
}
SAVE = """
const {saveCache} = await import('@actions/cache');
tell(await saveCache(JSON.parse(process.env.PATHS), process.env.KEY));
"""
RESTORE = """
const {restoreCache} = await import('@actions/cache');
tell(await restoreCache(...JSON.parse(process.env.GIVEN)) ?? null);
"""


class Machine:
    """A workspace of one job, with a client in it."""

    def __init__(self, home: Path, folder: Path, job: JobServices, path: str | None) -> None:
        folder.mkdir()
        self.folder = folder
        variables = {
            **job.action_variables,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(folder),
            "RUNNER_TEMP": str(folder / "temp"),
            **({} if path is None else {"PATH": path}),
        }
        self._node = npm.Node(home, folder, variables)

    def write(self, name: str, content: bytes | str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def save(self, key: str, *paths: str, **options: Any) -> int:
        number = self._node.run(SAVE, KEY=key, PATHS=json.dumps(paths or ("deps",)), **options)
        assert isinstance(number, int)
        return number

    def restore(
        self, key: str, *more: str, paths: tuple[str, ...] = ("deps",), **options: Any
    ) -> str | None:
        given = json.dumps([paths, key, more, options])
        found: str | None = self._node.run(RESTORE, GIVEN=given)
        return found

    def run(self, script: str, **variables: str) -> Any:
        return self._node.run(script, **variables)

    @property
    def said(self) -> str:
        return self._node.said


Begin: TypeAlias = "Callable[..., Machine]"


@pytest.fixture(params=CLIENTS)
def begin(request: pytest.FixtureRequest, served: Place, tmp_path: Path) -> Begin:
    """Begins a job with a workspace of its own, with one of the clients."""
    home = npm.install(*CLIENTS[request.param])

    def begin_one(name: str, path: str | None = None, **facts: Any) -> Machine:
        return Machine(home, tmp_path / name, served.begin(name, **facts), path)

    return begin_one


@pytest.mark.requirement("A21")
def test_save_and_restore(begin: Begin, served: Place) -> None:
    """What one run saves, the next one restores, byte for byte."""
    first = begin("first", run="1")
    first.write("deps/a/one.txt", "one")
    first.write("deps/two.bin", os.urandom(1 << 20))
    number = first.save("npm-1")
    assert number > 0
    assert [(row.key, row.scope) for row in list_caches(served.database)] == [
        ("npm-1", "refs/heads/main")
    ]

    second = begin("second", run="2")
    assert second.restore("npm-1") == "npm-1"
    assert second.read("deps/a/one.txt") == "one"
    assert (second.folder / "deps/two.bin").read_bytes() == (
        first.folder / "deps/two.bin"
    ).read_bytes()


def test_restore_keys(begin: Begin) -> None:
    """Without the key itself, the newest cache is restored that begins with a restore key."""
    saver = begin("saver")
    for key in ("npm-a-1", "npm-a-2", "pip-1"):
        saver.write("deps/key", key)
        saver.save(key)
    restorer = begin("restorer")
    assert restorer.restore("npm-b-1", "npm-b-", "npm-") == "npm-a-2"
    assert restorer.read("deps/key") == "npm-a-2"
    assert restorer.restore("cargo-1", "cargo-") is None


def test_lookup_only(begin: Begin) -> None:
    """A look-up tells the key and fetches nothing."""
    saver = begin("saver")
    saver.write("deps/x", "x")
    saver.save("npm-1")
    restorer = begin("restorer")
    assert restorer.restore("npm-1", lookupOnly=True) == "npm-1"
    assert not (restorer.folder / "deps").exists()


def test_a_cache_never_changes(begin: Begin) -> None:
    """A key that is taken cannot be saved again, and keeps its content."""
    first = begin("first")
    first.write("deps/x", "first")
    assert first.save("npm-1") > 0
    second = begin("second")
    second.write("deps/x", "second")
    assert second.save("npm-1") == -1
    assert "Unable to reserve cache with key npm-1" in second.said
    third = begin("third")
    third.restore("npm-1")
    assert third.read("deps/x") == "first"


def test_two_jobs_save_one_key_at_once(begin: Begin) -> None:
    """One gets the key and keeps its content whole; the other is told, and does not fail."""
    savers = [begin(name) for name in ("first", "second")]
    for number, saver in enumerate(savers):
        saver.write("deps/x", str(number) * 500_000)
    with ThreadPoolExecutor(len(savers)) as pool:
        saved = list(pool.map(lambda saver: saver.save("npm-1"), savers))
    assert sorted(number > 0 for number in saved) == [False, True]
    restorer = begin("restorer")
    assert restorer.restore("npm-1") == "npm-1"
    assert restorer.read("deps/x") == str([number > 0 for number in saved].index(True)) * 500_000


def test_segments(served: Place, tmp_path: Path) -> None:
    """Azure's client fetches a cache in segments, eight at once, where it is told to."""
    job = served.begin()
    machine = Machine(npm.install(*CLIENTS["v2"]), tmp_path / "machine", job, None)
    machine.write("deps/x", os.urandom(40 << 20))
    machine.save("npm-1")
    (row,) = list_caches(served.database)
    caller = Client(job)
    found = caller.call("GetCacheEntryDownloadURL", key="npm-1", version=row.version).json

    digest = machine.run(
        """
        const {BlockBlobClient} = require('@azure/storage-blob');
        const client = new BlockBlobClient(process.env.ADDRESS);
        const {contentLength} = await client.getProperties();
        const content = await client.downloadToBuffer(
          0, contentLength, {blockSize: 4 << 20, concurrency: 8});
        tell(require('node:crypto').createHash('sha256').update(content).digest('hex'));
        """,
        ADDRESS=found["signed_download_url"],
    )

    assert digest == row.blob


def test_versions(begin: Begin) -> None:
    """Other paths make another cache: none is found, and both can be kept under one key."""
    saver = begin("saver")
    saver.write("deps/x", "x")
    saver.write("other/y", "y")
    saver.save("npm-1", "deps")
    assert begin("restorer").restore("npm-1", paths=("other",)) is None
    assert saver.save("npm-1", "other") > 0


def test_compression(begin: Begin, tmp_path: Path) -> None:
    """Where there is no zstd the client packs by gzip, and the two are kept apart."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("tar", "gzip", "node", "sh"):
        (tools / name).symlink_to(shutil.which(name) or name)
    first = begin("first", path=str(tools))
    first.write("deps/x", "gzip")
    assert first.save("npm-1") > 0
    assert begin("second").restore("npm-1") is None
    third = begin("third", path=str(tools))
    assert third.restore("npm-1") == "npm-1"
    assert third.read("deps/x") == "gzip"


BRANCH = {"ref": "refs/heads/feature"}
PULL = {
    "ref": "refs/pull/7/merge",
    "event_name": "pull_request",
    "base_ref": "main",
    "head_ref": "feature",
}


@pytest.mark.parametrize(
    ("writer", "reader", "is_found"),
    [
        pytest.param({}, BRANCH, True, id="branch-reads-the-default-branch"),
        pytest.param(BRANCH, {}, False, id="default-branch-reads-no-other"),
        pytest.param(BRANCH, {"ref": "refs/heads/sibling"}, False, id="siblings"),
        pytest.param({"ref": "refs/tags/a"}, {"ref": "refs/tags/b"}, False, id="tags"),
        pytest.param({}, PULL, True, id="pull-request-reads-its-base"),
        pytest.param(PULL, {}, False, id="base-reads-no-pull-request"),
        pytest.param(PULL, {**PULL, "ref": "refs/pull/8/merge"}, False, id="pull-requests"),
    ],
)
def test_scopes(
    served: Place,
    tmp_path: Path,
    writer: dict[str, str],
    reader: dict[str, str],
    is_found: bool,
) -> None:
    """Jobs see the caches of their own ref, of the base and of the default branch."""
    home = npm.install(*CLIENTS["v2"])
    saver = Machine(home, tmp_path / "saver", served.begin("saver", **writer), None)
    saver.write("deps/x", "x")
    assert saver.save("npm-1") > 0
    restorer = Machine(home, tmp_path / "restorer", served.begin("restorer", **reader), None)
    assert restorer.restore("npm-1", lookupOnly=True) == ("npm-1" if is_found else None)


def test_another_process(begin: Begin, served: Place, tmp_path: Path) -> None:
    """Caches stay when Windlass ends."""
    saver = begin("saver")
    saver.write("deps/x", "x")
    saver.save("npm-1")
    served.close()
    again = Place(served.state)
    restorer = Machine(saver._node.home, tmp_path / "restorer", again.begin("restorer"), path=None)
    assert restorer.restore("npm-1") == "npm-1"
    again.close()
    assert again.told == []


@pytest.mark.requirement("A21")
def test_half_a_gigabyte(served: Place, tmp_path: Path) -> None:
    """500 MB go in as blocks and come back whole; `bench/services.py` measures how fast."""
    home = npm.install(*CLIENTS["v2"])
    saver = Machine(home, tmp_path / "saver", served.begin("saver"), None)
    content = os.urandom(50 << 20)
    for number in range(10):
        saver.write(f"deps/{number}", number.to_bytes(1, "big") + content)
    assert saver.save("big") > 0

    restorer = Machine(home, tmp_path / "restorer", served.begin("restorer"), None)
    assert restorer.restore("big") == "big"
    assert (restorer.folder / "deps/9").read_bytes() == b"\x09" + content


def test_paths_of_one_job(served: Place, tmp_path: Path) -> None:
    """A tool's folder below HOME, written absolutely, is found by jobs with a HOME of their own."""
    home = npm.install(*CLIENTS["v2"])

    def begin_in(name: str) -> tuple[Machine, str]:
        folder = tmp_path / name
        folder.mkdir()
        workspace = folder / "name" / "name"
        workspace.parent.mkdir()
        places = Places(folder=str(folder), home=str(folder / "_home"), workspace=str(workspace))
        job = served.begin(name, places=places)
        return Machine(home, workspace, job, None), str(folder / "_home" / ".npm")

    saver, store = begin_in("1-build")
    saver.write(f"{store}/_cacache/x", "kept")
    assert saver.save("npm-1", store) > 0

    restorer, own_store = begin_in("7-test")
    assert restorer.restore("npm-1", paths=(own_store,)) == "npm-1"
    assert restorer.read(f"{own_store}/_cacache/x") == "kept"
    assert restorer.save("npm-1", own_store) == -1
    assert restorer.restore("npm-1", paths=(f"{own_store}/_cacache",)) is None


def test_layouts(served: Place, tmp_path: Path) -> None:
    """What a container packs of its HOME is not unpacked where HOME is somewhere else."""
    home = npm.install(*CLIENTS["v2"])
    host = Places(folder="/w/1", home="/w/1/_home", workspace="/w/1/n/n")
    container = Places(folder="/__w", home="/github/home", workspace="/__w/n/n")
    saver = Machine(home, tmp_path / "saver", served.begin("saver", places=container), None)
    saver.write("deps/x", "x")
    assert saver.save("npm-1") > 0

    other = Machine(home, tmp_path / "other", served.begin("other", places=host), None)
    assert other.restore("npm-1") is None
    again = Machine(home, tmp_path / "again", served.begin("again", places=container), None)
    assert again.restore("npm-1") == "npm-1"
