"""Finds the action of a step: `./path` in the workspace, `$/path` at the run's commit.

Source: actions/runner src/Runner.Worker/ActionManager.cs (LoadAction)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.jobs.actions.manifests import LoadingError, read_folder
from windlass.plan.steps import ActionLoaded

if TYPE_CHECKING:
    from windlass.jobs.place import StepPlace
    from windlass.plan.steps import LoadAction, LoadedAction


def load_action(order: LoadAction, place: StepPlace) -> ActionLoaded:
    """Read the action of a step and answer the machine."""
    try:
        action = _load(order.uses, place)
    except LoadingError as error:
        return ActionLoaded(order.key, None, str(error))
    return ActionLoaded(order.key, action)


def _load(uses: str, place: StepPlace) -> LoadedAction:
    if uses.startswith("$/"):
        # Imported only where there is one.
        from windlass.jobs.actions.repository import load_repository_action

        return load_repository_action(uses, place)
    # As the runner joins them: GITHUB_ACTION_PATH holds `/./`.
    folder = os.path.join(place.inside.workspace, uses)  # noqa: PTH118
    return read_folder(place.session.see(Path(folder)), folder, name=uses)
