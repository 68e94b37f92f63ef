"""Every event of GitHub's that a workflow can name starts those that do."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runs import open_site
from tests.npm import install
from tests.pushed_repository import CI, PushedRepository

from windlass.db.deliveries import find_delivery
from windlass.db.runs import list_latest
from windlass.events.occasions import KNOWN_EVENTS
from windlass.operations.hosted.attempts import find_attempt
from windlass.operations.hosted.deliveries import accept_delivery, process_delivery
from windlass.operations.hosted.repositories import register_repository

if TYPE_CHECKING:
    from pathlib import Path

OF_COMMITS = {"push", "pull_request", "pull_request_review", "pull_request_review_comment"}
"""Whose examples name commits that only GitHub has; `test_deliveries.py` has them."""

NO_EXAMPLE = {"image_version", "pull_request_comment", "registry_package"}
"""Of which GitHub's examples have none."""

MADE_HERE = {"pull_request_target", "schedule"}
"""Which no webhook tells: they come of others, and of time."""

PATH = ".github/workflows/ci.yml"
OTHERS = sorted(KNOWN_EVENTS - OF_COMMITS - NO_EXAMPLE - MADE_HERE)
CHANGES: dict[str, dict[str, Any]] = {
    "create": {"ref": "main", "ref_type": "branch"},
    "release": {"release": {"tag_name": "v1"}},
    "deployment": {"deployment": {"ref": "topic"}},
    "merge_group": {"merge_group": {"head_ref": "refs/heads/topic"}},
    "workflow_dispatch": {"ref": "refs/heads/topic", "workflow": PATH, "inputs": {}},
}
"""What of an example has to be of the repository here."""

REFS = {
    "release": "refs/tags/v1",
    **dict.fromkeys(("deployment", "merge_group", "workflow_dispatch"), "refs/heads/topic"),
}
"""Where an event is about another ref than the default branch."""


@cache
def read_examples() -> dict[str, dict[str, Any]]:
    """GitHub's first example of each event."""
    home = install("webhooks-examples", "@octokit/webhooks-examples@7.6.1")
    index = home / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    return {it["name"]: it["examples"][0] for it in json.loads(index.read_text())}


def change(example: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(example)
    for key, value in changes.items():
        is_part = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = {**merged[key], **value} if is_part else value
    return merged


def test_every_event_has_an_example() -> None:
    """What is left out here is not forgotten."""
    assert KNOWN_EVENTS - read_examples().keys() == NO_EXAMPLE | MADE_HERE


@pytest.mark.parametrize("event", OTHERS)
def test_an_event_of_githubs_starts_who_names_it(tmp_path: Path, event: str) -> None:
    """At the default branch or the ref that it is about, with the payload as it was sent."""
    example = change(read_examples()[event], CHANGES.get(event, {}))
    pushed = PushedRepository(tmp_path)
    pushed.write(PATH, CI.replace("push", event))
    pushed.push()
    pushed.push(branch="topic")
    pushed.git("push", "-q", str(pushed.bare), "HEAD~:refs/tags/v1")
    with open_site(f"sqlite:///{tmp_path / 'server.db'}", tmp_path / "data") as site:
        row = register_repository(site, str(pushed.bare), "octo/boat")
        receipt = accept_delivery(site, row, "1", event, json.dumps(example))
        process_delivery(site, receipt.id)

        delivery = find_delivery(site.store, receipt.id)
        assert delivery is not None
        assert delivery.state == "started", delivery.message
        (run,) = list_latest(site.store)
        started = find_attempt(site.store, run.run.id, 1).event

    ref = REFS.get(event, "refs/heads/main")
    assert (started.name, started.ref, started.sha) == (event, ref, pushed.find(f"{ref}^0"))
    # Inputs are those that the workflow declares.
    given = {**example, "inputs": {}} if "inputs" in example else example
    assert {"inputs": {}, **started.payload} == {"inputs": {}, **given}
