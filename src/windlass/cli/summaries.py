"""What steps wrote to GITHUB_STEP_SUMMARY: laid out for a screen, elsewhere as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.cli.terminal import Terminal


def lay_out_markdown(text: str, terminal: Terminal, *, indent: int = 0) -> Iterator[str]:
    """Yield the lines of a summary; `indent` is what will stand before each, in columns."""
    if not terminal.is_live:
        return (visible(line) for line in text.strip("\n").split("\n"))
    # Imported only where there is one, on a screen: the parser of Markdown is not small.
    from windlass.cli.markdown import render_markdown

    return render_markdown(text, terminal.width - indent - 1, terminal)
