"""Actions that run in a container: what one is run with, and images that are steps themselves.

Source: actions/runner src/Runner.Worker/Handlers/ContainerActionHandler.cs, ActionRunner.cs,
ActionManifestManager.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.lang.action.model import Action, DockerRuns
from windlass.lang.casing import fold
from windlass.lang.command_lines import split_arguments
from windlass.model.values import dataclass, field
from windlass.plan.actions import ALWAYS
from windlass.plan.faults import PlanFault
from windlass.plan.keys import Scope, evaluate_text, evaluate_texts
from windlass.plan.steps import LoadedAction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.tokens import StringToken
    from windlass.plan.steps import Stage

IMAGE_PREFIX: Final = "docker://"
ENTRYPOINT_INPUT: Final = "entryPoint"
ARGUMENTS_INPUT: Final = "args"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRun:
    """What one stage of an action in a container is run with.

    `image` is what the action says: `docker://IMAGE`, or the path of a Dockerfile in its folder.
    Without `entrypoint` or `arguments` those of the image count. `variables` are the action's own;
    those of the step are stronger.
    """

    image: str
    entrypoint: str = ""
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def is_image(uses: str) -> bool:
    """Tell whether `uses` names an image."""
    return uses.lower().startswith(IMAGE_PREFIX)


def is_dockerfile(image: str) -> bool:
    """Tell whether the `image` of an action is the path of a Dockerfile.

    Source: src/Runner.Worker/Container/DockerUtil.cs (IsDockerfile)
    """
    name = image.rpartition("/")[2].lower()
    return not is_image(image) and (name.startswith("dockerfile.") or name.endswith("dockerfile"))


def image_as_action(uses: StringToken) -> LoadedAction:
    """Return the action that a step with `uses: docker://IMAGE` stands for."""
    return LoadedAction(action=_bare_action(uses), folder="")


def dockerfile_as_action(
    dockerfile: StringToken, folder: str, *, repository: str = "", ref: str = ""
) -> LoadedAction:
    """Return the action that a folder with nothing but a Dockerfile stands for."""
    action = _bare_action(dockerfile)
    return LoadedAction(action=action, folder=folder, repository=repository, ref=ref)


def _bare_action(image: StringToken) -> Action:
    runs = DockerRuns(span=image.span, image=image, pre_if=ALWAYS, post_if=ALWAYS)
    return Action(path=image.span.path, span=image.span, runs=runs)


def evaluate_container(
    runs: DockerRuns, stage: Stage, inputs: Mapping[str, str], scope: Scope
) -> ContainerRun | PlanFault:
    """Return what a stage is run with, or the key at fault."""
    own = Scope({"inputs": inputs}, scope.functions)
    arguments: list[str] = []
    for token in runs.args:
        text = evaluate_text(token, own)
        if isinstance(text, PlanFault):
            return text
        arguments.append(text or "")
    variables = evaluate_texts(runs.env, own)
    if isinstance(variables, PlanFault):
        return variables
    if not runs.args:
        arguments = split_arguments(_find_input(inputs, ARGUMENTS_INPUT))
    return ContainerRun(
        image=runs.image.value,
        entrypoint=_choose_entrypoint(runs, stage, inputs),
        arguments=tuple(arguments),
        variables=variables,
    )


def _choose_entrypoint(runs: DockerRuns, stage: Stage, inputs: Mapping[str, str]) -> str:
    written = {"pre": runs.pre_entrypoint, "main": runs.entrypoint, "post": runs.post_entrypoint}
    token = written[stage]
    if token is not None and token.value:
        return token.value
    return _find_input(inputs, ENTRYPOINT_INPUT) if stage == "main" else ""


def _find_input(inputs: Mapping[str, str], name: str) -> str:
    wanted = fold(name)
    return next((value for known, value in inputs.items() if fold(known) == wanted), "")
