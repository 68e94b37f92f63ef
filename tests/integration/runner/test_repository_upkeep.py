"""What a runner has of repositories does not grow for ever."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from windlass.errors import WorkspaceError
from windlass.jobs.workspaces.bases import list_bases
from windlass.runner.repository_copies import STORE
from windlass.runner.repository_upkeep import (
    MOST_BASES,
    UNUSED_SECONDS,
    Use,
    tidy_repositories,
)
from windlass.stores.state_folder import BASES
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

START = 1_800_000_000.0


class World:
    """The folder of a runner's repositories, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()

    def use(self, name: str) -> Path:
        """Have a job use a repository, which has ended now."""
        state = self.folder / name
        Use(state).close()
        moment = START + self.clock.now()
        os.utime(state / "used", (moment, moment))
        return state

    def tidy(self) -> list[str]:
        """Tidy at this moment."""
        return tidy_repositories(self.folder, STORE, START + self.clock.now())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repositories")


def test_what_nobody_uses(world: World) -> None:
    """It is removed when no job has used it for long, and made again when one does."""
    assert world.tidy() == [], "there may be none at all"
    world.use("one")
    world.clock.advance(10.0)
    world.use("two")
    world.clock.advance(UNUSED_SECONDS - 10.0)
    assert world.tidy() == []
    world.clock.advance(1.0)
    assert world.tidy() == ["one"]
    assert [it.name for it in world.folder.iterdir()] == ["two"]
    assert world.use("one").is_dir()
    assert world.tidy() == []


def test_what_a_job_uses(world: World) -> None:
    """It is left as it is, however long the job takes."""
    world.use("one")
    first, second = Use(world.folder / "one"), Use(world.folder / "one")
    os.utime(world.folder / "one" / "used", (0, 0))
    first.close()
    assert world.tidy() == []
    second.close()
    assert world.tidy() == ["one"]


def test_what_was_left_half_removed(world: World) -> None:
    """A runner that was killed meanwhile leaves nothing behind for ever."""
    world.use("one").rename(world.folder / "one.1234.removed")
    assert world.tidy() == []
    assert list(world.folder.iterdir()) == []


def test_trees_that_are_ready(world: World) -> None:
    """Those used last stay; one that a job uses does too."""
    bases = world.use("one") / BASES
    for number in range(MOST_BASES + 3):
        folder = bases / f"{number:040x}"
        folder.mkdir(parents=True)
        (folder / "about.json").write_text(json.dumps({"tree": folder.name, "parts": []}))
        os.utime(folder, (number, number))
    world.tidy()
    assert sorted(list_bases(bases)) == [f"{it:040x}" for it in range(3, MOST_BASES + 3)]


def test_objects_are_packed(world: World) -> None:
    """When there are many small ones; none of them is lost, whether a branch has it or not."""
    store = world.use("one") / STORE
    subprocess.run(["git", "init", "-q", "--bare", store], check=True)
    subprocess.run(["git", "config", "gc.auto", "0"], cwd=store, check=True)
    texts = "".join(f"blob\nmark :{it}\ndata {len(str(it))}\n{it}\n" for it in range(1, 9000))
    files = "".join(f"M 100644 :{it} file{it}\n" for it in range(1, 9000))
    commit = f"commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 1\nx\n{files}\n"
    subprocess.run(
        ["git", "-c", "fastimport.unpackLimit=100000", "fast-import", "--quiet"],
        cwd=store,
        input=(texts + commit).encode(),
        check=True,
    )
    loose = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=store,
        input=b"lost",
        capture_output=True,
        check=True,
    )
    world.tidy()
    assert list((store / "objects/pack").glob("*.pack"))
    assert not list((store / "objects/17").glob("*"))
    lost = loose.stdout.decode().strip()
    assert subprocess.run(["git", "cat-file", "-e", lost], cwd=store, check=False).returncode == 0


def test_one_that_gives_trouble(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is named, and the others are tidied."""
    store = world.use("one") / STORE
    store.mkdir(parents=True)
    (store / "HEAD").write_text("nothing that Git knows")
    os.utime(world.use("two") / "used", (0, 0))
    with caplog.at_level(logging.WARNING):
        assert world.tidy() == ["two"]
    assert "one cannot be tidied" in caplog.text


def test_no_room(tmp_path: Path) -> None:
    """What cannot be made is said."""
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="cannot be"):
        Use(tmp_path / "file" / "one")
