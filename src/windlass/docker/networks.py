"""Networks of containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.docker.faults import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.docker.engine import Engine


def create_network(
    engine: Engine, name: str, *, labels: Mapping[str, str], driver: str | None = None
) -> str:
    """Make a network and return its id.

    Raises:
        RefusedError: there is one of this name, or no addresses are left for it.
    """
    body: dict[str, Any] = {"Name": name, "Labels": dict(labels), "CheckDuplicate": True}
    if driver is not None:
        body["Driver"] = driver
    return str(engine.ask("POST", "/networks/create", body=body)["Id"])


def inspect_network(engine: Engine, network: str) -> Mapping[str, Any]:
    """Return what the daemon knows of a network: `IPAM`, `Containers`, ...

    Raises:
        RefusedError: there is no such network (`is_missing`).
    """
    found: Mapping[str, Any] = engine.ask("GET", f"/networks/{network}")
    return found


def list_networks(engine: Engine, labels: Sequence[str] = ()) -> Sequence[Mapping[str, Any]]:
    """Return the networks that have all labels (`NAME` or `NAME=VALUE`)."""
    query = {"filters": {"label": list(labels)} if labels else None}
    found: Sequence[Mapping[str, Any]] = engine.ask("GET", "/networks", query=query)
    return found


def remove_network(engine: Engine, network: str) -> None:
    """Remove a network in which no container is any more; one that is gone is left."""
    try:
        engine.ask("DELETE", f"/networks/{network}")
    except RefusedError as error:
        if not error.is_missing:
            raise
