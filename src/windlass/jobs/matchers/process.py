"""The process that matches the lines of one step."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from windlass.errors import ExecutorError
from windlass.jobs.matchers import matching

if TYPE_CHECKING:
    from collections.abc import Sequence


class MatchingProcess:
    """Starts when it is first needed; knows the matchers that were added so far."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def add(self, matcher: dict[str, Any]) -> None:
        """Put a matcher first; one of the same owner goes."""
        self._send(["add", matcher])

    def remove(self, owner: str) -> None:
        """Take away the matcher of an owner."""
        self._send(["remove", owner])

    def match(
        self, lines: Sequence[str]
    ) -> tuple[list[tuple[int, matching.Fields]], list[tuple[str, str]]]:
        """Return what is found in which line, and the matchers that were too slow, with a reason.

        Raises:
            ExecutorError: the process has ended.
        """
        process = self._send(["match", list(lines)])
        answer = process.stdout.readline() if process.stdout else ""
        if not answer:
            raise ExecutorError("The process that looks for problems in the output has ended.")
        found, removed = json.loads(answer)
        return [(number, fields) for number, fields in found], [(o, r) for o, r in removed]

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _send(self, message: object) -> subprocess.Popen[str]:
        process = self._process = self._process or _start()
        assert process.stdin is not None  # noqa: S101 (a pipe was asked for)
        try:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        except OSError as error:
            raise ExecutorError(
                f"The process that looks for problems in the output has ended: {error.strerror}."
            ) from error
        return process


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-E", matching.__file__],
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        encoding="utf-8",
        errors="surrogatepass",
    )
