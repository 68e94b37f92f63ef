"""Blobs: kept whole or not at all, once, and as long as somebody needs them."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.errors import PlatformError
from windlass.stores.blob_parts import DamagedBlobError, FileSlice, write_part
from windlass.stores.blobs import BlobStore
from windlass.stores.uploads import Blob, MissingBlockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BlobStore]:
    store = BlobStore(tmp_path / "blobs")
    yield store
    store.close()


def reader(content: bytes) -> Callable[[memoryview], int]:
    return io.BytesIO(content).readinto


def keep(store: BlobStore, *blocks: bytes) -> Blob:
    upload = store.begin_upload()
    for number, block in enumerate(blocks):
        upload.put_block(str(number), reader(block))
    upload.arrange([str(number) for number in range(len(blocks))])
    with store.keeping():
        blob = upload.keep(upload.compute_digest())
    store.end_upload(upload)
    return blob


def read(store: BlobStore, blob: Blob, start: int = 0, stop: int | None = None) -> bytes:
    content = b""
    for piece in store.read(blob.digest, start, stop):
        if isinstance(piece, FileSlice):
            content += piece.path.read_bytes()[piece.offset : piece.offset + piece.count]
        else:
            content += piece
    return content


def files_of(store: BlobStore) -> list[Path]:
    return [it for it in store.path.rglob("*") if it.is_file() and it.name != "lock"]


def test_a_blob_is_called_by_its_content(store: BlobStore) -> None:
    """A blob's digest and size are those of all its blocks together."""
    blob = keep(store, b"one", b"two")

    assert blob == Blob(hashlib.sha256(b"onetwo").hexdigest(), 6)
    assert read(store, blob) == b"onetwo"
    assert store.check(blob.digest) == 6


def test_the_same_content_is_kept_once(store: BlobStore) -> None:
    """However it was cut into blocks, a content is kept once, as it came first."""
    first, again = keep(store, b"one", b"two"), keep(store, b"onetwo")

    assert first == again
    assert [it.name for it in sorted(files_of(store))] == ["00000000-3", "00000001-3"]


contents = st.lists(st.binary(max_size=40) | st.just(b"ab" * 5000), max_size=4)


@given(blocks=contents, bounds=st.tuples(st.integers(0, 30_000), st.integers(0, 30_000)))
def test_any_part_of_any_blob(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[bytes], bounds: tuple[int, int]
) -> None:
    """From anywhere to anywhere, a blob reads as the bytes it is made of."""
    store = BlobStore(tmp_path_factory.mktemp("blobs"))
    content, (start, stop) = b"".join(blocks), bounds
    blob = keep(store, *blocks)

    assert read(store, blob) == content
    assert read(store, blob, start, min(stop, len(content))) == content[start:stop]
    store.close()


def test_what_is_on_its_way_is_no_blob(store: BlobStore) -> None:
    """Nothing is found under a digest before the content is kept; what is given up is gone."""
    upload = store.begin_upload()
    upload.put_block("a", reader(b"content"))
    upload.arrange(["a"])
    digest = upload.compute_digest()

    assert store.list_digests() == []
    with pytest.raises(DamagedBlobError, match="damaged or gone"):
        store.check(digest)
    upload.discard()
    assert files_of(store) == []


def test_a_block_that_never_came(store: BlobStore) -> None:
    """A list of blocks that were not all received is refused, with the name of the first."""
    upload = store.begin_upload()
    upload.put_block("a", reader(b"content"))

    with pytest.raises(MissingBlockError, match="b"):
        upload.arrange(["a", "b"])
    assert upload.size is None


def test_unneeded_blobs_go(store: BlobStore) -> None:
    """What nobody needs is removed; what is needed, or on its way, stays."""
    needed, unneeded = keep(store, b"needed"), keep(store, b"x" * 10_000)
    upload = store.begin_upload()
    upload.put_block("a", reader(b"late"))

    freed = store.remove_unneeded(lambda: {needed.digest})

    assert freed > 0
    assert store.list_digests() == [needed.digest] != [unneeded.digest]
    upload.arrange(["a"])
    with store.keeping():
        assert read(store, upload.keep(upload.compute_digest())) == b"late"


def test_nothing_is_removed_while_a_blob_is_noted(store: BlobStore) -> None:
    """Whoever removes blobs waits for those who keep one to write down that it is needed."""
    other, asked, needed = BlobStore(store.path), threading.Event(), set[str]()

    def list_needed() -> set[str]:
        asked.set()
        return needed

    thread = threading.Thread(target=other.remove_unneeded, args=(list_needed,))
    with store.keeping():
        upload = store.begin_upload()
        upload.put_block("a", reader(b"content"))
        upload.arrange(["a"])
        blob = upload.keep(upload.compute_digest())
        thread.start()
        assert not asked.wait(0.1)
        needed.add(blob.digest)
    thread.join()

    assert asked.is_set()
    assert store.list_digests() == [blob.digest]


def test_a_list_that_comes_too_late(store: BlobStore) -> None:
    """What is kept under a digest has it, whatever its writer says between the two."""
    upload = store.begin_upload()
    for name in ("good", "evil"):
        upload.put_block(name, reader(name.encode()))
    upload.arrange(["good"])
    digest = upload.compute_digest()
    upload.arrange(["evil"])
    with store.keeping():
        blob = upload.keep(digest)

    assert blob == Blob(hashlib.sha256(b"good").hexdigest(), 4)
    assert read(store, blob) == b"good"


def test_a_name_is_free_when_half_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A death while an upload is thrown away leaves its name free, and what is left goes later."""
    store = BlobStore(tmp_path, outlives=True)
    upload = store.begin_upload("name", {"turn": 1})
    upload.put_block("a", reader(b"content"))
    with monkeypatch.context() as patch:
        patch.setattr("windlass.stores.uploads.discard", lambda it: (it / "about").unlink())
        store.end_upload(upload)

    assert store.list_uploads() == []
    assert store.begin_upload("name", {"turn": 2}).about == {"turn": 2}

    # One that goes while it is looked at is as good as gone.
    (tmp_path / "uploads" / "~going").symlink_to("nowhere")
    monkeypatch.setattr("windlass.stores.uploads._LEFT_SECONDS", -1.0)
    store.remove_unneeded(set)
    assert {it.name for it in (tmp_path / "uploads").iterdir()} == {"name", "~going"}


def test_a_list_that_another_process_was_sent(tmp_path: Path) -> None:
    """The last list counts, whichever process it came to."""
    one, two = BlobStore(tmp_path, outlives=True), BlobStore(tmp_path, outlives=True)
    upload = one.begin_upload("name")
    upload.put_block("a", reader(b"a"))
    upload.arrange(["a"])
    found = two.find_upload("name")
    assert found is not None
    found.put_block("b", reader(b"bb"))
    found.arrange(["a", "b"])

    assert upload.size == 3
    assert upload.compute_digest() == hashlib.sha256(b"abb").hexdigest()


def test_an_upload_that_has_been_replaced(tmp_path: Path) -> None:
    """Who throws away an upload that is gone leaves the next one of its name alone."""
    one, two = BlobStore(tmp_path, outlives=True), BlobStore(tmp_path, outlives=True)
    earlier = one.begin_upload("name", {"turn": 1})
    found = two.find_upload("name")
    assert found is not None
    two.end_upload(found)
    two.begin_upload("name", {"turn": 2})

    one.end_upload(earlier)

    assert [it.about for it in two.list_uploads()] == [{"turn": 2}]


KILLED = """
import io, os, signal, sys
from pathlib import Path
from windlass.stores.blobs import BlobStore
upload = BlobStore(Path(sys.argv[1])).begin_upload()
upload.put_block('a', io.BytesIO(b'x' * 100_000).readinto)
upload.arrange(['a'])
upload._lay_out(upload._order)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_is_killed(store: BlobStore) -> None:
    """What a killed process was receiving is no blob, and goes with the next removal."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(store.path)])
    assert done.returncode == -signal.SIGKILL
    assert files_of(store) != []

    store.remove_unneeded(set)

    assert files_of(store) == []


def test_two_keep_the_same_at_once(store: BlobStore) -> None:
    """Two that keep the same content at the same moment both have it."""
    content, blobs, errors = os.urandom(200_000), list[Blob](), list[BaseException]()
    barrier = threading.Barrier(8)

    def run() -> None:
        upload = store.begin_upload()
        upload.put_block("a", reader(content))
        upload.arrange(["a"])
        digest = upload.compute_digest()
        barrier.wait()
        try:
            with store.keeping():
                blobs.append(upload.keep(digest))
        except PlatformError as error:
            errors.append(error)
        store.end_upload(upload)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len(set(blobs)) == 1
    assert read(store, blobs[0]) == content
    assert len(files_of(store)) == 1


def test_a_disk_that_is_full(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that finds no room is an error that says what to do, and leaves nothing."""
    upload = store.begin_upload()
    upload.put_block("a", reader(b"fits"))

    def refuse(_number: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(PlatformError, match="No space left on device") as caught:
            upload.put_block("b", reader(b"does not"))

    assert "windlass prune" in (caught.value.hint or "")
    assert upload.block_sizes == {"a": 4}
    assert [path for path in files_of(store) if path.name.startswith("~")] == []


@pytest.mark.parametrize(
    ("content", "is_compressed"),
    [
        (b"", False),
        (b"short", False),
        (b"a" * 4095, False),
        (b"a" * 4096, True),
        (os.urandom(4096), False),
        (os.urandom(70_000) + b"a" * 500_000, False),
        (b"line\n" * 200_000, True),
    ],
    ids=["empty", "short", "small", "text", "random", "random at first", "long text"],
)
def test_what_is_compressed(tmp_path: Path, content: bytes, *, is_compressed: bool) -> None:
    """A part whose beginning shrinks is kept in zstd; any other, and a small one, as it is."""
    size, found = write_part(tmp_path / "part", reader(content))

    assert (size, found) == (len(content), is_compressed)
    assert ((tmp_path / "part").read_bytes() == content) is not is_compressed


def test_a_damaged_archive(store: BlobStore) -> None:
    """A flipped bit in what is kept in zstd is noticed where it is read."""
    blob = keep(store, bytes(range(256)) * 400)
    (file,) = files_of(store)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    with pytest.raises(DamagedBlobError):
        read(store, blob)
