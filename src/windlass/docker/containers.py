"""Containers: make, start, look at, signal, stop, remove; their output and their files."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from windlass.docker.faults import RefusedError
from windlass.docker.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from windlass.docker.engine import Engine

ATTACHED: Final = {
    "OpenStdin": True,
    "StdinOnce": True,
    "AttachStdin": True,
    "AttachStdout": True,
    "AttachStderr": True,
    "Tty": False,
}
"""What the configuration of a container has whose input ends when who attached it hangs up."""


def create_container(
    engine: Engine,
    config: Mapping[str, Any],
    *,
    name: str | None = None,
    platform: str | None = None,
) -> str:
    """Make a container, as `POST /containers/create` is told, and return its id.

    `config` has the API's own names: Image, Cmd, Env, Labels, HostConfig, NetworkingConfig, ...

    Raises:
        RefusedError: there is no such image (`is_missing`), the name is taken (`is_conflict`), or
            something else of it cannot be done.
    """
    found = engine.ask(
        "POST",
        "/containers/create",
        query={"name": name, "platform": platform},
        body=dict(config),
    )
    return str(found["Id"])


def start_container(engine: Engine, container: str) -> None:
    """Start a container; one that runs is left as it is."""
    engine.ask("POST", f"{_path(container)}/start")


def inspect_container(engine: Engine, container: str) -> Mapping[str, Any]:
    """Return what the daemon knows of a container: `State`, `Config`, `NetworkSettings`, ...

    Raises:
        RefusedError: there is no such container (`is_missing`).
    """
    found: Mapping[str, Any] = engine.ask("GET", f"{_path(container)}/json")
    return found


def has_container(engine: Engine, container: str) -> bool:
    """Tell whether a container is there.

    A daemon that was killed and has removed one while it started may list it until its next start.
    """
    try:
        inspect_container(engine, container)
    except RefusedError as error:
        return not error.is_missing
    return True


def list_containers(
    engine: Engine, labels: Sequence[str] = (), *, running_only: bool = False
) -> Sequence[Mapping[str, Any]]:
    """Return the containers that have all labels (`NAME` or `NAME=VALUE`), ended ones too."""
    found: Sequence[Mapping[str, Any]] = engine.ask(
        "GET",
        "/containers/json",
        query={"all": not running_only, "filters": {"label": list(labels)} if labels else None},
    )
    return found


def wait_for_container(engine: Engine, container: str, *, removed: bool = False) -> int:
    """Return the exit code, waiting for the end, or until it is `removed` as well."""
    found = engine.ask(
        "POST",
        f"{_path(container)}/wait",
        query={"condition": "removed" if removed else "not-running"},
        timeout=None,
    )
    return int(found["StatusCode"])


def kill_container(engine: Engine, container: str, signal: str = "SIGKILL") -> None:
    """Send a signal to a container's first process; one that has ended is left."""
    with _allowing_absence():
        engine.ask("POST", f"{_path(container)}/kill", query={"signal": signal})


def pause_container(engine: Engine, container: str) -> None:
    """Freeze all processes of a container; one that has ended is left.

    Raises:
        DockerError: the daemon cannot freeze containers, or failed.
    """
    with _allowing_absence():
        engine.ask("POST", f"{_path(container)}/pause")


def resume_container(engine: Engine, container: str) -> None:
    """Let the processes of a container go on; one that has ended is left."""
    with _allowing_absence():
        engine.ask("POST", f"{_path(container)}/unpause")


def remove_container(engine: Engine, container: str, *, volumes: bool = True) -> None:
    """Kill and remove a container with its nameless volumes; one that is gone is left."""
    with _allowing_absence():
        engine.ask("DELETE", _path(container), query={"force": True, "v": volumes})


def attach(
    engine: Engine,
    container: str,
    *,
    input_too: bool = False,
    output: bool = True,
    errors: bool = True,
) -> Stream:
    """Return the streams of a container; before it is started, so that nothing is missed."""
    query = {"stream": True, "stdin": input_too, "stdout": output, "stderr": errors}
    return Stream(engine.take_over(f"{_path(container)}/attach", query=query))


def put_archive(engine: Engine, container: str, folder: str, archive: Iterable[bytes]) -> None:
    """Unpack a tar in a folder of a container."""
    engine.ask("PUT", f"{_path(container)}/archive", query={"path": folder}, body=archive)


@contextlib.contextmanager
def _allowing_absence() -> Iterator[None]:
    """Let a container be gone, on its way there, or ended already."""
    try:
        yield
    except RefusedError as error:
        if not (error.is_missing or error.is_conflict):
            raise


def _path(container: str) -> str:
    return f"/containers/{quote(container, safe='')}"
