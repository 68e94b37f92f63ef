"""What may stand in a job and in its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.schema.declare import either, entries, items, key, keys, text
from windlass.lang.schema.definitions import (
    BooleanDefinition,
    MappingDefinition,
    NumberDefinition,
)
from windlass.lang.schema.schema import available

if TYPE_CHECKING:
    from windlass.lang.schema.definitions import Definition, Property

_NEEDS = ("github", "inputs", "vars", "needs")
_STRATEGY = (*_NEEDS, "strategy", "matrix")
_RUNNER = (*_STRATEGY, "steps", "job", "runner", "env")
_STEPS = (*_RUNNER, "secrets", "hashFiles(1,255)")
_JOB_STATUS = ("always(0,0)", "failure(0,MAX)", "cancelled(0,0)", "success(0,MAX)")
_STEP_STATUS = ("always(0,0)", "failure(0,0)", "cancelled(0,0)", "success(0,0)")


def job_definitions() -> dict[str, Definition]:
    """Return the definitions below `jobs`."""
    return {
        "jobs": entries("job-id", "job"),
        "job-id": text(non_empty=True),
        "job": either("job-factory", "workflow-job"),
        **_jobs(),
        **_job_parts(),
        **_strategy(),
        **_containers(),
        **_steps(),
        **_step_parts(),
    }


def _common() -> dict[str, Property]:
    return {
        "name": key("string-strategy-context", "The name that is shown."),
        "needs": key("needs", "The jobs that must end first."),
        "if": key("job-if", "The job runs only if this holds."),
        "permissions": key("permissions", "What the job's token may do."),
        "concurrency": key("job-concurrency", "Which jobs may not overlap."),
        "strategy": key("strategy", "One job for each combination of values."),
    }


def _jobs() -> dict[str, Definition]:
    return {
        "job-factory": keys(
            {
                **_common(),
                "runs-on": key("runs-on", "The runner that takes the job.", required=True),
                "timeout-minutes": key("number-strategy-context", "The most it may take."),
                "cancel-timeout-minutes": key("number-strategy-context", "Time left to cancel."),
                "continue-on-error": key("boolean-strategy-context", "A failure does not count."),
                "container": key("container", "The container that the steps run in."),
                "services": key("services", "Containers that run beside the job."),
                "env": key("job-env", "Variables for all steps."),
                "environment": key("job-environment", "The target that the job deploys to."),
                "outputs": key("job-outputs", "What later jobs may use."),
                "defaults": key("job-defaults", "Settings for all `run` steps."),
                "steps": key("steps", "What the job does."),
                "snapshot": key("snapshot", "Save the runner's image at the end."),
            }
        ),
        "workflow-job": keys(
            {
                **_common(),
                "uses": key("non-empty-string", "The workflow that is called.", required=True),
                "with": key("workflow-job-with", "The inputs that are passed."),
                "secrets": key("workflow-job-secrets", "The secrets that are passed."),
            }
        ),
        "workflow-job-with": entries("non-empty-string", "scalar-needs-context"),
        "workflow-job-secrets": either(
            "workflow-job-secrets-mapping", "workflow-job-secrets-inherit"
        ),
        "workflow-job-secrets-mapping": entries(
            "non-empty-string", "scalar-needs-context-with-secrets"
        ),
        "workflow-job-secrets-inherit": text(constant="inherit"),
    }


def _job_parts() -> dict[str, Definition]:
    strategy = available(*_STRATEGY)
    labels = ("non-empty-string", "sequence-of-non-empty-string")
    return {
        "needs": either("sequence-of-non-empty-string", "non-empty-string"),
        "job-if": text(available=available(*_NEEDS, *_JOB_STATUS)),
        "runs-on": either(*labels, "runs-on-mapping", available=strategy),
        "runs-on-mapping": keys(
            {
                "group": key("non-empty-string", "A group of runners."),
                "labels": key("runs-on-labels", "Labels that the runner must have."),
            }
        ),
        "runs-on-labels": either(*labels),
        "job-env": entries(
            "non-empty-string", "string", available=available(*_STRATEGY, "secrets")
        ),
        "job-concurrency": either("non-empty-string", "concurrency-mapping", available=strategy),
        "job-environment": either("string", "job-environment-mapping", available=strategy),
        "job-environment-mapping": keys(
            {
                "name": key("job-environment-name", "The environment.", required=True),
                "url": key("string-runner-context-no-secrets", "Where it can be seen."),
                "deployment": key("boolean", "`false` uses it without a deployment."),
            }
        ),
        "job-environment-name": text(available=strategy),
        "job-defaults": keys({"run": key("job-defaults-run", "For `run` steps.")}),
        "job-defaults-run": keys(
            {
                "shell": key("shell", "The shell that runs the script."),
                "working-directory": key("working-directory", "Where the script runs."),
            },
            available=available(*_STRATEGY, "env"),
        ),
        "job-outputs": entries("non-empty-string", "string-runner-context"),
        "snapshot": either("non-empty-string", "snapshot-mapping"),
        "snapshot-mapping": keys(
            {
                "image-name": key("non-empty-string", "The image's name.", required=True),
                "if": key("snapshot-if", "Saved only if this holds."),
                "version": key("non-empty-string", "The image's version."),
            }
        ),
        "snapshot-if": text(available=strategy),
    }


def _strategy() -> dict[str, Definition]:
    return {
        "strategy": keys(
            {
                "fail-fast": key("boolean", "Cancel the other jobs when one fails."),
                "max-parallel": key("number", "How many run at once."),
                "matrix": key("matrix", "The values to combine."),
            },
            available=available(*_NEEDS),
        ),
        "matrix": MappingDefinition(
            properties={
                "include": key("matrix-filter", "Combinations to add or to extend."),
                "exclude": key("matrix-filter", "Combinations to leave out."),
            },
            loose_key="non-empty-string",
            loose_value="sequence",
        ),
        "matrix-filter": items("matrix-filter-item"),
        "matrix-filter-item": entries("non-empty-string", "any"),
    }


def _containers() -> dict[str, Definition]:
    strategy = available(*_STRATEGY)
    common = {
        "image": key("non-empty-string", "The image."),
        "options": key("string", "More options of `docker create`."),
        "env": key("container-env", "Variables in the container."),
        "ports": key("sequence-of-non-empty-string", "Ports to publish."),
        "volumes": key("sequence-of-non-empty-string", "Volumes to mount."),
        "credentials": key("container-registry-credentials", "How to log in to the registry."),
    }
    service = {
        **common,
        "entrypoint": key("string", "Replaces the image's entry point."),
        "command": key("string", "Replaces the image's command."),
    }
    return {
        "container": either("string", "container-mapping", available=strategy),
        "container-mapping": keys(common),
        "services": entries("non-empty-string", "services-container", available=strategy),
        "services-container": either(
            "non-empty-string", "service-container-mapping", available=strategy
        ),
        "service-container-mapping": keys(service),
        "container-registry-credentials": keys(
            {
                "username": key("non-empty-string", "The user."),
                "password": key("non-empty-string", "The password or token."),
            },
            available=available("github", "inputs", "vars", "secrets", "env"),
        ),
        "container-env": entries("non-empty-string", "string-runner-context"),
    }


def _steps() -> dict[str, Definition]:
    run = {
        "run": key("string-steps-context", "The script to run.", required=True),
        "working-directory": key("string-steps-context", "Where the script runs."),
        "shell": key("shell", "The shell that runs the script."),
    }
    uses = {
        "uses": key("step-uses", "The action to run.", required=True),
        "with": key("step-with", "The inputs of the action."),
    }
    named: dict[str, Property] = {
        "name": key("step-name", "The name that is shown."),
        "id": key("step-id", "How other steps refer to it."),
        "continue-on-error": key("step-continue-on-error", "A failure does not count."),
    }
    executed: dict[str, Property] = {
        **named,
        "if": key("step-if", "The step runs only if this holds."),
        "timeout-minutes": key("step-timeout-minutes", "The most it may take."),
        "env": key("step-env", "Variables for the step."),
        "background": key("step-background", "The next step does not wait for it."),
    }
    wait = key("step-wait-target", "The steps to wait for.", required=True)
    wait_all = key("step-wait-all-value", "Wait for all background steps.", required=True)
    cancel = key("step-cancel-target", "The step to end.", required=True)
    parallel = key("parallel-steps", "Steps to run side by side.", required=True)
    return {
        "steps": items("steps-item"),
        "steps-item": either(
            "run-step", "regular-step", "wait-step", "wait-all-step", "cancel-step", "parallel-step"
        ),
        "run-step": keys({**executed, **run}),
        "regular-step": keys({**executed, **uses}),
        "wait-step": keys({**named, "wait": wait}),
        "wait-all-step": keys({**named, "wait-all": wait_all}),
        "cancel-step": keys({**named, "cancel": cancel}),
        "parallel-step": keys({"parallel": parallel}),
        "parallel-steps": items("steps-item"),
    }


def _step_parts() -> dict[str, Definition]:
    steps = available(*_STEPS)
    condition = available(*_RUNNER, *_STEP_STATUS, "hashFiles(1,255)")
    return {
        "step-uses": text(non_empty=True),
        "step-id": text(non_empty=True),
        "step-background": BooleanDefinition(),
        "step-wait-target": either("non-empty-string", "sequence-of-non-empty-string"),
        "step-wait-all-value": either("null", "boolean"),
        "step-cancel-target": text(non_empty=True),
        "step-name": text(available=steps),
        "step-if": text(available=condition),
        "step-continue-on-error": BooleanDefinition(available=steps),
        "step-timeout-minutes": NumberDefinition(available=steps),
        "step-env": entries("non-empty-string", "string", available=steps),
        "step-with": entries("non-empty-string", "string", available=steps),
    }
