"""Which filter patterns are fair: every example of GitHub's cheat sheet, and near misses."""

from __future__ import annotations

import pytest

from windlass.lang.patterns import check_pattern

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


@pytest.mark.parametrize(
    ("pattern", "kind", "word"),
    [
        ("", "ref", "empty"),
        ("!", "path", "no pattern"),
        ("a[", "ref", "closed"),
        ("[]", "path", "no character"),
        ("[z-a]", "ref", "backwards"),
        ("+a", "ref", "before it"),
        ("a\\", "ref", "escape"),
        ("a b", "ref", "name"),
        ("a~1", "ref", "name"),
        ("main.", "ref", "`.`"),
        ("refs/tags/v1", "ref", "without"),
        ("./a", "path", "root"),
        (" a", "path", "blank"),
        ("docs/", "path", "folders"),
        ("*+", "ref", "before it"),
        ("a**?", "path", "before it"),
        ("a?+", "ref", "before it"),
        ("main.lock", "ref", "`.lock`"),
        ("a.lock/b", "ref", "`.lock`"),
        (".hidden", "ref", "begins with `.`"),
        ("a/.b", "ref", "begins with `.`"),
        ("a..b", "ref", "`..`"),
        ("a//b", "ref", "`//`"),
        ("a@{b", "ref", "`@{`"),
    ],
)
def test_wrong_pattern_is_explained(pattern: str, kind: str, word: str) -> None:
    """The message says what is wrong with the pattern."""
    message = check_pattern(pattern, "ref" if kind == "ref" else "path")

    assert message is not None
    assert word in message
