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
    from windlass.jobs.place import StepPlace
    from windlass.lang.expressions import Value

FOLLOW_OPTION = "--follow-symbolic-links"


def hash_files(workspace: Path, arguments: Sequence[Value], *, seen: Path | None = None) -> str:
    """Return the SHA-256 over the SHA-256 of each file that matches, in the order of the search.

    No file gives the empty string. Only files in the workspace count. `seen` is where this process
    finds the workspace, if not where the job does: the same path below another root.

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
    root = "" if seen is None else str(seen).removesuffix(str(workspace))
    try:
        globs = read_globs(lines, str(workspace))
        for path in _Search(globs, str(workspace), root, follow=follow).find_files():
            with open(root + path, "rb") as file:  # noqa: PTH123
                total.update(hashlib.file_digest(file, "sha256").digest())
            found = True
    except (OSError, PatternError) as error:
        shown = ", ".join(texts).replace("'", "''")
        raise _fault(
            f"hashFiles('{shown}') failed. Fail to hash files under directory '{workspace}'. "
            f"{error}"
        ) from error
    return total.hexdigest() if found else ""


def hash_in_workspace(place: StepPlace, arguments: Sequence[Value]) -> str:
    """Do the same in the workspace of a job, wherever it runs.

    Raises:
        FaultError: an option is not known, a pattern is refused, or a file cannot be read.
    """
    workspace = place.inside.workspace
    seen = place.session.see(workspace)
    if seen.as_posix().endswith(workspace.as_posix()):
        return hash_files(workspace, arguments, seen=seen)
    # A container has it under another name, which patterns may begin with.
    named = [
        it.replace(f"{workspace}/", f"{seen}/") if isinstance(it, str) else it for it in arguments
    ]
    return hash_files(seen, named)


class _Search:
    """Goes through folders, the entries of each in the order of their bytes.

    Paths are those of the job; `root` stands before them wherever this process looks at a file.
    """

    def __init__(self, globs: list[Glob], workspace: str, root: str, *, follow: bool) -> None:
        self._globs = globs
        self._workspace = workspace
        self._root = root
        self._follow = follow

    def find_files(self) -> Iterator[str]:
        """Yield matching files of the workspace, depth first."""
        for segments in find_roots(self._globs):
            path = "/" + "/".join(segments)
            try:
                os.lstat(self._root + path)
            except FileNotFoundError:
                continue
            for file in self._search(path, frozenset()):
                inside = file.startswith(f"{self._workspace}/")
                if inside and not os.path.isdir(self._root + file):  # noqa: PTH112
                    yield file

    def _search(self, path: str, above: frozenset[tuple[int, int]]) -> Iterator[str]:
        segments = [part for part in path.split("/") if part]
        as_file, as_folder = decide(self._globs, segments)
        if not (as_file or as_folder or self._may_contain(segments)):
            return
        # What lies neither in the workspace nor above it is never hashed, so it is not searched.
        here, inside = f"{path.rstrip('/')}/", f"{self._workspace}/"
        if not (here.startswith(inside) or inside.startswith(here)):
            return
        facts = self._look(path)
        if facts is None:
            return
        if not stat.S_ISDIR(facts.st_mode):
            if as_file:
                yield path
            return
        identity = (facts.st_dev, facts.st_ino)
        if identity in above:
            return
        names = os.listdir(self._root + path)  # noqa: PTH208 - names are wanted, not paths
        for name in sorted(names, key=os.fsencode):
            yield from self._search(f"{path.rstrip('/')}/{name}", above | {identity})

    def _may_contain(self, segments: Sequence[str]) -> bool:
        return any(not glob.negated and glob.may_contain(segments) for glob in self._globs)

    def _look(self, path: str) -> os.stat_result | None:
        """Return a file's facts; None for a link that leads nowhere, where links are followed."""
        try:
            return os.stat(self._root + path, follow_symlinks=self._follow)  # noqa: PTH116
        except FileNotFoundError:
            return None


def _fault(message: str) -> FaultError:
    return FaultError(Fault("evaluation", message, None))
