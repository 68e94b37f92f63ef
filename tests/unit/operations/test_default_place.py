"""What is asked of the machine to choose the default place, and what is remembered of it."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from windlass.errors import ExecutorError
from windlass.operations import default_place
from windlass.operations.default_place import DefaultPlace, ask_docker, remember_place
from windlass.operations.places import settle_places
from windlass.plan.default_place import DockerAnswer, SandboxAnswer

if TYPE_CHECKING:
    from pathlib import Path


def test_a_daemon_that_never_answers(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is stuck keeps no run from starting: it is taken for none."""
    monkeypatch.setattr(default_place, "PATIENCE_SECONDS", 0.05)
    path = socket_folder / "socket"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        found = ask_docker({"DOCKER_HOST": f"unix://{path}"})

    assert not found.has_image
    assert found.fault.endswith("did not answer in time")


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("unix:///nowhere", "no Docker daemon is there (unix:///nowhere)"),
        ("tcp://builder:2375", "the Docker daemon at tcp://builder:2375 may be on another machine"),
        ("npipe://x", "DOCKER_HOST is 'npipe://x', which is no address that can be used"),
    ],
)
def test_a_daemon_that_cannot_be_used(address: str, fault: str) -> None:
    """The reason is said as it is; who chose the address sees it again."""
    assert ask_docker({"DOCKER_HOST": address}).fault.startswith(fault)


def test_nothing_of_docker_is_imported_without_a_socket() -> None:
    """Who has no Docker does not wait for what would talk to it."""
    script = (
        "import sys; from windlass.operations.default_place import ask_docker; "
        "ask_docker({'DOCKER_HOST': 'unix:///nowhere'}); "
        "print(*sorted({'http.client', 'windlass.docker.engine'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("\n", "")


def test_the_machine_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many jobs need the default."""
    asked: list[str] = []

    def answer_docker(_: object) -> DockerAnswer:
        asked.append("docker")
        return DockerAnswer(fault="no")

    def answer_sandbox() -> SandboxAnswer:
        asked.append("sandbox")
        return SandboxAnswer()

    monkeypatch.setattr(default_place, "ask_docker", answer_docker)
    monkeypatch.setattr(default_place, "ask_sandbox", answer_sandbox)
    default = DefaultPlace({})

    assert default.choice is None
    assert default.require() is default.require() is default.choice
    assert asked == ["docker", "sandbox"]


def test_no_place_is_an_error_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with the cure, and only to who needs the place."""
    monkeypatch.setattr(default_place, "ask_docker", lambda _: DockerAnswer(fault="no Docker"))
    monkeypatch.setattr(
        default_place, "ask_sandbox", lambda: SandboxAnswer(fault="no bwrap", cure="install it")
    )
    default = DefaultPlace({})
    default.find()

    with pytest.raises(ExecutorError, match="there is no place for jobs: no Docker; no bwrap") as e:
        default.require()
    assert e.value.hint == "install it"
    assert settle_places({"*": "host"}, default, None) == {"*": "host"}


def test_what_is_remembered(tmp_path: Path) -> None:
    """The place before is told when it was another one; nothing is told of the first."""
    assert remember_place(tmp_path, "sandbox") is None
    assert remember_place(tmp_path, "sandbox") is None
    assert remember_place(tmp_path, "docker://x") == "sandbox"
    assert remember_place(tmp_path, "docker://x") is None

    (tmp_path / default_place.REMEMBERED_BY).write_bytes(b"\xff")
    assert remember_place(tmp_path, "sandbox") is None
    assert remember_place(tmp_path / "gone", "sandbox") is None
