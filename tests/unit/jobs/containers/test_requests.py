"""A container of a workflow → what the daemon is told.

Expected values: actions/runner src/Runner.Worker/Container/DockerCommandManager.cs (DockerCreate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.requests import request_container
from windlass.plan.containers import Container

if TYPE_CHECKING:
    from windlass.jobs.containers.creation import Creation


def request(alias: str = "db", **keys: Any) -> Creation:
    return request_container(
        Container(image="image", **keys),
        network="net",
        alias=alias,
        labels={"windlass.job": "build"},
        rename_volume=lambda name: f"job-{name}",
    )


def test_the_least() -> None:
    """A container is in the job's network under its name, is labelled and knows that it is CI."""
    assert request().config == {
        "Image": "image",
        "Env": ["GITHUB_ACTIONS=true", "CI=true"],
        "Labels": {"windlass.job": "build"},
        "HostConfig": {"NetworkMode": "net"},
        "NetworkingConfig": {"EndpointsConfig": {"net": {"Aliases": ["db"]}}},
    }


def test_further_names() -> None:
    """An alias among the options adds to the name; the container of the steps has none."""
    endpoints = request(options="--network-alias a").config["NetworkingConfig"]["EndpointsConfig"]
    assert endpoints["net"]["Aliases"] == ["db", "a"]

    endpoints = request(alias="").config["NetworkingConfig"]["EndpointsConfig"]
    assert endpoints["net"]["Aliases"] == []


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"A": "1"}, ["A=1", "GITHUB_ACTIONS=true", "CI=true"]),
        ({"A": "x y='\"\\"}, ["A=x y='\"\\", "GITHUB_ACTIONS=true", "CI=true"]),
        ({"A": ""}, ["A", "GITHUB_ACTIONS=true", "CI=true"]),
        ({"CI": "false"}, ["CI=false", "GITHUB_ACTIONS=true"]),
        ({"": "x"}, ["GITHUB_ACTIONS=true", "CI=true"]),
    ],
)
def test_variables(env: dict[str, str], expected: list[str]) -> None:
    """Values are taken as they are; an empty one unsets what the image has."""
    assert request(env=env).config["Env"] == expected


def test_keys_come_after_options() -> None:
    """What the workflow's own keys say wins over `options`."""
    config = request(
        options="-e A=1 --entrypoint /a -p 80:80 -v /x:/x",
        env={"A": "2"},
        entrypoint="/b c",
        command='run "two words"',
        ports=("81:81",),
        volumes=("data:/data", "/y:/y:ro", "/z"),
    ).config

    assert config["Env"][:2] == ["A=1", "A=2"]
    assert config["Entrypoint"] == ["/b c"]
    assert config["Cmd"] == ["run", "two words"]
    assert list(config["HostConfig"]["PortBindings"]) == ["81/tcp", "80/tcp"]
    assert config["HostConfig"]["Binds"] == ["/x:/x", "job-data:/data", "/y:/y:ro"]
    assert config["Volumes"] == {"/z": {}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a:/b", "/a:/b"),
        ("/a:/b:ro", "/a:/b:ro"),
        ("/a:/b:rw,z", "/a:/b:rw,z"),
        ("data:/b:ro", "job-data:/b:ro"),
    ],
)
def test_volumes(text: str, expected: str) -> None:
    """A volume is a folder of the machine or a name, with its mode behind it."""
    assert request(volumes=(text,)).config["HostConfig"]["Binds"] == [expected]


def test_nameless_volumes() -> None:
    """A path alone is a volume that goes with its container."""
    assert request(volumes=("/b", "/c:ro")).config["Volumes"] == {"/b": {}, "/c": {}}


@pytest.mark.parametrize(
    "keys",
    [{"ports": ("x",)}, {"volumes": ("a",)}, {"options": "--x"}, {"command": '"a'}],
    ids=str,
)
def test_mistakes(keys: dict[str, Any]) -> None:
    """Each key that cannot be followed is refused."""
    with pytest.raises(ContainerFault):
        request(**keys)
