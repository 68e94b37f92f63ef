"""Where a job's container finds the folders of the job: as in the containers of GitHub's runner.

Source: actions/runner src/Runner.Worker/ContainerOperationProvider.cs
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from windlass.jobs.folders import JobFolders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORK: Final = "/__w"
TOOLS: Final = "/__t"
HOME: Final = "/github/home"
WORKFLOW: Final = "/github/workflow"
EVENT: Final = "event.json"
CONTROL: Final = "_shell"
"""The folder of the job's folder in which Windlass and the container's shell meet."""


class ContainerLayout:
    """The job's folders outside, and as the container has them."""

    def __init__(self, outside: JobFolders, shown: Sequence[Path] = ()) -> None:
        """Take the folders outside, and others that are shown under their own names, to be read."""
        self.outside = outside
        self.control = outside.root / CONTROL
        self._temporary = outside.root / "_tmp"
        self._workflow = outside.root / "_github_workflow"
        self._shown = shown
        self.inside = JobFolders(Path(WORK), outside.pipeline.name, Path(TOOLS))
        self.inside.home = Path(HOME)
        self.inside.event_file = Path(WORKFLOW, EVENT)

    def make(self, *, shares_temporary: bool = False) -> None:
        """Make what only a container needs.

        Raises:
            OSError: the file system refused.
        """
        if shares_temporary:
            self._temporary.mkdir()
            self._temporary.chmod(0o1777)
        self.control.mkdir()
        self._workflow.mkdir()
        (self._workflow / EVENT).symlink_to(f"{WORK}/{self.outside.event_file.name}")

    def binds(self, *, shares_temporary: bool = False) -> Iterator[str]:
        """Yield what the daemon is to mount, as `HostConfig.Binds` has it.

        `shares_temporary` is for a job with a Docker daemon of its own, which is to find in /tmp
        what the job has put there.
        """
        if shares_temporary:
            yield f"{self._temporary}:/tmp"
        for source, target in self._pairs():
            yield f"{source}:{target}"
        for path in self._shown:
            if path.exists():
                yield f"{path}:{path}:ro"

    def see(self, path: Path) -> Path | None:
        """Return where this machine finds a path of the container; None where only that has it."""
        for source, target in self._pairs():
            if PurePosixPath(path).is_relative_to(target):
                return source / path.relative_to(target)
        return None

    def name_inside(self, path: Path) -> Path:
        """Return what the container calls a path of the job's folder; others have one name."""
        root = self.outside.root
        return Path(WORK, path.relative_to(root)) if path.is_relative_to(root) else path

    def _pairs(self) -> Iterator[tuple[Path, str]]:
        yield self.outside.root, WORK
        yield self.outside.tools, TOOLS
        yield self.outside.home, HOME
        yield self._workflow, WORKFLOW
