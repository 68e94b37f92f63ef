"""Jobs run where the user said; that is told, and a place that cannot be made is refused."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.sandboxes import need_sandbox

from windlass.errors import ExecutorError, UsageError
from windlass.operations.definitions import Given
from windlass.operations.history import LATEST, make_history
from windlass.operations.plans import PlanOptions, plan_event
from windlass.operations.reruns import ALL, rerun
from windlass.operations.runs import Interruption, RunOptions, run_event
from windlass.protocol import events
from windlass.stores.state_folder import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.operations.runs import RunReport

CACHE = Path(__file__).parents[3] / ".cache"
"""Git ignores it, and it is not below /tmp, which is hidden from every job in a sandbox."""

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.org")

WORKFLOW = """
on: push
jobs:
  inside:
    runs-on: [self-hosted, sandboxed]
    steps:
      - uses: actions/checkout@v4
      - run: git log --format=%s && git status --short && git tag made-by-the-job
      - run: test ! -e "$SOURCE/.env" && test ! -e "$SOURCE/.git/config" && echo hidden
  outside:
    runs-on: ubuntu-latest
    steps:
      - run: test -e "$SOURCE/.env" && echo seen
"""


@pytest.fixture
def repository() -> Iterator[Path]:
    """A repository with a change that is not committed, and a file that Git ignores."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        root = Path(folder, "boat")
        (root / ".github/workflows").mkdir(parents=True)
        (root / ".github/workflows/ci.yml").write_text(WORKFLOW)
        (root / ".gitignore").write_text(".env\n")
        (root / ".env").write_text("TOKEN=hunter2\n")
        (root / "file").write_text("committed\n")
        _git(root, "init", "--quiet", "--initial-branch=main")
        _git(root, "add", "--all")
        _git(root, "commit", "--quiet", "--message=Begin")
        (root / "file").write_text("changed\n")
        yield root


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def _sandbox() -> None:
    need_sandbox()


def run(root: Path, seen: list[events.RunEvent], **places: str) -> RunReport:
    options = RunOptions(
        plan=PlanOptions(places={"*": "host", **places}), env={"SOURCE": str(root)}
    )
    return run_event(root, "push", options, seen.append)


def places_of(seen: list[events.RunEvent]) -> dict[str, str]:
    return {it.job: it.place for it in seen if isinstance(it, events.JobStarted)}


def output_of(seen: list[events.RunEvent], job: str) -> str:
    found = [it.text for it in seen if isinstance(it, events.Output) and it.job == job]
    return "".join(found)


@pytest.mark.requirement("T01")
@pytest.mark.usefixtures("_sandbox")
def test_a_job_in_a_sandbox(repository: Path) -> None:
    """It has the user's changes and the history, and neither their files nor their repository."""
    seen: list[events.RunEvent] = []

    report = run(repository, seen, sandboxed="sandbox")

    assert report.exit_code == 0, output_of(seen, "inside")
    assert places_of(seen) == {"inside": "sandbox", "outside": "host"}
    assert "Begin\n M file\n" in output_of(seen, "inside")
    assert "hidden\n" in output_of(seen, "inside")
    assert "seen\n" in output_of(seen, "outside")
    assert _git(repository, "tag") == ""
    assert _git(repository, "status", "--short") == " M file\n"
    assert list((repository / STATE_FOLDER / "work").iterdir()) == []


@pytest.mark.usefixtures("_sandbox")
def test_a_rerun_keeps_the_place(repository: Path) -> None:
    """What runs again runs where it ran; if that cannot be made any more, nothing is begun."""
    run(repository, [], sandboxed="sandbox")
    seen: list[events.RunEvent] = []
    history = make_history(repository / STATE_FOLDER, lambda _: None)
    nothing = Given()
    with contextlib.closing(history):
        rerun(history, LATEST, ALL, nothing, nothing, seen.append, Interruption())
        assert places_of(seen) == {"inside": "sandbox", "outside": "host"}

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(repository))
            with pytest.raises(ExecutorError, match="needs bubblewrap"):
                rerun(history, LATEST, ALL, nothing, nothing, seen.append, Interruption())
        attempts = history.attempts(history.find(LATEST).row.run.id)
        assert [it.row.attempt for it in attempts] == [1, 2]


def test_a_place_that_cannot_be_made(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is refused before anything of it exists; it does not run elsewhere instead."""
    programs = repository.parent / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(programs))
    seen: list[events.RunEvent] = []

    with pytest.raises(ExecutorError, match="needs bubblewrap"):
        run(repository, seen, sandboxed="sandbox:offline")
    assert seen == []
    assert not (repository / STATE_FOLDER).exists()


@pytest.mark.parametrize("place", ["cloud", "", "Sandbox", "sandbox:online", "docker://"])
def test_a_place_that_there_is_not(repository: Path, place: str) -> None:
    """Neither a run nor a plan takes it for something else."""
    options = PlanOptions(places={"ubuntu-latest": place})
    for start in (
        lambda: run_event(repository, "push", RunOptions(plan=options), lambda _: None),
        lambda: plan_event(repository, "push", options),
    ):
        with pytest.raises(UsageError, match="jobs for 'ubuntu-latest' cannot run in") as error:
            start()
        assert error.value.hint is not None
        assert "host, sandbox, sandbox:offline" in error.value.hint


def test_a_plan_says_where(repository: Path) -> None:
    """Each leg has its place, and the plan's hash covers it."""
    here = plan_event(repository, "push", PlanOptions(places={"*": "host"})).plan
    there = plan_event(
        repository, "push", PlanOptions(places={"*": "host", "sandboxed": "sandbox"})
    ).plan

    assert here is not None
    assert there is not None
    assert [job.legs[0].place for job in there.jobs()] == ["sandbox", "host"]
    assert there.hash() != here.hash()


def test_objects_of_worktrees_and_submodules(repository: Path) -> None:
    """The folders that a job's Git reads are found without asking Git."""
    from windlass.git.folders import find_object_folders

    parts = [repository.parent / name for name in ("part", "deep")]
    for part in parts:
        part.mkdir()
        _git(part, "init", "--quiet", "--initial-branch=main")
        _git(part, "commit", "--quiet", "--allow-empty", "--message=Part")
    submodule = ("-c", "protocol.file.allow=always", "submodule", "--quiet")
    _git(parts[0], *submodule, "add", str(parts[1]), "inner")
    _git(parts[0], "commit", "--quiet", "--message=Inner")
    _git(repository, *submodule, "add", "--name", "libs/part", str(parts[0]), "part")
    _git(repository, *submodule, "update", "--init", "--recursive")
    _git(repository, "worktree", "add", "--quiet", "../other")
    shared = repository.parent / "shared"
    _git(repository.parent, "clone", "--quiet", "--shared", str(repository), str(shared))
    git = repository / ".git"
    known = {git / "objects"} | {
        git / "modules" / name / "objects" for name in ("libs/part", "libs/part/modules/inner")
    }

    assert set(find_object_folders(repository)) == known
    assert set(find_object_folders(repository.parent / "other")) == known
    assert set(find_object_folders(shared)) == {shared / ".git/objects", git / "objects"}
    assert find_object_folders(Path(os.devnull).parent) == ()


HOSTILE = """
on: push
jobs:
  a:
    runs-on: sandboxed
    steps:
      - {run: 'ln -sf "$SOURCE/.env" "$GITHUB_ENV"; true', continue-on-error: true}
      - {run: 'ln -sf "$SOURCE/.env" "$GITHUB_OUTPUT"', id: out, continue-on-error: true}
      - {run: 'ln -sf "$SOURCE/.env" "$GITHUB_STEP_SUMMARY"', continue-on-error: true}
      - run: echo "got ${TOKEN-nothing} ${{ steps.out.outputs.TOKEN || 'nothing' }}"
      - run: rm -rf "$RUNNER_WORKSPACE"; ln -s "$SOURCE" "$RUNNER_WORKSPACE"
      - {uses: actions/checkout@v4, id: checkout, continue-on-error: true}
      - {run: 'echo ${{ steps.checkout.outcome }} > "$RUNNER_TEMP/outcome"', working-directory: /}
      - run: cat "$RUNNER_TEMP/outcome"; rm -rf "$RUNNER_TEMP"; ln -s "$SOURCE" "$RUNNER_TEMP"
        working-directory: /
      - {run: 'echo never', working-directory: /}
"""


@pytest.mark.usefixtures("_sandbox")
def test_links_lead_nowhere(repository: Path) -> None:
    """What a step cannot reach, Windlass neither reads, writes nor removes for it."""
    (repository / ".github/workflows/ci.yml").write_text(HOSTILE)
    _git(repository, "commit", "--all", "--quiet", "--message=Attack")
    before = sorted(it.relative_to(repository) for it in repository.iterdir())
    seen: list[events.RunEvent] = []

    report = run(repository, seen, sandboxed="sandbox")

    output = output_of(seen, "a")
    assert report.exit_code == 1
    assert "got nothing nothing\n" in output
    assert "failure\n" in output
    assert "never\n" not in output
    assert not [it for it in seen if "hunter2" in repr(it)]
    after = {it.relative_to(repository) for it in repository.iterdir()} - {Path(STATE_FOLDER)}
    assert sorted(after) == before
    assert (repository / ".env").read_text() == "TOKEN=hunter2\n"
