"""Which values of an expression anybody can choose, who may open an issue or a pull request.

Source: https://docs.github.com/en/actions/reference/security/secure-use#good-practices-for-mitigating-script-injection-attacks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.expressions.references import references
from windlass.lang.expressions.syntax import Call, Context, Index, Logical, Node, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_PERSON = ("email", "name")
_UNTRUSTED: tuple[str, ...] = (
    "head_ref",
    "event.issue.title",
    "event.issue.body",
    "event.pull_request.title",
    "event.pull_request.body",
    "event.pull_request.head.ref",
    "event.pull_request.head.label",
    "event.pull_request.head.repo.default_branch",
    "event.pull_request.head.repo.description",
    "event.pull_request.head.repo.homepage",
    "event.comment.body",
    "event.review.body",
    "event.review_comment.body",
    "event.discussion.title",
    "event.discussion.body",
    "event.pages.*.page_name",
    "event.commits.*.message",
    *(f"event.commits.*.author.{part}" for part in _PERSON),
    *(f"event.commits.*.committer.{part}" for part in _PERSON),
    "event.head_commit.message",
    *(f"event.head_commit.author.{part}" for part in _PERSON),
    *(f"event.head_commit.committer.{part}" for part in _PERSON),
    "event.workflow_run.head_branch",
    "event.workflow_run.display_title",
    "event.workflow_run.head_commit.message",
    *(f"event.workflow_run.head_commit.author.{part}" for part in _PERSON),
    "event.workflow_run.head_repository.description",
    "event.workflow_run.pull_requests.*.head.ref",
    "event.merge_group.head_commit.message",
    "event.check_suite.head_branch",
    "event.check_run.check_suite.head_branch",
)
_PATHS = tuple(("github", *path.split(".")) for path in _UNTRUSTED)
_PASSING = frozenset({"format", "join", "tojson", "fromjson", "case"})


def untrusted_parts(node: Node, text: str) -> Iterator[tuple[Node, str]]:
    """Yield the parts of a tree whose untrusted text may become part of its value.

    Comparisons and tests such as `contains` give a boolean and let nothing through.
    """
    match node:
        case Index() | Context():
            if _is_untrusted(node, is_whole=False):
                yield node, source_of(node, text).strip()
        case Logical(operands=operands):
            yield from _untrusted_in(operands[-1:] if node.operator == "&&" else operands, text)
        case Call() if node.name.lower() in _PASSING:
            for argument in node.arguments:
                if node.name.lower() == "tojson" and _is_untrusted(argument, is_whole=True):
                    yield argument, source_of(argument, text).strip()
                else:
                    yield from untrusted_parts(argument, text)


def _untrusted_in(nodes: tuple[Node, ...], text: str) -> Iterator[tuple[Node, str]]:
    for node in nodes:
        yield from untrusted_parts(node, text)


def _is_untrusted(node: Node, *, is_whole: bool) -> bool:
    """Say whether a value is untrusted; `is_whole` counts objects that hold such a value."""
    if not isinstance(node, Index | Context):
        return False
    found = [each for each in references(node) if each.start == node.start]
    if not found:
        return False
    path = tuple("*" if part is None else part.lower() for part in found[0].path)
    return any(_matches(path, pattern, is_whole=is_whole) for pattern in _PATHS)


def _matches(path: tuple[str, ...], pattern: tuple[str, ...], *, is_whole: bool) -> bool:
    if len(path) > len(pattern) or (len(path) < len(pattern) and not is_whole):
        return False
    if len(path) == 1:
        return path[0] == "github"
    return all(
        written in (expected, "*") or expected == "*"
        for written, expected in zip(path, pattern, strict=False)
    )
