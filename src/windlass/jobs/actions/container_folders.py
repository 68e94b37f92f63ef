"""What the container of an action sees of its job: folders, and paths under their names in there.

Source: actions/runner src/Runner.Worker/Handlers/ContainerActionHandler.cs,
Container/ContainerInfo.cs (TranslateToContainerPath)
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.jobs.command import StepError
from windlass.lang.expressions import to_json
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.jobs.folders import JobFolders
    from windlass.lang.expressions import Value

WORKSPACE: Final = "/github/workspace"
HOME: Final = "/github/home"
WORKFLOW: Final = "/github/workflow"
FILE_COMMANDS: Final = "/github/file_commands"
RUNNER_TEMP: Final = "/github/runner_temp"
EVENT: Final = "event.json"


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder, and its name in the container."""

    source: str
    target: str
    read_only: bool = False


class ContainerFolders:
    """The folders of one job that the containers of its actions share.

    `home`, `workflow` and `commands` lie in RUNNER_TEMP, as on GitHub's runners, and are made when
    the first action in a container begins. `folders` are the job's as this process finds them,
    `inside` as its other steps do: variables hold either.
    """

    def __init__(self, folders: JobFolders, inside: JobFolders) -> None:
        self._folders = folders
        self._inside = inside
        self.home = folders.temp / "_github_home"
        self.workflow = folders.temp / "_github_workflow"
        self.commands = folders.temp / "_runner_file_commands"

    def make(self, event: Value) -> None:
        """Make what the job does not have yet, and put the event's payload there.

        Raises:
            StepError: a step has put a link in the place of a folder.
            OSError: the file system refused.
        """
        for folder in (self.home, self.workflow, self.commands):
            folder.mkdir(exist_ok=True)
        self.check()
        # Nothing is written through what a step may have put there.
        with contextlib.suppress(FileExistsError), (self.workflow / EVENT).open("xb") as payload:
            payload.write(to_json(event).encode("utf-8", "replace"))

    def check(self) -> None:
        """See that the folders are folders of the job: a daemon follows links to anywhere.

        Raises:
            StepError: a step has put a link in the place of one.
        """
        root = self._folders.root
        true_root = root.resolve()
        for mount in self.mounts():
            folder = Path(mount.source)
            if folder.resolve() != true_root / folder.relative_to(root):
                raise StepError(f"A step has put a link in the place of the folder {folder}.")

    def mounts(self) -> tuple[Mount, ...]:
        """Return what is mounted; the folder around comes before what lies in it."""
        pairs: tuple[tuple[Path, str], ...] = (
            (self._folders.temp, RUNNER_TEMP),
            (self.home, HOME),
            (self.workflow, WORKFLOW),
            (self.commands, FILE_COMMANDS),
            (self._folders.workspace, WORKSPACE),
        )
        return tuple(Mount(str(source), target) for source, target in pairs)

    def translate(self, text: str) -> str:
        """Return what a path of the job is called in the container; any other text stays."""
        for known, target in self._names():
            if text == known:
                return target
            if text.startswith(f"{known}/"):
                return target + text[len(known) :]
        return text

    def find(self, path: Path) -> Path | None:
        """Return where this process finds a path of the container; None where only that has it."""
        for mount in reversed(self.mounts()):
            if path.is_relative_to(mount.target):
                return type(path)(mount.source) / path.relative_to(mount.target)
        return None

    def _names(self) -> tuple[tuple[str, str], ...]:
        """Return the names of folders and files, those that lie in others first."""
        names: list[tuple[str, str]] = []
        for folders in (self._folders, self._inside):
            names += [
                (str(folders.workspace), WORKSPACE),
                (str(folders.event_file), f"{WORKFLOW}/{EVENT}"),
                (str(folders.temp / self.commands.name), FILE_COMMANDS),
                (str(folders.temp / self.workflow.name), WORKFLOW),
                (str(folders.temp / self.home.name), HOME),
                (str(folders.temp), RUNNER_TEMP),
            ]
        return tuple(names)
