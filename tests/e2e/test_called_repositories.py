"""Workflows of other repositories that call those of others again, seen from outside."""

from __future__ import annotations

import pytest
from tests.e2e.test_published_actions import SAY, Site, says, site

__all__ = ["site"]

FIRST = """\
on: push
jobs:
  far:
    uses: acme/first/.github/workflows/go.yml@v1
    secrets: inherit
  plain:
    uses: acme/first/.github/workflows/go.yml@v1
"""
SECOND = """\
on: workflow_call
jobs:
  own:
    uses: ./.github/workflows/tell.yml
  next:
    uses: other/second/.github/workflows/go.yml@v2
    secrets: inherit
"""
THIRD = """\
on:
  workflow_call:
    outputs:
      said: {value: '${{ jobs.again.outputs.said }}'}
jobs:
  own:
    uses: ./.github/workflows/tell.yml
    secrets: inherit
  again:
    uses: third/last/.github/workflows/go.yml@main
    secrets: {given: '${{ secrets.DEEP }}'}
"""
LAST = """\
on:
  workflow_call:
    secrets: {given: {required: false}}
    outputs:
      said: {value: '${{ jobs.deep.outputs.said }}'}
jobs:
  deep:
    runs-on: x
    outputs: {said: '${{ steps.it.outputs.said }}'}
    steps:
      - uses: actions/checkout@v4
      - run: ls; echo "deep in ${{ github.repository }}, at ${{ job.workflow_repository }}"
      - uses: $/tool
      - id: it
        run: |
          test -n "$GIVEN" && echo "given ${#GIVEN}, inherited '$NOT'" || echo "given nothing"
          echo said=deep >> "$GITHUB_OUTPUT"
        env: {GIVEN: '${{ secrets.given }}', NOT: '${{ secrets.DEEP }}'}
"""
TELL = """\
on: workflow_call
jobs:
  tell:
    runs-on: x
    steps:
      - run: echo "tell of {} ${{{{ secrets.DEEP && 'with' || 'without' }}}}"
"""


@pytest.fixture
def chain(site: Site) -> dict[str, str]:
    """Three repositories of others, each calling the next, and the commits of their refs."""
    site.repository.write(".github/workflows/tell.yml", TELL.format("mine"))
    folder = ".github/workflows"
    files = {
        "acme/first": {"go.yml": SECOND, "tell.yml": TELL.format("first")},
        "other/second": {"go.yml": THIRD, "tell.yml": TELL.format("second")},
        "third/last": {"go.yml": LAST},
    }
    refs = {"acme/first": "v1", "other/second": "v2", "third/last": "main"}
    commits = {}
    for name, workflows in files.items():
        content = {f"{folder}/{path}": text for path, text in workflows.items()}
        content["tool/action.yml"] = SAY.format(f"tool of {name}")
        sha = site.remotes.publish(name, content, tag="v2" if name == "other/second" else "v1")
        commits[f"{name}@{refs[name]}"] = sha
    site.use(FIRST)
    return commits


@pytest.mark.requirement("A07")
def test_calls_three_repositories_deep(site: Site, chain: dict[str, str]) -> None:
    """`./` is the repository that says it; a checkout is the caller's; secrets go hand to hand."""
    done = site.windlass("run", "--secret", "DEEP=hunter22", "-j", "far")

    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "tell of first without",
        "tell of second with",
        "deep in local/repository, at third/last",
        "tool of third/last",
        "given 8, inherited ''",
    ):
        assert says(done, said), (said, done.stdout)
    assert "tell of mine" not in done.stdout
    assert "hunter22" not in done.stdout + done.stderr
    planned = site.windlass("plan")
    assert "far / next / again / deep" in planned.stdout


def test_secrets_end_where_nobody_hands_them_on(site: Site, chain: dict[str, str]) -> None:
    """Without `secrets: inherit` at the first call there is nothing to inherit below."""
    done = site.windlass("run", "--secret", "DEEP=hunter22", "-j", "plain")

    assert done.returncode == 0, done.stdout + done.stderr
    assert says(done, "tell of second without")
    assert says(done, "given nothing")


def test_all_of_them_are_locked_and_needed_no_more(site: Site, chain: dict[str, str]) -> None:
    """The lock file has each ref, a run takes those commits, and offline it needs nobody."""
    locked = site.windlass("actions", "lock")
    assert (locked.returncode, site.locked()) == (0, chain), locked.stdout + locked.stderr
    moved = {".github/workflows/go.yml": LAST.replace("deep in", "moved in")}
    site.remotes.publish("third/last", moved)

    done = site.windlass("run", "-j", "far")
    assert says(done, "deep in local/repository, at third/last"), done.stdout + done.stderr
    site.remotes.root.rename(site.remotes.root.with_name("away"))
    offline = site.windlass("run", "--offline", "-j", "far")
    assert offline.returncode == 0, offline.stdout + offline.stderr
    assert says(offline, "deep in local/repository, at third/last")


def test_what_is_missing_deep_below_is_shown_with_the_way_there(
    site: Site, chain: dict[str, str]
) -> None:
    """Nothing runs, and the chain of calls is named."""
    broken = THIRD.replace(
        "third/last/.github/workflows/go.yml@main", "third/none/.github/workflows/go.yml@v1"
    )
    site.remotes.publish("other/second", {".github/workflows/go.yml": broken}, tag="v2")

    done = site.windlass("run")

    assert done.returncode == 1
    assert "third/none/.github/workflows/go.yml@v1" in done.stderr
    assert "workflow was not found" in done.stderr
    assert "tell of" not in done.stdout
