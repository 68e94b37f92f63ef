"""A job names artifacts and blocks so that they would lie elsewhere: nothing of it does."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.integration.server.serving_jobs import Hosted, hosting
from tests.integration.services.calling import Caller, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = {
    "up": "../../../../escaped",
    "absolute": "/tmp/escaped",
    "backslashes": "..\\..\\escaped",
    "below": "mine/escaped",
    "null": "escaped\0.txt",
    "line": "escaped\nSet-Cookie: a=b",
    "nothing": "",
}
BLOCKS = ("../../../../escaped", "/tmp/escaped", "%2e%2e%2fescaped", "a\0b")


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    with hosting(tmp_path, f"sqlite:///{tmp_path / 'server.db'}") as server:
        server.run()
        yield server


def list_strangers(folder: Path) -> list[Path]:
    """What lies where nothing of a job is to lie."""
    return [it for it in folder.rglob("*") if "escaped" in it.name]


def test_names_that_lead_elsewhere(hosted: Hosted, tmp_path: Path) -> None:
    """They are refused by name, before anything is written."""
    caller = Caller(hosted.join("first").take().services)
    for name in NAMES.values():
        status, answer = caller.call("CreateArtifact", name=name, version=7)
        assert (status, answer["code"]) == (400, "invalid_argument"), (name, answer)
    assert caller.names() == []
    assert list_strangers(tmp_path) == []


def test_blocks_that_lead_elsewhere(hosted: Hosted, tmp_path: Path) -> None:
    """What they are called names no file."""
    caller = Caller(hosted.join("first").take().services)
    address = caller.create()
    for block in BLOCKS:
        status, _, content = send(
            f"{address}&comp=block&blockid={quote(block, safe='')}", "PUT", b"x"
        )
        assert status in (201, 400), content
    assert list_strangers(tmp_path) == []
    assert send(address, "PUT", b"content")[0] == 201
    assert caller.finalize(b"content")[0] == 200
    assert caller.fetch()[2] == b"content"


def test_addresses_that_lead_elsewhere(hosted: Hosted) -> None:
    """Of contents, below the server's own address: they are no file's."""
    job = hosted.join("first").take()
    token = (hosted.data / "token").read_bytes().strip()
    for path in ("../token", "..%2ftoken", "%2e%2e/token", "blobs/../../token", "//etc/passwd"):
        status, _, content = send(f"{job.services.origin}/{path}")
        assert status in (400, 401, 403, 404), content
        assert token not in content
