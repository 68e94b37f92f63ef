"""Actions and workflows of other repositories from outside: `run`, `plan`, `actions …`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.remotes import Remotes

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.e2e.repositories import Repository

SAY = "runs:\n  using: composite\n  steps:\n    - {{shell: sh, run: echo {}}}\n"
USES = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: acme/say@v1
"""
CALLS = """\
on: push
jobs:
  far:
    uses: acme/flows/.github/workflows/build.yml@v1
    with: {{who: you}}
    {}
"""
CALLED = """\
on:
  workflow_call:
    inputs:
      who: {type: string}
    outputs:
      said: {value: '${{ jobs.build.outputs.said }}'}
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: {said: '${{ steps.say.outputs.said }}'}
    steps:
      - id: say
        run: |
          echo "hello ${{ inputs.who }} of ${{ job.workflow_repository }}"
          echo "at ${{ job.workflow_sha }}"
          echo said=hello >> "$GITHUB_OUTPUT"
      - uses: $/tool
      - uses: acme/say@v1
  again:
    uses: ./.github/workflows/second.yml
"""
SECOND = "on: workflow_call\njobs: {last: {runs-on: x, steps: [{run: echo second}]}}\n"


class Site:
    """A repository and the remotes of what it uses."""

    def __init__(self, repository: Repository, remotes: Remotes) -> None:
        self.repository = repository
        self.remotes = remotes

    def windlass(self, *words: str, urls: str = "") -> subprocess.CompletedProcess[str]:
        variables = {"WINDLASS_ACTION_URLS": urls or self.remotes.url}
        return self.repository.windlass(*words, variables=variables)

    def use(self, workflow: str) -> None:
        self.repository.workflow(workflow)
        self.repository.commit()

    @property
    def lock(self) -> Path:
        return self.repository.path / "windlass.lock"

    def locked(self) -> dict[str, str]:
        content: dict[str, dict[str, str]] = json.loads(self.lock.read_text())
        return content["repositories"]


@pytest.fixture
def site(repository: Repository, tmp_path: Path) -> Site:
    """A repository that may use what is published below a folder."""
    return Site(repository, Remotes(tmp_path))


def says(done: subprocess.CompletedProcess[str], line: str) -> bool:
    """Tell whether a step has printed a line."""
    return re.search(rf"│ +{re.escape(line)}$", done.stdout, re.MULTILINE) is not None


def test_a_published_action_runs_and_then_runs_offline(site: Site) -> None:
    """Fetched once, it needs no remote any more."""
    site.remotes.publish("acme/say", {"action.yml": SAY.format("said")})
    site.use(USES)

    first = site.windlass("run")
    assert (first.returncode, says(first, "said")) == (0, True), first.stdout + first.stderr
    later = site.windlass("run", "--offline", urls="http://127.0.0.1:9")
    assert later.returncode == 1
    again = site.windlass("run", "--offline")
    assert (again.returncode, says(again, "said")) == (0, True), again.stdout + again.stderr
    rerun = site.windlass("rerun")
    assert (rerun.returncode, says(rerun, "said")) == (0, True), rerun.stdout + rerun.stderr


def test_places_of_actions_are_named_by_options(site: Site, tmp_path: Path) -> None:
    """A base URL, a folder for a repository; the event's activity is still said by `--action`."""
    site.remotes.publish("acme/say", {"action.yml": SAY.format("theirs")})
    site.use(USES.replace("on: push", "on: {pull_request: {types: [labeled]}}"))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "action.yml").write_text(SAY.format("mine"))

    words = ("run", "pull_request", "--action", "labeled")
    theirs = site.windlass(*words, "--action-url", site.remotes.url, urls="http://127.0.0.1:9")
    assert says(theirs, "theirs")
    own = site.windlass(*words, "--action", "acme/say=../mine", urls="http://127.0.0.1:9")
    assert says(own, "mine")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--action", "acme=."), "--action 'acme' is not OWNER/NAME"),
        (("--action", "acme/say=none"), "--action acme/say: none is not a folder"),
        (("--action", "Actions/Checkout@v4=."), "actions/checkout is built in"),
        (("--action-url", "ext::sh -c x"), "'ext::sh -c x' is no beginning of a URL"),
        (("--action-url", "https://me:secret@host"), "a URL of actions has a password in it"),
    ],
)
def test_wrong_options_are_refused(words: tuple[str, ...], message: str, site: Site) -> None:
    """The call is wrong, and secrets are not repeated."""
    site.use(USES)

    done = site.windlass("run", *words)

    assert done.returncode == 2
    assert message in done.stderr
    assert "secret" not in done.stderr.replace("secrets", "")


@pytest.mark.requirement("A07")
def test_a_workflow_of_another_repository_is_called(site: Site) -> None:
    """Its `$/` actions, its own workflows and the job context are those of that repository."""
    files = {
        ".github/workflows/build.yml": CALLED,
        ".github/workflows/second.yml": SECOND,
        "tool/action.yml": SAY.format("tool"),
    }
    sha = site.remotes.publish("acme/flows", files)
    site.remotes.publish("acme/say", {"action.yml": SAY.format("said")})
    report = "{needs: far, runs-on: x, steps: [{run: 'echo far ${{ needs.far.outputs.said }}'}]}"
    site.use(CALLS.format("") + f"  near: {report}\n")

    done = site.windlass("run")

    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("hello you of acme/flows", f"at {sha}", "tool", "said", "second", "far hello"):
        assert says(done, said)
    planned = site.windlass("plan")
    assert (planned.returncode, "far / build" in planned.stdout) == (0, True)
    again = site.windlass("rerun")
    assert (again.returncode, says(again, f"at {sha}")) == (0, True), again.stdout + again.stderr


@pytest.mark.parametrize(
    ("uses", "problem"),
    [
        ("acme/none/.github/workflows/build.yml@v1", "workflow was not found"),
        ("acme/flows/.github/workflows/none.yml@v1", "workflow was not found"),
        (
            "acme/flows/.github/workflows/build.yml@v9",
            "reference to workflow should be either a valid branch, tag, or commit",
        ),
        ("acme/flows/build.yml@v1", "workflows must be defined at the top level of the"),
        ("acme/flows/.github/workflows/sub/build.yml@v1", "workflows must be defined at the top"),
    ],
)
def test_a_workflow_that_is_not_there_is_refused(uses: str, problem: str, site: Site) -> None:
    """With its place, in GitHub's words, before anything runs."""
    site.remotes.publish("acme/flows", {".github/workflows/build.yml": CALLED})
    site.use(CALLS.format("").replace("acme/flows/.github/workflows/build.yml@v1", uses))

    done = site.windlass("run")

    assert done.returncode == 1
    assert f'error parsing called workflow ".github/workflows/ci.yml" -> "{uses}"' in done.stderr
    assert problem in done.stderr
    assert ".github/workflows/ci.yml:4:11: error:" in done.stderr


def test_a_lock_file_keeps_refs_where_they_were(site: Site) -> None:
    """Locked, moved, verified, updated: runs take what is locked."""
    old = site.remotes.publish("acme/say", {"action.yml": SAY.format("old")})
    site.use(USES)

    locked = site.windlass("actions", "lock")
    assert locked.stdout.splitlines() == [
        f"+ acme/say@v1 {old[:12]}",
        "windlass.lock: 1 ref, 1 changed",
    ]
    assert site.locked() == {"acme/say@v1": old}
    new = site.remotes.publish("acme/say", {"action.yml": SAY.format("new")})
    assert says(site.windlass("run"), "old")
    moved = site.windlass("actions", "verify")
    assert (moved.returncode, f"is {new} now" in moved.stderr) == (0, True)
    assert "nothing changed" in site.windlass("actions", "lock").stdout
    updated = site.windlass("actions", "update", "acme/say")
    assert f"~ acme/say@v1 {old[:12]} → {new[:12]}" in updated.stdout
    assert says(site.windlass("run"), "new")


def test_all_that_is_used_is_locked(site: Site) -> None:
    """Actions of actions, of the repository's own actions, and called workflows; not commits."""
    flows = site.remotes.publish(
        "acme/flows",
        {
            ".github/workflows/build.yml": CALLED,
            ".github/workflows/second.yml": SECOND,
            "tool/action.yml": "runs: {using: composite, steps: [uses: acme/deep/a@main]}\n",
        },
    )
    deep = site.remotes.publish("acme/deep", {"a/action.yml": SAY.format("deep")})
    say = site.remotes.publish("acme/say", {"action.yml": SAY.format("said")})
    own = site.remotes.publish("acme/own", {"action.yml": SAY.format("own")})
    site.repository.write(
        "mine/action.yml", "runs: {using: composite, steps: [uses: acme/own@v1]}\n"
    )
    local = f"{{runs-on: x, steps: [uses: ./mine, uses: acme/own@{own}, uses: $/mine]}}"
    steps = local.replace("uses: acme", "{uses: acme").replace(f"@{own},", f"@{own}}},")
    site.use(CALLS.format("") + f"  near: {steps.replace('uses: ./mine', '{uses: ./mine}')}\n")

    done = site.windlass("actions", "lock", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["written"]
    assert site.locked() == {
        "acme/deep@main": deep,
        "acme/flows@v1": flows,
        "acme/own@v1": own,
        "acme/say@v1": say,
    }


def test_a_lock_file_that_does_not_hold_is_a_failure(site: Site) -> None:
    """What is used and not in it is an error, what is in it and not used a warning."""
    site.remotes.publish("acme/say", {"action.yml": SAY.format("said")})
    site.use(USES)
    assert site.windlass("actions", "lock").returncode == 0
    site.remotes.publish("acme/other", {"action.yml": SAY.format("other")})
    site.use(USES.replace("acme/say", "acme/other"))

    done = site.windlass("actions", "verify", "--json")

    assert done.returncode == 1
    found = {it["code"]: it["message"] for it in json.loads(done.stdout)["diagnostics"]}
    assert found == {
        "lock-missing": "windlass.lock does not have acme/other@v1, which is used",
        "lock-unused": "windlass.lock has acme/say@v1, which is not used",
    }
    assert site.windlass("actions", "lock").returncode == 0
    assert [*site.locked()] == ["acme/other@v1"]


def test_nothing_is_locked_where_something_is_missing(site: Site) -> None:
    """The lock file stays as it was, and the place that needs what is missing is shown."""
    site.use(USES)

    done = site.windlass("actions", "lock")

    assert done.returncode == 1
    assert ".github/workflows/ci.yml:6:15: error: acme/say@v1 cannot be resolved" in done.stderr
    assert not site.lock.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "windlass.lock:1:2: not JSON"),
        ("[]", "there is no object 'repositories'"),
        ('{"version": 9, "repositories": {}}', "has the version 9"),
        ('{"version": 1, "repositories": {"a": "b"}}', "'a' is not owner/name@ref"),
        ('{"version": 1, "repositories": {"a/b@c": "d"}}', "'d' of a/b@c is no commit SHA"),
    ],
)
def test_a_broken_lock_file_is_refused(text: str, message: str, site: Site) -> None:
    """A run never goes on without the pins that somebody has written."""
    site.use(USES)
    site.lock.write_text(text)

    done = site.windlass("run")

    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
