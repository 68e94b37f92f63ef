"""What becomes of uploads that come in pieces, twice, in disorder, cut short or with lies."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.integration.services.calling import Caller, put_block, put_list, send

from windlass.services.contents import Contents

if TYPE_CHECKING:
    from tests.integration.services.serving import Place

MEGABYTE = 1 << 20


@pytest.fixture
def job(served: Place) -> Caller:
    return Caller(served.begin())


@pytest.fixture
def blocks() -> list[bytes]:
    """Five blocks, the last one shorter, large enough to be hashed while they come."""
    sizes = [MEGABYTE + 1] * 4 + [1000]
    return [os.urandom(size) for size in sizes]


@pytest.mark.parametrize(
    "order",
    [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [0, 0, 1, 2, 1, 3, 4, 4]],
    ids=["in order", "backwards", "mixed", "some again"],
)
def test_the_list_orders_the_blocks(job: Caller, blocks: list[bytes], order: list[int]) -> None:
    """Blocks may come in any order and again; the content is what the list makes of them."""
    address = job.create()
    content = b"".join(blocks)

    assert {put_block(address, number, blocks[number]) for number in order} == {201}
    assert put_list(address, 0, 1, 2, 3, 4)[0] == 201
    assert job.finalize(content)[0] == 200
    assert job.fetch()[2] == content


def test_blocks_come_at_once(job: Caller) -> None:
    """Thirty blocks by thirty connections at once make one content."""
    address, blocks = job.create(), [os.urandom(200_000) for _ in range(30)]
    threads = [
        threading.Thread(target=put_block, args=(address, number, block))
        for number, block in enumerate(blocks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert put_list(address, *range(30))[0] == 201
    assert job.finalize(b"".join(blocks))[0] == 200
    assert job.fetch()[2] == b"".join(blocks)


def test_a_list_may_leave_out_and_repeat(job: Caller, blocks: list[bytes]) -> None:
    """Blocks that the list does not name are dropped, those it names twice come twice."""
    address = job.create()
    for number, block in enumerate(blocks):
        put_block(address, number, block)
    content = blocks[3] + blocks[1] + blocks[3]

    assert put_list(address, 3, 1, 3)[0] == 201
    assert job.finalize(content)[0] == 200
    assert job.fetch()[2] == content


def test_the_last_list_counts(job: Caller) -> None:
    """A block that is sent again, and a list that is, take the place of the earlier ones."""
    address = job.create()
    put_block(address, 0, b"first")
    put_list(address, 0)
    put_block(address, 0, b"second")
    put_list(address, 0)

    assert job.finalize(b"second")[0] == 200
    assert job.fetch()[2] == b"second"


def test_all_at_once(job: Caller) -> None:
    """A content may come in one piece."""
    assert send(job.create(), "PUT", b"whole", x_ms_blob_type="BlockBlob")[0] == 201
    assert job.finalize(b"whole")[0] == 200
    assert job.fetch()[2] == b"whole"


def test_in_chunks(job: Caller) -> None:
    """A content whose length is not announced comes in chunks."""
    assert send(job.create(), "PUT", iter([b"in ", b"", b"chunks"]))[0] == 201
    assert job.finalize(b"in chunks")[0] == 200


def test_nothing_at_all(job: Caller) -> None:
    """An empty content is one."""
    assert put_list(job.create())[0] == 201
    assert job.finalize(b"")[0] == 200
    assert job.fetch()[::2] == (200, b"")


def test_what_shrinks_comes_back_whole(served: Place, job: Caller) -> None:
    """Text takes less room on the disk than it has bytes, and comes back as it was."""
    content = b"".join(b"line %d\n" % number for number in range(400_000))
    send(job.create(), "PUT", content)

    assert job.finalize(content)[0] == 200
    assert job.fetch()[2] == content
    stored = sum(it.stat().st_size for it in (served.state / "blobs").rglob("*.zst"))
    assert 0 < stored < len(content) / 3


@pytest.mark.parametrize(
    "content", [os.urandom(300_000), b"0123456789" * 30_000], ids=["as it is", "zstd"]
)
@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=99990-100009", 99_990, 100_010),
        ("bytes=250000-", 250_000, 300_000),
        ("bytes=-7", 299_993, 300_000),
        ("bytes=299999-999999", 299_999, 300_000),
    ],
)
def test_ranges(job: Caller, content: bytes, asked: str, start: int, stop: int) -> None:
    """A part of a content can be fetched, across its blocks (RFC 9110, section 14)."""
    address = job.create()
    put_block(address, 0, content[:100_000])
    put_block(address, 1, content[100_000:])
    put_list(address, 0, 1)
    job.finalize(content)

    status, headers, got = job.fetch(Range=asked)

    assert (status, got) == (206, content[start:stop])
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/300000"


def test_a_range_beyond_the_end(job: Caller) -> None:
    """Bytes that a content does not have are refused."""
    send(job.create(), "PUT", b"short")
    job.finalize(b"short")

    assert job.fetch(Range="bytes=5-")[0] == 416


def test_a_range_of_many_digits(job: Caller) -> None:
    """What is no range is left aside, and the content is given as a whole."""
    send(job.create(), "PUT", b"short")
    job.finalize(b"short")

    status, _, got = job.fetch(Range=f"bytes={'9' * 5000}-")

    assert (status, got) == (200, b"short")


def test_a_list_with_a_block_that_never_came(job: Caller) -> None:
    """The list is refused in Azure's shape, and the upload can go on."""
    address = job.create()
    put_block(address, 0, b"one")

    status, answer = put_list(address, 0, 1)

    assert status == 400
    assert b"<Code>InvalidInput</Code>" in answer
    assert b"was never sent" in answer
    assert put_block(address, 1, b"two") == 201
    assert put_list(address, 0, 1)[0] == 201
    assert job.finalize(b"onetwo")[0] == 200


@pytest.mark.parametrize(
    "text",
    [
        b"<BlockList><Latest>",
        b"<Other/>",
        b"<BlockList><Evil>MQ==</Evil></BlockList>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><BlockList><Latest></Latest></BlockList>',
        b"\xff\xfe",
    ],
    ids=["cut short", "another word", "another kind", "without a name", "no text"],
)
def test_lists_that_are_none(job: Caller, text: bytes) -> None:
    """What is no list of blocks is refused."""
    assert send(f"{job.create()}&comp=blocklist", "PUT", text)[0] == 400


def cut_short(address: str, announced: int, sent: bytes) -> None:
    """Announce a block, send less and go away."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = f"PUT {parts.path}?{parts.query}&comp=block&blockid=MDAwMDAw HTTP/1.1\r\n"
        connection.sendall(f"{head}Host: x\r\nContent-Length: {announced}\r\n\r\n".encode() + sent)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_a_block_that_is_cut_short(served: Place, job: Caller) -> None:
    """Half a block is none: the list that names it is refused until it has come again."""
    address = job.create()
    cut_short(address, 1000, b"x" * 999)

    text = "<BlockList><Latest>MDAwMDAw</Latest></BlockList>"
    assert send(f"{address}&comp=blocklist", "PUT", text)[0] == 400
    left = [it for it in (served.state / "blobs").rglob("blocks/*") if it.is_file()]
    assert left == []
    assert send(f"{address}&comp=block&blockid=MDAwMDAw", "PUT", b"x" * 1000)[0] == 201
    assert send(f"{address}&comp=blocklist", "PUT", text)[0] == 201
    assert job.finalize(b"x" * 1000)[0] == 200


def test_a_content_that_is_not_complete(job: Caller) -> None:
    """Without its list of blocks nothing is kept."""
    put_block(job.create(), 0, b"one")

    status, answer = job.finalize(b"one")

    assert status == 400
    assert "its list of blocks was never sent" in answer["msg"]
    assert job.names() == []


def test_a_content_that_was_changed(served: Place, job: Caller, blocks: list[bytes]) -> None:
    """Blocks in another order than the client meant are told from them by the digest."""
    address = job.create()
    for number, block in enumerate(blocks):
        put_block(address, number, block)
    put_list(address, 1, 0, 2, 3, 4)

    status, answer = job.finalize(b"".join(blocks))

    assert status == 400
    assert "The content is not the one that was sent" in answer["msg"]
    assert job.names() == []
    assert [it for it in (served.state / "blobs").rglob("*-*") if it.is_file()] == []


def test_a_content_of_another_length(job: Caller) -> None:
    """A content that is shorter than announced is refused, with both lengths."""
    send(job.create(), "PUT", b"short")

    status, answer = job.finalize(b"shorter")

    assert status == 400
    assert answer["msg"] == "The content has 5 bytes, and 7 were announced."


def test_the_end_is_told_twice(job: Caller) -> None:
    """A client that has not heard the answer asks again and hears the same."""
    send(job.create(), "PUT", b"once")

    first, again = job.finalize(b"once"), job.finalize(b"once")

    assert first == again
    assert first[0] == 200
    assert job.finalize(b"other")[0] == 409
    assert job.names() == ["mine"]


def test_a_death_before_the_end_is_told(job: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept, and its upload not yet thrown away, is told to the client that asks again."""
    send(job.create(), "PUT", b"once")
    with monkeypatch.context() as death:
        death.setattr(Contents, "end_upload", lambda _self, _upload: None)
        first = job.finalize(b"once")

    again = job.finalize(b"once")

    assert first == again
    assert first[0] == 200
    assert job.names() == ["mine"]


def test_an_upload_is_over_at_its_end(job: Caller) -> None:
    """After the end nothing is taken under the same address."""
    address = job.create()
    send(address, "PUT", b"once")
    job.finalize(b"once")

    assert put_block(address, 0, b"late") == 404
    assert send(address, "PUT", b"late")[0] == 404
    assert job.fetch()[2] == b"once"


@pytest.mark.parametrize(
    "kind", ["text/plain\r\nX-More: 1", "text/plain\n", "text/\u00e9", "a" * 256]
)
def test_a_media_type_that_is_more(job: Caller, kind: str) -> None:
    """What would not stand in a header alone is refused: it is sent in one with the content."""
    status, answer = job.call("CreateArtifact", name="mine", version=7, mime_type=kind)

    assert status == 400
    assert answer["msg"].startswith("The field mime_type is no media type: ")


def test_an_upload_is_begun_again(job: Caller) -> None:
    """A job whose upload has failed begins it again; what came before counts for nothing."""
    address = job.create()
    send(address, "PUT", b"failed")

    send(job.create(), "PUT", b"again")

    assert send(address, "PUT", b"failed")[0] == 404
    assert job.finalize(b"again")[0] == 200


def test_two_jobs_want_one_name(served: Place) -> None:
    """While one job uploads under a name, another one is refused it; so is it afterwards."""
    one, other = Caller(served.begin("one")), Caller(served.begin("other"))
    send(one.create(), "PUT", b"one")

    assert other.call("CreateArtifact", name="mine")[0] == 409
    assert other.finalize(b"one")[0] == 404
    assert one.finalize(b"one")[0] == 200
    assert other.call("CreateArtifact", name="mine")[0] == 409


def test_a_job_ends_in_the_middle(served: Place) -> None:
    """What a job was sending when it ended is thrown away, and its name is free."""
    services = served.begin("one")
    one, other = Caller(services), Caller(served.begin("other"))
    address = one.create()
    put_block(address, 0, b"x" * 5000)
    services.close()

    assert put_block(address, 1, b"more") == 404
    assert [it for it in (served.state / "blobs").rglob("blocks/*") if it.is_file()] == []
    assert other.call("CreateArtifact", name="mine")[0] == 200


def test_a_blob_that_was_damaged(served: Place, job: Caller) -> None:
    """A content that was cut short on the disk is refused instead of half of it."""
    send(job.create(), "PUT", os.urandom(50_000))
    (upload,) = [it for it in (served.state / "blobs").rglob("blocks/*") if it.is_file()]
    content = upload.read_bytes()
    job.finalize(content)
    (stored,) = (served.state / "blobs").rglob("00000000-50000")
    os.truncate(stored, 49_999)

    status, _, answer = job.fetch()

    assert status == 404
    assert b"is damaged or gone" in answer


def test_a_damaged_blob_is_kept_anew(served: Place, job: Caller) -> None:
    """The same content, uploaded again, takes the place of what was damaged."""
    content = os.urandom(50_000)
    send(job.create("first"), "PUT", content)
    job.finalize(content, "first")
    (stored,) = (served.state / "blobs").rglob("00000000-50000")
    os.truncate(stored, 0)

    send(job.create("second"), "PUT", content)

    assert job.finalize(content, "second")[0] == 200
    assert job.fetch("first")[2] == content


def test_a_large_content(served: Place, job: Caller) -> None:
    """A content of more than 2 GiB comes back from its far end; its blocks are kept once."""
    address, size = job.create(), 2 << 30
    put_block(address, 0, bytes(64 * MEGABYTE))
    put_block(address, 1, b"the end")
    assert put_list(address, *[0] * (size // (64 * MEGABYTE)), 1)[0] == 201

    assert job.call("FinalizeArtifact", name="mine", size=str(size + 7))[0] == 200

    status, headers, end = job.fetch(Range=f"bytes={size}-")
    assert (status, end) == (206, b"the end")
    assert headers["Content-Range"].endswith(f"/{size + 7}")
    stored = {it.stat().st_ino: it.stat().st_size for it in (served.state / "blobs").rglob("0*")}
    assert sum(stored.values()) < MEGABYTE
