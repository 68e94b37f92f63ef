"""The folders of one job, laid out as on GitHub's runners.

They are few: on most disks it takes longer to remove a folder than to start a process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.errors import WorkspaceError

if TYPE_CHECKING:
    from pathlib import Path


class JobFolders:
    """All that a job may write to lies under `root`; `tools` is shared by the jobs of a machine.

    `home` is HOME: empty, and the job's own. `temp` is RUNNER_TEMP, `pipeline` RUNNER_WORKSPACE,
    `workspace`, in there, GITHUB_WORKSPACE: empty until a checkout. `event_file` is
    GITHUB_EVENT_PATH. In `command_files` each step finds its GITHUB_ENV, GITHUB_OUTPUT and so on.
    """

    def __init__(self, root: Path, repository_name: str, tools: Path) -> None:
        self.root = root
        self.tools = tools
        self.home = root / "_home"
        self.temp = root / "_temp"
        self.pipeline = root / repository_name
        self.workspace = self.pipeline / repository_name
        self.event_file = root / "_event.json"
        self.command_files = root

    def make(self) -> None:
        """Make the folders.

        Raises:
            WorkspaceError: the file system refused.
        """
        try:
            for folder in (self.home, self.workspace, self.temp, self.tools):
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
