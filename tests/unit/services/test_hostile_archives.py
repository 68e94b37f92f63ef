"""Archives of caches that a job has made to do harm: their names are read, and nothing else."""

from __future__ import annotations

import os
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest
import zstandard

from windlass.services.caches import archives
from windlass.services.caches.archives import list_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GIGABYTE = 1 << 30


def describe(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """Return the header of an entry, whatever it claims."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname = size, kind, link
    return entry.tobuf(tarfile.GNU_FORMAT)


def extend(**fields: str) -> bytes:
    """Return an extended header of POSIX's pax with these fields, for the next entry."""
    entry = tarfile.TarInfo("next")
    entry.pax_headers = fields
    return entry.tobuf(tarfile.PAX_FORMAT)


def read_names(*plain: bytes) -> list[str]:
    return list(list_names(iter([zstandard.compress(b"".join(plain) + bytes(1024))])))


def test_names_out_of_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traversal, absolute names and links are names like others: only clients unpack."""
    monkeypatch.chdir(tmp_path)
    link = describe("link", kind=tarfile.SYMTYPE, link="/etc")
    names = ["../../up", "/etc/passwd", "link", "link/below"]

    found = read_names(describe(names[0]), describe(names[1]), link, describe(names[3]))

    assert found == names
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [1 << 40, (1 << 63) - 1, 1 << 80], ids=["TB", "EB", "beyond"])
def test_an_entry_that_claims_to_be_large(size: int) -> None:
    """An entry that says it is larger than any disk is not stepped through."""
    assert read_names(describe("first"), describe("large", size), describe("never")) == [
        "first",
        "large",
    ]


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_a_header_that_is_large(kind: bytes) -> None:
    """A header of gigabytes, which packs to nothing, is not read into memory."""
    packing = zstandard.ZstdCompressor().compressobj()
    plain = [describe("first"), describe("name", GIGABYTE, kind)]
    packed = b"".join(map(packing.compress, plain))
    packed += b"".join(packing.compress(bytes(1 << 20)) for _ in range(64)) + packing.flush()
    tracemalloc.start()

    found = list(list_names(iter([packed])))

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["first"]
    assert most < 16 << 20


@pytest.mark.parametrize(
    "fields",
    [
        {"size": "many"},
        {"size": "-1"},
        {"GNU.sparse.map": "a,b"},
        {"GNU.sparse.size": "x"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "x"},
    ],
    ids=lambda fields: ", ".join(map("=".join, fields.items())),
)
def test_numbers_that_are_none(fields: dict[str, str]) -> None:
    """What is said of an entry may be nonsense: the list ends there, or goes on without it."""
    assert read_names(describe("first"), extend(**fields))[:1] == ["first"]


def test_headers_of_headers() -> None:
    """A thousand headers, each of which describes the next one, end the list."""
    headers = b"".join(describe("name", 4, b"L") + b"name" + bytes(508) for _ in range(2000))
    assert read_names(describe("first"), headers, describe("last"))[:1] == ["first"]


def test_an_archive_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is unpacked than the beginning, however much there is."""
    monkeypatch.setattr(archives, "LONGEST", 4 << 20)
    packing, taken = zstandard.ZstdCompressor().compressobj(), 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        plain = describe("first", 1 << 40)
        while taken < 64 << 20:
            yield packing.compress(plain) + packing.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
            taken, plain = taken + len(plain), os.urandom(1 << 20)

    assert list(list_names(pieces())) == ["first"]
    assert 4 << 20 <= taken < 8 << 20
