"""What a container has printed, as lines of the job's log.

Source: actions/runner src/Runner.Worker/Container/DockerCommandManager.cs (DockerLogs)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from windlass.docker.containers import inspect_container
from windlass.docker.faults import RefusedError
from windlass.docker.streams import unframe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.docker.engine import Engine

MOST_LINES: Final = 2000
_LONGEST_LINE: Final = 16_384


def last_lines(engine: Engine, container: str) -> Iterator[str]:
    """Yield the last lines that a container has printed, output and errors as they came.

    Where the daemon keeps none, the line says so.
    """
    try:
        has_terminal = inspect_container(engine, container)["Config"].get("Tty", False)
        query = {"stdout": True, "stderr": True, "tail": str(MOST_LINES)}
        blocks = engine.fetch(f"/containers/{quote(container)}/logs", query=query)
        parts = blocks if has_terminal else (block for _, block in unframe(blocks))
        yield from _lines(parts)
    except RefusedError as error:
        yield f"The daemon has no log of this container: {error.message}"


def _lines(parts: Iterator[bytes]) -> Iterator[str]:
    held = b""
    for part in parts:
        *lines, held = (held + part).split(b"\n")
        for line in lines:
            yield _show(line)
    if held:
        yield _show(held)


def _show(line: bytes) -> str:
    return line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip("\r")
