"""What a step may have made of its command files: nothing of it waits, fills memory or breaks."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.command_handlers import StepEffects
from windlass.jobs.step_files import StepFiles, read_effects
from windlass.lang.command_files import MOST_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable

TWO_GIGABYTES = 2 << 30


def make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    path.unlink()
    folder = os.getcwd()  # noqa: PTH109
    os.chdir(path.parent)  # a socket's path may be no longer than 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(folder)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def make_circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def make_huge(path: Path) -> None:
    os.truncate(path, TWO_GIGABYTES)


def read(tmp_path: Path, key: str, make: Callable[[Path], object]) -> tuple[StepEffects, list[str]]:
    """Return what is read when a step has done something to one of its files."""
    files, effects, told = StepFiles.make(tmp_path, "x", tmp_path), StepEffects(), []
    make(Path(files.paths[key]))
    summary = read_effects(files, effects, lambda level, text: told.append(f"{level}: {text}"))
    assert summary is None
    return effects, [text for text in told if text.startswith("error")]


@pytest.mark.parametrize("key", ["env", "output", "state", "path"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_fifo, "is not a regular file any more."),
        (make_socket, "No such device or address"),
        (make_endless, "is a symbolic link."),
        (make_circle, "is a symbolic link."),
        (make_huge, f" KiB: {TWO_GIGABYTES} bytes."),
    ],
)
def test_no_file_of_ours(
    tmp_path: Path, key: str, make: Callable[[Path], object], reason: str
) -> None:
    """The step fails, and says of which file it is and why; nobody waits and nothing is read."""
    effects, errors = read(tmp_path, key, make)

    assert effects.failed
    assert errors[0] == f"error: Unable to process file command '{key}' successfully."
    assert errors[1].endswith(reason)


@pytest.mark.parametrize("make", [make_fifo, make_socket, make_endless, make_circle, make_huge])
def test_no_summary_of_ours(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """A summary that cannot be read is an error that does not fail the step."""
    effects, errors = read(tmp_path, "step_summary", make)

    assert not effects.failed
    (error,) = errors
    assert error.startswith("error: Failed to create step summary using 'GITHUB_STEP_SUMMARY': ")


def test_folder(tmp_path: Path) -> None:
    """A folder in the place of GITHUB_PATH is nothing, in that of GITHUB_ENV an error."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert not read(tmp_path / "one", "path", make_folder)[0].failed
    effects, errors = read(tmp_path / "two", "env", make_folder)

    assert effects.failed
    assert errors[1].endswith("is denied: it is a folder.")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"\x00\xff\xfe\x80", "Invalid format '\x00\ufffd\ufffd\ufffd'", id="garbage"),
        pytest.param(
            b"a=1\nb<<END\nvalue\n",
            "Invalid value. Matching delimiter not found 'END'",
            id="unterminated",
        ),
        pytest.param(
            b"a=1\n" * (MOST_ENTRIES + 1), f"There are more than {MOST_ENTRIES} entries", id="many"
        ),
    ],
)
def test_bad_content(tmp_path: Path, content: bytes, reason: str) -> None:
    """What comes before a mistake counts; the mistake fails the step."""
    effects, errors = read(tmp_path, "output", lambda path: path.write_bytes(content))

    assert effects.failed
    assert errors[1] == f"error: {reason}"
    assert effects.outputs == ({"a": "1"} if content.startswith(b"a=1") else {})


def test_state(tmp_path: Path) -> None:
    """GITHUB_STATE is for the later stages of an action."""
    effects, errors = read(tmp_path, "state", lambda path: path.write_text("a=1\nb<<X\n2\n3\nX\n"))

    assert errors == []
    assert effects.state == {"a": "1", "b": "2\n3"}
