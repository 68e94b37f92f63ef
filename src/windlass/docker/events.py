"""What the daemon tells of as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from windlass.docker.engine import Engine


def follow_events(
    engine: Engine, *, labels: Sequence[str] = (), kinds: Sequence[str] = ()
) -> Iterator[Mapping[str, Any]]:
    """Yield what happens to things with all these labels, of these kinds (`container`, ...)."""
    filters = {"label": list(labels), "type": list(kinds)}
    return engine.follow(
        "GET",
        "/events",
        query={"filters": {name: values for name, values in filters.items() if values}},
    )
