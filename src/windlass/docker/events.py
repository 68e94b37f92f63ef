"""What the daemon tells of as it happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from windlass.docker.engine import Engine

_REMEMBERED_SECONDS: Final = 600
_LATE_SECONDS: Final = 2


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


def find_exit_code(engine: Engine, container: str) -> int | None:
    """Return how a container has ended of late, or is about to; it may be gone by now.

    None where the daemon does not know.
    """
    now = time.time()
    query = {
        "since": f"{now - _REMEMBERED_SECONDS:.9f}",
        "until": f"{now + _LATE_SECONDS:.9f}",
        "filters": {"container": [container], "event": ["die"]},
    }
    for event in engine.follow("GET", "/events", query=query):
        code = str(event.get("Actor", {}).get("Attributes", {}).get("exitCode", ""))
        if code.isdecimal():
            return int(code)
    return None
