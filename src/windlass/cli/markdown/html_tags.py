"""HTML in Markdown, as far as job summaries use it, as the Markdown that says the same.

Source: https://github.com/actions/toolkit/blob/main/packages/core/src/summary.ts
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,15})"
    r"(?P<attributes>(?:\s(?:[^<>\"']|\"[^\"<]{0,4000}\"|'[^'<]{0,4000}'){0,2000})?)/?>"
    r"|<!--.{0,1000}?-->",
    flags=re.DOTALL,
)
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?P<ticks>`{1,8})[^`\n]{1,400}(?P=ticks)",
    flags=re.DOTALL | re.MULTILINE,
)
_BLOCK: Final = "\n\n"
_STARTS: Final = {
    **{f"h{level}": f"{_BLOCK}{'#' * level} " for level in range(1, 7)},
    **dict.fromkeys(("b", "strong", "summary"), "**"),
    **dict.fromkeys(("i", "em"), "*"),
    **dict.fromkeys(("s", "del"), "~~"),
    **dict.fromkeys(("p", "div", "details", "section"), _BLOCK),
    "hr": f"{_BLOCK}---{_BLOCK}",
    "br": "  \n",
    "blockquote": f"{_BLOCK}> ",
    "code": "`",
}
_ENDS: Final = {
    **_STARTS,
    **{f"h{level}": _BLOCK for level in range(1, 7)},
    "blockquote": _BLOCK,
    "summary": f"**{_BLOCK}",
    "br": "",
    "hr": "",
}


def replace_tags(text: str) -> str:
    """Return the text with tags turned into Markdown; what stands in code is left alone."""
    if "<" not in text:
        return text
    parts = []
    position = 0
    for code in _CODE.finditer(text):
        parts += [_replace(text[position : code.start()]), code[0]]
        position = code.end()
    return "".join([*parts, _replace(text[position:])])


def _replace(text: str) -> str:
    return "".join(_Translation().translate(text)) if "<" in text else text


class _Translation:
    """Goes through one stretch of text from tag to tag."""

    def __init__(self) -> None:
        self._lists: list[int] = []
        """For each list around: 0, or the number of the last item."""
        self._rows = 0
        self._cells = 0
        self._links: list[str] = []
        self._is_verbatim = False

    def translate(self, text: str) -> Iterator[str]:
        position = 0
        for tag in _TAG.finditer(text):
            yield self._plain(text[position : tag.start()])
            yield self._tag(tag)
            position = tag.end()
        yield self._plain(text[position:])

    def _plain(self, text: str) -> str:
        if self._is_verbatim:
            return html.unescape(text)
        if self._rows and not self._cells:
            return ""  # what stands between the cells of a table means nothing
        return " ".join(text.split("\n")).replace("|", "\\|") if self._rows else text

    def _tag(self, tag: re.Match[str]) -> str:
        name, is_end = (tag["name"] or "").lower(), bool(tag["end"])
        if self._is_verbatim and not (is_end and name == "pre"):
            return "" if name == "code" else tag[0]
        if name in ("table", "thead", "tbody", "tr", "th", "td"):
            return self._table(name, is_end=is_end)
        if name in ("ul", "ol", "li"):
            return self._list(name, is_end=is_end)
        if name == "a":
            return self._link(tag, is_end=is_end)
        if name == "pre":
            self._is_verbatim = not is_end
            return "\n```\n"
        if name == "img":
            return f"![{_attribute(tag, 'alt')}]()"
        return (_ENDS if is_end else _STARTS).get(name, "")

    def _table(self, name: str, *, is_end: bool) -> str:
        if name == "table":
            self._rows = self._cells = 0
            return _BLOCK
        if name in ("th", "td"):
            self._cells += not is_end
            return " | " if is_end else ""
        if name != "tr":
            return ""
        if not is_end:
            self._rows, self._cells = self._rows + 1, 0
            return "\n| "
        return f"\n|{' - |' * max(self._cells, 1)}" if self._rows == 1 else ""

    def _list(self, name: str, *, is_end: bool) -> str:
        if name == "li":
            if is_end or not self._lists:
                return ""
            depth = "  " * (len(self._lists) - 1)
            if self._lists[-1] < 0:
                return f"\n{depth}- "
            self._lists[-1] += 1
            return f"\n{depth}{self._lists[-1]}. "
        if not is_end:
            self._lists.append(-1 if name == "ul" else 0)
            return "\n"
        if self._lists:
            self._lists.pop()
        return "\n" if self._lists else _BLOCK

    def _link(self, tag: re.Match[str], *, is_end: bool) -> str:
        if not is_end:
            self._links.append(_attribute(tag, "href"))
            return "["
        return f"]({self._links.pop()})" if self._links else ""


def _attribute(tag: re.Match[str], name: str) -> str:
    for found in _ATTRIBUTE.finditer(tag["attributes"] or ""):
        if found[1].lower() == name:
            return html.unescape(found[2] or found[3] or found[4] or "")
    return ""
