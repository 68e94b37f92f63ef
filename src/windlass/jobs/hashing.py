"""The function `hashFiles`: one hash over the content of files in the workspace.

Source: actions/runner src/Runner.Worker/Expressions/HashFilesFunction.cs,
src/Misc/expressionFunc/hashFiles; actions/toolkit packages/glob
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from windlass.jobs.globs import PatternError, decide, find_roots, read_globs
from windlass.lang.expressions import Fault, to_text
from windlass.lang.expressions.faults import FaultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from windlass.jobs.globs import Glob
    from windlass.lang.expressions import Value

FOLLOW_OPTION = "--follow-symbolic-links"


def hash_files(workspace: Path, arguments: Sequence[Value]) -> str:
    """Return the SHA-256 over the SHA-256 of each file that matches, in the order of the search.

    No file gives the empty string. Only files in the workspace count.

    Raises:
        FaultError: an option is not known, a pattern is refused, or a file cannot be read.
    """
    texts = [to_text(argument) for argument in arguments]
    follow = False
    if texts and texts[0].startswith("--"):
        option = texts.pop(0)
        if option.lower() != FOLLOW_OPTION:
            raise _fault(f"Invalid glob option {option}, avaliable option: '{FOLLOW_OPTION}'.")
        follow = True
    lines = [line for text in texts for line in text.replace("\r", "\n").split("\n")]
    total = hashlib.sha256()
    found = False
    try:
        for path in _find_files(read_globs(lines, str(workspace)), str(workspace), follow=follow):
            with open(path, "rb") as file:  # noqa: PTH123
                total.update(hashlib.file_digest(file, "sha256").digest())
            found = True
    except (OSError, PatternError) as error:
        shown = ", ".join(texts).replace("'", "''")
        raise _fault(
            f"hashFiles('{shown}') failed. Fail to hash files under directory '{workspace}'. "
            f"{error}"
        ) from error
    return total.hexdigest() if found else ""


def _find_files(globs: list[Glob], workspace: str, *, follow: bool) -> Iterator[str]:
    """Yield matching files depth first, the entries of a folder in the order of their bytes."""
    for root in find_roots(globs):
        path = "/" + "/".join(root)
        try:
            os.lstat(path)
        except FileNotFoundError:
            continue
        for file in _search(path, globs, workspace, frozenset(), follow=follow):
            if file.startswith(f"{workspace}/") and not os.path.isdir(file):  # noqa: PTH112
                yield file


def _search(
    path: str, globs: list[Glob], workspace: str, above: frozenset[str], *, follow: bool
) -> Iterator[str]:
    segments = [part for part in path.split("/") if part]
    as_file, as_folder = decide(globs, segments)
    if not (as_file or as_folder or _may_contain(globs, segments)):
        return
    # What lies neither in the workspace nor above it is never hashed, so it is not searched either.
    here, inside = f"{path.rstrip('/')}/", f"{workspace}/"
    if not (here.startswith(inside) or inside.startswith(here)):
        return
    facts = _look(path, follow=follow)
    if facts is None:
        return
    if not stat.S_ISDIR(facts.st_mode):
        if as_file:
            yield path
        return
    real = os.path.realpath(path) if follow else path
    if real in above:
        return
    for name in sorted(os.listdir(path), key=os.fsencode):  # noqa: PTH208
        child = f"{path.rstrip('/')}/{name}"
        yield from _search(child, globs, workspace, above | {real}, follow=follow)


def _may_contain(globs: list[Glob], segments: Sequence[str]) -> bool:
    return any(not glob.negated and glob.may_contain(segments) for glob in globs)


def _look(path: str, *, follow: bool) -> os.stat_result | None:
    """Return a file's facts; None for a link that leads nowhere, where links are followed."""
    try:
        return os.stat(path) if follow else os.lstat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None


def _fault(message: str) -> FaultError:
    return FaultError(Fault("evaluation", message, None))
