"""Where a repository may be fetched from: which URLs and folders a server takes.

A URL comes from whoever may register repositories, and the server asks it from where it stands:
inside of a network that others cannot see into. So names are resolved here, every address that they
stand for has to be one of the public Internet, and Git is told to use the very addresses that were
looked at. Hosts inside are reached only where whoever runs the server has named them.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from windlass.errors import InvalidError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
    Resolve: TypeAlias = Callable[[str], Sequence[str]]

_PORTS: Final = {"https": 443, "http": 80, "ssh": 22}
_SCP: Final = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]]+\]|[^/:\[\]]+):(?P<path>[^:].*)")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NUMBER: Final = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)(\.(0[xX][0-9a-fA-F]*|[0-9]+)){0,3}\.?")
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]")
_MAPPED: Final = tuple(
    ipaddress.IPv6Network(it) for it in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96")
)
"""Networks of IPv6 whose addresses stand for addresses of IPv4, or once did."""

_HINT: Final = (
    "give https://HOST/OWNER/NAME.git, ssh://USER@HOST/OWNER/NAME.git, or the absolute path of a "
    "folder on the server's machine"
)


class UnreachableError(InvalidError):
    """Nobody knows the host, or there is no such folder, at least at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a repository is: a folder of this machine, or a URL with the host it names.

    `addresses` are those of the host when it was looked at; empty for a folder.
    """

    text: str
    protocol: str
    host: str = ""
    port: int = 0
    addresses: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of this machine."""
        return self.protocol == "file"


class Allowance:
    """Which hosts inside may be asked: names, addresses, or networks as `10.1.0.0/16`."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        """Take what whoever runs the server has allowed.

        Raises:
            InvalidError: one is neither a name, an address nor a network.
        """
        self._names: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for host in hosts:
            try:
                self._networks.append(ipaddress.ip_network(host, strict=False))
            except ValueError:
                if not _HOST.fullmatch(host) or "/" in host:
                    raise InvalidError(f"'{host}' is no host and no network") from None
                self._names.add(_fold(host))

    def names(self, host: str) -> bool:
        """Tell whether a host is allowed by its name, whatever its addresses."""
        return _fold(host) in self._names

    def holds(self, address: Address) -> bool:
        """Tell whether an address is in a network that is allowed."""
        return any(address in it for it in self._networks if it.version == address.version)


def resolve_host(host: str) -> list[str]:
    """Return the addresses that a name stands for.

    Raises:
        OSError: nobody knows it.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(it[4][0]) for it in found))


def read_location(text: str, allowance: Allowance, resolve: Resolve = resolve_host) -> Location:
    """Return where a repository is, with the addresses of its host.

    Raises:
        UnreachableError: nobody knows its host, or there is no such repository.
        InvalidError: it is no place that a server fetches from.
    """
    if _CONTROL.search(text):
        raise InvalidError("a location has no spaces and no control characters", hint=_HINT)
    if text.startswith("/"):
        return _read_folder(text)
    if "://" in text:
        return _read_url(text, allowance, resolve)
    match = _SCP.fullmatch(text)
    if match is None or "::" in text.partition("@")[2] or text.startswith("-"):
        raise InvalidError(f"'{text}' is no place that a server fetches from", hint=_HINT)
    _check_user(match["user"])
    return _look_up(text, "ssh", match["host"].strip("[]"), _PORTS["ssh"], allowance, resolve)


def _read_folder(text: str) -> Location:
    path = Path(text)
    if not (path / "HEAD").is_file() and not (path / ".git").exists():
        raise UnreachableError(
            f"{text} is no Git repository on the server's machine",
            hint="name a bare repository, or a checkout: the folder that holds .git",
        )
    return Location(text=str(path), protocol="file")


def _read_url(text: str, allowance: Allowance, resolve: Resolve) -> Location:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidError(f"'{_hide(text)}' is no URL: {error}", hint=_HINT) from error
    protocol = parts.scheme.lower()
    if protocol not in _PORTS:
        raise InvalidError(f"a server does not fetch by {protocol}://", hint=_HINT)
    _check_parts(parts)
    found = _look_up(text, protocol, host, port or _PORTS[protocol], allowance, resolve)
    if protocol == "http" and not _is_inside(host, found.addresses, allowance):
        raise InvalidError(
            "by http:// anybody on the way can change what is fetched",
            hint="give https://; http:// is taken for hosts that the server's settings allow",
        )
    return found


def _check_parts(parts: SplitResult) -> None:
    """Refuse what has no business in a URL that is kept and shown."""
    if parts.password is not None or (parts.username and parts.scheme.lower() != "ssh"):
        raise InvalidError(
            "a URL is shown to everybody who may see the repository: it must hold no password",
            hint="set the secret WINDLASS_GITHUB_TOKEN of the repository instead",
        )
    _check_user(parts.username)
    if parts.query or parts.fragment or not parts.path.strip("/"):
        raise InvalidError("the URL names no repository", hint=_HINT)


def _check_user(user: str | None) -> None:
    if user is not None and not _USER.fullmatch(user):
        raise InvalidError(f"'{user}' is no name of a user", hint=_HINT)


def _look_up(
    text: str, protocol: str, host: str, port: int, allowance: Allowance, resolve: Resolve
) -> Location:
    """Check the addresses of a host.

    Raises:
        InvalidError: one of them is not of the public Internet and not allowed, or there is none.
    """
    addresses = _list_addresses(host, resolve)
    for address in addresses:
        if not (allowance.names(host) or allowance.holds(address) or _is_public(address)):
            shown = host if host == str(address) else f"{host} is {address}, which"
            raise InvalidError(
                f"{shown} is not of the public Internet, and a server asks nobody inside its "
                "own network unless that is allowed",
                hint=f"whoever runs the server can allow it: `windlass up --allow-fetch {host}`",
            )
    return Location(
        text=text,
        protocol=protocol,
        host=host,
        port=port,
        addresses=tuple(str(it) for it in addresses),
    )


def _list_addresses(host: str, resolve: Resolve) -> list[Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    if _NUMBER.fullmatch(host):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to a C library, and to nobody who reads.
        raise InvalidError(f"'{host}' is no address", hint="write it as 192.0.2.1")
    if not _HOST.fullmatch(host):
        raise InvalidError(f"'{host}' is no name of a host", hint=_HINT)
    try:
        found = [ipaddress.ip_address(it.partition("%")[0]) for it in resolve(host)]
    except (OSError, ValueError) as error:
        raise UnreachableError(f"nobody knows the host '{host}'", hint="check its name") from error
    if not found:
        raise UnreachableError(f"nobody knows the host '{host}'", hint="check its name")
    return found


def _is_public(address: Address) -> bool:
    """Tell whether an address is one of the public Internet, in all that it may stand for."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if any(address in network for network in _MAPPED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_inside(host: str, addresses: Sequence[str], allowance: Allowance) -> bool:
    found = (ipaddress.ip_address(it) for it in addresses)
    return allowance.names(host) or all(map(allowance.holds, found))


def _fold(host: str) -> str:
    return host.rstrip(".").lower()


def _hide(url: str) -> str:
    """Return a URL without what may be a password."""
    return re.sub(r"//[^/@]*@", "//", url)
