"""The repository around a workflow, as far as rules may look at it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from windlass.lang.action import read_action
from windlass.lang.workflow import read_workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.lang.action.model import Action
    from windlass.lang.workflow import Reading
    from windlass.lang.workflow.model import Workflow

WORKFLOWS = ".github/workflows"


class Files(Protocol):
    """The files of the repository; paths are relative to its root, with forward slashes."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None where there is no such file."""
        ...

    def exists(self, path: str) -> bool:
        """Say whether a file or a folder is there."""
        ...

    def list(self, folder: str) -> tuple[str, ...]:
        """Return the names of what is in a folder; empty where there is no such folder."""
        ...


class NoFiles:
    """Stands for a repository nobody can look into, such as standard input."""

    def read(self, path: str) -> bytes | None:  # noqa: ARG002
        """Return None."""
        return None

    def exists(self, path: str) -> bool:  # noqa: ARG002
        """Return True: nothing is known to be missing."""
        return True

    def list(self, folder: str) -> tuple[str, ...]:  # noqa: ARG002
        """Return nothing."""
        return ()


class Repository:
    """Reads local actions and reusable workflows once and keeps them."""

    def __init__(
        self, files: Files, *, timezones: Callable[[], frozenset[str]] | None = None
    ) -> None:
        self.files = files
        self._timezones = timezones
        self._actions: dict[str, Action | None] = {}
        self._readings: dict[str, tuple[bytes, Reading]] = {}

    @property
    def is_known(self) -> bool:
        """Whether there are files to look at."""
        return not isinstance(self.files, NoFiles)

    @cached_property
    def timezones(self) -> frozenset[str] | None:
        """The names of all time zones, or None where nobody knows them."""
        return self._timezones() if self._timezones is not None else None

    def find_action(self, folder: str) -> Action | None:
        """Return the action in a folder; None where there is none or it cannot be read."""
        if folder not in self._actions:
            self._actions[folder] = self._read_action(folder)
        return self._actions[folder]

    def has_action_file(self, folder: str) -> bool:
        """Say whether a folder holds an action.yml, an action.yaml or a Dockerfile."""
        return any(
            self.files.exists(join(folder, name))
            for name in ("action.yml", "action.yaml", "Dockerfile", "dockerfile")
        )

    def find_workflow(self, path: str) -> Workflow | None:
        """Return a reusable workflow; None where there is none or it cannot be read."""
        content = self.files.read(path)
        return self.read_workflow(path, content).workflow if content is not None else None

    def read_workflow(self, path: str, content: bytes) -> Reading:
        """Read a workflow without those it calls; the same content is read once."""
        known = self._readings.get(path)
        if known is None or known[0] != content:
            self._readings[path] = known = (content, read_workflow(path, content))
        return known[1]

    @cached_property
    def workflow_names(self) -> frozenset[str]:
        """The names of all workflows: `name`, or the path of a file without one."""
        names: set[str] = set()
        for file in self.files.list(WORKFLOWS):
            if file.endswith((".yml", ".yaml")):
                path = join(WORKFLOWS, file)
                workflow = self.find_workflow(path)
                names.add(workflow.name if workflow is not None and workflow.name else path)
        return frozenset(names)

    def _read_action(self, folder: str) -> Action | None:
        for name in ("action.yml", "action.yaml"):
            path = join(folder, name)
            content = self.files.read(path)
            if content is not None:
                return read_action(path, content).action
        return None


def join(folder: str, path: str) -> str:
    """Return a path below a folder, without `.` and `..`; '' is the repository's root."""
    parts: list[str] = []
    for part in f"{folder}/{path}".split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def local_path(uses: str) -> str | None:
    """Return the path that `./path` or `$/path` names in the repository, else None."""
    for prefix in ("./", "$/"):
        if uses.startswith(prefix):
            return join("", uses[len(prefix) :])
    return None
