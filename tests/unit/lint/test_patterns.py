"""Which filter patterns are fair: every example of GitHub's cheat sheet, and near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.lang.patterns import check_pattern

if TYPE_CHECKING:
    from windlass.lang.patterns import PatternKind

# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
REFS = [
    *("feature/*", "feature/**", "main", "releases/mona-the-octocat", "*", "**", "*feature"),
    *("v2*", "v[12].[0-9]+.[0-9]+", "releases/**", "!releases/**-alpha", "octoc?at"),
]
PATHS = [
    *("*", "*.jsx?", "**", "*.js", "**.js", "docs/*", "docs/**", "docs/**/*.md", "**/docs/**"),
    *("**/README.md", "**/*src/**", "**/*-post.md", "**/migrate-*.sql", "!README.md", "README*"),
    *("*.ya?ml", "src/[a-c]*.py"),
]


@pytest.mark.parametrize("pattern", REFS)
def test_branches_and_tags_of_the_cheat_sheet(pattern: str) -> None:
    """GitHub's own examples for branches and tags are right."""
    assert check_pattern(pattern, "ref") is None


@pytest.mark.parametrize("pattern", PATHS)
def test_paths_of_the_cheat_sheet(pattern: str) -> None:
    """GitHub's own examples for paths are right."""
    assert check_pattern(pattern, "path") is None


@pytest.mark.parametrize(
    "pattern",
    [
        *("a\\++", "a\\*+", "[+*]+", "[+]?", "a..?b", "a/.?b", "/?main", "a ?b", "[ ^]x"),
        *("main.lock?", "a.locked", "a.lock*", "@", "v1.*"),
    ],
)
def test_odd_refs_that_can_match(pattern: str) -> None:
    """An escaped character may be repeated, and what `?` makes optional may be missing."""
    assert check_pattern(pattern, "ref") is None


@pytest.mark.parametrize("pattern", ["X-ray", "X+", "[a-a]", "a!", "v[0-9].*", "[ab][cd]"])
def test_near_misses_are_fair(pattern: str) -> None:
    """What looks like a mistake and is none."""
    assert check_pattern(pattern, "ref") is None


ROOT = "paths begin at the repository's root, none begins with "
FOLDER = "files are matched, not folders, and no path of a file ends with `/`; add `**`"
DOTS = "no changed file has `.` or `..` in its path"
BLANK = "the pattern begins or ends with a blank"
SLASH = "no branch or tag begins or ends with `/`"
LOCK = "no part of a branch or tag ends with `.lock`"
DOT = "no part of a branch or tag begins with `.`"
REFS_PREFIX = "the pattern is matched against the name without `refs/heads/` or `refs/tags/`"


@pytest.mark.parametrize(
    ("pattern", "kind", "message"),
    [
        ("", "ref", "the pattern is empty"),
        ("!", "path", "`!` has no pattern after it"),
        ("a[", "ref", "`[` is not closed by a `]`"),
        ("[", "ref", "`[` is not closed by a `]`"),
        ("a]b[", "ref", "`[` is not closed by a `]`"),
        ("\\a[", "ref", "`[` is not closed by a `]`"),
        ("[]", "path", "`[]` matches no character"),
        ("[]a]", "path", "`[]` matches no character"),
        ("[z-a]", "ref", "the range `z-a` goes backwards"),
        ("[a-cz-x]", "ref", "the range `z-x` goes backwards"),
        ("+a", "ref", "`+` has no character before it to repeat"),
        ("!+a", "ref", "`+` has no character before it to repeat"),
        ("*+", "ref", "`+` has no character before it to repeat"),
        ("a**?", "path", "`?` has no character before it to repeat"),
        ("a?+", "ref", "`+` has no character before it to repeat"),
        ("a\\", "ref", "`\\` at the end has nothing to escape"),
        ("a b", "ref", "no branch or tag has ' ' in its name"),
        ("a~1", "ref", "no branch or tag has '~' in its name"),
        ("a\x7f", "ref", "no branch or tag has '\\x7f' in its name"),
        ("/a", "ref", SLASH),
        ("a/", "ref", SLASH),
        ("main.", "ref", "no branch or tag ends with `.`"),
        ("refs/tags/v1", "ref", REFS_PREFIX),
        ("main.lock", "ref", LOCK),
        ("a.lock/b", "ref", LOCK),
        (".hidden", "ref", DOT),
        ("a/.b", "ref", DOT),
        ("a..b", "ref", "no branch or tag has `..` in its name"),
        ("a//b", "ref", "no branch or tag has `//` in its name"),
        ("a@{b", "ref", "no branch or tag has `@{` in its name"),
        ("./a", "path", ROOT + "`./`"),
        ("../a", "path", ROOT + "`../`"),
        ("/a", "path", ROOT + "`/`"),
        ("!./a", "path", ROOT + "`./`"),
        ("a/./b", "path", DOTS),
        ("a/../b", "path", DOTS),
        ("docs/", "path", FOLDER),
        (" a", "path", BLANK),
        ("a ", "path", BLANK),
    ],
)
def test_wrong_pattern_is_explained(pattern: str, kind: PatternKind, message: str) -> None:
    """The message says what is wrong with the pattern."""
    assert check_pattern(pattern, kind) == message
