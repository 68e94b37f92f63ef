"""A `run:` step → the file its script is written to and the shell that runs it.

Source: actions/runner src/Runner.Worker/Handlers/ScriptHandler.cs
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from windlass.jobs.command import Command
from windlass.jobs.details import describe_script
from windlass.jobs.environment import step_variables
from windlass.jobs.links import write_new_file
from windlass.jobs.shells import fix_up_script, resolve_shell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.jobs.place import StepPlace
    from windlass.jobs.reports import StepReporter
    from windlass.lang.expressions import Value
    from windlass.plan.steps import StartStep


def prepare_script(
    order: StartStep, contexts: Mapping[str, Value], place: StepPlace, reporter: StepReporter
) -> Command:
    """Write a step's script and return the command that runs it, as the log is told.

    Raises:
        StepError: there is no such shell.
        OSError: the script could not be written.
    """
    variables = step_variables(place.base, order.variables, order.paths, contexts)
    if place.services is not None:
        place.services.add_to_script(variables)
    path = variables.get("PATH", "")
    shell = resolve_shell(
        order.shell, lambda name: place.session.find_program(name, search_path=path)
    )
    reporter.note(describe_script(order, shell))
    name = f"{os.urandom(16).hex()}{shell.extension}"
    text = fix_up_script(shell.name, order.script or "")
    write_new_file(place.folders.temp, name, text.encode("utf-8", "replace"))
    folder = os.path.join(place.inside.workspace, order.working_directory or "")  # noqa: PTH118
    return Command(shell.command(f"{place.inside.temp}/{name}"), variables, folder)
