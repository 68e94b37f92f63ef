"""Actions of the repository itself at the run's commit: `$/path`.

They need no checkout, as on GitHub, where they are downloaded before any step runs: the run's tree
is written beside the workspace once, when a job has such a step.
Source: actions/runner src/Runner.Worker/ActionManager.cs (ResolveSelfRepositoryReferences)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.jobs.actions.manifests import LoadingError, read_folder
from windlass.lang.action.model import CompositeRuns
from windlass.lang.workflow.model import ActionStep, ParallelStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.jobs.place import StepPlace
    from windlass.lang.workflow.model import Step
    from windlass.plan.steps import LoadedAction

PREFIX: Final = "$/"


def list_repository_actions(steps: Iterable[Step]) -> Iterator[str]:
    """Yield what `uses` says of the actions of the repository among steps."""
    for step in steps:
        if isinstance(step, ParallelStep):
            yield from list_repository_actions(step.steps)
        elif isinstance(step, ActionStep) and step.uses.value.startswith(PREFIX):
            yield step.uses.value


def load_repository_actions(steps: Iterable[Step], place: StepPlace) -> dict[str, LoadedAction]:
    """Read the actions of the repository that steps use, and those that these use.

    Raises:
        LoadingError: there is no such action, or it cannot be read.
    """
    found: dict[str, LoadedAction] = {}
    due = list(list_repository_actions(steps))
    while due:
        uses = due.pop()
        if uses in found:
            continue
        found[uses] = loaded = load_repository_action(uses, place)
        if isinstance(loaded.action.runs, CompositeRuns):
            due += list_repository_actions(loaded.action.runs.steps)
    return found


def load_repository_action(uses: str, place: StepPlace) -> LoadedAction:
    """Read one action of the repository.

    Raises:
        LoadingError: there is no such action, or it cannot be read.
    """
    source = place.source
    root = _provide_tree(place)
    folder = os.path.normpath(root / uses.removeprefix(PREFIX))
    if not Path(folder).is_relative_to(root):
        raise LoadingError(f"The action '{uses}' does not lie in the repository.")
    return read_folder(
        Path(folder), folder, name=uses, repository=source.repository.full_name, ref=source.sha
    )


def _provide_tree(place: StepPlace) -> Path:
    """Return the folder with the run's tree, written where it is missing."""
    # Imported only where there is such an action: most jobs need no Git here.
    from windlass.git.trees import materialise_tree

    source = place.source
    folder = place.folders.root / "_actions" / source.repository.full_name / source.sha
    if not folder.exists():
        try:
            materialise_tree(source.find_tree(), folder, scratch=source.shadow)
        except PlatformError as error:
            raise LoadingError(" ".join(filter(None, (error.message, error.hint)))) from error
    return folder
