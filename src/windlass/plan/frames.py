"""Where a job stands: the steps that are due, the frames they belong to, what is under way."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from windlass.model.status import Result
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windlass.lang.action.model import Action
    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Condition, Step
    from windlass.plan.keys import Scope
    from windlass.plan.steps import Stage

_WORST_FIRST = (Result.CANCELLED, Result.SKIPPED, Result.FAILURE, Result.SUCCESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One stage of one step that is due.

    `key` is unique in the job; `main` is the key of the same step's main stage. `name` is known
    beforehand for a post stage, which is called after the step as it was when it registered.
    """

    key: str
    main: str
    step: Step
    condition: Condition
    stage: Stage = "main"
    name: str | None = None
    background: bool = False


class Frame:
    """Steps that follow one another: those of the job, or one stage of a composite action.

    `owner` is the composite step and `action` its action, None for the job. `visible` is the
    `steps` context in here; `ended` is where steps of this frame are recorded, the same but for a
    post stage, which sees the steps of the main stage. `github` and `inputs` are those of the
    action. `variables` is what the `env` of the steps around it set. `result` is how the action
    stands: `action_status`.
    """

    def __init__(
        self,
        turns: Iterable[Turn],
        *,
        owner: Activity | None = None,
        action: Action | None = None,
        visible: dict[str, Value] | None = None,
        github: Mapping[str, Value] | None = None,
        inputs: Mapping[str, Value] | None = None,
    ) -> None:
        self.turns = deque(turns)
        self.owner = owner
        self.action = action
        self.ended: dict[str, Value] = {}
        self.visible = self.ended if visible is None else visible
        self.github = github
        self.inputs = inputs
        self.variables: Mapping[str, str] = {} if owner is None else owner.variables
        self.result = Result.SUCCESS
        self.current: Activity | None = None
        self.closed = False
        self.depth: int = 0 if owner is None else owner.frame.depth + 1

    @property
    def judges_by_action(self) -> bool:
        """Whether `success()` and `failure()` look at the action and not at the job."""
        return self.owner is not None and self.owner.turn.stage == "main"

    def record(
        self,
        turn: Turn,
        *,
        outputs: Mapping[str, str] | None = None,
        results: tuple[Result, Result] | None = None,
    ) -> None:
        """Let `steps.<id>` tell of a step: outputs, outcome and conclusion.

        Only main stages and ids that the user gave are there.
        """
        if turn.stage != "main" or not turn.step.id_given:
            return
        known: Any = self.ended.get(turn.step.id, {"outputs": {}})
        told = {**known, "outputs": {**known["outputs"], **(outputs or {})}}
        if results is not None:
            told["outcome"], told["conclusion"] = results[0].value, results[1].value
        self.ended[turn.step.id] = told


class Activity:
    """A step that is under way, from the moment its turn came until it has ended.

    `phase`: `queued` for a place among background steps, `loading` its action, `running` a
    process, `open` as a composite action, `waiting` for background steps.
    """

    def __init__(
        self, turn: Turn, frame: Frame, scope: Scope, name: str, variables: Mapping[str, str]
    ) -> None:
        self.turn = turn
        self.frame = frame
        self.scope = scope
        self.name = name
        self.variables = variables
        self.problems: tuple[str, ...] = ()
        self.minutes: int | None = None
        self.phase = "queued"
        self.doomed = False
        self.cancelled = False
        self.timed_out = False

    @property
    def key(self) -> str:
        """The key of its turn."""
        return self.turn.key

    @property
    def parent(self) -> str:
        """The key of the composite step it is part of, or ""."""
        return "" if self.frame.owner is None else self.frame.owner.key

    @property
    def is_nested(self) -> bool:
        """Whether it is part of a composite action."""
        return self.frame.owner is not None

    def lineage(self) -> Iterator[Activity]:
        """Yield it and the composite steps around it, from the inside out."""
        activity: Activity | None = self
        while activity is not None:
            yield activity
            activity = activity.frame.owner

    @property
    def is_beside(self) -> bool:
        """Whether it runs beside the steps that follow: it or a step around it is background."""
        return any(around.turn.background for around in self.lineage())

    @property
    def is_overdue(self) -> bool:
        """Whether its time or that of a step around it is over."""
        return any(around.timed_out for around in self.lineage())


def merge(current: Result, coming: Result) -> Result:
    """Return the worse of two results; cancelled stays.

    Source: actions/runner src/Runner.Common/Util/TaskResultUtil.cs
    """
    return min(current, coming, key=_WORST_FIRST.index)
