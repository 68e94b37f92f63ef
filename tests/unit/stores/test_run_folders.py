"""The folders of attempts: locks, events that survive crashes, numbers of jobs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from windlass.errors import PlatformError
from windlass.stores.run_folders import RunFolders

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.stores.run_folders import AttemptFolder


@pytest.fixture
def folder(tmp_path: Path) -> AttemptFolder:
    folders = RunFolders(tmp_path)
    return folders.make_attempt(folders.create(), 1)


def test_ids_grow_and_are_never_given_twice(tmp_path: Path) -> None:
    """Runs that are begun at the same moment have different ids."""
    folders = RunFolders(tmp_path)
    made = [folders.create() for _ in range(50)]

    assert made == sorted(set(made))
    assert folders.ids() == made


def test_an_attempt_is_live_while_its_lock_is_held(folder: AttemptFolder) -> None:
    """Nobody else can claim it; it is free again when it is released."""
    other = type(folder)(folder.path)
    assert not folder.is_live
    assert folder.claim()
    assert other.is_live
    assert not other.claim()
    folder.release()
    assert not other.is_live
    assert other.claim()
    other.release()


def test_a_lock_ends_with_its_process(folder: AttemptFolder) -> None:
    """Whoever is killed holds nothing any more."""
    program = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from windlass.stores.run_folders import AttemptFolder\n"
        "assert AttemptFolder(Path(sys.argv[1])).claim()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder.path)], check=False)

    assert done.returncode == -9
    assert not folder.is_live


def test_half_a_line_is_left_out(folder: AttemptFolder) -> None:
    """What a crash cut short is not read, and what is written later stands on its own line."""
    folder.append_event("one")
    folder.release()
    with folder.events.open("a") as file:
        file.write('{"half')
    assert list(folder.read_events()) == ["one\n"]

    folder.append_event("two")

    assert list(folder.read_events()) == ["one\n", '{"half\n', "two\n"]
    folder.release()


def test_events_of_a_folder_that_was_removed(folder: AttemptFolder) -> None:
    """Nothing is written to a file that nobody can find any more."""
    folder.append_event("one")
    folder.events.unlink()

    with pytest.raises(PlatformError, match="removed while the run went on"):
        folder.append_event("two")
    folder.release()


def test_jobs_are_found_by_key(folder: AttemptFolder) -> None:
    """The last folder of a key counts: a job that was resumed has two."""
    folder.open_job(1, "build (3.12)")
    folder.open_job(2, "test")
    second = folder.open_job(10, "build (3.12)")

    assert list(folder.jobs()) == ["test", "build (3.12)"]
    assert folder.jobs()["build (3.12)"] == second
    assert folder.count_jobs() == 10


def test_a_key_is_written_once(folder: AttemptFolder) -> None:
    """Whoever reads it while the job's log grows must not find it empty."""
    path = folder.open_job(1, "build")
    written = (path / "key").stat().st_mtime_ns

    folder.open_job(1, "build")
    assert (path / "key").stat().st_mtime_ns == written
    (path / "key").write_bytes(b"")
    assert folder.jobs() == {}
    folder.open_job(1, "build")
    assert folder.jobs() == {"build": path}


def test_the_tree_is_that_of_all_attempts(tmp_path: Path) -> None:
    """A later attempt sees the tree of the first."""
    folders = RunFolders(tmp_path)
    run = folders.create()
    first, second = folders.make_attempt(run, 1), folders.make_attempt(run, 2)
    assert first.read_tree() is None

    first.write_tree("f" * 40)

    assert second.read_tree() == "f" * 40
    assert folders.attempts(run) == [1, 2]
