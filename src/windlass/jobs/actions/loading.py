"""Finds the action of a step: `./path` in the workspace, `$/path` at the run's commit.

Source: actions/runner src/Runner.Worker/ActionManager.cs (LoadAction)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.jobs.actions.manifests import LoadingError, read_folder
from windlass.lang.action.model import CompositeRuns
from windlass.plan.references import list_uses
from windlass.plan.steps import ActionLoaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.place import StepPlace
    from windlass.plan.steps import LoadAction, LoadedAction


def load_action(order: LoadAction, place: StepPlace) -> ActionLoaded:
    """Read the action of a step and answer the machine."""
    try:
        tell = place.report(order.key).log.write_line
        action = _load(order.uses, place, tell)
        parts = _prepare_parts(action, place, tell)
    except LoadingError as error:
        return ActionLoaded(order.key, None, str(error))
    return ActionLoaded(order.key, action, parts=parts)


def _load(uses: str, place: StepPlace, tell: Callable[[str], None]) -> LoadedAction:
    if uses.startswith("$/"):
        # Imported only where there is one.
        from windlass.jobs.actions.preparing import ActionPreparer

        return ActionPreparer(place, tell).load(uses)
    # As the runner joins them: GITHUB_ACTION_PATH holds `/./`.
    folder = os.path.join(place.inside.workspace, uses)  # noqa: PTH118
    return read_folder(place.session.see(Path(folder)), folder, name=uses)


def _prepare_parts(
    action: LoadedAction, place: StepPlace, tell: Callable[[str], None]
) -> dict[str, LoadedAction]:
    """Return what the steps of an action of the workspace use, as it is needed before the first."""
    runs = action.action.runs
    if not isinstance(runs, CompositeRuns):
        return {}
    if all(uses.value.startswith("./") for uses in list_uses(runs.steps)):
        return {}
    # Imported only where there is one.
    from windlass.jobs.actions.preparing import ActionPreparer

    return ActionPreparer(place, tell).prepare(runs.steps, depth=1)
