"""Which parts of an expression anybody can choose.

https://docs.github.com/en/actions/reference/security/secure-use#good-practices-for-mitigating-script-injection-attacks
"""

from __future__ import annotations

import pytest

from windlass.lang.lint.places import parse_expression
from windlass.lang.lint.taint import untrusted_parts

TITLE = "github.event.issue.title"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (TITLE, [TITLE]),
        ("GitHub.Event.Issue['Title']", ["GitHub.Event.Issue['Title']"]),
        ("github.head_ref", ["github.head_ref"]),
        ("github.ref", []),
        ("github", []),
        ("github.event", []),
        ("env.head_ref", []),
        ("inputs.event.issue.title", []),
        ("github.event.issue.title.more", []),
        ("github.event.issue[inputs.key]", ["github.event.issue[inputs.key]"]),
        ("github.event.commits[0].message", ["github.event.commits[0].message"]),
        ("github.event.commits.*.author.name", ["github.event.commits.*.author.name"]),
        ("github.event.commits['0'].message", ["github.event.commits['0'].message"]),
        ("github.event.commits[0].sha", []),
        ("github.*.issue.title", ["github.*.issue.title"]),
        ("toJSON(github)", ["github"]),
        ("toJSON(github.event)", ["github.event"]),
        ("toJSON(github.event.repository)", []),
        ("toJSON(env)", []),
        ("toJSON(inputs.x)", []),
        ("toJSON('text')", []),
        ("fromJSON(toJSON(github.event.comment))", ["github.event.comment"]),
        (f"format('{{0}} {{1}}', {TITLE}, github.head_ref)", [TITLE, "github.head_ref"]),
        (f"join({TITLE})", [TITLE]),
        ("join(github.event)", []),
        (f"case(github.ref == 'x', {TITLE}, 'y')", [TITLE]),
        (f"contains({TITLE}, 'x')", []),
        (f"{TITLE} == 'x'", []),
        (f"!{TITLE}", []),
        (f"{TITLE} || 'x'", [TITLE]),
        (f"'x' || {TITLE} || github.head_ref", [TITLE, "github.head_ref"]),
        (f"{TITLE} && 'x'", []),
        (f"'x' && {TITLE}", [TITLE]),
        (f"'x' && github.head_ref && {TITLE}", [TITLE]),
        ("fromJSON('{}').x", []),
    ],
)
def test_untrusted_parts(text: str, parts: list[str]) -> None:
    """Only what can become part of the value counts; tests and comparisons let nothing through."""
    node = parse_expression(text)
    assert node is not None
    assert [written for _, written in untrusted_parts(node, text)] == parts
