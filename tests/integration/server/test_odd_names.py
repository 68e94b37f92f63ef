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
FOLDER = ".github/workflows"

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


def commit_files(pushed: PushedRepository, names: list[str]) -> tuple[str, str]:
    """Push a commit with further workflow files, whose names no file system has to take."""
    before = pushed.find("refs/heads/main")
    blob = pushed.git("hash-object", "-w", ".github/workflows/ci.yml")
    words = [it for name in names for it in ("--cacheinfo", f"100644,{blob},{FOLDER}/{name}")]
    pushed.git("update-index", "--add", *words)
    after = pushed.git("commit-tree", "-m", "Odd", "-p", "HEAD", pushed.git("write-tree"))
    pushed.git("push", "-q", str(pushed.bare), f"{after}:refs/heads/main")
    return before, after


def deliver(site: Site, before: str, after: str) -> tuple[str, str]:
    """Tell of a push, and return what came of it: a state and a message."""
    payload = tell_push(before, after)
    receipt = accept_delivery(site, require_repository(site, NAME), "1", "push", payload)
    process_delivery(site, receipt.id)
    row = find_delivery(site.store, receipt.id)
    assert row is not None
    return row.state, row.message


def test_names_with_nul(site: Site, pushed: PushedRepository) -> None:
    """PostgreSQL keeps no NUL in a text, and YAML can write one."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.write(".github/workflows/odd.yml", ODD)

    assert deliver(site, *pushed.push()) == ("started", "")
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

    state, message = deliver(site, *pushed.push())

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


def test_a_folder_whose_name_has_two_lines(site: Site, pushed: PushedRepository) -> None:
    """Git takes any name; what is in there is no workflow, and the others start."""
    register_repository(site, str(pushed.bare), NAME)
    change = commit_files(pushed, ["two\nlines/inner.yml"])

    assert deliver(site, *change) == ("started", "")
    assert [row.run.path for row in list_latest(site.store)] == [".github/workflows/ci.yml"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param([f"{it}.txt" for it in range(1000)], "more than 1000 files", id="many"),
        pytest.param(["a" * 300 + ".yml"], "path of a workflow file is too long", id="long"),
        pytest.param(["a/" * 2500 + "b.yml"], "more than 1000 files", id="deep"),
    ],
)
def test_files_that_are_too_much(
    site: Site, pushed: PushedRepository, names: list[str], message: str
) -> None:
    """Whoever pushes is told; the server writes nothing of it and does not try again."""
    register_repository(site, str(pushed.bare), NAME)

    state, told = deliver(site, *commit_files(pushed, names))

    assert state == "refused"
    assert message in told
    assert list_latest(site.store) == []
