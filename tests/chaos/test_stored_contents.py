"""What becomes of artifacts and caches where Windlass is killed, or the disk is full."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.chaos.full_disks import fill
from tests.chaos.serving_process import Served, serving
from tests.integration.services.calling import Caller, put_block, put_list, send
from tests.integration.services.serving import Place
from tests.integration.services.test_cache_protocol import TWIRP, VERSION, Client

from windlass.operations.history import make_history
from windlass.operations.pruning import prune
from windlass.services.artifacts import SERVICE
from windlass.stores.blobs import BlobStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 2 << 20
STAGES = ("begun", "in a block", "after blocks", "after the list", "kept")
SMALL_DISK = "24m"


def call(served: Served, service: str, procedure: str, **fields: Any) -> Any:
    path = TWIRP if service == "cache" else f"/twirp/{SERVICE}/"
    message = {"workflow_run_backend_id": served.run_id, "version": VERSION, **fields}
    status, _, answer = send(
        f"{served.origin}{path}{procedure}",
        "POST",
        json.dumps(message),
        Authorization=f"Bearer {served.token}",
    )
    assert status == 200, answer
    return json.loads(answer)


def begin_block(address: str) -> None:
    """Announce a block and send half of it; the connection stays open until its end."""
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0))
    head = f"PUT {parts.path}?{parts.query}&comp=block&blockid=AAAA HTTP/1.1\r\nHost: x\r\n"
    connection.sendall(f"{head}Content-Length: {BLOCK}\r\n\r\n".encode() + bytes(BLOCK // 2))
    connection.close()


def upload_until(served: Served, service: str, stage: str) -> None:
    """Bring one artifact or cache up to a stage."""
    create, finish = (
        ("CreateCacheEntry", "FinalizeCacheEntryUpload")
        if service == "cache"
        else ("CreateArtifact", "FinalizeArtifact")
    )
    address = call(served, service, create, name="mine", key="mine")["signed_upload_url"]
    reached = STAGES.index(stage)
    if reached == 1:
        begin_block(address)
    if reached >= 2:
        assert put_block(address, 0, os.urandom(BLOCK)) == 201
        assert put_block(address, 1, b"a" * BLOCK) == 201
    if reached >= 3:
        assert put_list(address, 0, 1)[0] == 201
    if reached >= 4:
        size = str(2 * BLOCK)
        call(served, service, finish, name="mine", key="mine", size=size, size_bytes=size)


def count_bytes(folder: Path) -> int:
    """Return what the files of a folder hold; one that is removed meanwhile holds nothing."""
    found = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found += os.lstat(f"{parent}/{name}").st_size
    return found


@pytest.mark.parametrize("service", ["artifact", "cache"])
@pytest.mark.parametrize("stage", STAGES)
def test_killed_while_a_job_uploads(tmp_path: Path, service: str, stage: str) -> None:
    """`kill -9` leaves what was complete and nothing else; the name is free, the disk is freed."""
    state = tmp_path / ".windlass"
    with serving(state) as doomed:
        upload_until(doomed, service, stage)
        doomed.kill()

    place = Place(state)
    job = place.begin("again")
    content, is_kept = b"again" * 1000, stage == STAGES[-1]
    if service == "cache":
        client = Client(job)
        assert client.find("mine")["ok"] is is_kept
        assert client.call("CreateCacheEntry", key="mine").status == (409 if is_kept else 200)
        assert client.save("other", content).status == 200
    else:
        caller = Caller(job)
        assert caller.names() == (["mine"] if is_kept else [])
        send(caller.create("other"), "PUT", content)
        assert caller.finalize(content, "other")[0] == 200
    place.close()
    assert place.told == []
    history = make_history(state, place.told.append)
    prune(history)
    history.close()
    # Without an entry of its run, an artifact belongs to one that is gone.
    left = {("cache", True): 2, ("cache", False): 1}.get((service, is_kept), 0)
    assert len(BlobStore(state / "blobs").list_digests()) == left
    assert count_bytes(state / "blobs") < (BLOCK * 1.1 if left == 2 else 10_000)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A `.windlass` on a disk of a few megabytes."""
    state = tmp_path / ".windlass"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(state)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield state
    subprocess.run(["umount", "--lazy", str(state)], check=True)


@pytest.fixture
def job(small: Path) -> Iterator[Caller]:
    """A job that has uploaded one artifact; what went wrong was for lack of room."""
    place = Place(small)
    caller = Caller(place.begin())
    send(caller.create("first"), "PUT", b"first")
    assert caller.finalize(b"first", "first")[0] == 200
    yield caller
    assert caller.fetch("first")[2] == b"first"
    place.close()
    assert all("No space left" in line or "disk is full" in line for line in place.told)


def upload_again(job: Caller) -> None:
    """Now that there is room, all goes well."""
    content = os.urandom(BLOCK)
    assert send(job.create("large"), "PUT", content)[0] == 201
    assert job.finalize(content, "large")[0] == 200
    assert job.fetch("large")[2] == content
    assert job.names() == ["large", "first"]


def test_the_disk_fills_up_with_blocks(small: Path, job: Caller) -> None:
    """The block that finds no room is refused and says why; nothing of it takes room."""
    address, content = job.create("large"), os.urandom(BLOCK)
    statuses = [put_block(address, number, content) for number in range(14)]
    refusal = send(f"{address}&comp=block&blockid=AAAA", "PUT", content)

    assert (statuses[0], statuses[-1], refusal[0]) == (201, 507, 507)
    assert b"No space left on device" in refusal[2]
    assert b"windlass prune" in refusal[2]
    assert statuses.count(201) * BLOCK <= count_bytes(small / "blobs") <= 24 << 20
    upload_again(job)


def test_the_disk_is_full_when_an_upload_begins(small: Path, job: Caller) -> None:
    """Nothing is taken, and nothing is kept; when there is room, all is well."""
    fill(small / "filler")
    status, refusal = job.call("CreateArtifact", name="large")
    ended, _ = job.finalize(b"", "large")
    (small / "filler").unlink()

    assert (status, ended) == (507, 404)
    assert "No space left on device" in refusal["msg"]
    upload_again(job)


def test_the_disk_is_full_when_an_upload_ends(small: Path, job: Caller) -> None:
    """What was sent whole but cannot be written down is not there; it is sent again."""
    address, content = job.create("large"), os.urandom(BLOCK)
    assert send(address, "PUT", content)[0] == 201
    fill(small / "filler")
    status, _ = job.finalize(content, "large")
    names = job.names()
    (small / "filler").unlink()

    if status == 200:  # a page of the database had room for it
        assert names == ["large", "first"]
        return
    assert (status, names) == (507, ["first"])
    upload_again(job)
