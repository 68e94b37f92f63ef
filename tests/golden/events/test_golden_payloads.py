"""The payload of every event, in `payloads.json`; `objects.json` is what they are made of.

The names and kinds are compared with GitHub's examples in tests/differential/payloads; the values
are those that the checkout of the tests gives, or the stand-ins of docs/concepts/events.md.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.unit.plan.planning import REPOSITORY

from windlass.plan.payloads import PAYLOADS, make_payload
from windlass.plan.webhook_objects import (
    Occasion,
    make_comment,
    make_commit,
    make_discussion,
    make_issue,
    make_pull_request,
    make_repository,
    make_simple_commit,
    make_simple_pull_request,
    make_simple_repository,
    make_user,
)

if TYPE_CHECKING:
    from tests.conftest import Golden

FOLDER = Path(__file__).parent
BRANCH = Occasion(
    repository=REPOSITORY,
    ref="refs/heads/feature",
    head="feature",
    base="main",
    number=7,
    cron="0 3 * * *",
    inputs={"level": "high"},
)
TAG = replace(BRANCH, ref="refs/tags/v1")
ROOT = replace(BRANCH, repository=replace(REPOSITORY, base_sha=None, changed_files=None))
"""The first commit of a repository: nothing is before it, and nobody can say what changed."""


def make_objects() -> dict[str, Any]:
    """Return the objects that payloads share, by what they are called in the golden files."""
    elsewhere = replace(REPOSITORY, server_url="https://git.example.com")
    return {
        "user": make_user("mona"),
        "bot": make_user("dependabot[bot]"),
        "simple repository": make_simple_repository(REPOSITORY),
        "repository": make_repository(REPOSITORY),
        "repository elsewhere": make_repository(elsewhere),
        "simple commit": make_simple_commit(REPOSITORY),
        "commit": make_commit(REPOSITORY),
        "simple pull request": make_simple_pull_request(BRANCH),
        "pull request": make_pull_request(BRANCH),
        "issue": make_issue(BRANCH),
        "discussion": make_discussion(BRANCH),
        "comment": make_comment(BRANCH),
    }


def name_objects(value: Any, objects: dict[str, Any]) -> Any:
    """Put the name of an object for each that is one of these."""
    for name, known in objects.items():
        if value == known:
            return f"<{name}>"
    if isinstance(value, dict):
        return {key: name_objects(member, objects) for key, member in value.items()}
    return [name_objects(item, objects) for item in value] if isinstance(value, list) else value


def test_objects(golden: Golden) -> None:
    """Users, repositories, commits, pull requests, issues and comments have GitHub's members."""
    objects = make_objects()
    found = {
        name: {key: name_objects(member, objects) for key, member in value.items()}
        for name, value in objects.items()
    }

    golden(FOLDER / "objects.json", json.dumps(found, indent=2) + "\n")


def test_payloads(golden: Golden) -> None:
    """Every event tells what it is about, in what state, and at which commit."""
    happened = {name: (name, BRANCH) for name in PAYLOADS}
    for name, action in (
        ("pull_request", "synchronize"),
        ("pull_request", "closed"),
        ("issues", "closed"),
        ("issues", "locked"),
        ("release", "prereleased"),
        ("workflow_run", "requested"),
        ("workflow_run", "completed"),
    ):
        happened[f"{name} {action}"] = (name, replace(BRANCH, action=action))
    for name in ("push", "create", "delete", "deployment", "release"):
        happened[f"{name} of a tag"] = (name, TAG)
    for name in ("push", "merge_group", "pull_request", "pull_request_review_comment"):
        happened[f"{name} of the first commit"] = (name, ROOT)
    happened["pull_request synchronize of the first commit"] = (
        "pull_request",
        replace(ROOT, action="synchronize"),
    )
    happened["any other"] = ("label", replace(BRANCH, action="created"))
    objects = make_objects()
    found = {
        title: name_objects(make_payload(name, occasion), objects)
        for title, (name, occasion) in happened.items()
    }

    golden(FOLDER / "payloads.json", json.dumps(found, indent=2) + "\n")
