"""`workflow parse`: a workflow file as data, or everything that is wrong with it."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

from windlass.errors import InputError
from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.template import write_template

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.lang.diagnostics import Diagnostic
    from windlass.lang.positions import Position


def parse_workflow(path: Path) -> dict[str, Any]:
    """Read a workflow file and the local workflows it calls.

    Returns `{"value": …, "errors": [{"message", "line", "column", "code"}]}`: the value has the
    shape that GitHub's own parser gives it and is None if there are errors. Lines and columns
    count from 1, columns in UTF-16 units as at GitHub. An error in a called workflow also has that
    workflow's `path`.

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
    resolve = _files_below(root)
    reading = read_workflow(name, content, resolve=resolve)
    errors = [_describe(diagnostic, name, content, resolve) for diagnostic in reading.diagnostics]
    return {"value": None if errors else write_template(reading), "errors": errors}


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


def _column_in_units(source: bytes, at: Position) -> int:
    """Return a column as GitHub counts it, in UTF-16 units: an emoji is two."""
    lines = source.removeprefix(codecs.BOM_UTF8).split(b"\n")
    line = lines[at.line - 1].decode(errors="replace") if at.line <= len(lines) else ""
    return at.column + sum(character > "\uffff" for character in line[: at.column - 1])


def _describe(
    diagnostic: Diagnostic, name: str, content: bytes, resolve: Callable[[str], bytes | None]
) -> dict[str, Any]:
    span = diagnostic.span
    described: dict[str, Any] = {
        "message": diagnostic.message,
        "line": None,
        "column": None,
        "code": diagnostic.code,
    }
    if span is not None:
        is_elsewhere = span.path != name
        source = resolve(span.path) if is_elsewhere else content
        described["line"] = span.start.line
        described["column"] = _column_in_units(source or b"", span.start)
        if is_elsewhere:
            described["path"] = span.path
    return described
