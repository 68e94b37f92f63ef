"""Filter patterns, as GitHub's cheat sheet has them.

Expected values: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.plan.filters import match_any, match_ignored, match_names, matches

CHEAT_SHEET = {
    # Branches and tags
    "one-level-below": ("feature/*", ["feature/my-branch", "feature/your-branch"], ["feature/a/b"]),
    "all-below": (
        "feature/**",
        ["feature/beta-a/my-branch", "feature/your-branch", "feature/mona/the/octocat"],
        ["feature", "my/feature/x"],
    ),
    "exact-name": ("main", ["main"], ["maint", "amain", "main/x"]),
    "exact-name-with-slash": ("releases/mona-the-octocat", ["releases/mona-the-octocat"], ["x"]),
    "names-without-slash": ("*", ["main", "releases"], ["all/the/branches"]),
    "every-name": ("**", ["all/the/branches", "every/tag", "main"], []),
    "ends-with": ("*feature", ["mona-feature", "feature", "ver-10-feature"], ["a/feature"]),
    "starts-with": ("v2*", ["v2", "v2.0", "v2.9"], ["v1", "v2/a"]),
    "versions": (
        "v[12].[0-9]+.[0-9]+",
        ["v1.10.1", "v2.0.0"],
        ["v3.0.0", "v1..1", "v1.0", "v1x0x0"],
    ),
    # Paths
    "files-in-the-root": ("*", ["README.md", "server.rb"], ["docs/README.md"]),
    "optional-character": ("*.jsx?", ["page.js", "page.jsx"], ["page.jsxx", "a/page.js"]),
    "every-file": ("**", ["all/the/files.md"], []),
    "extension-in-the-root": ("*.js", ["app.js", "index.js"], ["js/index.js"]),
    "extension-anywhere": ("**.js", ["index.js", "js/index.js", "src/js/app.js"], ["index.jsx"]),
    "files-in-a-folder": ("docs/*", ["docs/README.md", "docs/file.txt"], ["docs/a/b.txt"]),
    "everything-in-a-folder": ("docs/**", ["docs/README.md", "docs/mona/octocat.txt"], ["docs"]),
    "extension-in-a-folder": (
        "docs/**/*.md",
        ["docs/README.md", "docs/mona/hello-world.md", "docs/a/markdown/file.md"],
        ["docs/README.txt", "README.md"],
    ),
    "folder-anywhere": (
        "**/docs/**",
        ["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"],
        ["mydocs/hello.md"],
    ),
    "file-anywhere": ("**/README.md", ["README.md", "js/README.md"], ["MYREADME.md"]),
    "folder-by-its-end": ("**/*src/**", ["a/src/app.js", "my-src/code/js/app.js"], ["srca/app.js"]),
    "file-by-its-end-anywhere": (
        "**/*-post.md",
        ["my-post.md", "path/their-post.md"],
        ["my-post.mdx"],
    ),
    "file-by-both-ends-anywhere": (
        "**/migrate-*.sql",
        ["migrate-10909.sql", "db/migrate-v1.0.sql", "db/sept/migrate-v1.sql"],
        ["migrate.sql", "db/migrate-a/b.sql"],
    ),
}

SYNTAX = {
    "plus-repeats": ("ab+", ["ab", "abbb"], ["a", "abab"]),
    "question-mark-is-about-one-character": ("ab?c", ["abc", "ac"], ["abbc", "axc"]),
    "both-quantifiers": ("ab?+c", ["ac", "abc", "abbc"], ["axc"]),
    "class": ("[CB]at", ["Cat", "Bat"], ["cat", "at"]),
    "class-with-ranges": ("[0-9a-c]x", ["5x", "bx"], ["dx", "Ax"]),
    "class-quantified": ("[ab]+", ["abba"], ["abc", ""]),
    "a-range-stays-within-its-set": ("[9-a]", ["9", "-", "a"], ["A", ":"]),
    "dash-at-an-end-of-a-class": ("[a-]", ["a", "-"], ["b"]),
    "escaped-star": (r"a\*", ["a*"], ["ab", "a"]),
    "escaped-bang": (r"\!x", ["!x"], ["x"]),
    "escaped-bracket": (r"\[a]", ["[a]"], ["a"]),
    "unclosed-class-is-itself": ("[ab", ["[ab"], ["a"]),
    "quantifier-first-is-itself": ("+a", ["+a"], ["a"]),
    "quantified-star-is-a-star": ("a*+b", ["ab", "axxb"], ["a/b"]),
    "dot-is-a-dot": ("a.b", ["a.b"], ["axb"]),
    "case-counts": ("Main", ["Main"], ["main"]),
    "double-star-within-a-name": ("a**z", ["az", "a/b/z"], ["a/b"]),
    "slash-of-a-double-star-is-needed": ("a**/z", ["az", "ab/z"], ["abz"]),
}


@pytest.mark.parametrize(
    ("pattern", "matching", "other"), CHEAT_SHEET.values(), ids=CHEAT_SHEET.keys()
)
def test_cheat_sheet(pattern: str, matching: list[str], other: list[str]) -> None:
    """Each row of GitHub's cheat sheet matches what it says, and no more."""
    assert [name for name in matching + other if matches(pattern, name)] == matching


@pytest.mark.parametrize(("pattern", "matching", "other"), SYNTAX.values(), ids=SYNTAX.keys())
def test_syntax(pattern: str, matching: list[str], other: list[str]) -> None:
    """Special characters mean what the cheat sheet says; where they cannot, they are themselves."""
    assert [name for name in matching + other if matches(pattern, name)] == matching


@pytest.mark.requirement("A03")
@pytest.mark.parametrize(
    ("patterns", "name", "expected"),
    [
        (["*.md", "!README.md"], "hello.md", ("*.md", True)),
        (["*.md", "!README.md"], "README.md", ("!README.md", False)),
        (["*.md", "!README.md"], "docs/hello.md", (None, False)),
        (["*.md", "!README.md", "README*"], "README.md", ("README*", True)),
        (["*.md", "!README.md", "README*"], "README.doc", ("README*", True)),
        (["!releases/**-alpha", "releases/**"], "releases/1-alpha", ("releases/**", True)),
        (["releases/**", "!releases/**-alpha"], "releases/1-alpha", ("!releases/**-alpha", False)),
        (["releases/**", "!releases/**-alpha"], "releases/10", ("releases/**", True)),
        (["!main"], "main", (None, False)),
        (["!main"], "other", (None, False)),
        ([], "main", (None, False)),
    ],
)
def test_order_decides(patterns: list[str], name: str, expected: tuple[str | None, bool]) -> None:
    """Patterns apply in order: a later one puts in or takes out what an earlier one decided."""
    match = match_names(patterns, name)

    assert expected == (match.pattern, match.matched)


@pytest.mark.requirement("A03")
def test_one_changed_file_is_enough() -> None:
    """`paths` lets an event through as soon as one changed file matches."""
    match, path = match_any(["docs/**", "!docs/old/**"], ["src/a.py", "docs/old/x", "docs/new"])

    assert (path, match.pattern) == ("docs/new", "docs/**")


def test_the_pattern_that_took_every_file_out_is_named() -> None:
    """Where nothing is left, the match tells the last pattern that took a file out."""
    match, path = match_any(["docs/**", "!docs/old/**"], ["docs/old/x"])

    assert (path, match.matched, match.pattern) == (None, False, "!docs/old/**")


@pytest.mark.requirement("A03")
@pytest.mark.parametrize(
    ("files", "expected"),
    [(["docs/a.md"], None), (["docs/a.md", "src/a.py"], "src/a.py"), ([], None)],
)
def test_ignore_filters_cover_all_or_nothing(files: list[str], expected: str | None) -> None:
    """`paths-ignore` holds an event back only where it covers every changed file."""
    assert expected == match_ignored(["docs/**"], files)


def test_no_pattern_explodes() -> None:
    """A pattern that would make a backtracking matcher hang takes time linear in the name."""
    started = time.process_time()

    assert not matches("**a+" * 50 + "b", "a" * 5000)
    assert not matches("[a-z]+" * 50 + "!", "z" * 5000)
    assert time.process_time() - started < 2


@given(st.text(max_size=40), st.text(max_size=40))
def test_never_raises(pattern: str, name: str) -> None:
    """Any text is a pattern, if only one that matches nothing."""
    assert matches(pattern, name) in (True, False)


PIECES = {"a": "a", "b": "b", "/": "/", "*": "[^/]*", "**": ".*", "**/": "(.+/)?", "[ab]": "[ab]"}


@given(
    st.lists(st.sampled_from(list(PIECES)), max_size=7).filter(
        lambda pieces: (
            not any(
                left.startswith("*") and right.startswith(("*", "/"))
                for left, right in itertools.pairwise(pieces)
            )
        )
    ),
    st.text(alphabet="ab/", max_size=10),
)
def test_equals_the_regular_expression(pieces: list[str], name: str) -> None:
    """The automaton accepts what the pattern's translation to a regular expression does."""
    expected = re.fullmatch("".join(PIECES[piece] for piece in pieces), name) is not None

    assert expected == matches("".join(pieces), name)


@given(st.text(alphabet="abc./-_0", min_size=1, max_size=30))
def test_a_plain_name_matches_itself_alone(name: str) -> None:
    """A pattern without special characters is an exact name."""
    assert matches(name, name)
    assert not matches(name, name + "x")
