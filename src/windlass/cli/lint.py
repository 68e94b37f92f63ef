"""Find what is wrong with workflows: GitHub's own errors, and what GitHub accepts but never does.

Without paths, all workflows of the repository around the current folder are read. Ends with 1 if
there is an error; warnings and notices do not change the exit code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.diagnostics import (
    Sources,
    diagnostics_as_json,
    exit_code_for,
    print_diagnostics,
    summarise,
)
from windlass.cli.marks import count
from windlass.cli.terminal import open_terminal
from windlass.lang.lint.composite import is_action
from windlass.operations.lint import lint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from windlass.cli.parser import Parser
    from windlass.operations.lint import LintReport


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass lint`."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="workflow files, folders of them, or repositories; default: the repository here",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the findings as JSON")
    form.add_argument("--sarif", action="store_true", help="print the findings as SARIF 2.1.0")
    parser.add_argument(
        "--no-shellcheck",
        dest="use_shellcheck",
        action="store_false",
        help="do not look into the scripts of `run` steps with ShellCheck",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 if any is an error."""
    report = lint(arguments.paths, use_shellcheck=arguments.use_shellcheck)
    if arguments.json:
        open_terminal(sys.stdout).write(diagnostics_as_json(report.diagnostics))
    elif arguments.sarif:
        open_terminal(sys.stdout).write(json.dumps(report.to_sarif(), indent=2) + "\n")
    else:
        _print_for_people(report)
    return exit_code_for(report.diagnostics)


def _name_files(files: Sequence[str]) -> str:
    """`2 workflows and 1 action`."""
    actions = sum(map(is_action, files))
    parts = [(len(files) - actions, "workflow"), (actions, "action")]
    return " and ".join(count(number, kind) for number, kind in parts if number)


def _print_for_people(report: LintReport) -> None:
    terminal = open_terminal(sys.stdout)
    print_diagnostics(terminal, report.diagnostics, Sources(report.root))
    if not report.diagnostics:
        terminal.write(f"{summarise((), terminal)} in {_name_files(report.files)}\n")
    messages = open_terminal(sys.stderr)
    for remark in report.remarks:
        messages.write(f"{messages.paint('note:', 'cyan')} {remark}\n")
