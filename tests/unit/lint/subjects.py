"""Workflows for the tests of what rules ask about one, beside files that are only in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.lint import Repository
from windlass.lang.lint.subject import Subject
from windlass.lang.workflow import read_workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = ".github/workflows/ci.yml"
HEAD = "on: push\njobs:\n  a:\n    runs-on: x\n"


class MemoryFiles:
    """The files of a repository by path; a folder is there if a file is in it."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self.read_paths: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.read_paths.append(path)
        text = self._files.get(path.removeprefix("./"))
        return None if text is None else text.encode()

    def exists(self, path: str) -> bool:
        return any(name == path or name.startswith(f"{path}/") for name in self._files)

    def list(self, folder: str) -> tuple[str, ...]:
        start = f"{folder}/" if folder else ""
        inside = [name.removeprefix(start) for name in self._files if name.startswith(start)]
        return tuple(dict.fromkeys(name.partition("/")[0] for name in inside))


def subject(text: str, files: Mapping[str, str] | None = None) -> Subject:
    """Return what rules see of a right workflow."""
    workflow = read_workflow(PATH, text.encode()).workflow
    assert workflow is not None
    return Subject(workflow, Repository(MemoryFiles(files or {})), text)


def job(steps: str) -> str:
    """Return a workflow of one job with these steps, each indented by six blanks."""
    return f"{HEAD}    steps:\n{steps}"
