"""A later command finds the daemons in which processes that have ended made something."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from windlass.docker.addresses import read_address
from windlass.docker.engine import Engine
from windlass.docker.faults import NOT_FOUND, RefusedError
from windlass.jobs.containers import sweeping
from windlass.jobs.containers.daemon_users import (
    LONGEST_SECONDS,
    enter_user,
    list_former_users,
)
from windlass.jobs.containers.labels import OWNER, name_owner
from windlass.jobs.containers.sweeping import sweep, sweep_after
from windlass.stores.user_cache import DAEMONS, find_user_cache

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "unix:///nowhere/docker.sock"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def name_ended() -> str:
    """Return the owner that a process was that has ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return "/".join([*name_owner().split("/")[:3], str(child.pid), "1"])


def enter(address: str, owner: str) -> Path:
    """Write down that an owner has used a daemon."""
    file = find_user_cache() / DAEMONS / f"1-{os.urandom(3).hex()}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"owner": owner, "address": address}))
    return file


class Answers:
    """A daemon of which only this is known: what has a label, and what was asked to be removed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, containers: list[str]) -> None:
        self.removed: list[str] = []
        self.containers = {f"c{place}": owner for place, owner in enumerate(containers)}
        self.ghosts: dict[str, str] = {}
        monkeypatch.setattr(Engine, "ask", lambda _, *words, **__: self.answer(*words))

    def answer(self, method: str, path: str) -> object:
        if method == "DELETE":
            self.removed.append(path.rpartition("/")[2])
            del self.containers[self.removed[-1]]
            return None
        if path == "/containers/json":
            listed = self.containers | self.ghosts
            return [{"Id": it, "Labels": {OWNER: who}} for it, who in listed.items()]
        if any(path == f"/containers/{it}/json" for it in self.ghosts):
            raise RefusedError("No such container", status=NOT_FOUND)
        return {"Volumes": []} if path == "/volumes" else []


def test_a_process_that_runs_is_no_former_user() -> None:
    """What it makes is still its own."""
    enter_user(NOWHERE)

    assert len(list((find_user_cache() / DAEMONS).iterdir())) == 1
    assert list(list_former_users()) == []


def test_a_process_that_ends_takes_its_file_with_it() -> None:
    """Only one that is killed leaves work to others."""
    program = (
        "import os, sys; from windlass.jobs.containers.daemon_users import enter_user; "
        "enter_user('unix:///x'); len(sys.argv) > 1 and os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert list(list_former_users()) == []

    subprocess.run([sys.executable, "-c", program, "killed"], check=False)
    assert [user.address for user in list_former_users()] == ["unix:///x"]


def test_former_users() -> None:
    """One that has ended is found with the address it used, until somebody has swept there."""
    file = enter(NOWHERE, name_ended())

    (found,) = list_former_users()
    assert (found.address, found.file) == (NOWHERE, file)
    found.forget()
    found.forget()
    assert list(list_former_users()) == []


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"owner": "me"}', '{"owner": 7}'])
def test_what_nobody_wrote(text: str) -> None:
    """A file that says nothing is left alone."""
    enter(NOWHERE, "").write_text(text)

    assert list(list_former_users()) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then only who uses the daemon next will look there."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}/file")

    enter_user(NOWHERE)

    assert list(list_former_users()) == []


def test_only_what_is_abandoned_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process that runs has made stays, and so does what has no owner of ours."""
    ended = name_ended()
    answers = Answers(monkeypatch, [ended, name_owner(), "somebody"])
    enter("unix:///some.sock", ended)
    told: list[str] = []

    sweep_after(list_former_users(), told.append)

    assert answers.removed == ["c0"]
    assert told == []
    assert list(list_former_users()) == []


def test_a_container_that_is_listed_and_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that was killed may list it until it is started again: nobody waits for its end."""
    ended = name_ended()
    answers = Answers(monkeypatch, [ended])
    answers.ghosts["ghost"] = ended
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)

    sweep(Engine(read_address(NOWHERE, {})))

    assert answers.removed == ["c0"]
    assert waits == [sweeping._LOOK_SECONDS]


def test_a_daemon_that_is_not_there() -> None:
    """It is not worth a word, and looked at again when it may be there."""
    enter(NOWHERE, name_ended())
    told: list[str] = []

    sweep_after(list_former_users(), told.append)

    assert told == []
    assert len(list(list_former_users())) == 1


def test_a_daemon_that_has_not_been_there_for_long() -> None:
    """It may have been of another machine, or of a test: nobody looks for it for ever."""
    file = enter(NOWHERE, name_ended())
    written = file.stat().st_mtime - LONGEST_SECONDS - 1
    os.utime(file, (written, written))
    told: list[str] = []

    sweep_after(list_former_users(), told.append)

    assert told == []
    assert not file.exists()


def test_what_is_worth_a_look(tmp_path: Path) -> None:
    """A socket that is not there is not asked; what may be reached otherwise is."""
    (tmp_path / "socket").touch()
    ended = name_ended()
    files = {it: enter(it, ended) for it in (NOWHERE, f"unix://{tmp_path}/socket", "tcp://x:1")}
    looked_at = {user.address for user in list_former_users() if user.is_worth_a_look}
    assert looked_at == files.keys() - {NOWHERE}

    os.utime(files[NOWHERE], (0, 0))
    assert all(user.is_worth_a_look for user in list_former_users())


def test_a_daemon_that_hangs(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told of once, and no later command waits for it."""
    monkeypatch.setattr(sweeping, "_ANSWER_SECONDS", 0.2)
    told: list[str] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(socket_folder / "hangs"))
        listener.listen()
        enter(f"unix://{socket_folder}/hangs", name_ended())
        began = time.monotonic()
        sweep_after(list_former_users(), told.append)

    assert time.monotonic() - began < 30
    assert len(told) == 1
    assert "did not answer" in told[0]
    assert list(list_former_users()) == []


def test_an_address_that_is_none() -> None:
    """It is told of, and forgotten."""
    enter("nonsense", name_ended())
    told: list[str] = []

    sweep_after(list_former_users(), told.append)

    assert len(told) == 1
    assert list(list_former_users()) == []


def test_sweep_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon is asked the first time only, and a later command learns of this process."""
    answers = Answers(monkeypatch, [name_ended()])
    for name in ("_swept", "_used"):
        monkeypatch.setattr(sweeping, name, set())
    engine = Engine(read_address("unix:///another.sock", {}))

    sweeping.sweep_once(engine)
    answers.containers["late"] = name_ended()
    sweeping.sweep_once(engine)

    assert answers.removed == ["c0"]
    assert len(list((find_user_cache() / DAEMONS).iterdir())) == 1
