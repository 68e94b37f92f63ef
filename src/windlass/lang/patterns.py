"""Which filter patterns of `on` cannot be right.

Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
and https://git-scm.com/docs/git-check-ref-format for the names of branches and tags.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

PatternKind: TypeAlias = Literal["ref", "path"]

_REF_CHARACTERS = re.compile(r"[ ~^:\x00-\x1f\x7f]")


def check_pattern(text: str, kind: PatternKind) -> str | None:
    """Return what is wrong with a pattern for branches and tags (`ref`) or paths, or None."""
    body = text.removeprefix("!")
    if not text:
        return "the pattern is empty"
    if not body:
        return "`!` has no pattern after it"
    message = _check_syntax(body)
    if message is not None:
        return message
    return _check_ref(body) if kind == "ref" else _check_path(body)


def _check_syntax(body: str) -> str | None:
    position = 0
    while position < len(body):
        character = body[position]
        if character == "\\":
            if position + 1 == len(body):
                return "`\\` at the end has nothing to escape"
            position += 1
        elif character == "[":
            end = body.find("]", position + 1)
            if end < 0:
                return "`[` is not closed by a `]`"
            message = _check_class(body[position + 1 : end])
            if message is not None:
                return message
            position = end
        elif character in "?+" and (position == 0 or body[position - 1] in "?+*"):
            return f"`{character}` has no character before it to repeat"
        position += 1
    return None


def _check_class(content: str) -> str | None:
    if not content:
        return "`[]` matches no character"
    for low, high in re.findall(r"(.)-(.)", content):
        if low > high:
            return f"the range `{low}-{high}` goes backwards"
    return None


def _check_ref(body: str) -> str | None:
    bad = _REF_CHARACTERS.search(body)
    if bad is not None:
        return f"no branch or tag has {bad[0]!r} in its name"
    if body.startswith("/") or body.endswith("/"):
        return "no branch or tag begins or ends with `/`"
    if body.startswith("refs/"):
        return "the pattern is matched against the name without `refs/heads/` or `refs/tags/`"
    for part in ("..", "//", "@{"):
        if part in body:
            return f"no branch or tag has `{part}` in its name"
    return "no branch or tag ends with `.`" if body.endswith(".") else None


def _check_path(body: str) -> str | None:
    for prefix in ("./", "../", "/"):
        if body.startswith(prefix):
            return f"paths begin at the repository's root, none begins with `{prefix}`"
    if "/./" in body or "/../" in body:
        return "no changed file has `.` or `..` in its path"
    if body != body.strip():
        return "the pattern begins or ends with a blank"
    return None
