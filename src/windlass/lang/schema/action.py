"""What may stand in an action's `action.yml`, as the runner reads it.

The runner lets unknown keys at the top and in inputs pass; so does this schema.
Source: actions/runner, src/Runner.Worker/action_yaml.json, and
https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from windlass.lang.schema.declare import either, entries, items, key, keys, text
from windlass.lang.schema.definitions import BooleanDefinition, MappingDefinition
from windlass.lang.schema.schema import Schema, available, built_in_definitions

if TYPE_CHECKING:
    from windlass.lang.schema.definitions import Definition, Property

ROOT = "action-root"
"""The definition of a whole action file."""

_STEP = ("github", "inputs", "strategy", "matrix", "steps", "job", "runner", "env")
_STATUS = ("always(0,0)", "failure(0,0)", "cancelled(0,0)", "success(0,0)")


@cache
def action_schema() -> Schema:
    """Return the schema of action files; made on first use."""
    return Schema(
        {
            **built_in_definitions(),
            **_root(),
            **_runs(),
            **_steps(),
            "non-empty-string": text(non_empty=True),
        }
    )


def _root() -> dict[str, Definition]:
    return {
        ROOT: _open(
            {
                "name": key("string", "The name that is shown."),
                "description": key("string", "What the action does."),
                "inputs": key("inputs", "What a step may pass in `with`."),
                "outputs": key("outputs", "What later steps may use."),
                "runs": key("runs", "How the action runs."),
            }
        ),
        "inputs": entries("non-empty-string", "input"),
        "input": _open({"default": key("input-default-context", "Its value if not passed.")}),
        "input-default-context": text(
            available=available("github", "strategy", "matrix", "job", "runner", "hashFiles(1,255)")
        ),
        "outputs": entries("non-empty-string", "output-definition"),
        "output-definition": keys(
            {
                "description": key("string", "What the output is."),
                "value": key("output-value", "Where a composite action takes it from."),
            }
        ),
        "output-value": text(available=available(*_STEP)),
    }


def _open(properties: dict[str, Property]) -> MappingDefinition:
    return MappingDefinition(properties=properties, loose_key="non-empty-string", loose_value="any")


def _runs() -> dict[str, Definition]:
    using = key("non-empty-string", "The kind of action.")
    condition = {
        "pre-if": key("non-empty-string", "When the first part runs."),
        "post-if": key("non-empty-string", "When the last part runs."),
    }
    return {
        "runs": either("container-runs", "node-runs", "composite-runs", "plugin-runs"),
        "runs-if": text(
            available=available(
                *("runner", "github", "job", "strategy", "matrix", "env", "inputs"),
                *("always(0,0)", "success(0,0)", "failure(0,0)", "cancelled(0,0)"),
                "hashFiles(1,255)",
            )
        ),
        "container-runs": keys(
            {
                "using": using,
                "image": key("non-empty-string", "A Dockerfile or docker://image."),
                "entrypoint": key("non-empty-string", "Replaces the image's entry point."),
                "args": key("container-runs-args", "The arguments of the entry point."),
                "env": key("container-runs-env", "Variables in the container."),
                "pre-entrypoint": key("non-empty-string", "Runs at the start of the job."),
                "post-entrypoint": key("non-empty-string", "Runs at the end of the job."),
                **condition,
            }
        ),
        "container-runs-args": items("container-runs-context"),
        "container-runs-env": entries("non-empty-string", "string", available=available("inputs")),
        "container-runs-context": text(available=available("inputs")),
        "node-runs": keys(
            {
                "using": using,
                "main": key("non-empty-string", "The script of the step."),
                "pre": key("non-empty-string", "A script for the start of the job."),
                "post": key("non-empty-string", "A script for the end of the job."),
                **condition,
            }
        ),
        "composite-runs": keys(
            {"using": using, "steps": key("composite-steps", "What the action does.")}
        ),
        "plugin-runs": keys({"plugin": key("non-empty-string", "A part of the runner itself.")}),
    }


def _steps() -> dict[str, Definition]:
    place = available(*_STEP, "hashFiles(1,255)")
    common = {
        "name": key("string-steps-context", "The name that is shown."),
        "id": key("non-empty-string", "How other steps refer to it."),
        "if": key("step-if", "The step runs only if this holds."),
        "env": key("step-env", "Variables for the step."),
        "continue-on-error": key("boolean-steps-context", "A failure does not count."),
    }
    return {
        "composite-steps": items("composite-step"),
        "composite-step": either("run-step", "uses-step"),
        "run-step": keys(
            {
                **common,
                "run": key("string-steps-context", "The script to run.", required=True),
                "shell": key("string-steps-context", "What runs the script.", required=True),
                "working-directory": key("string-steps-context", "Where the script runs."),
            }
        ),
        "uses-step": keys(
            {
                **common,
                "uses": key("non-empty-string", "The action to run.", required=True),
                "with": key("step-with", "The inputs of the action."),
            }
        ),
        "string-steps-context": text(available=place),
        "boolean-steps-context": BooleanDefinition(available=place),
        "step-env": entries("non-empty-string", "string", available=place),
        "step-with": entries("non-empty-string", "string", available=place),
        "step-if": text(available=available(*_STEP, *_STATUS, "hashFiles(1,255)")),
    }
