"""The folders of one job, laid out as on GitHub's runners.

They are few: on most disks it takes longer to remove a folder than to start a process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.errors import WorkspaceError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class JobFolders:
    """All that a job may write to lies under `root`; `tools` is shared by the jobs of a machine."""

    root: Path
    repository_name: str
    tools: Path

    @property
    def home(self) -> Path:
        """HOME: empty, and the job's own."""
        return self.root / "_home"

    @property
    def temp(self) -> Path:
        """RUNNER_TEMP."""
        return self.root / "_temp"

    @property
    def pipeline(self) -> Path:
        """RUNNER_WORKSPACE: what the workspace lies in."""
        return self.root / self.repository_name

    @property
    def workspace(self) -> Path:
        """GITHUB_WORKSPACE: empty until a checkout."""
        return self.pipeline / self.repository_name

    @property
    def event_file(self) -> Path:
        """GITHUB_EVENT_PATH."""
        return self.root / "_event.json"

    @property
    def command_files(self) -> Path:
        """Where each step finds its GITHUB_ENV, GITHUB_OUTPUT and so on."""
        return self.root

    def make(self) -> None:
        """Make the folders.

        Raises:
            WorkspaceError: the file system refused.
        """
        try:
            for folder in (
                self.home,
                self.workspace,
                self.temp,
                self.tools,
            ):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkspaceError(
                f"The job's folder {self.root} cannot be made: {error.strerror}",
                hint="Check the permissions of the folder and the free space of its disk.",
            ) from error

    def remove(self) -> None:
        """Remove everything, read-only folders included.

        Raises:
            WorkspaceError: something could not be removed, e.g. files of another user.
        """
        # Imported when the steps are over: it is not free, and the first step should start soon.
        from windlass.jobs.workspaces.removal import remove_folder

        try:
            remove_folder(self.root)
        except OSError as error:
            raise WorkspaceError(
                f"The job's folder {self.root} cannot be removed: {error.strerror}: "
                f"{error.filename}",
                hint="Remove it by hand; a step may have made files as another user.",
            ) from error
