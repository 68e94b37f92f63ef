"""Blocks of Markdown as lines of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.markdown.blocks import (
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Quote,
    Rule,
    Table,
    read_blocks,
)
from windlass.cli.markdown.html_tags import replace_tags
from windlass.cli.markdown.inline import read_inline
from windlass.cli.markdown.spans import paint_spans, wrap_spans
from windlass.cli.markdown.tables import lay_out_table
from windlass.cli.terminal import Terminal, cut, visible, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.cli.terminal import Style

MOST_CHARACTERS = 1 << 16
"""What comes after that is not laid out: no screen shows it, and the time stays bounded."""
MOST_NESTED = 4
NARROWEST = 20


def render_markdown(text: str, columns: int, terminal: Terminal) -> Iterator[str]:
    """Yield the lines of a document, at most so many columns wide, without newlines."""
    document = replace_tags(text[:MOST_CHARACTERS].replace("\r\n", "\n"))
    return _Renderer(terminal, max(columns, NARROWEST)).render(document)


class _Renderer:
    def __init__(self, terminal: Terminal, columns: int, depth: int = 0) -> None:
        self._terminal = terminal
        self._columns = columns
        self._depth = depth

    def render(self, text: str) -> Iterator[str]:
        before: Block | None = None
        for block in read_blocks(text):
            if before is not None and not _go_together(before, block):
                yield ""
            yield from self._lines(block)
            before = block

    def _lines(self, block: Block) -> Iterator[str]:
        match block:
            case Heading():
                yield from self._heading(block)
            case Paragraph():
                yield from self._wrap(block.text)
            case Item():
                lead = cut(f"{'  ' * block.depth}{block.mark}", self._columns // 2)
                yield from self._wrap(block.text, f"{lead} ")
            case Code():
                for line in block.lines:
                    text = cut(f"│ {visible(line)}", self._columns)
                    yield self._terminal.paint(text.rstrip(), "cyan")
            case Quote():
                yield from self._quote(block)
            case Rule():
                yield self._terminal.paint("─" * self._columns, "dim")
            case Table():
                yield from lay_out_table(block, self._columns, self._terminal)

    def _heading(self, heading: Heading) -> Iterator[str]:
        """Bold; where nothing can be bold, as it is written."""
        lead = "" if self._terminal.colour else f"{'#' * heading.level} "
        styles: tuple[Style, ...] = ("bold", "underline") if heading.level == 1 else ("bold",)
        yield from self._wrap(heading.text, lead, styles)

    def _quote(self, quote: Quote) -> Iterator[str]:
        bar = self._terminal.paint("│", "dim")
        if self._depth >= MOST_NESTED:
            lines = (cut(visible(line), self._columns - 2) for line in quote.text.split("\n"))
            yield from (f"{bar} {line}".rstrip() for line in lines)
            return
        inner = _Renderer(self._terminal, self._columns - 2, self._depth + 1)
        yield from (f"{bar} {line}".rstrip() for line in inner.render(quote.text))

    def _wrap(self, text: str, lead: str = "", styles: tuple[Style, ...] = ()) -> Iterator[str]:
        """Lay out running text; the lines after the first are indented like the text."""
        room = self._columns - width_of(lead)
        for spans in wrap_spans(read_inline(text, styles), room):
            yield f"{lead}{paint_spans(spans, self._terminal)}".rstrip()
            lead = " " * width_of(lead)


def _go_together(before: Block, block: Block) -> bool:
    """Tell whether two blocks are items of one list, or of one within the other."""
    if not (isinstance(before, Item) and isinstance(block, Item)):
        return False
    return block.depth > 0 or before.depth > 0 or _is_numbered(before) == _is_numbered(block)


def _is_numbered(item: Item) -> bool:
    return item.mark[0].isdigit()
