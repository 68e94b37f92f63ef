"""`workflow parse`: a workflow file as data, or everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.errors import InputError
from windlass.lang.workflow import read_workflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.lang.diagnostics import Diagnostic


def parse_workflow(path: Path) -> dict[str, Any]:
    """Read a workflow file and the local workflows it calls.

    Returns `{"value": …, "errors": [{"message", "line", "column", "code"}]}`: the value has the
    shape that GitHub's own parser gives it and is None if there are errors; lines and columns count
    from 1. An error in a called workflow also has that workflow's `path`.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"The workflow file '{path}' cannot be read: {error.strerror}"
        raise InputError(message, hint="Name a file such as .github/workflows/ci.yml.") from error
    root = _repository_root(path)
    name = path.resolve().relative_to(root).as_posix()
    reading = read_workflow(name, content, resolve=_files_below(root))
    errors = [_error(diagnostic, name) for diagnostic in reading.diagnostics]
    return {"value": None if errors else reading.template, "errors": errors}


def _repository_root(path: Path) -> Path:
    """Return the folder that `./` in `uses` means: the one that holds `.github/workflows`.

    For a file anywhere else it is the file's own folder.
    """
    folder = path.resolve().parent
    if folder.name == "workflows" and folder.parent.name == ".github":
        return folder.parent.parent
    return folder


def _files_below(root: Path) -> Callable[[str], bytes | None]:
    def resolve(name: str) -> bytes | None:
        candidate = (root / name).resolve()
        if not candidate.is_relative_to(root) or not candidate.is_file():
            return None
        try:
            return candidate.read_bytes()
        except OSError:
            return None

    return resolve


def _error(diagnostic: Diagnostic, name: str) -> dict[str, Any]:
    span = diagnostic.span
    error: dict[str, Any] = {
        "message": diagnostic.message,
        "line": span.start.line if span else None,
        "column": span.start.column if span else None,
        "code": diagnostic.code,
    }
    if span is not None and span.path != name:
        error["path"] = span.path
    return error
