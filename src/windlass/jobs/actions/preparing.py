"""Has all actions at hand that steps need and that do not come from the workspace.

As on GitHub that is done before any step runs, for the actions within composite actions too; for an
action of the workspace when its turn comes, before its first step.
Source: actions/runner src/Runner.Worker/ActionManager.cs (PrepareActionsAsync)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.jobs.actions.manifests import LoadingError, read_folder
from windlass.jobs.actions.published import explain_missing, explain_unresolved
from windlass.jobs.actions.repository import load_repository_action
from windlass.jobs.checkout import is_checkout
from windlass.lang.action.model import CompositeRuns
from windlass.model.values import replace
from windlass.plan.actions import MAX_DEPTH, TOO_DEEP
from windlass.plan.references import (
    OWN_REPOSITORY,
    is_published,
    list_uses,
    read_reference,
    settle_own_use,
    settle_own_uses,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from windlass.jobs.place import StepPlace
    from windlass.lang.workflow.model import Step
    from windlass.plan.references import Reference
    from windlass.plan.steps import LoadedAction

ACTIONS: Final = "_actions"
PREPARING: Final = ("Prepare all required actions", "Getting action download info")


class ActionPreparer:
    """Prepares the actions of one job."""

    def __init__(self, place: StepPlace, tell: Callable[[str], None]) -> None:
        """Take the job's place, and what adds a line to its log."""
        self._place = place
        self._tell = tell

    def prepare(self, steps: Iterable[Step], *, depth: int = 0) -> dict[str, LoadedAction]:
        """Return the actions that steps use, and those that these use, by what `uses` says.

        `depth` is how many composite actions the steps lie in.

        Raises:
            LoadingError: one is not there or cannot be read, or they lie too deep in one another.
        """
        found: dict[str, LoadedAction] = {}
        level = _list_due(steps)
        while level:
            due: dict[str, None] = {}
            self._fetch(level)
            for uses in level:
                found[uses] = loaded = self.load(uses)
                runs = loaded.action.runs
                if isinstance(runs, CompositeRuns) and runs.steps:
                    if depth >= MAX_DEPTH:
                        raise LoadingError(TOO_DEEP)
                    due.update(dict.fromkeys(_list_due(runs.steps)))
            level, depth = list(due), depth + 1
        return found

    def _fetch(self, level: Iterable[str]) -> None:
        """Fetch several repositories at the same time; one is fetched when its turn comes."""
        published = self._place.published
        read = (read_reference(it) for it in level if it not in self._place.prepared)
        references = {it.key: it for it in read if it is not None}
        if published is not None and len(references) > 1:
            published().fetch(references.values())

    def load(self, uses: str) -> LoadedAction:
        """Return one action, read where that has not been done.

        Raises:
            LoadingError: it is not there or cannot be read.
        """
        known = self._place.prepared
        if uses not in known:
            known[uses] = self._read(uses)
        return known[uses]

    def _read(self, uses: str) -> LoadedAction:
        if not uses.startswith(OWN_REPOSITORY):
            return self._load_published(uses)
        caller = read_reference(self._place.workflow_path)
        if caller is None:
            return load_repository_action(uses, self._place)
        return self._load_published(settle_own_use(uses, caller.name, caller.ref))

    def _load_published(self, uses: str) -> LoadedAction:
        reference = read_reference(uses)
        if reference is None:
            raise LoadingError(f"Expected format {{org}}/{{repo}}[/path]@ref. Actual '{uses}'")
        within = Path(ACTIONS, *reference.name.split("/"), *reference.ref.split("/"))
        root = self._place.folders.root / within
        if not root.exists():
            self._download(reference, root)
        folder = self._place.inside.root / within / reference.path
        inside = f"/{reference.path}" if reference.path else ""
        loaded = read_folder(
            root / reference.path,
            str(folder),
            name=f"{reference.key}{inside}",
            repository=reference.name,
            ref=reference.ref,
            missing=lambda: explain_missing(reference, root),
        )
        return _settle(loaded)

    def _download(self, reference: Reference, root: Path) -> None:
        for line in PREPARING:
            if line not in self._place.said:
                self._place.said.add(line)
                self._tell(line)
        published = self._place.published
        if published is None:
            raise LoadingError(f"The action {reference.key} cannot be fetched from here.")
        actions = published()
        try:
            sha = actions.locate(reference).sha
            if sha:
                self._tell(f"Download action repository '{reference.key}' (SHA:{sha})")
            for remark in actions.write(reference, root):
                self._tell(remark)
        except PlatformError as error:
            raise explain_unresolved(reference, error) from error


def _list_due(steps: Iterable[Step]) -> list[str]:
    """Return what `uses` says of the actions among steps that are to be prepared, each once."""
    return list(dict.fromkeys(token.value for token in list_uses(steps) if _is_due(token.value)))


def _is_due(uses: str) -> bool:
    """Tell whether an action is prepared: one of the workspace is not, and what is built in."""
    if uses.startswith(OWN_REPOSITORY):
        return True
    return is_published(uses) and not is_checkout(uses)


def _settle(loaded: LoadedAction) -> LoadedAction:
    """Return a published action in which `$/path` names its own repository."""
    runs = loaded.action.runs
    if not isinstance(runs, CompositeRuns):
        return loaded
    steps = settle_own_uses(runs.steps, loaded.repository, loaded.ref)
    return replace(loaded, action=replace(loaded.action, runs=replace(runs, steps=steps)))
