"""Which steps a job has in which stage: pre, main and post, and how these hang together.

A step's post stage registers when its main or pre stage begins, and runs last in, first out. What
an action within a composite action registers runs within the composite's own post stage.
Source: actions/runner src/Runner.Worker/JobExtension.cs, ActionManager.cs (PrepareActionsAsync),
ExecutionContext.cs (RegisterPostJobStep), Handlers/CompositeActionHandler.cs
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import (
    ActionStep,
    CancelStep,
    ParallelStep,
    WaitAllStep,
    WaitStep,
)
from windlass.plan.actions import ALWAYS, Library, condition_of
from windlass.plan.frames import Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windlass.lang.action.model import CompositeRuns
    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Condition, Job, Step
    from windlass.plan.frames import Activity
    from windlass.plan.steps import LoadedAction, Stage

IMPLICIT_WAIT: Final = "__implicit_wait_all"
_PRE: Final = "Pre "


def job_turns(job: Job, library: Library) -> list[Turn]:
    """Return what is due in a job when it opens: pre stages first, then its steps.

    Where a background step is never waited for, a wait for all of them comes last.
    """
    turns = list(main_turns(job))
    if _leaves_some_behind(turns):
        wait = WaitAllStep(id=IMPLICIT_WAIT, id_given=False, span=job.span)
        turns.append(Turn(key=wait.id, main=wait.id, step=wait, condition=ALWAYS))
    return [*_pre_turns(turns, library), *turns]


def main_turns(job: Job) -> Iterator[Turn]:
    """Yield the main stages of a job; `parallel` becomes background steps and a wait for them."""
    taken: set[str] = set()
    for step in job.steps:
        if isinstance(step, ParallelStep):
            yield from _spread(step, taken)
        else:
            yield _main_turn(step, step.id, background=step.background)
        taken.add(step.id)


def _spread(parallel: ParallelStep, taken: set[str]) -> Iterator[Turn]:
    keys = []
    for step in parallel.steps:
        # Ids within `parallel` are only told apart from each other when the file is read.
        unique = step.id_given and step.id not in taken
        keys.append(step.id if unique else f"{parallel.id}.{step.id}")
        yield _main_turn(step, keys[-1], background=True)
    wait = WaitStep(
        id=parallel.id,
        id_given=parallel.id_given,
        span=parallel.span,
        name=StringToken("Wait for parallel steps", parallel.span),
        targets=tuple(StringToken(key, parallel.span) for key in keys),
    )
    yield _main_turn(wait, wait.id, background=False)


def _main_turn(step: Step, key: str, *, background: bool) -> Turn:
    # The runner gives control steps a condition of its own.
    steers = isinstance(step, WaitStep | WaitAllStep | CancelStep)
    condition = ALWAYS if steers else step.condition
    return Turn(key=key, main=key, step=step, condition=condition, background=background)


def _leaves_some_behind(turns: Iterable[Turn]) -> bool:
    """Tell whether a background step is in no wait and no cancellation."""
    begun: set[str] = set()
    covered: set[str] = set()
    for turn in turns:
        match turn.step:
            case WaitStep():
                covered.update(target.value.lower() for target in turn.step.targets)
            case CancelStep():
                covered.add(turn.step.target.value.lower())
            case WaitAllStep():
                covered |= begun
            case _ if turn.background:
                begun.add(turn.key.lower())
    return bool(begun - covered)


def _pre_turns(turns: Iterable[Turn], library: Library) -> Iterator[Turn]:
    for turn in turns:
        if isinstance(turn.step, ActionStep):
            loaded = library.find(turn.step.uses.value)
            if loaded is not None and library.has_pre(loaded.action):
                yield _staged(turn, f"pre:{turn.key}", "pre", loaded)


def _staged(turn: Turn, key: str, stage: Stage, loaded: LoadedAction) -> Turn:
    condition = condition_of(loaded.action, stage)
    return Turn(key=key, main=turn.main, step=turn.step, condition=condition, stage=stage)


class Stages:
    """What the stages of a step hand to each other, and the post stages that are due."""

    def __init__(self) -> None:
        self.library = Library({})
        self._due: list[Turn] = []
        self._registered: dict[str, Condition] = {}
        self._parts: dict[str, tuple[Turn, ...]] = {}
        self._states: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._steps: dict[str, dict[str, Value]] = {}

    def state(self, turn: Turn) -> Mapping[str, str]:
        """Return what the stages of a step have saved for each other so far."""
        return dict(self._states[turn.main])

    def save(self, turn: Turn, state: Mapping[str, str]) -> None:
        """Keep what a stage has saved."""
        self._states[turn.main].update(state)

    def register(self, activity: Activity, loaded: LoadedAction) -> None:
        """Make the post stage of an action due, once, if it has one."""
        turn = activity.turn
        if turn.stage == "post" or not self.library.has_post(loaded.action):
            return
        if turn.main in self._registered:
            return
        condition = condition_of(loaded.action, "post")
        self._registered[turn.main] = condition
        if not activity.is_nested:
            name = activity.name
            self._due.append(
                Turn(
                    key=f"post:{turn.main}",
                    main=turn.main,
                    step=turn.step,
                    condition=condition,
                    stage="post",
                    name=f"Post {name.removeprefix(_PRE) if turn.stage == 'pre' else name}",
                )
            )

    def pop_due(self) -> list[Turn]:
        """Take the post stages of the job that are due, the last one registered first."""
        due = self._due[::-1]
        self._due.clear()
        return due

    def open(self, activity: Activity, runs: CompositeRuns) -> list[Turn]:
        """Return what is due in one stage of a composite action."""
        turn = activity.turn
        if turn.stage == "post":
            return self._registered_parts(turn)
        parts = [
            Turn(
                key=f"{turn.key}.{step.id}",
                main=f"{turn.main}.{step.id}",
                step=step,
                condition=step.condition,
            )
            for step in runs.steps
        ]
        self._parts[turn.main] = tuple(parts)
        if turn.stage == "main":
            return parts
        return [
            _staged(part, part.key, "pre", loaded)
            for part in parts
            if isinstance(part.step, ActionStep)
            and (loaded := self.library.find(part.step.uses.value)) is not None
            and self.library.has_pre(loaded.action)
        ]

    def keep_steps(self, turn: Turn, ended: dict[str, Value]) -> None:
        """Keep the `steps` of a composite action's main stage for its post stage."""
        self._steps[turn.main] = ended

    def steps_of(self, turn: Turn) -> dict[str, Value]:
        """Return the `steps` of the main stage of a composite action."""
        return self._steps.get(turn.main, {})

    def _registered_parts(self, turn: Turn) -> list[Turn]:
        return [
            Turn(
                key=f"post:{part.main}",
                main=part.main,
                step=part.step,
                condition=self._registered[part.main],
                stage="post",
            )
            for part in reversed(self._parts.get(turn.main, ()))
            if part.main in self._registered
        ]
