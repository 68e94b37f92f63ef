"""Say what an event would start, without starting it: every workflow, job and step, and why.

RUN and SKIP are certain; UNKNOWN depends on the result of a job that has not run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.diagnostics import (
    Sources,
    diagnostic_as_json,
    exit_code_for,
    print_diagnostics,
)
from windlass.cli.directory import enter_directory
from windlass.cli.event_options import add_event_options, read_plan_options
from windlass.cli.failures import say_warning
from windlass.cli.local_settings import read_local_settings
from windlass.cli.terminal import open_terminal
from windlass.operations.plans import plan_event

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser
    from windlass.operations.plans import Planning


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass plan`."""
    add_event_options(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Print the plan; 1 if a workflow has errors."""
    enter_directory(arguments)
    options = read_plan_options(arguments)
    local = read_local_settings(Path(), say_warning, {}, options.variables, options.inputs)
    planning = plan_event(Path(), arguments.event, local.complete(options))
    if arguments.json:
        _print_json(planning)
    else:
        _print_for_people(planning)
    return exit_code_for(planning.diagnostics)


def _print_json(planning: Planning) -> None:
    plan = planning.plan.to_json() if planning.plan else {}
    plan["diagnostics"] = [diagnostic_as_json(found) for found in planning.diagnostics]
    open_terminal(sys.stdout).write(json.dumps(plan, indent=2) + "\n")


def _print_for_people(planning: Planning) -> None:
    if planning.diagnostics:
        sources = Sources(planning.library.root)
        print_diagnostics(open_terminal(sys.stderr), planning.diagnostics, sources)
    if planning.plan is not None and planning.plan.workflows:
        from windlass.cli.plan_view import render_plan

        terminal = open_terminal(sys.stdout)
        terminal.write(render_plan(planning.plan, terminal))
