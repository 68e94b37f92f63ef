"""What is hidden and shown in a sandbox, wherever homes, repositories and interpreters lie."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from windlass.jobs.executors import sandbox_view
from windlass.jobs.executors.sandbox_view import (
    View,
    describe_mounts,
    is_within,
    list_hidden,
    list_shown,
)
from windlass.jobs.folders import JobFolders


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose folders for temporary files are others, and the user's home on it."""
    monkeypatch.setattr(sandbox_view, "SCRATCH", ("/dev/shm",))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("/a/b", "/a", True),
        ("/a", "/a", True),
        ("/a", "/", True),
        ("/ab", "/a", False),
        ("/a", "/a/b", False),
    ],
)
def test_within(path: str, folder: str, expected: bool) -> None:
    """A folder lies in itself, and not in one whose name only begins alike."""
    assert is_within(path, folder) is expected


def test_homes_and_the_repository_are_hidden(home: Path, tmp_path: Path) -> None:
    """Each once: what lies in a hidden folder is not there anyway."""
    repository = tmp_path / "repository"
    for folder in (repository, home / "project"):
        folder.mkdir()
    hidden = list_hidden(View(hidden=[repository, home / "project", tmp_path / "nowhere"]))

    assert {str(home), str(repository), "/home"} <= set(hidden)
    assert str(home / "project") not in hidden
    assert str(tmp_path / "nowhere") not in hidden


@pytest.mark.parametrize("folder", ["/", "/usr"])
def test_a_home_that_holds_the_system_is_seen(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users without a home of their own have `/`: hidden, nothing at all could run."""
    monkeypatch.setenv("HOME", folder)

    assert folder not in list_hidden(View(hidden=[Path(folder)]))


def test_links_are_followed(home: Path, tmp_path: Path) -> None:
    """What is hidden is the folder that a link leads to."""
    (tmp_path / "link").symlink_to(home)

    assert str(tmp_path / "link") not in list_hidden(View(hidden=[tmp_path / "link"]))
    assert str(home) in list_hidden(View(hidden=[tmp_path / "link"]))


def test_only_what_is_hidden_is_shown_again(home: Path, tmp_path: Path) -> None:
    """What the user asks for and what Windlass is made of, where it lies in a hidden folder."""
    (home / "objects" / "pack").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    shown = [home / "objects", home / "objects" / "pack", home / "nowhere", tmp_path / "elsewhere"]

    assert list_shown(View(shown=shown), [str(home)]) == [str(home / "objects")]
    prefix = str(Path(sys.prefix, "lib"))
    assert prefix in list_shown(View(), [sys.prefix])


def test_what_holds_a_hidden_folder_is_not_shown(home: Path, tmp_path: Path) -> None:
    """Neither a hidden folder itself nor one above it comes back by being asked for."""
    hidden = [str(home), str(tmp_path)]

    assert list_shown(View(shown=[home, tmp_path]), hidden) == []


def test_the_jobs_folder_comes_last(home: Path) -> None:
    """It can be written to, although all around it is hidden or read-only."""
    folders = JobFolders(home / "job", "boat", home / "tools")
    folders.make()
    (home / "objects").mkdir()
    arguments = describe_mounts(View(shown=[home / "objects"]), folders)
    places = [arguments[at : at + 3] for at, word in enumerate(arguments) if word == "--bind"]

    last_hidden = len(arguments) - arguments[::-1].index("--tmpfs")
    assert last_hidden < arguments.index("--ro-bind-try") < arguments.index(str(home / "job"))
    assert ["--bind", str(home / "job"), str(home / "job")] == places[-2]
    assert ["--bind", str(home / "tools"), str(home / "tools")] == places[-1]
    assert ["--bind", str(home / "job/_sandbox/dev-shm"), "/dev/shm"] == places[0]
    assert (home / "job/_sandbox/dev-shm").stat().st_mode & 0o7777 == 0o1777


def test_sockets_of_the_user_are_covered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of variables, unless they lie where nothing is to be seen anyway."""
    for name in ("SSH_AUTH_SOCK", "DOCKER_HOST"):
        (home.parent / name).touch()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(home.parent / "SSH_AUTH_SOCK"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home.parent}/DOCKER_HOST")
    covered = describe_mounts(View(), None)
    assert {f"{home.parent}/SSH_AUTH_SOCK", f"{home.parent}/DOCKER_HOST"} <= set(covered)

    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    (home / "agent").touch()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(home / "agent"))
    assert not {str(home / "agent"), "tcp://127.0.0.1:2375"} & set(describe_mounts(View(), None))
