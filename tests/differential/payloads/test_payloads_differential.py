"""Payloads against the examples that GitHub collects of its webhooks.

The examples are those of https://github.com/octokit/webhooks, which are old for some events:
`DOCUMENTED` names the keys that its schemas or docs.github.com have and no example of the event.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tests.differential.oracle import install
from tests.unit.plan.planning import happen

from windlass.plan.payloads import PAYLOADS
from windlass.plan.synthesis import EventWishes

if TYPE_CHECKING:
    from collections.abc import Iterator

SAME = {"pull_request_comment": "issue_comment", "pull_request_target": "pull_request"}
"""Names that Actions has for events of other names."""
NOT_SENT = {"schedule"}
"""Events that are no webhook: https://docs.github.com/en/webhooks has none of the name."""
DOCUMENTED = {
    *("repository.disabled", "discussion.labels", "pull_request.draft", "pull_request.auto_merge"),
    *("head_commit.author.date", "head_commit.committer.date"),
    *("commits[].author.date", "commits[].committer.date"),
}
CASES = [
    *((name, "") for name in PAYLOADS if name not in NOT_SENT),
    ("pull_request", "synchronize"),
    ("workflow_run", "requested"),
]


@cache
def examples() -> dict[str, list[Any]]:
    index = install() / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    return {event["name"]: event["examples"] for event in json.loads(index.read_text())}


def walk(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of every member and the kind of its value."""
    yield path, type(value).__name__
    if isinstance(value, dict):
        for key, member in value.items():
            yield from walk(member, f"{path}.{key}" if path else key)
    if isinstance(value, list):
        for item in value:
            yield from walk(item, f"{path}[]")


@pytest.mark.parametrize(("name", "action"), CASES)
def test_every_member_is_githubs(name: str, action: str) -> None:
    """GitHub's object has each member of ours, of the same kind unless ours is null."""
    known: dict[str, set[str]] = {}
    for example in examples()[SAME.get(name, name)]:
        for path, kind in walk(example):
            known.setdefault(path, set()).add(kind)

    payload = happen(name, EventWishes(action=action or None), tag="v1").payload
    wrong = [
        (path, kind)
        for path, kind in walk(payload)
        if path not in DOCUMENTED and not path.endswith("[]")
        if path not in known or (kind != "NoneType" and kind not in known[path])
    ]
    assert wrong == []
