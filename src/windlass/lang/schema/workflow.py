"""What may stand in a workflow file.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax and
GitHub's own schema, with which tests/unit/lang/schema/test_against_github.py compares this one.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from windlass.lang.schema.declare import choice, either, entries, items, key, keys, text
from windlass.lang.schema.definitions import BooleanDefinition, NumberDefinition
from windlass.lang.schema.events import event_definitions
from windlass.lang.schema.jobs import job_definitions
from windlass.lang.schema.schema import Schema, available, built_in_definitions

if TYPE_CHECKING:
    from windlass.lang.schema.definitions import Definition

ROOT = "workflow-root-strict"
"""The definition of a whole workflow file."""

_RUN = ("github", "inputs", "vars")
_NEEDS = (*_RUN, "needs")
_STRATEGY = (*_NEEDS, "strategy", "matrix")
_RUNNER = (*_STRATEGY, "secrets", "steps", "job", "runner", "env")
_STEPS = (*_RUNNER, "hashFiles(1,255)")

_SCOPES = {
    "actions": "any",
    "artifact-metadata": "any",
    "attestations": "any",
    "checks": "any",
    "code-quality": "any",
    "contents": "any",
    "copilot-requests": "write-or-no-access",
    "deployments": "any",
    "discussions": "any",
    "drives": "any",
    "id-token": "write-or-no-access",
    "issues": "any",
    "models": "read-or-no-access",
    "packages": "any",
    "pages": "any",
    "pull-requests": "any",
    "repository-projects": "any",
    "security-events": "any",
    "statuses": "any",
    "vulnerability-alerts": "read-or-no-access",
}


@cache
def workflow_schema() -> Schema:
    """Return the schema of workflow files; made on first use."""
    return Schema(
        {
            **built_in_definitions(),
            **_root(),
            **event_definitions(),
            **_schedule(),
            **_workflow_call(),
            **_workflow_dispatch(),
            **_permissions(),
            **job_definitions(),
            **_shared(),
        }
    )


def _root() -> dict[str, Definition]:
    return {
        ROOT: keys(
            {
                "on": key("on-strict", "The events that start the workflow.", required=True),
                "name": key("workflow-name", "The name that is shown."),
                "description": key("workflow-description", "What the workflow is for."),
                "run-name": key("run-name", "The name of each run."),
                "defaults": key("workflow-defaults", "Settings for all `run` steps."),
                "env": key("workflow-env", "Variables for all steps of all jobs."),
                "permissions": key("permissions", "What the job's token may do."),
                "concurrency": key("workflow-concurrency", "Which runs may not overlap."),
                "jobs": key("jobs", "The jobs of the workflow.", required=True),
            }
        ),
        "workflow-name": text(),
        "workflow-description": text(),
        "run-name": text(available=available(*_RUN)),
        "workflow-defaults": keys({"run": key("workflow-defaults-run", "For `run` steps.")}),
        "workflow-defaults-run": keys(
            {
                "shell": key("shell", "The shell that runs the script."),
                "working-directory": key("working-directory", "Where the script runs."),
            }
        ),
        "workflow-env": entries(
            "non-empty-string", "string", available=available(*_RUN, "secrets")
        ),
        "workflow-concurrency": either("string", "concurrency-mapping", available=available(*_RUN)),
    }


def _schedule() -> dict[str, Definition]:
    return {
        "schedule": items("cron-mapping"),
        "cron-mapping": keys(
            {
                "cron": key("cron-pattern", "Minute, hour, day, month, weekday.", required=True),
                "timezone": key("timezone-string", "The IANA time zone; UTC without it."),
            }
        ),
        "cron-pattern": text(non_empty=True),
        "timezone-string": text(non_empty=True),
    }


def _workflow_call() -> dict[str, Definition]:
    return {
        "workflow-call": either("null", "workflow-call-mapping"),
        "workflow-call-mapping": keys(
            {
                "inputs": key("workflow-call-inputs", "What a caller may pass."),
                "secrets": key("workflow-call-secrets", "The secrets a caller may pass."),
                "outputs": key("workflow-call-outputs", "What a caller gets back."),
            }
        ),
        "workflow-call-inputs": entries("non-empty-string", "workflow-call-input-definition"),
        "workflow-call-input-definition": keys(
            {
                "description": key("string", "What the input is for."),
                "type": key("workflow-call-input-type", "The type of its value.", required=True),
                "required": key("boolean", "Whether a caller must pass it."),
                "default": key("workflow-call-input-default", "Its value when it is not passed."),
            }
        ),
        "workflow-call-input-type": either(
            "input-type-string", "input-type-boolean", "input-type-number"
        ),
        "workflow-call-input-default": either(
            "string", "boolean", "number", available=available(*_RUN)
        ),
        "workflow-call-secrets": entries(
            "workflow-call-secret-name", "workflow-call-secret-definition"
        ),
        "workflow-call-secret-name": text(non_empty=True),
        "workflow-call-secret-definition": either(
            "null", "workflow-call-secret-mapping-definition"
        ),
        "workflow-call-secret-mapping-definition": keys(
            {
                "description": key("string", "What the secret is for."),
                "required": key("boolean", "Whether a caller must pass it."),
            }
        ),
        "workflow-call-outputs": entries(
            "workflow-call-output-name", "workflow-call-output-definition"
        ),
        "workflow-call-output-name": text(non_empty=True),
        "workflow-call-output-definition": keys(
            {
                "description": key("string", "What the output is."),
                "value": key("workflow-output-context", "Where it comes from.", required=True),
            }
        ),
        "workflow-output-context": text(available=available(*_RUN, "jobs")),
    }


def _workflow_dispatch() -> dict[str, Definition]:
    types = ("string", "boolean", "number", "environment", "choice")
    return {
        "workflow-dispatch": either("null", "workflow-dispatch-mapping"),
        "workflow-dispatch-mapping": keys(
            {"inputs": key("workflow-dispatch-inputs", "What a person may choose at the start.")}
        ),
        "workflow-dispatch-inputs": entries(
            "workflow-dispatch-input-name", "workflow-dispatch-input"
        ),
        "workflow-dispatch-input-name": text(non_empty=True),
        "workflow-dispatch-input": keys(
            {
                "description": key("string", "What the input is for."),
                "type": key("workflow-dispatch-input-type", "The type of its value."),
                "required": key("boolean", "Whether it must be given."),
                "default": key("workflow-dispatch-input-default", "Its value when not given."),
                "options": key("sequence-of-string", "What may be chosen, for `type: choice`."),
            }
        ),
        "workflow-dispatch-input-type": either(*(f"input-type-{name}" for name in types)),
        **{f"input-type-{name}": text(constant=name) for name in types},
        "workflow-dispatch-input-default": either("string", "boolean", "number"),
    }


def _permissions() -> dict[str, Definition]:
    levels = {"read": "read", "write": "write", "no-access": "none"}
    return {
        "permissions": either(
            "permissions-mapping",
            "permission-level-shorthand-read-all",
            "permission-level-shorthand-write-all",
        ),
        "permissions-mapping": keys(
            {scope: key(f"permission-level-{level}") for scope, level in _SCOPES.items()}
        ),
        "permission-level-any": either(*(f"permission-level-{name}" for name in levels)),
        "permission-level-read-or-no-access": either(
            "permission-level-read", "permission-level-no-access"
        ),
        "permission-level-write-or-no-access": either(
            "permission-level-write", "permission-level-no-access"
        ),
        **{f"permission-level-{name}": text(constant=level) for name, level in levels.items()},
        "permission-level-shorthand-read-all": text(constant="read-all"),
        "permission-level-shorthand-write-all": text(constant="write-all"),
    }


def _shared() -> dict[str, Definition]:
    scalar = ("string", "boolean", "number")
    return {
        "non-empty-string": text(non_empty=True),
        "sequence-of-non-empty-string": items("non-empty-string"),
        "sequence-of-string": items("string"),
        "shell": text(non_empty=True),
        "working-directory": text(non_empty=True),
        "concurrency-mapping": keys(
            {
                "group": key("non-empty-string", "Runs of one group wait.", required=True),
                "cancel-in-progress": key("boolean", "Cancel the run that is in progress."),
                "queue": key("concurrency-queue", "How many runs may wait."),
            }
        ),
        **choice("concurrency-queue", "single", "max"),
        "scalar-needs-context": either(*scalar, available=available(*_STRATEGY)),
        "scalar-needs-context-with-secrets": either(
            *scalar, available=available(*_STRATEGY, "secrets")
        ),
        "boolean-strategy-context": BooleanDefinition(available=available(*_STRATEGY)),
        "number-strategy-context": NumberDefinition(available=available(*_STRATEGY)),
        "string-strategy-context": text(available=available(*_STRATEGY)),
        "boolean-needs-context": BooleanDefinition(available=available(*_NEEDS)),
        "number-needs-context": NumberDefinition(available=available(*_NEEDS)),
        "string-needs-context": text(available=available(*_NEEDS)),
        "string-runner-context": text(available=available(*_RUNNER)),
        "string-runner-context-no-secrets": text(
            available=available(*(name for name in _RUNNER if name != "secrets"))
        ),
        "string-steps-context": text(available=available(*_STEPS)),
    }
