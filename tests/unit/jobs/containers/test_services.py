"""The services of a job, with a daemon that answers from a script."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.jobs.containers.scripted import ScriptedEngine

from windlass.docker.faults import DaemonGoneError, RefusedError
from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.port_turns import holding_ports
from windlass.jobs.containers.services import JobServices, Place
from windlass.jobs.patience import StartCancelledError
from windlass.plan.containers import Container

GONE = DaemonGoneError("The Docker daemon went away")
RUNNING: dict[str, Any] = {
    "Id": "c1",
    "Config": {},
    "State": {"Running": True},
    "NetworkSettings": {
        "Ports": {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
            "53/tcp": [{"HostIp": "0.0.0.0", "HostPort": "1"}, {"HostIp": "::", "HostPort": "2"}],
            "53/udp": [{"HostIp": "0.0.0.0", "HostPort": "3"}],
            "90/tcp": None,
        }
    },
}
STARTED = [{"Id": "n1"}, {"Id": "sha256:1"}, {"Id": "c1"}, None, RUNNING, RUNNING]
"""The network, the image, the container, its start, a look at it and at its health."""


class Play:
    def __init__(self, answers: list[Any]) -> None:
        self.engine = ScriptedEngine(answers)
        self.lines: list[str] = []
        self.guarded: list[str] = []
        self.services = JobServices(
            Place(
                engine=self.engine,
                key="k",
                labels={},
                note=self.lines.append,
                pause=lambda seconds: seconds > 0,
                guard=self.guarded.append,
            )
        )

    def start(self, **containers: Container) -> None:
        self.services.start(containers)


def test_facts() -> None:
    """Ports are told by the container's; of several bindings the last one counts, as on GitHub."""
    play = Play(STARTED)
    play.start(db=Container(image="a"))

    assert play.services.facts == {
        "container": {"network": "windlass-k"},
        "services": {
            "db": {"id": "c1", "ports": {"53": "3", "80": "8080"}, "network": "windlass-k"}
        },
    }
    assert play.guarded == ["c1"]


def test_what_the_log_says() -> None:
    """The groups are those of GitHub's runner."""
    play = Play(STARTED)
    play.start(db=Container(image="a"))

    assert [line for line in play.lines if line != "##[endgroup]"] == [
        "##[group]Create local container network",
        "windlass-k",
        "##[group]Starting db service container",
        "The image a is on this machine.",
        "##[group]Waiting for all services to be ready",
        "db service is healthy.",
    ]


def test_a_daemon_that_goes_away_while_services_start() -> None:
    """That is the platform's failure, not the job's."""
    play = Play([*STARTED[:3], GONE])

    with pytest.raises(DaemonGoneError):
        play.start(db=Container(image="a"))


def test_a_daemon_that_is_gone_at_the_end() -> None:
    """What cannot be removed is told and changes nothing about the job."""
    play = Play([*STARTED, GONE])
    play.start(db=Container(image="a"))
    play.lines.clear()

    play.services.close()

    assert [line for line in play.lines if line.startswith("##[warning]")] == [
        "##[warning]The Docker daemon went away"
    ] * 3


def test_a_container_that_cannot_be_made() -> None:
    """The job is told which service it is, what the daemon says and what to do."""
    refusal = RefusedError("Conflict. The container name is in use", status=409, hint="rename it")
    play = Play([*STARTED[:2], refusal])

    with pytest.raises(ContainerFault) as fault:
        play.start(db=Container(image="a", options="--name mine"))

    assert fault.value.problems == (
        (
            "The service 'db' (a) cannot be started: Conflict. The container name is in use "
            "(rename it)"
        ),
        "One or more containers failed to start.",
    )


def test_nothing_is_made_where_a_key_is_wrong() -> None:
    """All services are read before the first one is made, and nothing is removed."""
    play = Play([GONE])

    with pytest.raises(ContainerFault, match="One or more containers failed to start"):
        play.start(a=Container(image="a"), b=Container(image="b", options="--foo"))
    play.services.close()

    assert play.engine.asked == []
    assert play.lines == []


def test_ports_of_the_container_of_the_steps() -> None:
    """They are waited for, too: the legs of a matrix publish the same ones."""
    lines: list[str] = []
    with holding_ports([59_998], note=lines.append, pause=lambda _: False):
        play = Play(STARTED)
        with pytest.raises(StartCancelledError):
            play.services.start({}, Container(image="a", ports=("59998:80",)))

    assert "Port 59998 of this machine is another job's" in play.lines[0]
    assert play.engine.asked == []
