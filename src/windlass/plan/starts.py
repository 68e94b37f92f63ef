"""A step that is to run → the order that starts it, or why it fails before it does anything.

Source: actions/runner src/Runner.Worker/ActionRunner.cs (RunAsync), Handlers/ScriptHandler.cs,
Handlers/CompositeActionHandler.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from windlass.lang.action.model import CompositeRuns, DockerRuns
from windlass.lang.workflow.model import ActionStep, RunStep
from windlass.model.values import dataclass
from windlass.plan.actions import (
    MAX_DEPTH,
    TOO_DEEP,
    complete_inputs,
    find_obstacle,
    is_of_workspace,
    is_read_late,
)
from windlass.plan.container_actions import evaluate_container, image_as_action, is_image
from windlass.plan.faults import PlanFault
from windlass.plan.frames import Frame
from windlass.plan.interruptions import TIMED_OUT
from windlass.plan.job_contexts import with_action
from windlass.plan.keys import describe_fault, evaluate_text, evaluate_texts
from windlass.plan.steps import LoadAction, OpenStep, StartStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.lang.action.model import Runs
    from windlass.plan.actions import Inputs
    from windlass.plan.container_actions import ContainerRun
    from windlass.plan.frames import Activity
    from windlass.plan.job_contexts import JobContexts
    from windlass.plan.keys import Scope
    from windlass.plan.stages import Stages
    from windlass.plan.steps import LoadedAction


@dataclass(frozen=True, slots=True)
class Rejection:
    """The step fails before it has begun; `message` says why."""

    message: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A composite action begins: its steps are in `frame`."""

    order: OpenStep
    frame: Frame


Start: TypeAlias = StartStep | LoadAction | Opening | Rejection


class StepStarter:
    """Turns the steps of one job into what starts them."""

    def __init__(
        self, contexts: JobContexts, stages: Stages, is_built_in: Callable[[str], bool]
    ) -> None:
        """Take what expressions see and what the stages of steps hand to each other."""
        self._contexts = contexts
        self._stages = stages
        self._is_built_in = is_built_in

    def start(self, activity: Activity) -> Start:
        """Start a run step or an action."""
        step = activity.turn.step
        if isinstance(step, RunStep):
            return self._start_script(activity, step)
        if isinstance(step, ActionStep) and is_image(step.uses.value):
            return self.start_action(activity, image_as_action(step.uses))
        uses = _uses(activity)
        loaded = self._stages.library.find(uses)
        if loaded is not None:
            return self.start_action(activity, loaded)
        if is_read_late(uses):
            return LoadAction(activity.key, uses, activity.is_beside)
        if self._is_built_in(uses):
            return self._start_built_in(activity, uses)
        return Rejection(
            f"The action '{uses}' was not there when the job began, so that it cannot run."
        )

    def start_action(self, activity: Activity, loaded: LoadedAction) -> Start:
        """Start one stage of an action that was read."""
        obstacle = _find_obstacle(activity, loaded)
        if obstacle is not None:
            return Rejection(obstacle)
        activity.scope = with_action(activity.scope, loaded.repository, loaded.ref)
        self._stages.register(activity, loaded)
        scope = self._contexts.refresh(activity.scope, activity.frame)
        inputs = _evaluate_inputs(activity, loaded, scope)
        if isinstance(inputs, PlanFault):
            return Rejection(describe_fault(inputs))
        warnings = self._warn(activity, loaded, inputs)
        runs = loaded.action.runs
        if isinstance(runs, CompositeRuns):
            frame = self._open_frame(activity, loaded, runs, inputs.values)
            return Opening(_open(activity, inputs.values, warnings), frame)
        container = _evaluate_container(activity, runs, inputs, scope)
        if isinstance(container, PlanFault):
            return Rejection(describe_fault(container))
        return self._make_order(
            activity,
            scope,
            action=loaded,
            container=container,
            inputs=inputs.values,
            warnings=warnings,
            state=self._stages.state(activity.turn),
        )

    def _start_script(self, activity: Activity, step: RunStep) -> StartStep | Rejection:
        """Start a run step. In a composite action the defaults of the job do not count."""
        scope = self._contexts.refresh(with_action(activity.scope, "", ""), activity.frame)
        script = evaluate_text(step.run, scope)
        shell = evaluate_text(step.shell, scope)
        folder = evaluate_text(step.working_directory, scope)
        for value in (script, shell, folder):
            if isinstance(value, PlanFault):
                return Rejection(describe_fault(value))
        defaults = {} if activity.is_nested else self._contexts.defaults
        # An empty shell falls back to the defaults, an empty working directory does not.
        return self._make_order(
            activity,
            scope,
            script=script or "",
            shell=shell or defaults.get("shell"),
            working_directory=defaults.get("working-directory") if folder is None else folder,
        )

    def _start_built_in(self, activity: Activity, uses: str) -> StartStep | Rejection:
        scope = self._contexts.refresh(activity.scope, activity.frame)
        inputs = _evaluate_given(activity, scope)
        if isinstance(inputs, PlanFault):
            return Rejection(describe_fault(inputs))
        return self._make_order(activity, scope, uses=uses, inputs=inputs)

    def _make_order(self, activity: Activity, scope: Scope, **keys: Any) -> StartStep | Rejection:
        """Return the order with `keys` that only steps of its kind have."""
        if activity.is_overdue:
            return Rejection(TIMED_OUT)
        variables: Any = scope.contexts["env"]
        return StartStep(
            key=activity.key,
            name=activity.name,
            step=activity.turn.step,
            variables=dict(variables),
            paths=self._contexts.paths,
            timeout_minutes=activity.minutes,
            contexts={name: value for name, value in scope.contexts.items() if name != "secrets"},
            problems=activity.problems,
            stage=activity.turn.stage,
            parent=activity.parent,
            background=activity.is_beside,
            **keys,
        )

    def _open_frame(
        self,
        activity: Activity,
        loaded: LoadedAction,
        runs: CompositeRuns,
        inputs: Mapping[str, str],
    ) -> Frame:
        turn = activity.turn
        around: Any = activity.frame.github or activity.scope.contexts["github"]
        frame = Frame(
            self._stages.open(activity, runs),
            owner=activity,
            action=loaded.action,
            visible=self._stages.steps_of(turn) if turn.stage == "post" else None,
            github={**around, "action_path": loaded.folder},
            inputs=inputs,
        )
        if turn.stage == "main":
            self._stages.keep_steps(turn, frame.ended)
        return frame

    def _warn(self, activity: Activity, loaded: LoadedAction, inputs: Inputs) -> tuple[str, ...]:
        """Return what is to be said of an action's stages and inputs; an image may be given any."""
        uses = _uses(activity)
        warnings = () if is_image(uses) else inputs.warnings
        if not (is_of_workspace(uses) and self._stages.library.has_pre(loaded.action)):
            return warnings
        lead = f"`pre` execution is not supported for local action from '{uses}'"
        return (lead, *warnings)


def _uses(activity: Activity) -> str:
    step = activity.turn.step
    return step.uses.value if isinstance(step, ActionStep) else ""


def _find_obstacle(activity: Activity, loaded: LoadedAction) -> str | None:
    if isinstance(loaded.action.runs, CompositeRuns) and activity.frame.depth >= MAX_DEPTH:
        return TOO_DEEP
    return find_obstacle(loaded.action, activity.turn.stage)


def _evaluate_container(
    activity: Activity, runs: Runs, inputs: Inputs, scope: Scope
) -> ContainerRun | PlanFault | None:
    if not isinstance(runs, DockerRuns):
        return None
    return evaluate_container(runs, activity.turn.stage, inputs.values, scope)


def _evaluate_given(activity: Activity, scope: Scope) -> dict[str, str] | PlanFault:
    step = activity.turn.step
    return evaluate_texts(step.inputs if isinstance(step, ActionStep) else None, scope)


def _evaluate_inputs(activity: Activity, loaded: LoadedAction, scope: Scope) -> Inputs | PlanFault:
    given = _evaluate_given(activity, scope)
    return given if isinstance(given, PlanFault) else complete_inputs(loaded.action, given, scope)


def _open(activity: Activity, inputs: Mapping[str, str], warnings: tuple[str, ...]) -> OpenStep:
    variables: Any = activity.scope.contexts["env"]
    return OpenStep(
        key=activity.key,
        name=activity.name,
        step=activity.turn.step,
        parent=activity.parent,
        problems=activity.problems,
        warnings=warnings,
        uses=_uses(activity),
        inputs=inputs,
        variables=dict(variables),
        stage=activity.turn.stage,
    )
