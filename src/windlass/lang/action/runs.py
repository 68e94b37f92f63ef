"""`runs:` of an action: a script for Node.js, a container, or steps.

Source: actions/runner, src/Runner.Worker/ActionManifestManager.cs (ConvertRuns).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.action.model import CompositeRuns, DockerRuns, NodeRuns
from windlass.lang.scalars import check_expression
from windlass.lang.schema.action import action_schema
from windlass.lang.schema.definitions import NOTHING
from windlass.lang.tokens import MappingToken, SequenceToken, StringToken
from windlass.lang.workflow.expectations import expect_mapping, expect_string
from windlass.lang.workflow.model import Condition
from windlass.lang.workflow.steps import convert_steps

if TYPE_CHECKING:
    from windlass.lang.action.model import Runs
    from windlass.lang.problems import Problems

NODE_VERSIONS = ("node12", "node16", "node20", "node24")
_SUPPORTED = "'composite', 'docker', 'node12', 'node16', 'node20' or 'node24'"


def convert_runs(problems: Problems, token: MappingToken) -> Runs | None:
    """Return how an action runs, or None where something needed is missing."""
    using = token.find("using")
    if using is None:
        message = f"Missing 'using' value. 'using' requires {_SUPPORTED}."
        problems.add("using-missing", message, token.span)
        return None
    kind = expect_string(using)
    match kind.value.lower():
        case "docker":
            return _convert_docker(problems, token)
        case "composite":
            return _convert_composite(problems, token)
        case version if version in NODE_VERSIONS:
            return _convert_node(problems, token, version)
    message = f"'using: {kind.value}' is not supported, use {_SUPPORTED} instead."
    problems.add("using-unsupported", message, kind.span)
    return None


def _convert_node(problems: Problems, token: MappingToken, version: str) -> NodeRuns | None:
    main = _text(token, "main")
    if main is None:
        message = (
            "You are using a JavaScript Action but there is not an entry JavaScript file provided."
        )
        problems.add("main-missing", message, token.span, "Write 'main: path/of/script.js'.")
        return None
    return NodeRuns(
        using=version,
        span=token.span,
        main=main,
        pre=_text(token, "pre"),
        pre_if=_condition(problems, token, "pre-if"),
        post=_text(token, "post"),
        post_if=_condition(problems, token, "post-if"),
    )


def _convert_docker(problems: Problems, token: MappingToken) -> DockerRuns | None:
    image = _text(token, "image")
    if image is None:
        message = "You are using a Container Action but an image is not provided."
        problems.add("image-missing", message, token.span, "Write 'image: Dockerfile'.")
        return None
    args = token.find("args")
    env = token.find("env")
    return DockerRuns(
        span=token.span,
        image=image,
        entrypoint=_text(token, "entrypoint"),
        args=args.items if isinstance(args, SequenceToken) else (),
        env=None if env is None else expect_mapping(env),
        pre_entrypoint=_text(token, "pre-entrypoint"),
        pre_if=_condition(problems, token, "pre-if"),
        post_entrypoint=_text(token, "post-entrypoint"),
        post_if=_condition(problems, token, "post-if"),
    )


def _convert_composite(problems: Problems, token: MappingToken) -> CompositeRuns | None:
    steps = token.find("steps")
    if steps is None:
        message = "You are using a composite action but there are no steps provided."
        problems.add("steps-missing", message, token.span, "Write 'steps:' with a list.")
        return None
    available = action_schema().place("step-if", NOTHING).available
    return CompositeRuns(span=token.span, steps=convert_steps(problems, steps, available))


def _text(token: MappingToken, key: str) -> StringToken | None:
    value = token.find(key)
    return value if isinstance(value, StringToken) else None


def _condition(problems: Problems, token: MappingToken, key: str) -> Condition:
    text = _text(token, key)
    if text is None:
        return Condition("always()")
    available = action_schema().place("runs-if", NOTHING).available
    message = check_expression(text.value, available)
    if message is not None:
        problems.add("condition", message, text.span)
    return Condition(text.value, text.value, text.span)
