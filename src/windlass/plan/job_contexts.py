"""What expressions see in one job: its contexts, what its steps have set, how it stands.

Source: actions/runner src/Runner.Worker/ExecutionContext.cs, JobExtension.cs, StepsRunner.cs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from windlass.lang.expressions import CaseSensitive
from windlass.model.status import Result
from windlass.plan.faults import PlanFault
from windlass.plan.keys import Scope, evaluate_text, evaluate_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.lang.expressions import Value
    from windlass.plan.frames import Frame
    from windlass.plan.keys import Function
    from windlass.plan.orders import StartJob
    from windlass.plan.steps import JobOpened


class JobContexts:
    """The contexts of one job, as they stand.

    `status` is that of the job so far, `defaults` its `defaults.run`, `paths` what was added to
    PATH, first entry first in PATH.
    """

    def __init__(
        self, order: StartJob, secrets: Mapping[str, str], functions: Mapping[str, Function]
    ) -> None:
        """Take the job, its secrets and the functions that need the world."""
        self._job = order.job
        self._workflow = order.workflow
        self._known: dict[str, Value] = {**order.contexts, "secrets": dict(secrets)}
        self._functions = dict(functions)
        self._variables: dict[str, str] = {}
        self._paths: list[str] = []
        self.defaults: dict[str, str] = {}
        self.status = Result.SUCCESS

    @property
    def paths(self) -> tuple[str, ...]:
        """What steps have added to PATH."""
        return tuple(self._paths)

    def open(self, signal: JobOpened) -> PlanFault | None:
        """Take in what the place of the job knows; return the key of the job that is at fault."""
        scope = self.enter(signal)
        return scope if isinstance(scope, PlanFault) else self._evaluate_defaults()

    def enter(self, signal: JobOpened) -> Scope | PlanFault:
        """Take in what is known of the place and return what the job's containers may look at."""
        self._known["github"] = {**_mapping(self._known.get("github")), **signal.github}
        self._known["runner"] = dict(signal.runner)
        self._known["job"] = dict(signal.job)
        self._variables.update(signal.variables)
        return self._evaluate_variables() or self._early()

    def add(self, variables: Mapping[str, str], paths: Iterable[str]) -> None:
        """Take over what a step wrote to GITHUB_ENV and GITHUB_PATH, in file order."""
        self._variables.update(variables)
        for path in paths:
            self._paths = [path, *(known for known in self._paths if known != path)]

    def of_step(
        self, frame: Frame, action: str, variables: Mapping[str, str] | None = None
    ) -> Scope:
        """Return what a step's keys may look at; `variables` lie over those of the job.

        `action` is `github.action`, which steps within a composite action inherit.
        """
        if frame.github is None:
            github = {**_mapping(self._known["github"]), "action": action}
        else:
            github = {**frame.github, "action_status": frame.result.value}
        known = {**self._known, "github": github}
        if frame.inputs is not None:
            known["inputs"] = frame.inputs
        known["env"] = CaseSensitive({**self._variables, **(variables or {})})
        return self.refresh(Scope(known, self._functions), frame)

    def of_job(self, frame: Frame) -> Scope:
        """Return what the keys of the job itself may look at."""
        known = {**self._known, "env": CaseSensitive(self._variables)}
        return self.refresh(Scope(known, self._functions), frame)

    def refresh(self, scope: Scope, frame: Frame) -> Scope:
        """Return a scope with the status and the ended steps as they are now."""
        job = {**_mapping(scope.contexts.get("job")), "status": self.status.value}
        contexts = {**scope.contexts, "job": job, "steps": dict(frame.visible)}
        return Scope(contexts, scope.functions)

    def _evaluate_variables(self) -> PlanFault | None:
        """Add to the job's variables those of the workflow's `env`, then those of its own."""
        for token in (self._workflow.env, self._job.env):
            variables = evaluate_texts(token, self._early())
            if isinstance(variables, PlanFault):
                return variables
            self._variables.update(variables)
        return None

    def _evaluate_defaults(self) -> PlanFault | None:
        """Fill `defaults.run`: the workflow's, overlaid by the job's."""
        for defaults in (self._workflow.defaults, self._job.defaults):
            if defaults is None:
                continue
            computed = evaluate_texts(defaults.computed, self._early())
            if isinstance(computed, PlanFault):
                return computed
            self.defaults.update({key: text for key, text in computed.items() if text})
            keys = (("shell", defaults.shell), ("working-directory", defaults.working_directory))
            for key, token in keys:
                text = evaluate_text(token, self._early())
                if isinstance(text, PlanFault):
                    return text
                if text:
                    self.defaults[key] = text
        return None

    def _early(self) -> Scope:
        """Return what keys of the job may look at before any step."""
        job = {**_mapping(self._known["job"]), "status": self.status.value}
        variables = CaseSensitive(self._variables)
        return Scope({**self._known, "job": job, "steps": {}, "env": variables}, self._functions)


def with_action(scope: Scope, repository: str, ref: str) -> Scope:
    """Return a scope whose github context names the repository of the action that now runs."""
    github = _mapping(scope.contexts.get("github"))
    named = {**github, "action_repository": repository, "action_ref": ref}
    return Scope({**scope.contexts, "github": named}, scope.functions)


def with_steps(
    scope: Scope, steps: Mapping[str, Value], inputs: Mapping[str, Value] | None
) -> Scope:
    """Return what the outputs of a composite action look at: its steps and its inputs."""
    contexts = {**scope.contexts, "steps": dict(steps), "inputs": inputs}
    return Scope(contexts, scope.functions)


def _mapping(value: Value) -> dict[str, Value]:
    return dict(value) if isinstance(value, Mapping) else {}
