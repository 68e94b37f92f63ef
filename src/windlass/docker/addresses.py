"""Where the daemon listens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import UsageError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USUAL_SOCKET: Final = "/var/run/docker.sock"
PLAIN_PORT: Final = 2375
TLS_PORT: Final = 2376


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A daemon's address: a socket in the file system, or a host and port.

    `certificates` is the folder with `ca.pem`, `cert.pem` and `key.pem` where TLS is spoken.
    `text` is the address as people write it (`unix:///var/run/docker.sock`).
    """

    text: str
    socket: str = ""
    host: str = ""
    port: int = 0
    certificates: str | None = None

    @property
    def whole(self) -> str:
        """The text for another process, which may not have the variables that complete it."""
        return self.text if self.certificates is None else f"{self.text}#{self.certificates}"


def find_address(variables: Mapping[str, str]) -> Address:
    """Return the daemon that DOCKER_HOST names, or the first socket in a usual place.

    Where there is none, it is Docker's own: what uses it says that nobody listens there.

    Raises:
        UsageError: DOCKER_HOST is not an address that can be used.
    """
    if given := variables.get("DOCKER_HOST"):
        return read_address(given, variables)
    found = next((path for path in _usual_sockets(variables) if Path(path).exists()), USUAL_SOCKET)
    return Address(text=f"unix://{found}", socket=found)


def read_address(text: str, variables: Mapping[str, str]) -> Address:
    """Understand an address as DOCKER_HOST has it: `unix://PATH` or `tcp://HOST[:PORT]`.

    Behind `#` may stand the folder of the certificates (`Address.whole`).

    Raises:
        UsageError: it is another kind of address, or not one.
    """
    scheme, _, rest = text.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return Address(text=text, socket=rest)
    text, _, told = text.partition("#")
    if scheme in ("tcp", "http", "https") and (host := _host_and_port(text)):
        secure = bool(told) or scheme == "https" or bool(variables.get("DOCKER_TLS_VERIFY"))
        usual = variables.get("DOCKER_CERT_PATH") or f"{variables.get('HOME', '')}/.docker"
        return Address(
            text=text,
            host=host[0],
            port=host[1] or (TLS_PORT if secure else PLAIN_PORT),
            certificates=(told or usual) if secure else None,
        )
    raise UsageError(
        f"DOCKER_HOST is '{text}', which is no address that can be used",
        hint="write unix:///PATH or tcp://HOST:PORT; for a daemon behind SSH, forward its socket: "
        "ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST",
    )


def _host_and_port(text: str) -> tuple[str, int | None] | None:
    # Imported only where there is such an address: who has no Docker is asked nothing.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        return (parts.hostname, parts.port) if parts.hostname else None
    except ValueError:
        return None


def _usual_sockets(variables: Mapping[str, str]) -> Iterator[str]:
    own = variables.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    yield USUAL_SOCKET
    yield f"{own}/docker.sock"
    yield f"{own}/podman/podman.sock"
    yield "/run/podman/podman.sock"
