"""The file patterns of `hashFiles`: `*`, `?`, `[a-z]`, `**`, `!` in front; no braces.

Source: actions/toolkit packages/glob (internal-pattern.ts, internal-globber.ts) and minimatch 3
with the options it is given there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ANY_DEPTH = "**"


class PatternError(Exception):
    """A pattern that the globber refuses."""


@dataclass(frozen=True, slots=True)
class Glob:
    """One absolute pattern in segments.

    `implicit` marks the descendants of what a pattern names, which always belong to it.
    `folders_only` comes from a slash at the end.
    """

    segments: tuple[str, ...]
    negated: bool
    folders_only: bool = False
    implicit: bool = False

    @property
    def literal_segments(self) -> tuple[str, ...]:
        """The segments up to the first that is a pattern: where the search begins."""
        for index, segment in enumerate(self.segments):
            if _literal(segment) is None:
                return tuple(_literal(known) or "" for known in self.segments[:index])
        return tuple(_literal(segment) or "" for segment in self.segments)

    def matches(self, path: Sequence[str]) -> bool:
        """Tell whether a path, in segments, is meant."""
        # `a/**` written by the user names `a` itself too; its implicit form does not.
        ends_open = self.segments[-1:] == (ANY_DEPTH,) and not self.implicit
        return _match([*path, ""] if ends_open else path, self.segments, partial=False)

    def may_contain(self, folder: Sequence[str]) -> bool:
        """Tell whether something below a folder may be meant."""
        return _match(folder, self.segments, partial=True)


def read_globs(lines: Iterable[str], root: str) -> list[Glob]:
    """Read patterns, relative to a root, each followed by the pattern of what lies below it.

    Raises:
        PatternError: a pattern has `..` in it, or `.` in the middle.
    """
    globs: list[Glob] = []
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        negated = False
        while text.startswith("!"):
            negated, text = not negated, text[1:].strip()
        glob = _read_glob(text, root, negated=negated)
        globs.append(glob)
        if glob.folders_only or glob.segments[-1:] != (ANY_DEPTH,):
            globs.append(Glob((*glob.segments, ANY_DEPTH), negated, implicit=True))
    return globs


def find_roots(globs: Iterable[Glob]) -> list[tuple[str, ...]]:
    """Return where to search, in the order of the patterns, none below another."""
    roots = list(dict.fromkeys(glob.literal_segments for glob in globs if not glob.negated))
    return [
        root
        for root in roots
        if not any(other != root and root[: len(other)] == other for other in roots)
    ]


def decide(globs: Iterable[Glob], path: Sequence[str]) -> tuple[bool, bool]:
    """Return whether a path is meant as a file, and as a folder; the last pattern decides."""
    as_file = as_folder = False
    for glob in globs:
        if glob.matches(path):
            as_folder = not glob.negated
            as_file = as_file if glob.folders_only else not glob.negated
    return as_file, as_folder


def _read_glob(text: str, root: str, *, negated: bool) -> Glob:
    if not text:
        raise PatternError("Parameter 'pattern' must not be empty")
    segments = [part for part in text.split("/") if part]
    if ".." in segments or "." in segments[1:]:
        raise PatternError(
            f"Invalid pattern '{text}'. Relative pathing '.' and '..' is not allowed."
        )
    if not text.startswith("/"):
        prefix = [re.sub(r"([\\*?\[])", r"\\\1", part) for part in root.split("/") if part]
        segments = [*prefix, *(segments[1:] if segments[:1] == ["."] else segments)]
    return Glob(tuple(segments), negated, folders_only=text.endswith("/"))


def _match(path: Sequence[str], pattern: Sequence[str], *, partial: bool) -> bool:
    """Match segment by segment; with `partial` a path that ends early still counts.

    Keeps the set of places in the pattern that the path so far can have reached.
    """
    end = len(pattern)
    places = _skip_any_depth({0}, pattern)
    for segment in path:
        reached: set[int] = set()
        for place in places - {end}:
            if pattern[place] != ANY_DEPTH:
                if _segment_matches(pattern[place], segment):
                    reached.add(place + 1)
            elif segment not in (".", ".."):
                # The last `**` stands for one segment at least, any other for none too.
                reached |= {place, end} if place == end - 1 else {place}
        places = _skip_any_depth(reached, pattern)
        if not places:
            return False
    return partial or end in places


def _skip_any_depth(places: set[int], pattern: Sequence[str]) -> set[int]:
    """Add the places after each `**` that may stand for nothing."""
    reached = set(places)
    for place in places:
        while place < len(pattern) - 1 and pattern[place] == ANY_DEPTH:
            place += 1
            reached.add(place)
    return reached


def _segment_matches(pattern: str, segment: str) -> bool:
    return _compile(pattern).fullmatch(segment) is not None


@lru_cache(maxsize=512)
def _literal(segment: str) -> str | None:
    """Return the name a segment stands for, or None where it may stand for several."""
    parts: list[str] = []
    position = 0
    while position < len(segment):
        character = segment[position]
        closed = segment.find("]", position + 1)
        if character == "\\" and position + 1 < len(segment):
            position += 1
            character = segment[position]
        elif character in "*?" or (character == "[" and closed > position + 2):
            return None
        elif character == "[" and closed == position + 2:
            character = segment[position + 1]
            position = closed
        parts.append(character)
        position += 1
    return "".join(parts)


@lru_cache(maxsize=512)
def _compile(segment: str) -> re.Pattern[str]:
    parts = [r"(?!\.{1,2}\Z)(?=.)" if segment[0] in "*?[" else ""]
    position = 0
    while position < len(segment):
        character = segment[position]
        end = segment.find("]", position + 2)
        if character == "\\" and position + 1 < len(segment):
            position += 1
            parts.append(re.escape(segment[position]))
        elif character == "[" and end > 0:
            parts.append(_compile_class(segment[position + 1 : end]))
            position = end
        else:
            parts.append({"*": ".*", "?": "."}.get(character) or re.escape(character))
        position += 1
    return re.compile("".join(parts), re.DOTALL)


def _compile_class(content: str) -> str:
    """Return a character class; one that makes no sense is taken literally, as by minimatch."""
    negated = content[:1] in ("!", "^")
    inside = content[1:] if negated else content
    inside = re.sub(r"([\[\]\\^&~|])", r"\\\1", inside.replace("\\", ""))
    text = f"[{'^' if negated else ''}{inside}]"
    try:
        re.compile(text)
    except re.error:
        return re.escape(f"[{content}]")
    return text
