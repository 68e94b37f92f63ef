"""Sealing: keys in a file, texts that only they open."""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.errors import PlatformError
from windlass.secrets.sealing import Keys, add_key, drop_old_keys, open_keys

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = "secret TOKEN of the repository 1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "key"


@given(st.text())
def test_what_is_sealed_is_opened(text: str) -> None:
    """Every text comes back, and is not to be seen in what is kept."""
    keys = Keys("k", {"k": b"0" * 32})
    sealed = keys.seal(text, ABOUT)

    assert keys.unseal(sealed, ABOUT) == text
    assert sealed.isascii()
    assert len(text) < 4 or text not in sealed
    assert keys.seal(text, ABOUT) != sealed


def test_a_key_file_is_for_its_owner(path: Path) -> None:
    """It is made when it is asked for first, and is the same afterwards."""
    made = open_keys(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_keys(path) == made
    assert [it.name for it in path.parent.iterdir()] == ["key"]
    assert "hidden" not in repr(Keys("k", {"k": b"hidden" * 6}))


def test_of_several_at_once_one_makes_the_key(path: Path) -> None:
    """All of them use the same."""
    found: list[Keys] = []
    threads = [threading.Thread(target=lambda: found.append(open_keys(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [open_keys(path)] * 8


def test_a_file_for_others_to_read_is_refused(path: Path) -> None:
    """The error says what to do."""
    open_keys(path)
    path.chmod(0o640)

    with pytest.raises(PlatformError) as caught:
        open_keys(path)
    assert caught.value.hint == f"chmod 600 {path}; if others may have read it, rotate the key"


@pytest.mark.parametrize("text", ["", "a", "a b\n", "a AAAA\n", "a " + "A" * 44 + "\nnonsense"])
def test_files_without_keys(path: Path, text: str) -> None:
    """Nothing is sealed under what is no key, and the error does not show the file."""
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(PlatformError, match=r"key"):
        open_keys(path)


def test_a_new_key_seals_and_old_ones_open(path: Path) -> None:
    """Until the old ones are dropped."""
    old = open_keys(path).seal("hunter2", ABOUT)
    keys = add_key(path)
    new = keys.seal("hunter3", ABOUT)

    assert not keys.is_newest(old)
    assert keys.is_newest(new)
    assert keys.unseal(old, ABOUT) == "hunter2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    kept = drop_old_keys(path)
    assert kept.unseal(new, ABOUT) == "hunter3"
    with pytest.raises(PlatformError, match=r"sealed under the key .*, which the key file does"):
        kept.unseal(old, ABOUT)


def test_what_was_moved_or_damaged_is_not_opened(path: Path) -> None:
    """A row copied to another name, and any other letter, are noticed."""
    keys = open_keys(path)
    sealed = keys.seal("hunter2", ABOUT)

    with pytest.raises(PlatformError, match="secret OTHER: what is kept sealed was damaged"):
        keys.unseal(sealed, "secret OTHER")
    for number in range(sealed.rindex(".") + 1, len(sealed)):
        other = "A" if sealed[number] != "A" else "B"
        with pytest.raises(PlatformError, match="damaged"):
            keys.unseal(sealed[:number] + other + sealed[number + 1 :], ABOUT)
    for short in (sealed[:-8], sealed[: sealed.rindex(".") + 1]):
        with pytest.raises(PlatformError, match="damaged"):
            keys.unseal(short, ABOUT)


def test_a_format_of_the_future(path: Path) -> None:
    """It is refused by name."""
    with pytest.raises(PlatformError, match="newer Windlass, in the format 'v2'"):
        open_keys(path).unseal("v2.a.b", ABOUT)
