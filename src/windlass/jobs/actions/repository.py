"""Actions of the repository itself at the run's commit: `$/path`.

They need no checkout, as on GitHub, where they are downloaded before any step runs: the run's tree
is written beside the workspace once, when a job has such a step.
Source: actions/runner src/Runner.Worker/ActionManager.cs (ResolveSelfRepositoryReferences)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import PlatformError
from windlass.jobs.actions.manifests import LoadingError, read_folder
from windlass.plan.references import OWN_REPOSITORY

if TYPE_CHECKING:
    from windlass.jobs.place import StepPlace
    from windlass.plan.steps import LoadedAction


def load_repository_action(uses: str, place: StepPlace) -> LoadedAction:
    """Read one action of the repository.

    Raises:
        LoadingError: there is no such action, or it cannot be read.
    """
    source = place.source
    within = Path("_actions", source.repository.full_name, source.sha)
    path = os.path.normpath(within / uses.removeprefix(OWN_REPOSITORY))
    if not Path(path).is_relative_to(within):
        raise LoadingError(f"The action '{uses}' does not lie in the repository.")
    _provide_tree(place, place.folders.root / within)
    return read_folder(
        place.folders.root / path,
        str(place.inside.root / path),
        name=uses,
        repository=source.repository.full_name,
        ref=source.sha,
    )


def _provide_tree(place: StepPlace, folder: Path) -> None:
    """Write the run's tree to a folder, unless it is there."""
    # Imported only where there is such an action: most jobs need no Git here.
    from windlass.git.trees import materialise_tree

    source = place.source
    if not folder.exists():
        try:
            materialise_tree(source.find_tree(), folder, scratch=source.shadow)
        except PlatformError as error:
            raise LoadingError(" ".join(filter(None, (error.message, error.hint)))) from error
