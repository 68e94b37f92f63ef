"""Finding out where jobs run of which nobody has said it, once, when the first of them needs it.

What was chosen is remembered in `.windlass`, so that another choice later does not go unsaid.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import DockerError, ExecutorError, UsageError
from windlass.plan.default_place import (
    ChosenPlace,
    DockerAnswer,
    NoPlace,
    SandboxAnswer,
    choose_place,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.docker.engine import Engine

REMEMBERED_BY: Final = "default-place"
PATIENCE_SECONDS: Final = 5.0
"""How long the daemon may think; one that is stuck must not keep a run from starting."""


class DefaultPlace:
    """The default of one run or plan; `choice` is None as long as nothing needed it."""

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        """Take the variables of this machine, which name the daemon."""
        self._variables = variables
        self.choice: ChosenPlace | NoPlace | None = None

    def find(self) -> ChosenPlace | NoPlace:
        """Return what is chosen; the world is asked the first time."""
        if self.choice is None:
            self.choice = choose_place(ask_docker(self._variables), ask_sandbox)
        return self.choice

    def require(self) -> ChosenPlace:
        """Return what is chosen.

        Raises:
            ExecutorError: jobs can run nowhere; with what to do.
        """
        found = self.find()
        if isinstance(found, NoPlace):
            raise ExecutorError(found.message, hint=found.hint)
        return found


def ask_docker(variables: Mapping[str, str]) -> DockerAnswer:
    """Find out whether a daemon of this machine answers and has the default image."""
    # Imported only where it is asked for; what speaks HTTP only where there is a socket.
    from windlass.docker.addresses import find_address

    try:
        address = find_address(variables)
    except UsageError as error:
        return DockerAnswer(fault=error.message)
    if not address.socket:
        return DockerAnswer(
            fault=f"the Docker daemon at {address.text} may be on another machine, and jobs need "
            "folders of this one"
        )
    if not Path(address.socket).exists():
        return DockerAnswer(fault=f"no Docker daemon is there ({address.text})")
    from windlass.docker.engine import Engine

    try:
        return _ask_for_image(Engine(address, patience=PATIENCE_SECONDS))
    except DockerError as error:
        return DockerAnswer(fault=error.message)


def _ask_for_image(engine: Engine) -> DockerAnswer:
    from windlass.docker.images import inspect_image
    from windlass.operations.images import DEFAULT_LABEL, find_image

    image = find_image(DEFAULT_LABEL) or ""
    return DockerAnswer(image=image, has_image=inspect_image(engine, image) is not None)


def ask_sandbox() -> SandboxAnswer:
    """Find out whether this machine can make a sandbox."""
    from windlass.jobs.executors.bubblewrap import require_sandbox

    try:
        require_sandbox(offline=False)
    except ExecutorError as error:
        return SandboxAnswer(fault=error.message, cure=error.hint or "")
    return SandboxAnswer()


def remember_place(state: Path, place: str) -> str | None:
    """Note in `.windlass` where jobs run by default; return the place before if it was another.

    Where nothing can be noted, the next run finds what was there.
    """
    file = state / REMEMBERED_BY
    try:
        before = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        before = ""
    if before == place:
        return None
    with suppress(OSError):
        file.write_text(f"{place}\n", encoding="utf-8")
    return before or None
