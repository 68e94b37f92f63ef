"""What the daemon is told to make a container: `POST /containers/create`, built up key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.jobs.containers.ports import read_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Creation:
    """A container to be made; `config` has the API's names, `name` and `platform` stand beside it.

    `aliases` are further names of it in the job's network. `rename_volume` gives the name under
    which a named volume is kept: those of two jobs are not the same.
    """

    def __init__(self, image: str, rename_volume: Callable[[str], str] = str) -> None:
        self.config: dict[str, Any] = {"Image": image}
        self.name: str | None = None
        self.platform: str | None = None
        self.aliases: list[str] = []
        self.rename_volume = rename_volume

    def put(self, path: str, value: Any) -> None:
        """Set the value at a dotted path (`HostConfig.Memory`)."""
        *parents, last = path.split(".")
        self._open(parents)[last] = value

    def add(self, path: str, value: Any) -> None:
        """Append to the list at a dotted path."""
        *parents, last = path.split(".")
        self._open(parents).setdefault(last, []).append(value)

    def enter(self, path: str, key: str, value: Any) -> None:
        """Set an entry of the mapping at a dotted path; the key may have dots in it."""
        self._open(path.split("."))[key] = value

    def publish(self, text: str) -> None:
        """Publish a port (`8080:80`, `80`, `127.0.0.1:53:53/udp`).

        Raises:
            ContainerFault: it is no port.
        """
        for port, binding in read_ports(text):
            self.enter("ExposedPorts", port, {})
            self._open(["HostConfig", "PortBindings"]).setdefault(port, []).append(binding)

    def fixed_ports(self) -> Iterator[int]:
        """Yield the ports of this machine that the container wants, and no others."""
        for bindings in self.config.get("HostConfig", {}).get("PortBindings", {}).values():
            for binding in bindings:
                if binding["HostPort"].isdecimal() and int(binding["HostPort"]):
                    yield int(binding["HostPort"])

    def _open(self, path: list[str]) -> dict[str, Any]:
        place = self.config
        for name in path:
            place = place.setdefault(name, {})
        return place
