"""Names that whoever pushes may choose: no letter of them is a fault of the server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import Values, open_site
from tests.pushed_repository import CI, PushedRepository, tell_push

from windlass.db.deliveries import find_delivery
from windlass.db.runs import list_latest
from windlass.operations.hosted.deliveries import accept_delivery, process_delivery
from windlass.operations.hosted.repositories import register_repository, require_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

NAME = "octo/boat"

ODD = """\
name: "a\\0b \\u2028 \\U0001F6A2"
on: push
jobs:
  build:
    name: "build\\0"
    runs-on: ["l\\0", ubuntu-latest]
    concurrency: "group\\0"
    env: {"A\\0": "b\\0"}
    steps:
      - name: "step\\0"
        run: "echo \\0"
"""


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    with open_site(database_address, tmp_path / "data", values=Values({}, {})) as opened:
        yield opened


def push(site: Site, pushed: PushedRepository) -> tuple[str, str]:
    """Push, and return what came of it: a state and a message."""
    payload = tell_push(*pushed.push())
    receipt = accept_delivery(site, require_repository(site, NAME), "1", "push", payload)
    process_delivery(site, receipt.id)
    row = find_delivery(site.store, receipt.id)
    assert row is not None
    return row.state, row.message


def test_names_with_nul(site: Site, pushed: PushedRepository) -> None:
    """PostgreSQL keeps no NUL in a text, and YAML can write one."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.write(".github/workflows/odd.yml", ODD)

    assert push(site, pushed) == ("started", "")
    assert sorted(row.run.path for row in list_latest(site.store)) == [
        ".github/workflows/ci.yml",
        ".github/workflows/odd.yml",
    ]


def test_a_file_whose_name_is_no_text(site: Site, pushed: PushedRepository) -> None:
    """The other workflows start, and of this one is told."""
    register_repository(site, str(pushed.bare), NAME)
    folder = os.fsencode(pushed.work / ".github" / "workflows")
    with open(os.path.join(folder, b"caf\xe9.yml"), "w") as file:  # noqa: PTH118, PTH123
        file.write(CI)

    state, message = push(site, pushed)

    assert state == "started"
    assert ".github/workflows/caf?.yml cannot be read: its name is not UTF-8" in message
    assert [row.run.path for row in list_latest(site.store)] == [".github/workflows/ci.yml"]


def test_a_branch_whose_name_is_no_text(site: Site, pushed: PushedRepository) -> None:
    """A run is started for it, and its name is shown as far as it is text."""
    register_repository(site, str(pushed.bare), NAME)
    before, after = pushed.push()
    ref = os.fsdecode(b"refs/heads/caf\xe9")
    pushed.git("push", "-q", str(pushed.bare), f"HEAD:{ref}")
    payload = tell_push(before, after, ref)
    receipt = accept_delivery(site, require_repository(site, NAME), "1", "push", payload)

    process_delivery(site, receipt.id)

    assert [row.run.ref for row in list_latest(site.store)] == ["refs/heads/caf?"]
