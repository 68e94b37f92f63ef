"""Evaluate expressions as GitHub does: JSON lines on stdin, one answer a line on stdout.

A line of input is {"expr": "...", "contexts": {...}}; an answer is {"result": {"kind", "value"}} or
{"err": {"kind", "value"}} with GitHub's message. Ends with 2 if a line could not be read.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from windlass.cli.pipes import write
from windlass.operations.expressions import evaluate_lines

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser

UNREADABLE_EXIT_CODE = 2


def add_arguments(parser: Parser) -> None:
    """`windlass expr eval` takes no arguments."""


def execute(arguments: argparse.Namespace) -> int:  # noqa: ARG001  # every command has this form
    """Answer every line as soon as it is there, so that a program can ask one by one."""
    code = 0
    for answer in evaluate_lines(sys.stdin.buffer):
        write(sys.stdout, f"{answer.line}\n")
        if not answer.is_readable:
            code = UNREADABLE_EXIT_CODE
    return code
