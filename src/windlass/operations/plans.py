"""`plan`: what an event would run in a repository, and why, without running anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from windlass.git.repository import find_branch, read_repository
from windlass.lang.casing import fold
from windlass.lang.diagnostics import Diagnostic, Severity
from windlass.lang.expressions import UNKNOWN
from windlass.model.action_sources import ActionSources
from windlass.model.values import dataclass, field, replace
from windlass.operations.action_locks import with_lock
from windlass.operations.called_workflows import CalledWorkflows
from windlass.operations.default_place import DefaultPlace
from windlass.operations.loading import load_workflows
from windlass.operations.places import check_places
from windlass.plan.default_place import ChosenPlace, NoPlace
from windlass.plan.planner import Knowledge, make_plan
from windlass.plan.selection import Selection
from windlass.plan.synthesis import (
    PULL_REQUEST_EVENTS,
    REVIEW_EVENTS,
    EventWishes,
    synthesise_event,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.git.repository import Comparison
    from windlass.jobs.actions.published import PublishedActions
    from windlass.model.repository import Repository
    from windlass.operations.loading import Library
    from windlass.plan.event import Event
    from windlass.plan.plan import Plan

_ARCHITECTURES: Final = {"x86_64": "X64", "aarch64": "ARM64", "armv7l": "ARM", "i686": "X86"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What a user can say about a plan; see `windlass plan --help`.

    `workflows` is a file or a folder, relative to the current folder or absolute; `payload` the
    content of an event file. Of `inputs` those in `optional_inputs` count only where a workflow
    declares them. `places` says by label where jobs run, see `windlass.operations.executors`, and
    `default_place` where those do of which it says nothing.
    `sources` says where actions and workflows of other repositories are taken from.
    """

    workflows: Path | None = None
    job: str | None = None
    matrix: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    optional_inputs: frozenset[str] = frozenset()
    variables: Mapping[str, str] = field(default_factory=dict)
    action: str | None = None
    base: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    default_place: DefaultPlace = field(default_factory=DefaultPlace)
    sources: ActionSources = ActionSources()


_NO_OPTIONS: Final = PlanOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """A plan with what it was made from; `plan` is None where a diagnostic is an error.

    `sources` holds the commits of `windlass.lock`, and those that called workflows were read from.
    """

    repository: Repository
    event: Event | None
    library: Library
    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]
    sources: ActionSources = ActionSources()


def plan_event(folder: Path, name: str, options: PlanOptions = _NO_OPTIONS) -> Planning:
    """Plan what an event would run in the checkout that a folder is in.

    Raises:
        UsageError: the options name a place that jobs cannot run in.
        InputError: the folder is no checkout, or there are no workflows where they should be.
        GitError: git is missing, or could not read the repository.
    """
    is_about_branch = name in PULL_REQUEST_EVENTS | REVIEW_EVENTS
    against: Comparison = "default-branch" if is_about_branch else "parent"

    def make_event(repository: Repository, library: Library) -> Event | Diagnostic:
        inputs = _choose_inputs(options, library)
        return synthesise_event(name, repository, _make_wishes(repository, options, inputs))

    check_places(options.places)
    repository = read_repository(folder, against=against, base=options.base)
    return plan_repository(repository, make_event, options)


def plan_repository(
    repository: Repository,
    make_event: Callable[[Repository, Library], Event | Diagnostic],
    options: PlanOptions = _NO_OPTIONS,
) -> Planning:
    """Plan what an event would run in a checkout of which the facts are known.

    `make_event` gets these and the workflows, and returns the event or what is wrong with it.

    Raises:
        UsageError: the options name a place that jobs cannot run in.
        InputError: there are no workflows where they should be.
        GitError: git is missing.
    """
    check_places(options.places)
    root = Path(repository.root)
    sources = with_lock(options.sources, root)
    calls = CalledWorkflows(lambda: _publish(sources, repository))
    library = load_workflows(root, options.workflows, read_published=calls.read)
    sources = replace(sources, pins={**sources.pins, **calls.pins})
    event = make_event(repository, library)
    if isinstance(event, Diagnostic):
        return Planning(
            repository=repository,
            event=None,
            library=library,
            plan=None,
            diagnostics=(event, *library.diagnostics),
        )
    plan = make_plan(
        library.workflows,
        event,
        _gather_knowledge(repository, library, sources, options),
        Selection(options.job, options.matrix),
    )
    return Planning(
        repository=repository,
        event=event,
        library=library,
        plan=plan,
        diagnostics=(*library.diagnostics, *plan.diagnostics, *_warn(options.default_place)),
        sources=sources,
    )


def _gather_knowledge(
    repository: Repository, library: Library, sources: ActionSources, options: PlanOptions
) -> Knowledge:
    return Knowledge(
        repository=repository,
        variables=options.variables,
        runner=describe_runner(),
        digests={**library.digests, **sources.pins},
        places=options.places,
        find_default_place=lambda: _foresee(options.default_place),
    )


def _foresee(default: DefaultPlace) -> Any:
    """Return where jobs run by default; UNKNOWN where that is nowhere, which keeps none planned."""
    found = default.find()
    return found.place if isinstance(found, ChosenPlace) else UNKNOWN


def _warn(default: DefaultPlace) -> Iterator[Diagnostic]:
    """Say that what is planned could not run here, where that was found out."""
    found = default.choice
    if isinstance(found, NoPlace):
        yield Diagnostic(
            code="default-place",
            message=found.message,
            severity=Severity.WARNING,
            hint=found.hint,
        )


def _publish(sources: ActionSources, repository: Repository) -> PublishedActions:
    # Imported only where a workflow of another repository is called.
    from windlass.jobs.actions.published import PublishedActions

    return PublishedActions(sources, repository.server_url)


def describe_runner() -> dict[str, str]:
    """Return what is known of the `runner` context before a job has a place to run."""
    machine = os.uname().machine
    return {
        "os": "Linux",
        "arch": _ARCHITECTURES.get(machine, machine.upper()),
        "environment": "self-hosted",
    }


def _choose_inputs(options: PlanOptions, library: Library) -> dict[str, str]:
    """Leave out the optional inputs that no workflow declares."""
    declared = {fold(name) for it in library.workflows for name in it.triggers.dispatch_inputs}
    return {
        name: value
        for name, value in options.inputs.items()
        if name not in options.optional_inputs or fold(name) in declared
    }


def _make_wishes(
    repository: Repository, options: PlanOptions, inputs: Mapping[str, str]
) -> EventWishes:
    """Return what the options say about the event; a base that is no branch is one of commits."""
    base = None if options.base is None else find_branch(Path(repository.root), options.base)
    return EventWishes(action=options.action, base=base, inputs=inputs, payload=options.payload)
