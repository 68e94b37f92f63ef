"""The services of one job: a network, a container for each, all ready before the first step.

Source: actions/runner src/Runner.Worker/ContainerOperationProvider.cs
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, ParamSpec

from windlass.docker.containers import (
    create_container,
    inspect_container,
    remove_container,
    start_container,
)
from windlass.docker.faults import RefusedError
from windlass.docker.networks import create_network, remove_network
from windlass.docker.volumes import create_volume, remove_volume
from windlass.errors import DockerError
from windlass.jobs.containers.faults import ContainerFault, ServicesFault
from windlass.jobs.containers.health import wait_until_healthy
from windlass.jobs.containers.output import last_lines
from windlass.jobs.containers.pulling import fetch_image
from windlass.jobs.containers.requests import request_container
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from windlass.docker.engine import Engine
    from windlass.jobs.containers.creation import Creation
    from windlass.lang.expressions import Value
    from windlass.plan.containers import Container

_Arguments = ParamSpec("_Arguments")
_UNSAFE: Final = re.compile(r"[^a-zA-Z0-9_.-]+")


@dataclass(slots=True, kw_only=True)
class _Service:
    """A service that was made; `failed` once its log has been shown."""

    alias: str
    image: str
    name: str
    id: str
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where services are started.

    `key` is in the names of all that is made and no other job's; `labels` are on it. `note` takes
    lines for the job's log. `pause` waits some seconds and tells whether the job is to end.
    """

    engine: Engine
    key: str
    labels: Mapping[str, str]
    note: Callable[[str], None]
    pause: Callable[[float], bool]


class JobServices:
    """The network of a job and the services in it.

    `network` is its name; `facts` is what they add to the `job` context.
    """

    def __init__(self, place: Place) -> None:
        self.network = f"windlass-{place.key}"
        self._place = place
        self._services: list[_Service] = []
        self._volumes: dict[str, str] = {}
        self._contexts: dict[str, Value] = {}

    @property
    def facts(self) -> dict[str, Value]:
        """What the `job` context says of them: the network, and each service's id and ports."""
        return {"container": {"network": self.network}, "services": dict(self._contexts)}

    def start(self, services: Mapping[str, Container]) -> None:
        """Make the network, start the services and wait until all are healthy.

        Raises:
            ContainerFault: one of them cannot be made, or does not become healthy.
            StartCancelledError: the job is to end.
            DockerError: the daemon is not there, or went away.
        """
        note = self._place.note
        note("##[group]Create local container network")
        create_network(self._place.engine, self.network, labels=self._place.labels)
        note(self.network)
        note("##[endgroup]")
        for alias, container in services.items():
            self._start(alias, container)
        self._wait()

    def close(self) -> None:
        """Show what the services printed, and remove them, the network and their volumes."""
        engine = self._place.engine
        for service in self._services:
            if not service.failed:
                self._place.note(f"Print service container logs: {service.name}")
                self._attempt(self._show_output, service)
            self._place.note(f"Stop and remove container: {service.name}")
            self._attempt(remove_container, engine, service.id)
        for volume in self._volumes.values():
            self._attempt(remove_volume, engine, volume)
        self._place.note(f"Remove container network: {self.network}")
        self._attempt(remove_network, engine, self.network)

    def _start(self, alias: str, container: Container) -> None:
        engine, note = self._place.engine, self._place.note
        note(f"##[group]Starting {alias} service container")
        try:
            creation = request_container(
                container,
                network=self.network,
                alias=alias,
                labels=self._place.labels,
                rename_volume=self._keep_volume,
            )
            fetch_image(engine, container, creation.platform, note=note, pause=self._place.pause)
            service = self._create(alias, creation)
            self._services.append(service)
            start_container(engine, service.id)
        except ContainerFault as fault:
            raise ServicesFault([f"The service '{alias}': {fault}"]) from None
        except RefusedError as error:
            raise ServicesFault([_describe(alias, container, error)]) from error
        found = inspect_container(engine, service.id)
        if not found["State"]["Running"]:
            self._tell_of_end(service, found["State"])
        self._contexts[alias] = {
            "id": service.id,
            "ports": _published(found),
            "network": self.network,
        }
        note("##[endgroup]")

    def _create(self, alias: str, creation: Creation) -> _Service:
        name = creation.name or f"windlass-{self._place.key}-{_UNSAFE.sub('-', alias)}"
        id_ = create_container(
            self._place.engine, creation.config, name=name, platform=creation.platform
        )
        return _Service(alias=alias, image=creation.config["Image"], name=name, id=id_)

    def _keep_volume(self, name: str) -> str:
        """Make a named volume for this job alone, once, and return what it is called."""
        if name not in self._volumes:
            kept = f"windlass-{self._place.key}-{name}"
            create_volume(self._place.engine, kept, labels=self._place.labels)
            self._volumes[name] = kept
        return self._volumes[name]

    def _tell_of_end(self, service: _Service, state: Mapping[str, Any]) -> None:
        """Warn, as the runner does, that a service has ended at once; its health decides."""
        self._show_output(service)
        code = state.get("ExitCode")
        self._place.note(
            f"##[warning]Docker container {service.id} is not in running state: "
            f"it has ended with exit code {code}."
        )

    def _wait(self) -> None:
        place = self._place
        place.note("##[group]Waiting for all services to be ready")
        for service in self._services:
            service.failed = not wait_until_healthy(
                place.engine, service.id, service.alias, note=place.note, pause=place.pause
            )
            if not service.failed:
                place.note(f"{service.alias} service is healthy.")
        place.note("##[endgroup]")
        failed = [service for service in self._services if service.failed]
        for service in failed:
            place.note(f"##[group]Service container {service.alias} failed.")
            self._show_output(service)
            place.note("##[endgroup]")
        if failed:
            raise ServicesFault(
                [f"Failed to initialize container {service.image}" for service in failed]
            )

    def _show_output(self, service: _Service) -> None:
        for line in last_lines(self._place.engine, service.id):
            self._place.note(line)

    def _attempt(
        self,
        action: Callable[_Arguments, None],
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> None:
        """Clean up as far as that goes; what stays is swept once its owner is gone."""
        try:
            action(*arguments, **named)
        except DockerError as error:
            self._place.note(f"##[warning]{error.message}")


def _published(found: Mapping[str, Any]) -> dict[str, Value]:
    """Return the ports of the host by those of the container, without their protocols."""
    ports: dict[str, Value] = {}
    for name, bindings in sorted((found["NetworkSettings"].get("Ports") or {}).items()):
        for binding in bindings or ():
            ports[name.partition("/")[0]] = binding["HostPort"]
    return ports


def _describe(alias: str, container: Container, error: RefusedError) -> str:
    hint = f" ({error.hint})" if error.hint else ""
    return f"The service '{alias}' ({container.image}) cannot be started: {error.message}{hint}"
