"""Tables that fit: columns share the width, and cells go on in the next line."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from windlass.cli.markdown.inline import read_inline
from windlass.cli.markdown.spans import paint_spans, width_of_spans, wrap_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.cli.markdown.blocks import Table
    from windlass.cli.markdown.spans import Spans
    from windlass.cli.terminal import Terminal

GAP = "  "
NARROWEST = 4


def lay_out_table(table: Table, columns: int, terminal: Terminal) -> Iterator[str]:
    """Yield the lines of a table; more columns than fit are left out, and counted."""
    shown = max(min(len(table.rows[0]), (columns + len(GAP)) // (NARROWEST + len(GAP))), 1)
    rows = [[read_inline(cell) for cell in row[:shown]] for row in table.rows]
    rows[0] = [[(text, (*styles, "bold")) for text, styles in cell] for cell in rows[0]]
    widths = _share([max(map(_width, column)) for column in zip(*rows, strict=True)], columns)
    for number, row in enumerate(rows):
        yield from _lay_out_row(row, widths, table.to_the_right, terminal)
        if number == 0:
            yield terminal.paint(GAP.join("─" * width for width in widths), "dim")
    if left_out := len(table.rows[0]) - shown:
        yield terminal.paint(f"({left_out} more columns)", "dim")


def _width(cell: Spans) -> int:
    return max((width_of_spans(line) for line in wrap_spans(cell, 1 << 16)), default=0)


def _share(wanted: list[int], columns: int) -> list[int]:
    """Give each column what it wants, or an equal share of what the modest ones leave."""
    room = columns - len(GAP) * (len(wanted) - 1)
    widths = [0] * len(wanted)
    ascending = sorted(range(len(wanted)), key=lambda index: wanted[index])
    for position, index in enumerate(ascending):
        widths[index] = max(min(wanted[index], room // (len(wanted) - position)), 1)
        room -= widths[index]
    return widths


def _lay_out_row(
    row: Sequence[Spans], widths: Sequence[int], right: Sequence[bool], terminal: Terminal
) -> Iterator[str]:
    cells = [list(wrap_spans(cell, width)) for cell, width in zip(row, widths, strict=True)]
    empty: Spans = []
    for lines in zip_longest(*cells, fillvalue=empty):
        parts = []
        for line, width, to_the_right in zip(lines, widths, right, strict=False):
            padding = " " * max(width - width_of_spans(line), 0)
            text = paint_spans(line, terminal)
            parts.append(f"{padding}{text}" if to_the_right else f"{text}{padding}")
        yield GAP.join(parts).rstrip()
