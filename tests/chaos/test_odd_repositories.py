"""Repositories with names and files that no tool likes: a run checks out what Git knows."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import assert_is_for_people, processes_below

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository

LISTING = """\
on: push
jobs:
  list:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: git ls-files --cached --others -z > "$LISTED"
"""
NAMES = [
    "spaces and\ttabs",
    "line\nbreak",
    "quotes'\"`$(id)",
    "-rf",
    "\\back\\slash",
    "ünï©ødé/ファイル",
    "ne\u0301e/nfd",
    "n\xe9e/nfc",
    "::set-output name=x::y",
    "*?[a-z]",
    "x" * 255,
]
BYTES = [b"latin-\xe9", b"broken-\xff\xfe", b"\x01\x7f\x1b[31m"]
CASES = ["README", "Readme", "readme", "Dir/a", "dir/a", "DIR/a"]
DEPTH = 1000


@pytest.fixture
def listed(repository: Repository) -> Path:
    repository.workflow(LISTING)
    return repository.home / "listed"


def run_and_list(repository: Repository, listed: Path) -> list[bytes]:
    done = repository.windlass("run", "--env", f"LISTED={listed}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_is_for_people(done)
    assert processes_below(repository.path) == set()
    work = repository.path / ".windlass/work"
    assert list(work.iterdir()) == []
    names = listed.read_bytes().split(b"\0")
    return [name for name in names if name and not name.startswith(b".github")]


def make(path: bytes, content: bytes = b"x") -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  # names are bytes
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(content)


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "untracked"])
def test_names_of_every_encoding(repository: Repository, listed: Path, *, committed: bool) -> None:
    """Spaces, line breaks, quotes, options, both forms of Unicode, other encodings, case pairs."""
    root = os.fsencode(repository.path)
    names = [*map(os.fsencode, NAMES), *BYTES, *map(os.fsencode, CASES)]
    repository.commit()
    for name in names:
        make(os.path.join(root, name))  # noqa: PTH118
    if committed:
        repository.commit()

    assert sorted(run_and_list(repository, listed)) == sorted(names)


def test_a_thousand_folders_deep(repository: Repository, listed: Path) -> None:
    """Longer than a path may be for the system: checked out, listed and removed."""
    here = os.open(repository.path, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with os.fdopen(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here), "w") as file:
        file.write("deep")
    os.close(here)
    repository.commit()

    try:
        assert run_and_list(repository, listed) == [b"d/" * DEPTH + b"file"]
    finally:
        # Deeper than Python's own removal goes; the base in .windlass is as deep.
        subprocess.run(["rm", "-rf", str(repository.path)], check=True)


def test_fifos_and_sockets(repository: Repository, listed: Path) -> None:
    """They are left out, as Git leaves them out, and nobody waits for them."""
    repository.write("file", "x")
    repository.commit()
    os.mkfifo(repository.path / "fifo")
    (repository.path / "folder").mkdir()
    os.mkfifo(repository.path / "folder/fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        before = os.getcwd()  # noqa: PTH109
        os.chdir(repository.path)
        try:
            listener.bind("socket")
        finally:
            os.chdir(before)
        assert run_and_list(repository, listed) == [b"file"]


@pytest.mark.parametrize("name", ["a repository", "ré\npo", "-x", "a:b,c=d\\e", "$(id)"])
def test_name_of_the_repository(repository: Repository, listed: Path, name: str) -> None:
    """The folder of a repository may be called anything: overlays and Git read some of it."""
    repository.write("file", "x")
    repository.commit()
    moved = repository.path.parent / name
    repository.path.rename(moved)
    repository.path = moved

    assert run_and_list(repository, listed) == [b"file"]
