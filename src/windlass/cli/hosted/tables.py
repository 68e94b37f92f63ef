"""Lists of a server, for people in columns and for programs as JSON."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from windlass.cli.terminal import open_terminal, visible, width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from windlass.cli.parser import Parser


def add_json_option(parser: Parser) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")


def print_list(
    items: Iterable[Any],
    cells: Callable[[Any], Sequence[str]],
    *,
    as_json: bool,
    none: str,
) -> None:
    """Print models, one a line; `none` is said on stderr where there are none."""
    terminal = open_terminal(sys.stdout)
    found = list(items)
    if not found:
        open_terminal(sys.stderr).write(f"{none}\n")
    if as_json:
        lines = [item.model_dump_json() for item in found]
    else:
        lines = lay_out_columns([[visible(cell) for cell in cells(item)] for item in found])
    terminal.write("".join(f"{line}\n" for line in lines))


def print_one(item: Any, text: str, *, as_json: bool) -> None:
    """Print one model, or what a person is told of it."""
    line = item.model_dump_json() if as_json else visible(text)
    open_terminal(sys.stdout).write(f"{line}\n")


def lay_out_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows with their cells below each other."""
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def format_time(seconds: float | None) -> str:
    """Return a point in time in the user's zone; empty for none."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
