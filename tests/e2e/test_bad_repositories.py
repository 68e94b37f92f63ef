"""Places that are no repository as people expect it, and calls that cannot be meant."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import Repository, assert_is_for_people

if TYPE_CHECKING:
    from pathlib import Path

HELLO = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo hello\n"
CALLER = "on: {on}\njobs:\n  a:\n    uses: ./.github/workflows/{calls}\n"


@pytest.mark.parametrize("command", ["plan", "run"])
def test_no_repository(folder: Repository, command: str) -> None:
    """Outside of Git the call is refused with 2 and a hint."""
    folder.workflow(HELLO)
    done = folder.windlass(command)

    assert_is_for_people(done)
    assert (done.returncode, done.stdout) == (2, "")
    assert "not in a Git repository" in done.stderr


@pytest.mark.parametrize("command", ["plan", "run"])
def test_no_commit(folder: Repository, command: str) -> None:
    """A repository without a commit has nothing to run, which is said."""
    folder.git("init", "--quiet", "--initial-branch=main")
    folder.workflow(HELLO)
    done = folder.windlass(command)

    assert_is_for_people(done)
    assert done.returncode == 2
    assert "commit" in done.stderr


@pytest.mark.parametrize("command", ["plan", "run", "lint", "compat"])
def test_no_workflows(repository: Repository, command: str) -> None:
    """Without workflows the call is refused with 2, saying where they are looked for."""
    done = repository.windlass(command)

    assert_is_for_people(done)
    assert done.returncode == 2
    assert "no workflows" in done.stderr
    assert "hint: " in done.stderr


@pytest.mark.parametrize("command", ["plan", "run", "lint", "compat"])
def test_a_workflow_that_is_a_folder(repository: Repository, command: str) -> None:
    """A folder named like a workflow is a problem of its own; the other workflow is still read."""
    repository.workflow(HELLO)
    (repository.path / ".github" / "workflows" / "odd.yml").mkdir()
    repository.commit()
    done = repository.windlass(command)

    assert_is_for_people(done)
    assert done.returncode == 1, done.stdout + done.stderr
    assert ".github/workflows/odd.yml" in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["plan", "run", "lint", "compat"])
def test_a_circle_of_symbolic_links(repository: Repository, command: str) -> None:
    """A link that leads nowhere but to itself is named."""
    repository.workflow(HELLO)
    link = repository.path / ".github" / "workflows" / "loop.yml"
    link.symlink_to("pool.yml")
    (link.parent / "pool.yml").symlink_to("loop.yml")
    repository.commit()
    done = repository.windlass(command)

    assert_is_for_people(done)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "loop.yml" in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["plan", "run", "lint", "workflow parse"])
def test_workflows_that_call_each_other(repository: Repository, command: str) -> None:
    """A circle of reusable workflows is an error at the call."""
    repository.workflow(CALLER.format(on="push", calls="b.yml"), "a.yml")
    repository.workflow(CALLER.format(on="workflow_call", calls="c.yml"), "b.yml")
    repository.workflow(CALLER.format(on="workflow_call", calls="b.yml"), "c.yml")
    repository.commit()
    file = [".github/workflows/a.yml"] if command == "workflow parse" else []
    done = repository.windlass(*command.split(), *file)

    assert_is_for_people(done)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "error: " in done.stdout + done.stderr


def test_a_detached_head(repository: Repository) -> None:
    """A commit that no branch names can be planned and run."""
    repository.workflow(HELLO)
    repository.git("checkout", "--quiet", "--detach", repository.commit())

    assert repository.windlass("run").returncode == 0


def test_a_shallow_clone(repository: Repository, tmp_path: Path) -> None:
    """Where the history is too short to know what changed, that is said and nothing is skipped."""
    repository.workflow(HELLO.replace("on: push", "on:\n  push:\n    paths: [docs/**]"))
    repository.commit()
    clone = Repository(tmp_path / "clone", repository.home)
    address = f"file://{repository.path}"
    repository.git("clone", "--quiet", "--depth=1", address, str(clone.path))
    done = clone.windlass("plan")

    assert done.returncode == 0, done.stderr
    assert "changed files unknown" in done.stdout
    assert clone.windlass("run").stdout.count("│   hello\n") == 1


def test_a_worktree(repository: Repository, tmp_path: Path) -> None:
    """A second working tree is a checkout like the first; its branch counts."""
    repository.workflow(HELLO)
    repository.commit()
    repository.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    done = Repository(tmp_path / "side", repository.home).windlass("plan", "--json")

    assert json.loads(done.stdout)["event"]["ref"] == "refs/heads/side"


def test_inside_a_submodule(repository: Repository, tmp_path: Path) -> None:
    """In a submodule, the submodule's workflows run."""
    (tmp_path / "inner").mkdir()
    inner = Repository(tmp_path / "inner", repository.home)
    inner.git("init", "--quiet", "--initial-branch=main")
    inner.workflow(HELLO.replace("hello", "inner"))
    inner.commit()
    repository.git("submodule", "--quiet", "add", str(inner.path), "module")
    repository.commit()
    done = repository.windlass("run", folder=repository.path / "module")

    assert done.returncode == 0, done.stderr
    assert "│   inner\n" in done.stdout


def test_from_a_folder_inside(repository: Repository) -> None:
    """The repository is found from any of its folders, and by -C from anywhere."""
    repository.workflow(HELLO)
    repository.write("deep/down/file", "")
    repository.commit()

    assert repository.windlass("run", folder=repository.path / "deep" / "down").returncode == 0
    done = repository.windlass("run", "-C", str(repository.path), folder=repository.home)
    assert done.returncode == 0


def test_without_git(repository: Repository, tmp_path: Path) -> None:
    """A machine without Git is a matter of the platform: 3."""
    repository.workflow(HELLO)
    repository.commit()
    (tmp_path / "bin").mkdir()
    bash = shutil.which("bash")
    assert bash is not None
    (tmp_path / "bin" / "bash").symlink_to(bash)
    done = repository.windlass("run", variables={"PATH": str(tmp_path / "bin")})

    assert_is_for_people(done)
    assert done.returncode == 3
    assert "git" in done.stderr.lower()


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["run", "pull_requst"], ["'pull_requst'", "did you mean 'pull_request'"]),
        (["run", "push", "pull_request"], ["unexpected argument 'pull_request'"]),
        (["run", "--secrets", "x"], ["has no option --secrets", "did you mean --secret"]),
        (["run", "--input", "x"], ["--input 'x' is not KEY=VALUE"]),
        (["run", "-W", "nope"], ["nope"]),
        (["run", "-C", "nope"], ["-C nope: No such file or directory"]),
        (["run", "-j", "nope"], ["nope", "a"]),
        (["run", "--secret", "NOPE"], ["there is no variable NOPE"]),
        (["run", "--secret-file", "nope"], ["nope: No such file or directory"]),
        (["run", "--event-file", "nope"], ["nope: No such file or directory"]),
        (["run", "-P", "ubuntu-latest=mars"], ["mars"]),
        (["plan", "--jsn"], ["has no option --jsn", "did you mean --json"]),
    ],
    ids=" ".join,
)
def test_calls_that_cannot_be_meant(
    repository: Repository, words: list[str], texts: list[str]
) -> None:
    """A wrong call ends with 2 before anything runs, and says what would be right."""
    repository.workflow(HELLO)
    repository.commit()
    done = repository.windlass(*words)

    assert_is_for_people(done)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "hello" not in done.stdout
    for text in texts:
        assert text in done.stderr


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "event.json:1:1: not JSON"),
        (b"rubbish", "event.json:1:1: not JSON"),
        (b'{"a": 1,\n "b" 2}', "event.json:2:6: not JSON"),
        (b"[1]", "event.json: a JSON object was expected"),
        (b"\xff\xfe", "event.json: not UTF-8 text"),
        (b"[" * 100_000, "event.json: not JSON"),
        (b'{"a": NaN}', "event.json: not JSON"),
    ],
    ids=["empty", "rubbish", "syntax", "a list", "binary", "nested deep", "NaN"],
)
def test_an_event_file_that_is_rubbish(repository: Repository, content: bytes, text: str) -> None:
    """An event file that cannot be read is refused with its place and what was expected."""
    repository.workflow(HELLO)
    repository.write("event.json", content)
    repository.commit()
    done = repository.windlass("run", "--event-file", "event.json")

    assert_is_for_people(done)
    assert done.returncode == 2
    assert text in done.stderr
    assert "hint: an event file holds a JSON object" in done.stderr
