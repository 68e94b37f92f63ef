"""Print the JSON Schema of the lines that `windlass run --json` prints."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from windlass.cli.pipes import write
from windlass.protocol.schema import describe_events

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """There are none."""


def execute(arguments: argparse.Namespace) -> int:  # noqa: ARG001  # every command has them
    """Print the schema."""
    write(sys.stdout, format_schema())
    return 0


def format_schema() -> str:
    """Lay out the schema as docs/reference/events.schema.json has it."""
    return json.dumps(describe_events(), indent=2) + "\n"
