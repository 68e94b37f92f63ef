"""A container as a workflow describes it → what the daemon is told.

Source: actions/runner src/Runner.Worker/Container/DockerCommandManager.cs (DockerCreate)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.jobs.containers.creation import Creation
from windlass.jobs.containers.options import apply_options
from windlass.jobs.containers.volumes import mount_volume
from windlass.jobs.containers.words import split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.plan.containers import Container

DEFAULT_NETWORK: Final = "bridge"
MACHINE_NETWORK: Final = "host"


def request_container(
    container: Container,
    *,
    network: str,
    alias: str,
    labels: Mapping[str, str],
    rename_volume: Callable[[str], str] = str,
) -> Creation:
    """Return what makes a container of a job, in the network under its alias, as the runner would.

    The container of the steps has no alias. What comes later wins: the keys of the workflow over
    its `options`.

    Raises:
        ContainerFault: something in it cannot be had.
    """
    creation = Creation(container.image, rename_volume)
    for port in container.ports:
        creation.publish(port)
    apply_options(creation, container.options)
    for variable in _variables(container.env):
        creation.add("Env", variable)
    for volume in container.volumes:
        mount_volume(creation, volume)
    if container.entrypoint:
        creation.put("Entrypoint", [container.entrypoint])
    if command := split_words(container.command):
        creation.put("Cmd", command)
    for name, value in labels.items():
        creation.enter("Labels", name, value)
    creation.put("HostConfig.NetworkMode", network)
    names = {"Aliases": [name for name in (alias, *creation.aliases) if name]}
    creation.enter("NetworkingConfig.EndpointsConfig", network, names)
    return creation


def _variables(env: Mapping[str, str]) -> list[str]:
    """Return the variables of a container; an empty one unsets what the image has, as on GitHub."""
    given = [f"{name}={value}" if value else name for name, value in env.items() if name]
    marks = ["GITHUB_ACTIONS=true"] + ([] if "CI" in env else ["CI=true"])
    return [*given, *marks]
