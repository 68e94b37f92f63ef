"""What is wrong with a filter pattern: mistakes that keep it from ever matching as it was meant.

Sources: GitHub's filter pattern cheat sheet (see `windlass.plan.filters`) and
https://git-scm.com/docs/git-check-ref-format for the names that branches and tags can have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from windlass.plan.filters import is_negative, is_range

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind: TypeAlias = Literal["ref", "path"]

_ESCAPABLE: Final = "[]?*+\\!"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def check_pattern(text: str, kind: Kind) -> str | None:
    """Return what is wrong with one pattern as written, as a sentence, or None.

    `kind` is "ref" for branches and tags, "path" for paths.
    """
    body = text[1:] if is_negative(text) else text
    if not text:
        return "the pattern is empty"
    if not body:
        return "nothing follows the '!', so the pattern takes nothing away"
    if found := _CONTROL.search(body):
        return f"the control character {found.group()!r} cannot be in a name"
    return _check_syntax(body) or (_check_ref(body) if kind == "ref" else _check_path(body))


def check_patterns(patterns: Sequence[str]) -> str | None:
    """Return what is wrong with the patterns of one key together, or None."""
    if patterns and all(map(is_negative, patterns)):
        return (
            "all patterns start with '!', so nothing ever matches; "
            "name what should match first, '**' for everything"
        )
    if patterns and is_negative(patterns[0]):
        return f"'{patterns[0]}' comes first, so there is nothing yet that it could take away"
    return None


def _check_syntax(body: str) -> str | None:
    """Look for special characters that cannot mean what they seem to."""
    index, before = 0, ""
    while index < len(body):
        character = body[index]
        problem, length = None, 1
        if character == "\\":
            problem, length = _check_escape(body, index), 2
        elif character == "[":
            problem, length = _check_class(body, index)
        elif character in "?+":
            problem = _check_quantifier(character, before)
        elif character == "]":
            problem = "there is no '[' for this ']'; write '\\]' for the character itself"
        elif character == "*" and body.startswith("***", index):
            problem = "three '*' in a row mean no more than two"
        if problem is not None:
            return problem
        before, index = character, index + length
    return None


def _check_escape(body: str, index: int) -> str | None:
    following = body[index + 1 : index + 2]
    if not following:
        return "nothing follows the '\\' at the end"
    if following not in _ESCAPABLE:
        return f"'\\{following}': only the special characters {_ESCAPABLE} need a '\\'"
    return None


def _check_quantifier(character: str, before: str) -> str | None:
    if not before:
        return f"there is no character before '{character}' that it could be about"
    if before in "*?+":
        return f"'{character}' after '{before}' changes nothing"
    return None


def _check_class(body: str, index: int) -> tuple[str | None, int]:
    end = body.find("]", index + 1)
    if end < 0:
        return "this '[' is never closed; write '\\[' for the character itself", 1
    text = body[index + 1 : end]
    return _check_class_text(text), end + 1 - index


def _check_class_text(text: str) -> str | None:
    if not text:
        return "'[]' matches nothing: name the characters between the brackets"
    for first, last in re.findall(r"(.)-(.)", text):
        if not is_range(first, last):
            return f"'{first}-{last}' is no range: one lies within 0-9, a-z or A-Z"
        if first > last:
            return f"'{first}-{last}' is empty: write '{last}-{first}'"
    return None


def _check_ref(body: str) -> str | None:
    """Look for what no branch or tag name can have."""
    for character in " ~^:":
        if character in body:
            return f"a branch or tag name cannot have {character!r}"
    for part in ("..", "//", "@{"):
        if part in body:
            return f"a branch or tag name cannot have '{part}'"
    if body.startswith("/") or body.endswith(("/", ".", ".lock")):
        return "a branch or tag name cannot start with '/' or end with '/', '.' or '.lock'"
    for prefix in ("refs/heads/", "refs/tags/"):
        if body.startswith(prefix):
            return f"filters see names without '{prefix}': write '{body.removeprefix(prefix)}'"
    return None


def _check_path(body: str) -> str | None:
    """Look for what no path within a repository can have."""
    if body != body.strip():
        return "the pattern starts or ends with a blank, which file names hardly do"
    for prefix in ("./", "../", "/"):
        if body.startswith(prefix):
            rest = body.removeprefix(prefix)
            return f"paths are relative to the repository and never start with '{prefix}'" + (
                f": write '{rest}'" if rest and prefix != "../" else ""
            )
    if body.endswith("/"):
        return f"only files are matched, never a folder: write '{body}**'"
    for part in ("//", "/./", "/../"):
        if part in body:
            return f"a path within a repository never has '{part}'"
    return None
