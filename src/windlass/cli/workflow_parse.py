"""Read one workflow file as GitHub does: its value as data, or everything that is wrong with it.

Local reusable workflows are resolved beside the file. With --json the output is
{"value": ..., "errors": [{"message", "line", "column", "code"}]} in GitHub's wording and order.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.cli.pipes import write
from windlass.operations.workflows import parse_workflow

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser
    from windlass.lang.diagnostics import Diagnostic

ERRORS_EXIT_CODE = 1


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass workflow parse`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the workflow file")
    parser.add_argument("--json", action="store_true", help="print the value and errors as JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Print what the file says; 1 if it has errors."""
    parsed = parse_workflow(arguments.file)
    if arguments.json:
        write(sys.stdout, json.dumps(parsed, indent=2) + "\n")
    else:
        _print_for_people(arguments.file, parsed)
    return ERRORS_EXIT_CODE if parsed["errors"] else 0


def _print_for_people(file: Path, parsed: dict[str, Any]) -> None:
    from windlass.cli.diagnostics import Sources, print_diagnostics
    from windlass.cli.terminal import open_terminal, visible

    terminal = open_terminal(sys.stdout)
    if parsed["errors"]:
        found = [_diagnostic(file, error) for error in parsed["errors"]]
        print_diagnostics(terminal, found, Sources(Path()))
        return
    jobs = parsed["value"].get("jobs", ())
    terminal.write(f"{visible(str(file))}: no errors, {len(jobs)} job{'s' * (len(jobs) != 1)}\n")


def _diagnostic(file: Path, error: dict[str, Any]) -> Diagnostic:
    from windlass.lang.diagnostics import Diagnostic
    from windlass.lang.positions import Position, Span

    span = None
    if error["line"] is not None:
        place = Position(error["line"], error["column"])
        span = Span(error.get("path", str(file)), place, place)
    return Diagnostic(code=error["code"], message=error["message"], span=span)
