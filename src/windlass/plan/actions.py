"""Actions within a job: what their inputs become, which stages they have, which cannot run.

Source: actions/runner src/Runner.Worker/ActionRunner.cs, ActionManager.cs, ActionManifestManager.cs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from windlass.lang.action.model import CompositeRuns, DockerRuns, NodeRuns
from windlass.lang.casing import fold
from windlass.lang.tokens import ExpressionToken
from windlass.lang.workflow.model import ActionStep, Condition
from windlass.model.values import dataclass
from windlass.plan.faults import PlanFault
from windlass.plan.handover import LOCAL_TOKEN
from windlass.plan.keys import Scope, evaluate_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.action.model import Action
    from windlass.lang.tokens import Token
    from windlass.plan.steps import LoadedAction, Stage

MAX_DEPTH: Final = 9
"""How many levels of composite actions may lie in one another.

Source: actions/runner src/Runner.Common/Constants.cs (CompositeActionsMaxDepth)
"""

TOO_DEEP: Final = f"Composite action depth exceeded max depth {MAX_DEPTH}"
NO_TOKEN: Final = (
    "The input '{}' of the action is `github.token` where a step does not give it, and this run "
    "has no token: give one with --secret GITHUB_TOKEN, or that of `gh` with --github-token"
)
TOKEN: Final = "github.token"
ALWAYS: Final = Condition("always()")
_CONTAINER_INPUTS: Final = ("entryPoint", "args")
"""What every action in a container may be given."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an action is given, and what is to be said about it."""

    values: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def is_of_workspace(uses: str) -> bool:
    """Tell whether `uses` names a folder of the workspace, which exists only as the job runs."""
    return uses.startswith(("./", ".\\"))


def is_read_late(uses: str) -> bool:
    """Tell whether an action that was not there when the job opened is read when its turn comes.

    That is so for the workspace, and for actions of the repository that such actions use.
    """
    return is_of_workspace(uses) or uses.startswith("$/")


def complete_inputs(action: Action, given: Mapping[str, str], scope: Scope) -> Inputs | PlanFault:
    """Return the inputs a step gives with the action's defaults, or the default at fault.

    An input that is required and missing is nothing to the runner: it is empty.
    """
    defined = {fold(name): definition for name, definition in action.inputs.items()}
    warnings = [
        f"Input '{name}' has been deprecated with message: {message}"
        for name in given
        if fold(name) in defined and (message := defined[fold(name)].deprecation_message)
    ]
    known = {fold(name) for name in given}
    values = dict(given)
    frugal = _without_local_token(scope)
    free = _CONTAINER_INPUTS if action.is_docker else ()
    for folded, definition in defined.items():
        if folded not in known:
            needs_token = _is_token(definition.default)
            default = evaluate_text(definition.default, scope if needs_token else frugal)
            if isinstance(default, PlanFault):
                return default
            if not default and needs_token:
                return PlanFault(NO_TOKEN.format(definition.name), definition.span)
            values[definition.name] = default or ""
    valid = {**dict.fromkeys(map(fold, free)), **defined}
    unexpected = [name for name in given if fold(name) not in valid]
    if unexpected:
        found, valid_names = "', '".join(unexpected), "', '".join((*free, *action.inputs))
        warnings.append(f"Unexpected input(s) '{found}', valid inputs are ['{valid_names}']")
    return Inputs(values, tuple(warnings))


def _is_token(default: Token | None) -> bool:
    """Tell whether a default is the job's token and nothing else."""
    return isinstance(default, ExpressionToken) and default.expression.strip().lower() == TOKEN


def _without_local_token(scope: Scope) -> Scope:
    """Return a scope without the token that is good for Windlass's own answers alone.

    A default such as `github.server_url == 'https://github.com' && github.token || ''` is of an
    action that can do without: it asks GitHub itself, which takes no token that it does not know.
    """
    github = scope.contexts.get("github")
    token = github.get("token") if isinstance(github, Mapping) else None
    if not isinstance(github, Mapping) or not str(token).startswith(LOCAL_TOKEN):
        return scope
    return Scope({**scope.contexts, "github": {**github, "token": ""}}, scope.functions)


class Library:
    """The actions that were there before they were needed, by what `uses` says."""

    def __init__(self, actions: Mapping[str, LoadedAction]) -> None:
        self._actions = dict(actions)

    def add(self, actions: Mapping[str, LoadedAction]) -> None:
        """Take in what an action of the workspace needs, which was not known before its turn."""
        self._actions.update(actions)

    def find(self, uses: str) -> LoadedAction | None:
        """Return an action, or None for one that is not here before its turn comes."""
        return self._actions.get(uses)

    def has_pre(self, action: Action) -> bool:
        """Tell whether an action, or one within it, has something to do at the start of the job."""
        return any(has_stage(runs, "pre") for runs in self._reach(action))

    def has_post(self, action: Action) -> bool:
        """Tell whether it has at the end; of actions that are read late it is assumed.

        Within a composite action the runner does the same for those of the workspace.
        """
        return any(runs is None or has_stage(runs, "post") for runs in self._reach(action))

    def _reach(self, action: Action) -> Iterator[object]:
        """Yield the `runs` of an action and of those in it, None for those not read yet."""
        seen: set[str] = set()
        due = [action]
        while due:
            runs = due.pop().runs
            yield runs
            for uses in _nested(runs):
                loaded = self._actions.get(uses)
                if loaded is not None and uses not in seen:
                    due.append(loaded.action)
                elif is_read_late(uses):
                    yield None
                seen.add(uses)


def _nested(runs: object) -> Iterator[str]:
    if isinstance(runs, CompositeRuns):
        for step in runs.steps:
            if isinstance(step, ActionStep):
                yield step.uses.value


def condition_of(action: Action, stage: Stage) -> Condition:
    """Return the condition of an action's pre or post stage."""
    runs = action.runs
    if isinstance(runs, CompositeRuns):
        return ALWAYS
    return runs.pre_if if stage == "pre" else runs.post_if


def find_obstacle(action: Action, stage: Stage) -> str | None:
    """Return why an action, or this stage of it, cannot run; None where it can."""
    is_over = stage == "post" and not isinstance(action.runs, CompositeRuns)
    if is_over and not has_stage(action.runs, "post"):
        return f"The action {action.path} no longer has a script for its post stage."
    return None


def has_stage(runs: object, stage: Stage) -> bool:
    """Tell whether an action that is not made of steps has its own pre or post stage."""
    if isinstance(runs, NodeRuns):
        return (runs.pre if stage == "pre" else runs.post) is not None
    if isinstance(runs, DockerRuns):
        token = runs.pre_entrypoint if stage == "pre" else runs.post_entrypoint
        return token is not None and bool(token.value)
    return False


def evaluate_outputs(action: Action, scope: Scope) -> dict[str, str] | PlanFault:
    """Return the outputs of a composite action, or the one at fault: then there are none."""
    outputs = {}
    for name, output in action.outputs.items():
        if output.value is not None:
            text = evaluate_text(output.value, scope)
            if isinstance(text, PlanFault):
                return text
            outputs[name] = text or ""
    return outputs
