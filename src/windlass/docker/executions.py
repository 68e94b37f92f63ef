"""Further processes in a container that runs (`docker exec`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.docker.streams import Stream
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.docker.engine import Engine


@dataclass(frozen=True, slots=True)
class Execution:
    """A process that was started in a container, and its streams."""

    id: str
    stream: Stream


def execute(
    engine: Engine,
    container: str,
    arguments: Sequence[str],
    *,
    variables: Mapping[str, str] | None = None,
    folder: str | None = None,
    user: str | None = None,
    input_too: bool = False,
) -> Execution:
    """Start a program in a container.

    A program that cannot be started prints why and has the exit code 126 or 127.

    Raises:
        RefusedError: the container does not run (`is_conflict`), or there is none (`is_missing`).
    """
    body: dict[str, Any] = {
        "Cmd": list(arguments),
        "Env": [f"{name}={value}" for name, value in (variables or {}).items()],
        "AttachStdin": input_too,
        "AttachStdout": True,
        "AttachStderr": True,
        **({"WorkingDir": folder} if folder is not None else {}),
        **({"User": user} if user is not None else {}),
    }
    made = engine.ask("POST", f"/containers/{container}/exec", body=body)["Id"]
    link = engine.take_over(f"/exec/{made}/start", body={"Detach": False, "Tty": False})
    return Execution(made, Stream(link))


def inspect_execution(engine: Engine, execution: Execution) -> Mapping[str, Any]:
    """Return what is known of it: `Running`, `ExitCode`, `Pid` (on the daemon's machine)."""
    found: Mapping[str, Any] = engine.ask("GET", f"/exec/{execution.id}/json")
    return found


def run_in_container(
    engine: Engine,
    container: str,
    arguments: Sequence[str],
    *,
    variables: Mapping[str, str] | None = None,
    folder: str | None = None,
    user: str | None = None,
) -> tuple[int, bytes]:
    """Run a program in a container to its end; return its exit code and all that it printed."""
    execution = execute(engine, container, arguments, variables=variables, folder=folder, user=user)
    blocks = []
    while (found := execution.stream.read()) is not None:
        blocks.append(found[1])
    execution.stream.close()
    code = inspect_execution(engine, execution).get("ExitCode")
    return (-1 if code is None else int(code)), b"".join(blocks)
