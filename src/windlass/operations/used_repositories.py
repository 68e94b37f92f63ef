"""Which other repositories the workflows of a repository use, directly or through actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.jobs.actions.manifests import LARGEST_FILE_BYTES, MANIFESTS
from windlass.jobs.checkout import is_checkout
from windlass.lang.action import read_action
from windlass.lang.action.model import CompositeRuns
from windlass.lang.diagnostics import Diagnostic
from windlass.lang.workflow.calls import is_remote
from windlass.lang.workflow.model import CallJob
from windlass.model.values import dataclass, field
from windlass.operations.lint import FolderFiles
from windlass.plan.references import (
    OWN_REPOSITORY,
    is_published,
    list_uses,
    read_reference,
    settle_own_use,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from windlass.jobs.actions.published import PublishedActions
    from windlass.lang.positions import Span
    from windlass.lang.workflow.model import Step, Workflow
    from windlass.plan.references import Reference

_LOCAL: Final = ("./", ".\\")


@dataclass(slots=True, kw_only=True)
class UsedRepositories:
    """What is used of others: the commits by `owner/name@ref`, and what could not be had."""

    commits: dict[str, str] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)


def find_used(
    workflows: Iterable[Workflow], root: Path, published: PublishedActions
) -> UsedRepositories:
    """Return the repositories that workflows use, those that their actions use too.

    What is not there is a problem with the place in the workflow that needs it. Of actions of the
    repository itself those in the working tree at `root` count.
    """
    search = _Search(root, published)
    for workflow in workflows:
        search.visit(workflow)
    return search.found


class _Search:
    def __init__(self, root: Path, published: PublishedActions) -> None:
        self._files = FolderFiles(root)
        self._published = published
        self._visited: set[str] = set()
        self.found = UsedRepositories()

    def visit(self, workflow: Workflow) -> None:
        """Look at a workflow and at those that it calls."""
        if workflow.path in self._visited:
            return
        self._visited.add(workflow.path)
        own = read_reference(workflow.path) if is_remote(workflow.path) else None
        for job in workflow.jobs:
            if isinstance(job, CallJob):
                if is_published(job.uses.value):
                    self._locate(job.uses.value, job.uses.span)
                if job.called is not None:
                    self.visit(job.called)
            else:
                self._follow(job.steps, own, None)

    def _follow(self, steps: Iterable[Step], own: Reference | None, span: Span | None) -> None:
        """Look at steps; `own` is the repository they are written in, unless it is this one.

        `span` is the place in the workflow that leads there, None where the steps are the job's.
        """
        for token in list_uses(steps):
            uses = token.value
            if own is not None and uses.startswith(OWN_REPOSITORY):
                uses = settle_own_use(uses, own.name, own.ref)
            if uses in self._visited:
                continue
            self._visited.add(uses)
            place = span or token.span
            if uses.startswith((*_LOCAL, OWN_REPOSITORY)):
                self._follow_text(self._read_local(uses), uses, None, place)
            elif is_published(uses) and not is_checkout(uses):
                self._follow_published(uses, place)

    def _follow_published(self, uses: str, span: Span) -> None:
        reference = self._locate(uses, span)
        if reference is None:
            return
        for manifest in MANIFESTS:
            path = f"{reference.path}/{manifest}".lstrip("/")
            text = self._published.read(reference, path, most_bytes=LARGEST_FILE_BYTES)
            if text is not None:
                self._follow_text(text, uses, reference, span)
                return

    def _follow_text(self, text: bytes | None, uses: str, own: Reference | None, at: Span) -> None:
        """Look at the steps of an action file; what is wrong with it is told when it runs."""
        action = None if text is None else read_action(uses, text).action
        if action is not None and isinstance(action.runs, CompositeRuns):
            self._follow(action.runs.steps, own, at)

    def _read_local(self, uses: str) -> bytes | None:
        folder = uses[2:].strip("/")
        texts = (self._files.read(f"{folder}/{name}".lstrip("/")) for name in MANIFESTS)
        return next((text for text in texts if text is not None), None)

    def _locate(self, uses: str, span: Span) -> Reference | None:
        """Return what `uses` names and note its commit; None where that cannot be had."""
        reference = read_reference(uses)
        if reference is None:
            return None
        try:
            located = self._published.locate(reference)
        except PlatformError as error:
            self.found.problems.append(
                Diagnostic(
                    code="unresolved-action",
                    message=f"{reference.key} cannot be resolved: {error.message}",
                    span=span,
                    hint=error.hint,
                )
            )
            return None
        self.found.commits[reference.key] = located.sha
        return reference
