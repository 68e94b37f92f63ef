"""A private file is for its owner alone, and there whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from windlass.private_files import add_private_file, replace_private_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def open_mask() -> Iterator[None]:
    """Have files be for everybody unless somebody says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_mask")
@pytest.mark.parametrize("write", [add_private_file, replace_private_file])
def test_nobody_else_may_read_it(write: Callable[[Path, bytes], None], tmp_path: Path) -> None:
    """Its mode is 600, whatever the user's mask is, and nothing lies beside it."""
    file = tmp_path / "token"

    write(file, b"secret")

    assert file.read_bytes() == b"secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_another_one_is_replaced(tmp_path: Path) -> None:
    """With the mode too: others may read what was there, and not what comes."""
    file = tmp_path / "token"
    file.write_bytes(b"old")
    file.chmod(0o644)

    replace_private_file(file, b"new")

    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o600)


def test_one_that_is_there_is_left(tmp_path: Path) -> None:
    """To add a file is to leave the one of whoever was first."""
    file = tmp_path / "key"
    add_private_file(file, b"first")

    add_private_file(file, b"second")

    assert file.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [file]


def test_all_read_what_one_of_them_has_added(tmp_path: Path) -> None:
    """Of many at once one is first, and nobody reads a part of a file."""
    file, read = tmp_path / "key", []

    def add(letter: str) -> None:
        add_private_file(file, letter.encode() * 5000)
        read.append(file.read_bytes())

    threads = [threading.Thread(target=add, args=(it,)) for it in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(read) == 8
    assert len(set(read)) == 1
    assert len(read[0]) == 5000
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("write", [add_private_file, replace_private_file])
def test_a_full_disk_leaves_nothing(
    write: Callable[[Path, bytes], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there stays, and no draft lies beside it."""
    file = tmp_path / "token"
    file.write_bytes(b"old")

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(OSError, match="No space left"):
        write(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
