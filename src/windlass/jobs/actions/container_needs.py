"""Whether a job has actions in containers: the daemon has to find its workspace then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.jobs.actions.manifests import LoadingError, read_folder
from windlass.lang.action.model import CompositeRuns, DockerRuns
from windlass.plan.actions import is_of_workspace
from windlass.plan.container_actions import is_image
from windlass.plan.references import list_uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from windlass.lang.action.model import Action
    from windlass.plan.steps import LoadedAction


def may_need_daemon(uses: Iterable[str], prepared: Mapping[str, LoadedAction], root: Path) -> bool:
    """Tell whether one of the actions, or of those within them, may run in a container.

    Of an action of the workspace, which may not be there yet, the one in the user's own tree at
    `root` is looked at; where there is none, it may be anything.
    """
    seen: set[str] = set()
    due = list(uses)
    while due:
        name = due.pop()
        if name in seen:
            continue
        seen.add(name)
        action = _find_action(name, prepared, root)
        if is_image(name) or (action is None and is_of_workspace(name)):
            return True
        runs = None if action is None else action.runs
        if isinstance(runs, DockerRuns):
            return True
        if isinstance(runs, CompositeRuns):
            due += (token.value for token in list_uses(runs.steps))
    return False


def _find_action(uses: str, prepared: Mapping[str, LoadedAction], root: Path) -> Action | None:
    if uses in prepared:
        return prepared[uses].action
    if not is_of_workspace(uses):
        return None
    folder = root / uses
    try:
        return read_folder(folder, str(folder), name=uses).action
    except LoadingError:
        return None
