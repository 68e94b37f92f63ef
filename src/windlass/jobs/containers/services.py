"""The services of one job: a network, a container for each, all ready before the first step.

Source: actions/runner src/Runner.Worker/ContainerOperationProvider.cs
"""

from __future__ import annotations

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
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
from windlass.jobs.containers.creation import Creation
from windlass.jobs.containers.faults import ContainerFault, ServicesFault
from windlass.jobs.containers.health import wait_until_healthy
from windlass.jobs.containers.output import last_lines
from windlass.jobs.containers.port_turns import holding_ports
from windlass.jobs.containers.pulling import fetch_image
from windlass.jobs.containers.requests import request_container
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from windlass.docker.engine import Engine
    from windlass.lang.expressions import Value
    from windlass.plan.containers import Container

_Arguments = ParamSpec("_Arguments")
_UNSAFE: Final = re.compile(r"[^a-zA-Z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where services are started.

    `key` is in the names of all that is made and no other job's; `labels` are on it. `note` takes
    lines for the job's log. `pause` waits some seconds and tells whether the job is to end. `guard`
    has a container removed at once should Windlass be killed.
    """

    engine: Engine
    key: str
    labels: Mapping[str, str]
    note: Callable[[str], None]
    pause: Callable[[float], bool]
    guard: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A port that a service publishes on this machine, and where it is in the job's network."""

    protocol: str
    port: int
    address: str
    inner: int

    def as_text(self) -> str:
        """Return it as `tcp,15432,172.18.0.2,5432`."""
        return f"{self.protocol},{self.port},{self.address},{self.inner}"


@dataclass(slots=True, kw_only=True)
class _Service:
    """One service: how it is to be made, its `id` once it is, `failed` if its log was shown."""

    alias: str
    container: Container
    creation: Creation
    name: str
    id: str = ""
    failed: bool = False


class JobServices:
    """The network of a job and the services in it; `network` is its name."""

    def __init__(self, place: Place) -> None:
        self.network = f"windlass-{place.key}"
        self._place = place
        self._held = contextlib.ExitStack()
        self._has_network = False
        self._services: list[_Service] = []
        self._volumes: dict[str, str] = {}
        self._contexts: dict[str, Value] = {}
        self.forwards: list[Forward] = []
        """Every port that is published, for a place whose localhost is not that of the machine."""

    @property
    def facts(self) -> dict[str, Value]:
        """What the `job` context says of them: the network, and each service's id and ports."""
        return {"container": {"network": self.network}, "services": dict(self._contexts)}

    def start(self, services: Mapping[str, Container], beside: Container | None = None) -> None:
        """Make the network, start the services and wait until all are healthy.

        The ports of the container `beside` them, which somebody else starts, are waited for, too.

        Raises:
            ContainerFault: one of them cannot be made, or does not become healthy.
            StartCancelledError: the job is to end.
            DockerError: the daemon is not there, or went away.
        """
        note = self._place.note
        self._services = [self._describe(*service) for service in services.items()]
        self._hold_ports(() if beside is None else beside.ports)
        note("##[group]Create local container network")
        create_network(self._place.engine, self.network, labels=self._place.labels)
        self._has_network = True
        note(self.network)
        note("##[endgroup]")
        for service in self._services:
            self._fetch(service)
        _raise_all(_at_once(self._run, self._services))
        for service in self._services:
            self._look_at(service)
        self._wait()

    def close(self) -> None:
        """Show what the services printed, and remove them, the network and their volumes."""
        engine, note = self._place.engine, self._place.note
        made = [service for service in self._services if service.id]
        for service in made:
            if not service.failed:
                note(f"Print service container logs: {service.name}")
                self._attempt(self._show_output, service)
            note(f"Stop and remove container: {service.name}")
        _at_once(lambda service: self._attempt(remove_container, engine, service.id), made)
        for volume in self._volumes.values():
            self._attempt(remove_volume, engine, volume)
        if self._has_network:
            note(f"Remove container network: {self.network}")
            self._attempt(remove_network, engine, self.network)
        self._held.close()

    def keep_volume(self, name: str) -> str:
        """Return what a named volume of this job is called, making it the first time."""
        if name not in self._volumes:
            kept = f"windlass-{self._place.key}-{name}"
            create_volume(self._place.engine, kept, labels=self._place.labels)
            self._volumes[name] = kept
        return self._volumes[name]

    def _describe(self, alias: str, container: Container) -> _Service:
        try:
            creation = request_container(
                container,
                network=self.network,
                alias=alias,
                labels=self._place.labels,
                rename_volume=self.keep_volume,
            )
        except ContainerFault as fault:
            raise ServicesFault([f"The service '{alias}': {fault}"]) from None
        name = creation.name or f"windlass-{self._place.key}-{_UNSAFE.sub('-', alias)}"
        return _Service(alias=alias, container=container, creation=creation, name=name)

    def _hold_ports(self, others: Iterable[str]) -> None:
        """Wait until no other job has the ports of this machine that this one is to have."""
        beside = Creation("")
        for port in others:
            beside.publish(port)
        creations = [beside, *(service.creation for service in self._services)]
        ports = [port for creation in creations for port in creation.fixed_ports()]
        held = holding_ports(ports, note=self._place.note, pause=self._place.pause)
        self._held.enter_context(held)

    def _fetch(self, service: _Service) -> None:
        place = self._place
        place.note(f"##[group]Starting {service.alias} service container")
        try:
            fetch_image(
                place.engine,
                service.container,
                service.creation.platform,
                note=place.note,
                pause=place.pause,
            )
        except RefusedError as error:
            raise ServicesFault([_say_why(service, error)]) from error
        finally:
            place.note("##[endgroup]")

    def _run(self, service: _Service) -> str | None:
        """Make and start one container; return why that cannot be."""
        engine, creation = self._place.engine, service.creation
        try:
            service.id = create_container(
                engine, creation.config, name=service.name, platform=creation.platform
            )
            self._place.guard(service.id)
            start_container(engine, service.id)
        except RefusedError as error:
            return _say_why(service, error)
        return None

    def _look_at(self, service: _Service) -> None:
        """Take in a service's ports; warn, as the runner does, of one that has ended already."""
        found = inspect_container(self._place.engine, service.id)
        if not found["State"]["Running"]:
            self._show_output(service)
            self._place.note(f"##[warning]{_say_ended(found)}")
        self._contexts[service.alias] = {
            "id": service.id,
            "ports": _published(found),
            "network": self.network,
        }
        self.forwards.extend(_list_forwards(found, self.network))

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
            self._tell_of_failure(service)
        if failed:
            raise ServicesFault(
                [f"Failed to initialize container {it.container.image}" for it in failed]
            )

    def _tell_of_failure(self, service: _Service) -> None:
        note = self._place.note
        note(f"##[group]Service container {service.alias} failed.")
        self._show_output(service)
        found = inspect_container(self._place.engine, service.id)
        if not found["State"]["Running"]:
            note(_say_ended(found))
        elif checks := (found["State"].get("Health") or {}).get("Log"):
            note(f"The last health check ended with exit code {checks[-1].get('ExitCode')}:")
            note(str(checks[-1].get("Output", "")).strip())
        note("##[endgroup]")

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


def _at_once(
    action: Callable[[_Service], str | None], services: Iterable[_Service]
) -> list[str | None]:
    """Do something to all services at the same time; the daemon takes its time for each."""
    listed = list(services)
    if not listed:
        return []
    with ThreadPoolExecutor(len(listed)) as pool:
        return list(pool.map(action, listed))


def _raise_all(problems: Iterable[str | None]) -> None:
    found = [problem for problem in problems if problem is not None]
    if found:
        raise ServicesFault(found)


def _published(found: Mapping[str, Any]) -> dict[str, Value]:
    """Return the ports of the host by those of the container, without their protocols."""
    ports: dict[str, Value] = {}
    for name, bindings in sorted((found["NetworkSettings"].get("Ports") or {}).items()):
        for binding in bindings or ():
            ports[name.partition("/")[0]] = binding["HostPort"]
    return ports


def _list_forwards(found: Mapping[str, Any], network: str) -> Iterator[Forward]:
    networks = found["NetworkSettings"].get("Networks") or {}
    address = (networks.get(network) or {}).get("IPAddress", "")
    for name, bindings in (found["NetworkSettings"].get("Ports") or {}).items():
        inner, _, protocol = name.partition("/")
        for port in sorted({int(binding["HostPort"]) for binding in bindings or ()}):
            yield Forward(protocol=protocol, port=port, address=address, inner=int(inner))


def _say_ended(found: Mapping[str, Any]) -> str:
    code = found["State"].get("ExitCode")
    return (
        f"Docker container {found['Id']} is not in running state: "
        f"it has ended with exit code {code}."
    )


def _say_why(service: _Service, error: RefusedError) -> str:
    hint = f" ({error.hint})" if error.hint else ""
    return (
        f"The service '{service.alias}' ({service.container.image}) cannot be started: "
        f"{error.message}{hint}"
    )
