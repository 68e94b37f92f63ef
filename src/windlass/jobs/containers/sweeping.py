"""Removes from the daemon what was made for jobs whose Windlass is gone."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Final

from windlass.docker.addresses import read_address
from windlass.docker.containers import has_container, list_containers, remove_container
from windlass.docker.engine import Engine
from windlass.docker.faults import NoDaemonError
from windlass.docker.networks import list_networks, remove_network
from windlass.docker.volumes import list_volumes, remove_volume
from windlass.errors import DockerError, UsageError
from windlass.jobs.containers.daemon_users import enter_user
from windlass.jobs.containers.labels import OWNER, is_abandoned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from windlass.jobs.containers.daemon_users import FormerUser

_PATIENCE_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05
_lock: Final = threading.Lock()
_swept: Final[set[str]] = set()
_used: Final[set[str]] = set()


def sweep_once(engine: Engine) -> None:
    """Do so once in this process for a daemon, before anything is made there.

    A later command learns that this process uses the daemon.

    Raises:
        DockerError: the daemon is not there.
    """
    with _lock:
        address = engine.address.whole
        if address not in _swept:
            sweep(engine)
            _swept.add(address)
        if address not in _used:
            enter_user(address)
            _used.add(address)


def sweep_after(users: Iterable[FormerUser], tell: Callable[[str], None]) -> None:
    """Do so wherever a process of this user that was killed has made something.

    A daemon that is not there is looked at by later commands, for a week; one that does not answer
    is told of, and left to the next command that uses it.
    """
    for user in users:
        try:
            sweep(Engine(read_address(user.address, os.environ), patience=_ANSWER_SECONDS))
            _swept.add(user.address)
        except NoDaemonError:
            if not user.is_out_of_date:
                continue
        except (DockerError, UsageError) as error:
            tell(f"what a run before has left in the Docker daemon stays: {error.message}")
        user.forget()


def sweep(engine: Engine) -> None:
    """Remove the containers, networks and volumes of owners that are gone.

    What cannot be removed is left to the next one; another Windlass may be at it, too.

    Raises:
        DockerError: the daemon is not there.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while containers := _find_containers(engine):
        for container in containers:
            with contextlib.suppress(DockerError):
                remove_container(engine, container)
        # One that somebody else is removing stays in its network until that is done.
        if time.monotonic() >= deadline:
            break
        time.sleep(_LOOK_SECONDS)
    for network in _abandoned(list_networks(engine, [OWNER])):
        with contextlib.suppress(DockerError):
            remove_network(engine, str(network["Id"]))
    for volume in _abandoned(list_volumes(engine, [OWNER])):
        with contextlib.suppress(DockerError):
            remove_volume(engine, str(volume["Name"]))


def _find_containers(engine: Engine) -> list[str]:
    found = (str(it["Id"]) for it in _abandoned(list_containers(engine, [OWNER])))
    return [it for it in found if has_container(engine, it)]


def _abandoned(things: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (thing for thing in things if is_abandoned((thing.get("Labels") or {}).get(OWNER, "")))
