"""What onlookers are told of one job, in order and without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.jobs.annotations import LONGEST_MESSAGE
from windlass.jobs.log import StepLog
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.jobs.masking import Masker
    from windlass.model.status import Result
    from windlass.plan.steps import ConcludeStep, RejectStep, SkipStep, StartStep
    from windlass.protocol.events import RunEvent


class JobReporter:
    """Tells of a job and of the beginnings and ends of its steps."""

    def __init__(self, job_key: str, masker: Masker, emit: Callable[[RunEvent], None]) -> None:
        self._job = job_key
        self._masker = masker
        self._emit = emit
        self._names: dict[str, str] = {}

    def start_job(self, name: str) -> None:
        """Tell that the job has begun."""
        self._emit(events.JobStarted(job=self._job, name=self._masker.mask_text(name)))

    def finish_job(
        self, name: str, result: Result, seconds: float, outputs: Mapping[str, str]
    ) -> None:
        """Tell how the job has ended; `outputs` are free of secrets already."""
        self._emit(
            events.JobFinished(
                job=self._job,
                name=self._masker.mask_text(name),
                result=result,
                seconds=seconds,
                outputs=outputs,
            )
        )

    def annotate(self, level: str, message: str, *, step: str = "") -> None:
        """Tell of an error or a warning about the job, or about a step that did not run."""
        text = self._masker.mask_text(message)[:LONGEST_MESSAGE]
        self._emit(events.Annotation(job=self._job, step=step, level=level, message=text))

    def start_step(self, order: StartStep) -> None:
        """Tell that a step has begun, and what it runs."""
        mask = self._masker.mask_text
        self._names[order.key] = order.name
        self._emit(
            events.StepStarted(
                job=self._job,
                step=order.key,
                name=mask(order.name),
                path=order.step.span.path,
                line=order.step.span.start.line,
                script=mask(order.script or ""),
                shell=mask(order.shell or ""),
            )
        )

    def skip_step(self, order: SkipStep) -> None:
        """Tell that a step does not run, and why."""
        mask = self._masker.mask_text
        self._emit(
            events.StepSkipped(
                job=self._job,
                step=order.key,
                name=mask(order.name),
                reason=mask(order.decision.reason),
            )
        )

    def reject_step(self, order: RejectStep) -> None:
        """Tell that a step fails before it runs, and why."""
        self._names[order.key] = order.name
        name = self._masker.mask_text(order.name)
        self._emit(events.StepStarted(job=self._job, step=order.key, name=name))
        self.annotate("error", order.message, step=order.key)

    def conclude_step(self, order: ConcludeStep, exit_code: int | None, seconds: float) -> None:
        """Tell how a step has ended."""
        if order.problem is not None:
            self.annotate("error", order.problem, step=order.key)
        self._emit(
            events.StepFinished(
                job=self._job,
                step=order.key,
                name=self._masker.mask_text(self._names.get(order.key, order.key)),
                outcome=order.outcome,
                conclusion=order.conclusion,
                exit_code=exit_code,
                seconds=seconds,
            )
        )


class StepReporter:
    """Tells of what happens within one step: output, annotations, its summary."""

    def __init__(
        self, job_key: str, step_key: str, masker: Masker, emit: Callable[[RunEvent], None]
    ) -> None:
        self._job = job_key
        self._step = step_key
        self._masker = masker
        self._emit = emit
        self.log = StepLog(masker, self._emit_output)

    def annotate(
        self, level: str, message: str, properties: Mapping[str, str] | None = None
    ) -> None:
        """Tell of an error, a warning or a notice, after all output before it."""
        self.log.flush()
        mask = self._masker.mask_text
        self._emit(
            events.Annotation(
                job=self._job,
                step=self._step,
                level=level,
                message=mask(message)[:LONGEST_MESSAGE],
                properties={key: mask(value) for key, value in (properties or {}).items()},
            )
        )

    def summarise(self, markdown: str) -> None:
        """Hand on the step's summary."""
        text = self._masker.mask_text(markdown)
        self._emit(events.Summary(job=self._job, step=self._step, markdown=text))

    def _emit_output(self, text: str) -> None:
        self._emit(events.Output(job=self._job, step=self._step, text=text))
