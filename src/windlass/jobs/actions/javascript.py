"""A stage of an action in JavaScript → the Node.js process that runs it.

Source: actions/runner src/Runner.Worker/Handlers/NodeScriptActionHandler.cs, Handler.cs,
HandlerFactory.cs, ActionRunner.cs
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.jobs.actions.node import find_node
from windlass.jobs.command import Command, StepError
from windlass.jobs.details import describe_action
from windlass.jobs.environment import step_variables
from windlass.lang.action.model import NodeRuns
from windlass.lang.workflow.model import ActionStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.jobs.place import StepPlace
    from windlass.jobs.reports import StepReporter
    from windlass.lang.expressions import Value
    from windlass.plan.steps import LoadedAction, StartStep

FORCE_NODE_24: Final = "FORCE_JAVASCRIPT_ACTIONS_TO_NODE24"
ALLOW_NODE_20: Final = "ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION"
CONFLICT: Final = (
    f"Both {FORCE_NODE_24} and {ALLOW_NODE_20} environment variables are set to true in the "
    "workflow environment. This is likely a configuration error. Using the default Node version: "
    "node20."
)
OUTDATED: Final = frozenset({"node12", "node16"})
UNWANTED_VARIABLES: Final = ("NODE_ICU_DATA",)
"""What would break Node.js (https://github.com/actions/runner/issues/795)."""


def prepare_stage(
    order: StartStep,
    action: LoadedAction,
    contexts: Mapping[str, Value],
    place: StepPlace,
    reporter: StepReporter,
) -> Command:
    """Return the command that runs a stage of an action, as the log is told.

    Raises:
        StepError: its script or Node.js is not there.
    """
    runs, uses = action.action.runs, name_action(order)
    if not isinstance(runs, NodeRuns):
        raise StepError(f"The action '{uses}' is not one in JavaScript.")
    state = {f"STATE_{name}": value for name, value in order.state.items()}
    own = {**order.variables, **state}
    reporter.note(describe_action(uses, order.inputs, own, is_post=order.stage == "post"))
    script = _find_script(runs, order, action, place)
    node = find_node(_choose_version(runs.using, order.variables, reporter), place)
    if node.remark and node.remark not in place.said:
        place.said.add(node.remark)
        reporter.log.write_line(node.remark)
    variables = step_variables(
        place.base, {**own, **input_variables(order.inputs)}, order.paths, contexts
    )
    if place.services is not None:
        place.services.add_to_action(variables)
    for name in UNWANTED_VARIABLES:
        variables.pop(name, None)
    return Command([node.program, script], variables, str(place.inside.workspace))


def name_action(order: StartStep) -> str:
    """Return what a step's `uses` says."""
    return order.step.uses.value if isinstance(order.step, ActionStep) else ""


def input_variables(inputs: Mapping[str, str]) -> dict[str, str]:
    """Return the INPUT_ variables, by which an action reads its inputs."""
    return {f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in inputs.items()}


def _find_script(runs: NodeRuns, order: StartStep, action: LoadedAction, place: StepPlace) -> str:
    """Return the full path of a stage's script."""
    if not place.session.see(Path(action.folder)).is_dir():
        raise StepError(f"Directory not found: '{action.folder}'")
    token = {"pre": runs.pre, "main": runs.main, "post": runs.post}[order.stage]
    if token is None:
        raise StepError(f"The action has no script for its {order.stage} stage.")
    script = os.path.join(action.folder, token.value)  # noqa: PTH118 - as the runner joins them
    if not place.session.see(Path(script)).is_file():
        raise StepError(f"File not found: '{script}'")
    return script


def _choose_version(using: str, variables: Mapping[str, str], reporter: StepReporter) -> int:
    """Return which Node.js an action gets; a workflow may ask for 24 in the place of 20."""
    if using in OUTDATED:
        using = "node20"
    if using == "node20":
        force, keep = (_is_true(variables.get(it)) for it in (FORCE_NODE_24, ALLOW_NODE_20))
        if force and keep:
            reporter.annotate("warning", CONFLICT)
        elif force:
            using = "node24"
    return int(using.removeprefix("node"))


def _is_true(value: str | None) -> bool:
    """Read a boolean variable as the runner does.

    Source: src/Runner.Sdk/Util/StringUtil.cs, `ConvertToBoolean`
    """
    return (value or "").lower() in ("1", "true", "$true")
