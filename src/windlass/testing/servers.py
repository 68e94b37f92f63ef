"""A server as a process of its own, for tests: `windlass up` on a free port."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_SECONDS_TO_END: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """A server that answers at `url`; `token` is its first access token, `log` what it has said."""

    url: str
    token: str = field(repr=False)
    data: Path
    log: Path
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def run_server(
    data: Path,
    *options: str,
    variables: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Iterator[RunningServer]:
    """Start a server on a folder, and end it with SIGTERM; it may have ended before.

    `python` is the interpreter whose Windlass it is.

    Raises:
        AssertionError: it did not come up, or did not end well by itself.
    """
    data.parent.mkdir(parents=True, exist_ok=True)
    log = data.with_name(f"{data.name}.log")
    with log.open("ab") as errors:
        process = subprocess.Popen(
            _command(python, data, options),
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None  # noqa: S101 (it is a pipe)
    try:
        url = process.stdout.readline().decode().strip()
        assert url, f"the server did not come up: {log.read_text()}"  # noqa: S101
        token = (data / "token").read_text().strip()
        yield RunningServer(url=url, token=token, data=data, log=log, process=process)
        process.terminate()
        code = process.wait(_SECONDS_TO_END)
        assert code in (0, -9), f"the server ended with {code}: {log.read_text()}"  # noqa: S101
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _command(python: str, data: Path, options: Sequence[str]) -> list[str]:
    listen = [] if "--listen" in options else ["--listen", "127.0.0.1:0"]
    return [python, "-m", "windlass", "up", "--data", str(data), *listen, *options]
