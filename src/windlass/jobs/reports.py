"""What onlookers are told of one job, in order and without secrets."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from windlass.jobs.annotations import LONGEST_MESSAGE
from windlass.jobs.details import describe_open_step
from windlass.jobs.log import StepLog
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from windlass.jobs.masking import Masker
    from windlass.model.status import Result
    from windlass.plan.steps import (
        ConcludeStep,
        OpenStep,
        RejectStep,
        SkipStep,
        StartStep,
        WriteLine,
    )
    from windlass.protocol.events import RunEvent
    from windlass.stores.logs import JobLogWriter


class JobReporter:
    """Tells of a job and of the beginnings and ends of its steps."""

    def __init__(self, job_key: str, masker: Masker, emit: Callable[[RunEvent], None]) -> None:
        self._job = job_key
        self._masker = masker
        self._emit = emit
        self._names: dict[str, str] = {}
        self.writer: JobLogWriter | None = None

    def start_job(self, name: str, place: str) -> None:
        """Tell that the job has begun, and where it runs."""
        self._emit(events.JobStarted(job=self._job, name=self._masker.mask_text(name), place=place))

    def finish_job(
        self, name: str, result: Result, seconds: float, outputs: Mapping[str, str], url: str
    ) -> None:
        """Tell how the job has ended; `outputs` and `url` are free of secrets already."""
        self._emit(
            events.JobFinished(
                job=self._job,
                name=self._masker.mask_text(name),
                result=result,
                seconds=seconds,
                outputs=outputs,
                environment_url=url,
            )
        )

    def annotate(self, level: str, message: str, *, step: str = "") -> None:
        """Tell of an error or a warning about the job, or about a step that did not run."""
        text = self._masker.mask_text(message)[:LONGEST_MESSAGE]
        write_lines(self.writer, self._masker, step, [f"##[{level}]{message}"])
        self._emit(events.Annotation(job=self._job, step=step, level=level, message=text))

    def note(self, line: str) -> None:
        """Add a line about how the job's place is made, which no step has printed."""
        write_lines(self.writer, self._masker, "", [line])
        text = self._masker.mask_text(line)
        self._emit(events.Output(job=self._job, step="", text=f"{text}\n"))

    def write_line(self, order: WriteLine) -> None:
        """Add a line of the runner's own to the output of a step without a process."""
        text = self._masker.mask_text(order.text)
        write_lines(self.writer, self._masker, order.key, [order.text])
        self._emit(events.Output(job=self._job, step=order.key, text=f"{text}\n"))

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
                parent=order.parent,
            )
        )

    def open_step(self, order: OpenStep) -> None:
        """Tell that a step has begun that is made of others or has no process."""
        self._names[order.key] = order.name
        write_lines(self.writer, self._masker, order.key, describe_open_step(order))
        self._emit(
            events.StepStarted(
                job=self._job,
                step=order.key,
                name=self._masker.mask_text(order.name),
                path=order.step.span.path,
                line=order.step.span.start.line,
                parent=order.parent,
            )
        )
        for problem in order.problems:
            self.annotate("error", problem, step=order.key)
        for warning in order.warnings:
            self.annotate("warning", warning, step=order.key)

    def skip_step(self, order: SkipStep) -> None:
        """Tell that a step does not run, and why."""
        mask = self._masker.mask_text
        self._emit(
            events.StepSkipped(
                job=self._job,
                step=order.key,
                name=mask(order.name),
                reason=mask(order.decision.reason),
                parent=order.parent,
            )
        )

    def reject_step(self, order: RejectStep) -> None:
        """Tell that a step fails before it runs, and why."""
        self._names[order.key] = order.name
        name = self._masker.mask_text(order.name)
        self._emit(
            events.StepStarted(job=self._job, step=order.key, name=name, parent=order.parent)
        )
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
        self,
        job_key: str,
        step_key: str,
        masker: Masker,
        emit: Callable[[RunEvent], None],
        writer: JobLogWriter | None = None,
    ) -> None:
        self._job = job_key
        self._step = step_key
        self._masker = masker
        self._emit = emit
        self.log = StepLog(masker, self._emit_output, writer=writer, step=step_key)

    def annotate(
        self, level: str, message: str, properties: Mapping[str, str] | None = None
    ) -> None:
        """Tell of an error, a warning or a notice, after all output before it."""
        self.collect(level, message, properties)
        self.log.flush()

    def annotate_refusal(self, error: OSError) -> None:
        """Tell of an error that the system refused something, with the file where it names one."""
        file = "" if error.filename is None else f": '{error.filename}'"
        self.annotate("error", f"{error.strerror or error}{file}")

    def collect(
        self,
        level: str,
        message: str,
        properties: Mapping[str, str] | None = None,
        *,
        in_log: bool = True,
    ) -> None:
        """Tell of an error, a warning or a notice when the output before it is handed on.

        With `in_log` the job's log says the message; else it has another line in its place.
        """
        mask = self._masker.mask_text
        event = events.Annotation(
            job=self._job,
            step=self._step,
            level=level,
            message=mask(message)[:LONGEST_MESSAGE],
            properties={key: mask(value) for key, value in (properties or {}).items()},
        )
        line = f"##[{level}]{message}\n" if in_log else ""
        self.log.write_aside(line, functools.partial(self._emit, event))

    def debug(self, message: str) -> None:
        """Tell what only a debugging run shows."""
        for line in message.replace("\r\n", "\n").split("\n"):
            self.log.write_line(f"##[debug]{line}")

    def note(self, lines: Iterable[str]) -> None:
        """Write lines to the job's log alone: onlookers are told the same in other words."""
        self.log.write_aside("".join(f"{line}\n" for line in lines), lambda: None)
        self.log.flush()

    def summarise(self, markdown: str) -> None:
        """Hand on the step's summary."""
        text = self._masker.mask_text(markdown)
        self._emit(events.Summary(job=self._job, step=self._step, markdown=text))

    def _emit_output(self, text: str) -> None:
        self._emit(events.Output(job=self._job, step=self._step, text=text))


def write_lines(
    writer: JobLogWriter | None, masker: Masker, step: str, lines: Iterable[str]
) -> None:
    """Write lines of the runner's own to the job's log, where there is one."""
    if writer is not None:
        text = "".join(f"{line}\n" for line in lines)
        writer.write(step, masker.mask_lines(text.encode("utf-8", "replace")))
