"""Runs one step that is a process: output, commands, command files, outcome."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import ExecutorError
from windlass.jobs.command import StepError
from windlass.jobs.command_handlers import CommandHandler, StepEffects
from windlass.jobs.files import UnusableFileError
from windlass.jobs.log import Problem
from windlass.jobs.matchers.matchers import RepositoryFiles, StepMatchers
from windlass.jobs.output import read_to_end
from windlass.jobs.scripts import prepare_script
from windlass.jobs.step_files import StepFiles, read_effects
from windlass.model.status import Result
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windlass.jobs.command import Command
    from windlass.jobs.executors.interface import Process
    from windlass.jobs.place import StepPlace
    from windlass.jobs.reports import StepReporter
    from windlass.jobs.running import RunningStep
    from windlass.lang.expressions import Value
    from windlass.plan.steps import StartStep


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step ended and what it set."""

    outcome: Result
    exit_code: int | None
    effects: StepEffects


def run_step(order: StartStep, place: StepPlace, running: RunningStep) -> StepEnd:
    """Run a script, or a stage of an action, to its end.

    Nothing a step does makes this raise; what the machine cannot do for it fails the step.
    """
    effects = StepEffects()
    reporter = place.report(order.key)
    for problem in order.problems:
        reporter.annotate("error", problem)
    for warning in order.warnings:
        reporter.annotate("warning", warning)
    exit_code: int | None = None
    files: StepFiles | None = None
    try:
        files = _make_files(order, place)
        process = _start(order, _with_files(order, files), place, reporter, running)
        exit_code = _watch(process, order, place, reporter, effects, running)
    except (StepError, ExecutorError) as error:
        reporter.annotate("error", str(error))
        effects.failed = True
    except OSError as error:
        reporter.annotate_refusal(error)
        effects.failed = True
    if files is not None:
        _read_files(files, effects, reporter, debug=place.debug)
        _read_subjects(files, order, place, reporter, effects)
        files.remove()
    outcome = _settle(order, running, exit_code, effects, reporter)
    reporter.log.flush()
    return StepEnd(outcome, exit_code, effects)


def _with_files(order: StartStep, files: StepFiles) -> dict[str, Value]:
    """Return the step's contexts with the paths of its command files."""
    return {**order.contexts, "github": {**_github(order.contexts), **files.context()}}


def _github(contexts: Mapping[str, Value]) -> Mapping[str, Value]:
    github = contexts.get("github")
    return github if isinstance(github, Mapping) else {}


def _make_files(order: StartStep, place: StepPlace) -> StepFiles:
    """Make the step's command files where it finds them."""
    suffix, known = os.urandom(16).hex(), place.subjects.describe()
    if order.container is None:
        inside = place.inside.command_files
        return StepFiles.make(place.folders.command_files, suffix, inside, known)
    # Imported only where there is one: most jobs have no action in a container.
    from windlass.jobs.actions.container_folders import ContainerFolders

    folders = ContainerFolders(place.folders, place.inside)
    folders.make(_github(order.contexts).get("event"))
    return StepFiles.make(folders.commands, suffix, folders.commands, known)


def _start(
    order: StartStep,
    contexts: Mapping[str, Value],
    place: StepPlace,
    reporter: StepReporter,
    running: RunningStep,
) -> Process:
    """Start the process of a step."""
    if order.container is not None and order.action is not None:
        # Imported only where there is one: most jobs have no action in a container.
        from windlass.jobs.actions.containers import start_container_stage

        return start_container_stage(
            order, order.container, order.action, contexts, place, reporter, running
        )
    command = _prepare(order, contexts, place, reporter)
    if place.debug:
        reporter.debug(" ".join(command.arguments))
    return place.session.spawn(
        command.arguments,
        variables=command.variables,
        folder=command.folder,
        step=order.key,
    )


def _prepare(
    order: StartStep, contexts: Mapping[str, Value], place: StepPlace, reporter: StepReporter
) -> Command:
    if order.action is None:
        return prepare_script(order, contexts, place, reporter)
    # Imported only where there is one: most jobs run scripts alone.
    from windlass.jobs.actions.javascript import prepare_stage

    return prepare_stage(order, order.action, contexts, place, reporter)


def _find_view(order: StartStep, place: StepPlace) -> Callable[[Path], Path]:
    """Return what tells where this process finds a path that the step names."""
    if order.container is None:
        return place.session.see
    # Imported only where there is one: most jobs have no action in a container.
    from windlass.jobs.actions.container_folders import ContainerFolders

    folders = ContainerFolders(place.folders, place.inside)
    return lambda path: folders.find(path) or place.session.see(path)


def _watch(
    process: Process,
    order: StartStep,
    place: StepPlace,
    reporter: StepReporter,
    effects: StepEffects,
    running: RunningStep,
) -> int:
    """Read a process to its end, which others may bring about, and return its exit code."""
    handler = CommandHandler(
        reporter.log,
        effects,
        reporter.collect,
        variables=order.variables,
        workspace=str(place.inside.workspace),
        debug=place.debug,
        matchers=place.matchers,
        see=_find_view(order, place),
    )
    matchers = _make_matchers(order, place, reporter)
    place.matchers.open(matchers)
    running.attach(process)
    try:
        return read_to_end(
            process,
            reporter.log,
            handler.find,
            handler.refuse,
            lambda lines: _find_problems(lines, matchers, reporter),
        )
    finally:
        running.detach()
        place.matchers.close(matchers)
        matchers.close()


def _make_matchers(order: StartStep, place: StepPlace, reporter: StepReporter) -> StepMatchers:
    github = _github(order.contexts)
    files = RepositoryFiles(
        str(place.inside.workspace),
        str(github.get("server_url") or "https://github.com"),
        str(github.get("repository", "")),
        place.session.see,
    )
    return StepMatchers(files.find, lambda message: reporter.annotate("warning", message))


def _find_problems(
    lines: bytes, matchers: StepMatchers, reporter: StepReporter
) -> Iterator[Problem]:
    """Yield the lines that problem matchers know; nothing is done where there are none."""
    if not matchers.are_there:
        return
    for start, end, issue in matchers.look(lines):
        tell = functools.partial(
            reporter.collect, issue.level, issue.message, issue.properties, in_log=False
        )
        yield Problem(start, end, f"##[{issue.level}]", tell)


def _read_files(
    files: StepFiles, effects: StepEffects, reporter: StepReporter, *, debug: bool
) -> None:
    """Take over what the step wrote to its command files."""

    def tell(level: str, message: str) -> None:
        if level == "error":
            reporter.annotate(level, message)
        elif debug:
            reporter.debug(message)

    summary = read_effects(files, effects, tell)
    if summary is not None:
        reporter.summarise(summary)


def _read_subjects(
    files: StepFiles,
    order: StartStep,
    place: StepPlace,
    reporter: StepReporter,
    effects: StepEffects,
) -> None:
    """Take over the files and images that the step names as what it has made."""
    workspace, see = place.inside.workspace, place.session.see
    try:
        if order.container is not None:
            # Imported only where there is one: most jobs have no action in a container.
            from windlass.jobs.actions.container_folders import WORKSPACE, ContainerFolders

            folders = ContainerFolders(place.folders, place.inside)
            said = place.subjects.add(files.paths["artifacts"], Path(WORKSPACE), folders.find)
        else:
            said = place.subjects.add(files.paths["artifacts"], workspace, see)
    except (UnusableFileError, OSError) as error:
        effects.failed = True
        reporter.annotate("error", "Unable to process file command 'artifacts' successfully.")
        message = error.strerror or "" if isinstance(error, OSError) else str(error)
        reporter.annotate("error", message)
    else:
        if said is not None:
            reporter.log.write_line(said)


def _settle(
    order: StartStep,
    running: RunningStep,
    exit_code: int | None,
    effects: StepEffects,
    reporter: StepReporter,
) -> Result:
    """Decide the outcome and say why it is not a success; a time-out is told of by the machine."""
    if running.cancelled:
        reporter.annotate("error", "The operation was canceled.")
        return Result.CANCELLED
    if running.timed_out:
        return Result.FAILURE
    if exit_code and order.action is None:
        reporter.annotate("error", f"Process completed with exit code {exit_code}.")
    return Result.FAILURE if exit_code or effects.failed else Result.SUCCESS
