"""What stands within a paragraph: emphasis, code, links, images, escapes."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.cli.markdown.spans import Spans
    from windlass.cli.terminal import Style

# Every repetition is bounded: nobody can make a search last by text that opens and never closes.
_INLINE = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`{1,8})(?P<code>[^`](?:.{0,400}?[^`])?)(?P=ticks)(?!`)"
    r"|!\[(?P<image>[^\]]{0,400})\]\([^)]{0,500}\)"
    r"|\[(?P<text>(?:[^\[\]]|!?\[[^\]]{0,100}\](?:\([^)]{0,400}\))?){0,400})\]"
    r"\((?P<address>[^)\s]{0,500})(?:\s[^)]{0,200})?\)"
    r"|<(?P<bare>(?:https?://|mailto:)[^>\s]{1,2000})>"
    r"|(?P<strongly>\*\*|__)(?=\S)(?P<strong>.{1,400}?)(?<=\S)(?P=strongly)"
    r"|~~(?=\S)(?P<struck>.{1,400}?)~~"
    r"|\*(?=[^\s*])(?P<starred>.{1,400}?)(?<=\S)\*"
    r"|(?<!\w)_(?=\S)(?P<underlined>[^_]{1,400}?)(?<=\S)_(?!\w)",
    flags=re.DOTALL,
)
_BREAK = re.compile(r"(?: {2,}|\\)\n")
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_HARD_BREAK = "\x1d"
MOST_NESTED = 6


def read_inline(text: str, styles: tuple[Style, ...] = (), depth: int = 0) -> Spans:
    """Turn Markdown into pieces of text; a line end is a blank unless it is a hard break."""
    if depth == 0:
        text = _BREAK.sub(_HARD_BREAK, text)
        text = _LINE_END.sub(" ", text)
    if depth > MOST_NESTED:
        return _plain(text, styles)
    spans: Spans = []
    position = 0
    for match in _INLINE.finditer(text):
        spans += _plain(text[position : match.start()], styles)
        spans += _read_match(match, styles, depth + 1)
        position = match.end()
    return spans + _plain(text[position:], styles)


def _read_match(match: re.Match[str], styles: tuple[Style, ...], depth: int) -> Spans:
    if match["escaped"] is not None:
        return [(match["escaped"], styles)]
    if match["code"] is not None:
        return [(_strip_code(match["code"]), (*styles, "cyan"))]
    if match["image"] is not None:
        return [(f"[{html.unescape(match['image']) or 'image'}]", (*styles, "dim"))]
    if match["text"] is not None:
        return _read_link(match["text"], match["address"], styles, depth)
    if match["bare"] is not None:
        return [(match["bare"], (*styles, "underline"))]
    if match["strong"] is not None:
        return read_inline(match["strong"], (*styles, "bold"), depth)
    if match["struck"] is not None:
        return read_inline(match["struck"], (*styles, "dim"), depth)
    emphasised = match["starred"] if match["starred"] is not None else match["underlined"]
    return read_inline(emphasised, (*styles, "italic"), depth)


def _read_link(text: str, address: str, styles: tuple[Style, ...], depth: int) -> Spans:
    """The text, and where it leads: nobody can click on what a pipe or a screen shows."""
    spans = read_inline(text, (*styles, "underline"), depth)
    if address and address != text and not address.startswith("#"):
        spans.append((f" ({address})", (*styles, "dim")))
    return spans


def _plain(text: str, styles: tuple[Style, ...]) -> Spans:
    if not text:
        return []
    return [(html.unescape(text).replace(_HARD_BREAK, "\n"), styles)]


def _strip_code(code: str) -> str:
    """Take one blank off both ends, as CommonMark does, so that code may begin with a backtick."""
    code = code.replace(_HARD_BREAK, " ")
    is_padded = code.startswith(" ") and code.endswith(" ") and bool(code.strip())
    return code[1:-1] if is_padded else code
