"""`.windlass`, where a repository keeps what local runs need and leave behind.

history.db   the list of runs, and their journals    `windlass.db`
runs         a folder for each attempt of a run      `windlass.stores.run_folders`
work         the folders of jobs while they run
blobs        what jobs have stored: artifacts, caches  `windlass.stores.blobs`
bases        trees, ready to be served
shadow       the Git objects of uncommitted files
tools        what jobs have put into their tool cache
identity     the key of identity tokens              `windlass.services.identity.keys`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.errors import WorkspaceError

if TYPE_CHECKING:
    from pathlib import Path

STATE_FOLDER: Final = ".windlass"
DATABASE: Final = "history.db"
RUNS: Final = "runs"
WORK: Final = "work"
BASES: Final = "bases"
SHADOW: Final = "shadow"
TOOLS: Final = "tools"
BLOBS: Final = "blobs"
IDENTITY: Final = "identity"


def prepare_state(state: Path) -> None:
    """Make the state folder, which hides itself from Git.

    Raises:
        WorkspaceError: the folder cannot be made.
    """
    ignore = state / ".gitignore"
    try:
        # Scripts and command files hold secrets while a job runs: nobody else may look.
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise WorkspaceError(
            f"{state} cannot be made: {error.strerror}",
            hint="Windlass keeps what it needs for local runs there.",
        ) from error
