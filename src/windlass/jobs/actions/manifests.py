"""Reads the file that makes a folder an action: `action.yml`, or `action.yaml`.

Source: actions/runner src/Runner.Worker/ActionManager.cs (LoadAction), ActionManifestManager.cs
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from windlass.jobs.command import StepError
from windlass.jobs.files import UnusableFileError, read_bounded
from windlass.lang.action import read_action
from windlass.lang.positions import Position, Span
from windlass.lang.tokens import StringToken
from windlass.plan.container_actions import dockerfile_as_action
from windlass.plan.steps import LoadedAction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from windlass.lang.diagnostics import Diagnostic

LARGEST_FILE_BYTES: Final = 8 << 20
MANIFESTS: Final = ("action.yml", "action.yaml")
DOCKERFILES: Final = ("Dockerfile", "dockerfile")
_START: Final = Position(1, 1)


class LoadingError(StepError):
    """There is no such action, or it cannot be read: the step fails with this message."""


def read_folder(
    seen: Path,
    folder: str,
    *,
    name: str,
    repository: str = "",
    ref: str = "",
    missing: Callable[[], str] | None = None,
) -> LoadedAction:
    """Read the action in a folder, which this process finds at `seen`, and jobs at `folder`.

    `name` is what `uses` says; positions in the file are told relative to it. `missing` makes the
    sentence for a folder without any action.

    Raises:
        LoadingError: with the runner's words, and the place of each mistake in front.
    """
    inside = name.removeprefix("./").removeprefix("$/").strip("/")
    for manifest in MANIFESTS:
        path = f"{inside}/{manifest}".lstrip("/")
        try:
            text = read_bounded(seen / manifest, LARGEST_FILE_BYTES)
        except UnusableFileError as error:
            raise LoadingError(f"Failed to load {path}: {error}") from error
        except OSError as error:
            raise LoadingError(f"Failed to load {path}: {error.strerror}") from error
        if text is not None:
            reading = read_action(path, text)
            if reading.action is None:
                raise LoadingError("\n".join([*_lines(reading.diagnostics), _failed(path)]))
            return LoadedAction(
                action=reading.action, folder=folder, repository=repository, ref=ref
            )
    for dockerfile in DOCKERFILES:
        if (seen / dockerfile).is_file():
            place = Span(f"{inside}/{dockerfile}", _START, _START)
            token = StringToken(dockerfile, place)
            return dockerfile_as_action(token, folder, repository=repository, ref=ref)
    if missing is not None:
        raise LoadingError(missing())
    full = os.path.normpath(folder)
    raise LoadingError(
        f"Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{full}'. "
        "Did you forget to run actions/checkout before running your local action?"
    )


def _failed(path: str) -> str:
    return f"Failed to load {path}"


def _lines(diagnostics: Iterable[Diagnostic]) -> Iterable[str]:
    for found in diagnostics:
        start = found.span.start if found.span else None
        place = f"{found.span.path}:{start.line}:{start.column}: " if found.span and start else ""
        yield f"{place}{found.message}"
