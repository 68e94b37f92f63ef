"""Ports to publish: `[IP:][HOST:]CONTAINER[/PROTOCOL]`, each of the ports possibly a range.

Source: docker/go-connections nat/nat.go (ParsePortSpec)
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from windlass.jobs.containers.faults import ContainerFault

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST_ADDRESS: Final = "127.0.0.1"
"""Where a port is published that names no address.

GitHub's machines publish on all addresses and live for one job. This one may be somebody's laptop:
a database with a test password is nothing to offer to their network.
"""

_PROTOCOLS: Final = ("tcp", "udp", "sctp")
_LARGEST: Final = 65535


def read_ports(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield for each port its name within the container (`80/tcp`) and the API's binding.

    Without a port of the host the daemon chooses one that is free.

    Raises:
        ContainerFault: it is no such mapping.
    """
    address, host, container = _split(text)
    container, _, protocol = container.partition("/")
    protocol = (protocol or "tcp").lower()
    if protocol not in _PROTOCOLS:
        raise _refuse(text, f"the protocol '{protocol}' is none of {', '.join(_PROTOCOLS)}")
    first, last = _read_range(text, container, least=1)
    if not host:
        for port in range(first, last + 1):
            yield f"{port}/{protocol}", {"HostIp": address, "HostPort": ""}
        return
    host_first, host_last = _read_range(text, host)
    if first == last and host_first != host_last:
        yield f"{first}/{protocol}", {"HostIp": address, "HostPort": host}
        return
    if last - first != host_last - host_first:
        raise _refuse(text, f"the ranges {host} and {container} are not of one length")
    for offset in range(last - first + 1):
        binding = {"HostIp": address, "HostPort": str(host_first + offset)}
        yield f"{first + offset}/{protocol}", binding


def _split(text: str) -> tuple[str, str, str]:
    """Return the address, the host's port and the container's; an IPv6 address has brackets."""
    rest, _, container = text.rpartition(":")
    if not rest:
        return HOST_ADDRESS, "", container
    address, colon, host = rest.rpartition(":")
    if not colon:
        return HOST_ADDRESS, host, container
    bare = address.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare)), host, container
    except ValueError:
        raise _refuse(text, f"'{address}' is no IP address") from None


def _read_range(text: str, ports: str, *, least: int = 0) -> tuple[int, int]:
    first, dash, last = ports.partition("-")
    numbers = [first, last] if dash else [first, first]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise _refuse(text, f"'{ports}' is no port")
    low, high = (int(number) for number in numbers)
    if not (least <= low <= high <= _LARGEST):
        raise _refuse(text, f"'{ports}' is not within {least}-{_LARGEST}")
    return low, high


def _refuse(text: str, reason: str) -> ContainerFault:
    return ContainerFault(
        f"The port '{text}' cannot be published, {reason}",
        hint="write CONTAINER, HOST:CONTAINER or IP:HOST:CONTAINER, e.g. 5432:5432 or 53:53/udp",
    )
