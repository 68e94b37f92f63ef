"""A job's own Docker daemon: what the daemon outside is told, and what is refused before."""

from __future__ import annotations

import io
import socket
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.jobs.containers.scripted import ScriptedEngine

from windlass.docker.faults import DaemonGoneError, RefusedError
from windlass.docker.streams import Stream
from windlass.errors import ExecutorError
from windlass.jobs.containers import daemon
from windlass.jobs.containers.daemon import (
    DaemonRequest,
    JobDaemon,
    describe_daemon,
    start_daemon,
)
from windlass.jobs.containers.daemon_socket import link_socket, without_socket
from windlass.jobs.containers.services import Forward
from windlass.plan.containers import Container

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def request(folder: Path, **keys: Any) -> DaemonRequest:
    told: dict[str, Any] = {
        "container": "c0ffee",
        "network": "bridge",
        "folder": folder / "_docker",
        "inside": "/__w/_docker",
        "binds": ["/job:/__w"],
        "labels": {"windlass.job": "build"},
    }
    return DaemonRequest(**{**told, **keys})


def describe(wanted: DaemonRequest, *, old: bool = False) -> dict[str, Any]:
    return describe_daemon(
        wanted, resolvers=["192.0.2.1"], capabilities=["SYS_ADMIN"], has_old_groups=old
    )


def test_it_is_beside_the_job(tmp_path: Path) -> None:
    """It has the job's network, folders and labels, and its data goes with it."""
    told = describe(request(tmp_path))

    assert told["HostConfig"]["NetworkMode"] == "container:c0ffee"
    assert told["HostConfig"]["Binds"] == ["/job:/__w"]
    assert told["HostConfig"]["AutoRemove"] is True
    assert told["Labels"] == {"windlass.job": "build"}
    assert told["Volumes"] == {"/var/lib/docker": {}}
    assert told["Cmd"][3:] == ["/__w/_docker/docker.sock", "", "--dns=192.0.2.1"]


def test_it_is_not_privileged(tmp_path: Path) -> None:
    """It may use all devices where version 1 of cgroups would refuse its containers otherwise."""
    told = describe(request(tmp_path))["HostConfig"]

    assert "Privileged" not in told
    assert told["CapAdd"] == ["SYS_ADMIN"]
    assert "DeviceCgroupRules" not in told
    assert told["CgroupnsMode"] == "private"
    assert describe(request(tmp_path), old=True)["HostConfig"]["DeviceCgroupRules"] == ["a *:* rwm"]


def test_ports_of_services_are_brought_along(tmp_path: Path) -> None:
    """One word for each, which the daemon's script takes apart."""
    forwards = [
        Forward(protocol="tcp", port=15432, address="172.18.0.2", inner=5432),
        Forward(protocol="udp", port=53, address="172.18.0.3", inner=53),
    ]

    told = describe(request(tmp_path, forwards=forwards))["Cmd"]

    assert told[4] == "tcp,15432,172.18.0.2,5432 udp,53,172.18.0.3,53"


def test_the_script_is_one_for_any_shell() -> None:
    """A shell understands it without running it."""
    script = daemon._SCRIPT
    done = subprocess.run(["sh", "-n", "-c", script], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_none_in_the_network_of_the_machine(tmp_path: Path) -> None:
    """It would change the machine's own bridges: the job fails, and it is said what to write."""
    with pytest.raises(ExecutorError, match="in the network of this machine") as told:
        start_daemon(ScriptedEngine(), request(tmp_path, network="host"), note=print)
    assert "[docker.labels]" in str(told.value.hint)


def test_none_without_its_image(tmp_path: Path) -> None:
    """What makes it is said; nothing is pulled."""
    engine = ScriptedEngine([RefusedError("no such image", status=404)])

    with pytest.raises(ExecutorError, match="windlass/docker has not been made") as told:
        start_daemon(engine, request(tmp_path), note=print)

    assert "`windlass images setup` makes it" in str(told.value.hint)
    assert engine.asked == ["GET /images/windlass/docker/json"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", ""),
        (b"ended with the exit code 137\nlast words\n", "ended with the exit code 137\nlast words"),
    ],
    ids=["removed while it runs", "ended by itself"],
)
def test_an_early_end_is_told(said: bytes, told: str) -> None:
    """What it said of its end is returned when it is removed; nobody waits for more."""
    ours, theirs = socket.socketpair()
    if said:
        theirs.sendall(bytes([1, 0, 0, 0]) + len(said).to_bytes(4, "big") + said)
    engine = ScriptedEngine([{"State": {"Pid": 7}}, None])
    beside = JobDaemon(engine, "cafe", Stream(ours))

    assert beside.pid == 7
    assert beside.close() == told
    assert engine.asked[-1] == "DELETE /containers/cafe"
    theirs.close()


@pytest.mark.parametrize(
    ("volumes", "kept"),
    [
        (["/var/run/docker.sock:/var/run/docker.sock"], []),
        (["/run/docker.sock:/x:ro", "/data:/data"], ["/data:/data"]),
        (["/data", "name:/data"], ["/data", "name:/data"]),
    ],
)
def test_the_machines_socket_is_no_volume(volumes: list[str], kept: list[str]) -> None:
    """A container of a job does not get it, though the workflow asks for it."""
    container = without_socket(Container(image="x", volumes=tuple(volumes)))

    assert list(container.volumes) == kept


class _Archives(ScriptedEngine):
    """Keeps what is unpacked in a container."""

    def __init__(self) -> None:
        super().__init__([None])
        self.archives: list[bytes] = []

    def ask(self, method: str, path: str, **keys: Any) -> Any:
        body: Iterable[bytes] = keys["body"]
        self.archives.append(b"".join(body))
        return super().ask(method, path, **keys)


def test_the_socket_is_where_programs_look_for_it() -> None:
    """A link leads from the usual place to the job's folder."""
    engine = _Archives()

    link_socket(engine, "c0ffee", "/__w/_docker")

    with tarfile.open(fileobj=io.BytesIO(engine.archives[0])) as archive:
        (link,) = archive.getmembers()
    assert (link.name, link.linkname) == ("var/run/docker.sock", "/__w/_docker/docker.sock")
    assert link.issym()


@pytest.mark.parametrize(
    ("late", "answers"), [(0, True), (4, True), (5, False)], ids=["at once", "late", "never"]
)
def test_a_busy_machine_is_waited_for(late: int, answers: bool) -> None:
    """A daemon that does not answer in time is asked again, and not for ever."""

    class Slow(ScriptedEngine):
        asked_for = 0

        def ping(self) -> str:
            self.asked_for += 1
            if self.asked_for <= late:
                raise DaemonGoneError("it did not answer in time")
            return "/v1.45"

    engine = Slow()
    if answers:
        daemon._await_answer(engine)
    else:
        with pytest.raises(ExecutorError, match="own Docker daemon does not answer"):
            daemon._await_answer(engine)
    assert engine.asked_for == min(late + 1, 5)
