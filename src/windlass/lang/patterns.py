"""Which filter patterns of `on` cannot be right.

Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
and https://git-scm.com/docs/git-check-ref-format for the names of branches and tags.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

PatternKind: TypeAlias = Literal["ref", "path"]

# What follows `?` need not be there. A class stands for one fair character.
_CLASS = re.compile(r"\\.|\[[^\]]*\]")
_REF_CHARACTER = re.compile(r"[ ~^:\x00-\x1f\x7f](?!\?)")
_REF_PARTS = (
    (r"^/(?!\?)|/$", "no branch or tag begins or ends with `/`"),
    (
        re.compile(r"^refs/"),
        "the pattern is matched against the name without `refs/heads/` or `refs/tags/`",
    ),
    (r"\.\.(?!\?)", "no branch or tag has `..` in its name"),
    (r"//(?!\?)", "no branch or tag has `//` in its name"),
    (r"@\{(?!\?)", "no branch or tag has `@{` in its name"),
    (r"(?:^|/)\.(?!\?)", "no part of a branch or tag begins with `.`"),
    (r"\.lock(?:/(?!\?)|$)", "no part of a branch or tag ends with `.lock`"),
    (r"\.$", "no branch or tag ends with `.`"),
)
"""What no name holds: https://git-scm.com/docs/git-check-ref-format."""


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
    may_repeat = False
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
        elif character in "?+" and not may_repeat:
            return f"`{character}` has no character before it to repeat"
        may_repeat = character not in "?+*"
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
    plain = _CLASS.sub("x", body)
    bad = _REF_CHARACTER.search(plain)
    if bad is not None:
        return f"no branch or tag has {bad[0]!r} in its name"
    return next((message for part, message in _REF_PARTS if re.search(part, plain)), None)


def _check_path(body: str) -> str | None:
    for prefix in ("./", "../", "/"):
        if body.startswith(prefix):
            return f"paths begin at the repository's root, none begins with `{prefix}`"
    if "/./" in body or "/../" in body:
        return "no changed file has `.` or `..` in its path"
    if body.endswith("/"):
        return "files are matched, not folders, and no path of a file ends with `/`; add `**`"
    if body != body.strip():
        return "the pattern begins or ends with a blank"
    return None
