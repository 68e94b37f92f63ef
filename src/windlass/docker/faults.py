"""What can go wrong with a daemon, in words that say what to do."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from windlass.errors import DockerError

if TYPE_CHECKING:
    from windlass.docker.addresses import Address

NOT_FOUND: Final = 404
CONFLICT: Final = 409
_SHOWN: Final = 60
_OF_TLS: Final = "SSL"
"""How the names of the errors of `ssl` begin, which is imported only where TLS is spoken."""

_NO_HTTP: Final = "BadStatusLine"
"""An error of `http.client`, which is imported only where a daemon is asked."""

_FULL: Final = "no space left on device"


class NoDaemonError(DockerError):
    """Nobody listens at the daemon's address, or we may not talk to it."""


class DaemonGoneError(DockerError):
    """The daemon was stopped, or hung up, while it was asked for something."""


class RefusedError(DockerError):
    """The daemon said no; `status` is that of HTTP, 0 where it said so within a stream."""

    def __init__(self, message: str, *, status: int = 0, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status

    @property
    def is_missing(self) -> bool:
        """What was asked for is not there."""
        return self.status == NOT_FOUND

    @property
    def is_conflict(self) -> bool:
        """What was asked for is in a state, or has a name, that stands in the way."""
        return self.status == CONFLICT


def describe_absence(address: Address, error: OSError) -> NoDaemonError:
    """Say that the daemon cannot be reached, why, and what to do."""
    if isinstance(error, PermissionError):
        return NoDaemonError(
            f"The Docker daemon at {address.text} may not be used by this user",
            hint="add the user to the group that owns the socket (usually `docker`) and log in "
            "again, or use Podman's socket of the user: "
            "DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock",
        )
    if type(error).__name__.startswith(_OF_TLS):
        return _describe_distrust(address, error)
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno == errno.ENOENT:
        reason = "there is no such socket"
    elif error.errno == errno.ECONNREFUSED:
        reason = "nobody listens there"
    return NoDaemonError(
        f"The Docker daemon cannot be reached at {address.text}: {reason}",
        hint="start Docker (`systemctl start docker`) or Podman's service (`podman system service`)"
        ", or name the daemon's socket in DOCKER_HOST",
    )


def describe_old_version(address: Address, told: str, oldest: str) -> NoDaemonError:
    """Say that a daemon speaks an API that nobody here understands any more."""
    return NoDaemonError(
        f"The Docker daemon at {address.text} is too old: it speaks version {told} of the API, and "
        f"{oldest} is needed",
        hint="install Docker 19.03 or newer, or Podman 3 or newer",
    )


def _describe_distrust(address: Address, error: Exception) -> NoDaemonError:
    return NoDaemonError(
        f"The Docker daemon at {address.text} and this machine do not trust each other: {error}",
        hint="DOCKER_CERT_PATH names the folder with the authority (ca.pem) that vouches for the "
        "daemon, and a certificate that the daemon accepts (cert.pem, key.pem)",
    )


def describe_hangup(address: Address, error: Exception) -> DockerError:
    """Say that the daemon went away in the middle of something, or never answered."""
    if type(error).__name__.startswith(_OF_TLS):
        return _describe_distrust(address, error)
    if isinstance(error, TimeoutError):
        return DaemonGoneError(
            f"The Docker daemon at {address.text} did not answer in time",
            hint="see whether it hangs: `docker info`, `journalctl -u docker`; a restart helps "
            "(`systemctl restart docker`)",
        )
    if type(error).__name__ == _NO_HTTP:
        return DaemonGoneError(
            f"What listens at {address.text} is no Docker daemon: it answers "
            f"{str(error).strip()[:_SHOWN]!r}",
            hint="name the daemon's socket in DOCKER_HOST",
        )
    return DaemonGoneError(
        f"The Docker daemon at {address.text} went away while it was asked for something "
        f"({str(error) or type(error).__name__})",
        hint="see whether it was stopped or restarted: `docker info`, `journalctl -u docker`",
    )


def describe_refusal(message: str, status: int = 0) -> RefusedError:
    """Make an error of what the daemon said, with a hint where there is one to give."""
    text = message.strip() or f"the Docker daemon answered with the status {status}"
    return RefusedError(text, status=status, hint=_find_hint(text.lower()))


def _find_hint(text: str) -> str | None:
    for part, hint in _HINTS:
        if part in text:
            return hint
    return None


_HINTS: Final = (
    (_FULL, "the daemon's disk is full: `docker system df` says of what, `docker system prune`"),
    (
        "toomanyrequests",
        (
            "the registry limits how much may be pulled: wait, log in (`credentials`), or name a "
            "mirror or an image that is on this machine"
        ),
    ),
    ("429 too many", "the registry limits how much may be pulled: wait, or log in"),
    (
        "port is already allocated",
        (
            "another container or program listens on that port of this machine: choose another, or "
            "give only the container's port and read `job.services.NAME.ports`"
        ),
    ),
    ("address already in use", "another program listens on that port of this machine"),
    (
        "does not match the specified platform",
        "the image is built for another kind of processor; pull or build it for this one",
    ),
    (
        "exec format error",
        (
            "the image is built for another kind of processor, and this machine cannot emulate it "
            "(qemu-user-static with binfmt-support can)"
        ),
    ),
    (
        "pull access denied",
        (
            "the image does not exist under this name, or needs `credentials`; one made on this "
            "machine must be in the daemon's own list (`docker images`)"
        ),
    ),
    ("unauthorized", "the registry wants credentials, or others than these"),
    (
        "no such host",
        "the registry's name cannot be resolved: check the network and the image's name",
    ),
    ("connection refused", "nothing answers there: check the registry's name and port"),
    ("network is unreachable", "no network of this machine leads to the registry"),
    ("i/o timeout", "the network or the registry did not answer in time"),
)
