"""What a document is made of: headings, paragraphs, lists, code, quotes, rules and tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; `level` is 1 to 6."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; its lines are joined when it is laid out."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list, `depth` lists deep; `mark` is `•`, `3.` or a box."""

    depth: int
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines that stand as they are."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """A document within the document."""

    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the header first; all have as many cells as the header."""

    rows: tuple[tuple[str, ...], ...]
    to_the_right: tuple[bool, ...]


Block: TypeAlias = Heading | Paragraph | Item | Code | Quote | Rule | Table

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_ITEM = re.compile(r"([ \t]*)([-*+]|\d{1,9}[.)])(?:[ \t]+(.*))?$")
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_DELIMITERS = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL = re.compile(r"((?:[^|\\`]|\\.?|`[^`]*`|`)*)(?:\||$)", flags=re.DOTALL)


def read_blocks(text: str) -> Iterator[Block]:
    """Split a document; what is not understood is a paragraph."""
    return _Reader(text.expandtabs(4).split("\n")).read()


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._indents: list[int] = []
        """The indents of the lists around the current line."""

    def read(self) -> Iterator[Block]:
        while self._at < len(self._lines):
            if not self._lines[self._at].strip():
                self._at += 1
                continue
            block = self._read_block()
            if not isinstance(block, Item):
                self._indents.clear()
            yield block

    def _read_block(self) -> Block:
        line = self._lines[self._at]
        if fence := _FENCE.match(line):
            return self._read_code(fence[1])
        if heading := _HEADING.match(line):
            self._at += 1
            return Heading(len(heading[1]), heading[2] or "")
        if _RULE.match(line):
            self._at += 1
            return Rule()
        if line.lstrip().startswith(">"):
            return self._read_quote()
        if item := _ITEM.match(line):
            return self._read_item(item)
        if "|" in line and self._is_delimiter(self._at + 1):
            return self._read_table()
        return self._read_paragraph()

    def _read_code(self, fence: str) -> Code:
        start = self._at + 1
        closing = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
        end = start
        while end < len(self._lines) and not closing.match(self._lines[end]):
            end += 1
        self._at = end + 1
        return Code(tuple(self._lines[start:end]))

    def _read_quote(self) -> Quote:
        start = self._at
        while self._at < len(self._lines) and self._lines[self._at].lstrip().startswith(">"):
            self._at += 1
        quoted = (line.lstrip()[1:] for line in self._lines[start : self._at])
        return Quote("\n".join(line.removeprefix(" ") for line in quoted))

    def _read_item(self, item: re.Match[str]) -> Item:
        indent, mark, text = len(item[1]), item[2], item[3] or ""
        while self._indents and self._indents[-1] > indent:
            self._indents.pop()
        if not self._indents or self._indents[-1] < indent:
            self._indents.append(indent)
        self._at += 1
        text = "\n".join([text, *self._continuation()])
        mark = mark.replace(")", ".") if mark[0].isdigit() else "•"
        if task := _TASK.match(text):
            mark, text = f"[{task[1].lower()}]", text[task.end() :]
        return Item(len(self._indents) - 1, mark, text)

    def _read_paragraph(self) -> Heading | Paragraph:
        lines = [self._lines[self._at].lstrip()]
        self._at += 1
        lines += self._continuation()
        if self._at < len(self._lines) and (under := _UNDERLINE.match(self._lines[self._at])):
            self._at += 1
            return Heading(1 if under[1][0] == "=" else 2, "\n".join(lines))
        return Paragraph("\n".join(lines))

    def _continuation(self) -> Iterator[str]:
        """The lines that go on where nothing else begins."""
        while self._at < len(self._lines) and not self._begins_block(self._lines[self._at]):
            if "|" in self._lines[self._at] and self._is_delimiter(self._at + 1):
                return
            yield self._lines[self._at].lstrip()
            self._at += 1

    def _begins_block(self, line: str) -> bool:
        return not line.strip() or any(
            pattern.match(line) for pattern in (_FENCE, _HEADING, _RULE, _ITEM, _UNDERLINE, _QUOTE)
        )

    def _is_delimiter(self, at: int) -> bool:
        line = self._lines[at] if at < len(self._lines) else ""
        return "-" in line and _DELIMITERS.match(line) is not None

    def _read_table(self) -> Table:
        header = split_cells(self._lines[self._at])
        delimiters = split_cells(self._lines[self._at + 1])
        self._at += 2
        rows = [header]
        while self._at < len(self._lines) and "|" in self._lines[self._at]:
            rows.append(split_cells(self._lines[self._at]))
            self._at += 1
        width = len(header)
        right = [cell.endswith(":") and not cell.startswith(":") for cell in delimiters]
        return Table(
            tuple(tuple([*row, *[""] * width][:width]) for row in rows),
            tuple([*right, *[False] * width][:width]),
        )


_QUOTE = re.compile(r" {0,3}>")


def split_cells(line: str) -> list[str]:
    r"""Split a row at its bars; `\|` and a bar within code are none."""
    line = line.strip()
    line = line.removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    cells = []
    position = 0
    while position <= len(line):
        match = _CELL.match(line, position)
        assert match is not None  # noqa: S101  # the pattern matches anything, even nothing
        cells.append(match[1].replace("\\|", "|").strip())
        if match.end() == len(line) and not match[0].endswith("|"):
            break
        position = max(match.end(), position + 1)
    return cells
