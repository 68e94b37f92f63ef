"""Volumes: folders, or mounts, that the daemon keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.docker.faults import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.docker.engine import Engine


def create_volume(
    engine: Engine,
    name: str,
    *,
    labels: Mapping[str, str],
    options: Mapping[str, str] | None = None,
) -> None:
    """Make a volume of the driver `local`; `options` are those of mount(8): type, o, device."""
    body: dict[str, Any] = {"Name": name, "Driver": "local", "Labels": dict(labels)}
    if options:
        body["DriverOpts"] = dict(options)
    engine.ask("POST", "/volumes/create", body=body)


def list_volumes(engine: Engine, labels: Sequence[str] = ()) -> Sequence[Mapping[str, Any]]:
    """Return the volumes that have all labels (`NAME` or `NAME=VALUE`)."""
    query = {"filters": {"label": list(labels)} if labels else None}
    found: Sequence[Mapping[str, Any]] = engine.ask("GET", "/volumes", query=query)["Volumes"]
    return found or ()


def remove_volume(engine: Engine, name: str) -> None:
    """Remove a volume that no container uses; one that is gone is left."""
    try:
        engine.ask("DELETE", f"/volumes/{name}")
    except RefusedError as error:
        if not error.is_missing:
            raise
