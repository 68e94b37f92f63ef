"""Every folder of examples/ is a repository whose workflows run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.repositories import CHECKOUT, SECONDS, assert_is_for_people
from tests.event_schema import read_events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository

EXAMPLES = sorted(path for path in (CHECKOUT / "examples").iterdir() if path.is_dir())
BOATYARD = CHECKOUT / "examples" / "boatyard"
DELIVERY = CHECKOUT / "examples" / "delivery"
FERRY = CHECKOUT / "examples" / "ferry"
MEANT_TO_FAIL = {BOATYARD}
CHECKS = ["quality", "test", "security", "build"]


def copy_example(repository: Repository, example: Path) -> None:
    """Make the repository one of the example, with one more commit."""
    shutil.copytree(example, repository.path, dirs_exist_ok=True)
    repository.commit()


def deploy(repository: Repository) -> subprocess.CompletedProcess[str]:
    """Run the delivery example with a target folder and every environment allowed."""
    return repository.windlass(
        *("run", "--var", f"TARGET={repository.home}"),
        *("--allow-environment", "staging", "--allow-environment", "production"),
    )


def jobs_marked(mark: str, done: subprocess.CompletedProcess[str]) -> list[str]:
    """The jobs that the closing table shows with a mark, in its order."""
    table = done.stdout.rpartition("\nJobs\n")[2]
    lines = [line.split() for line in table.partition("\n\n")[0].splitlines()]
    return [words[1] for words in lines if words[0] == mark]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(repository: Repository, example: Path) -> None:
    """It lints without a finding, is compatible, and its push ends as it is meant to."""
    copy_example(repository, example)

    assert repository.windlass("lint", "--no-shellcheck").stdout.startswith("no problems found")
    assert repository.windlass("compat").returncode == 0
    if example == FERRY:
        return  # it needs actions from GitHub and images: tests/published/test_ferry.py runs it
    done = deploy(repository)
    assert done.returncode == (example in MEANT_TO_FAIL), done.stdout + done.stderr


@pytest.mark.requirement("A23")
@pytest.mark.requirement("T01")
def test_boats_are_built(repository: Repository) -> None:
    """Actions of both kinds, a matrix from an output, annotations and a summary come together."""
    copy_example(repository, BOATYARD)
    done = repository.windlass("run", "-W", ".github/workflows/ci.yml", "--json")
    events = read_events(done.stdout)

    assert done.returncode == 0, done.stdout + done.stderr
    assert results(events) == {
        "plan": "success",
        "inspect": "failure",
        "build (dinghy)": "success",
        "build (ketch)": "success",
        "launch": "success",
    }
    (plan,) = (
        event for event in events if event["event"] == "job-finished" and event["job"] == "plan"
    )
    assert plan["outputs"] == {"boats": '["dinghy","ketch"]'}
    annotations = [
        (event["level"], event["properties"]["file"], event["properties"]["line"])
        for event in events
        if event["event"] == "annotation" and "file" in event["properties"]
    ]
    assert annotations == [
        ("warning", "boats/dinghy.txt", "2"),
        ("error", "boats/ketch.txt", "4"),
    ]
    names = [event["name"] for event in events if event["event"] == "step-started"]
    assert names.count("Post Start the stopwatch") == 2
    shown = repository.windlass("logs", "--job", "build (ketch)").stdout
    assert "started for ketch\n" in shown
    assert "ketch took " in shown
    (summary,) = repository.path.glob(".windlass/runs/*/1/summary.md")
    assert "### ketch\n" in summary.read_text()


def test_a_storm(repository: Repository) -> None:
    """One leg fails, the other is cancelled and tidies up, the report runs all the same."""
    copy_example(repository, BOATYARD)
    done = repository.windlass("run", "-W", ".github/workflows/storm.yml", "--json")

    assert done.returncode == 1
    assert results(read_events(done.stdout)) == {
        "test (dinghy)": "failure",
        "test (ketch)": "cancelled",
        "report": "success",
    }
    assert "called back\n" in repository.windlass("logs").stdout


def results(events: list[dict[str, Any]]) -> dict[str, str]:
    """How each job ended."""
    return {it["job"]: it["result"] for it in events if it["event"] == "job-finished"}


def test_the_demo(tmp_path: Path) -> None:
    """`./dev demo` ends with 0 when both workflows ended as meant; the run can be looked at.

    It runs where the user's settings say, and says so where that is for want of Docker.
    """
    no_docker = {"WINDLASS_CONFIG": "", "DOCKER_HOST": "unix:///nowhere/docker.sock"}

    assert "jobs run on this machine, as you" in show_demo(tmp_path, {})
    told = show_demo(tmp_path, no_docker)
    assert "No Docker daemon answers: the demo runs in a sandbox." in told
    assert ("jobs run in the sandbox: " in told) != ("runs on this machine itself." in told)


def show_demo(home: Path, variables: dict[str, str]) -> str:
    """Run the demo and look at its run; return what it told on stderr."""
    own = {"HOME": str(home), "WINDLASS_VENV": sys.prefix, "PYTHONPATH": ""}
    environment = {**os.environ, **own, **variables}
    done = subprocess.run(
        [CHECKOUT / "dev", "demo"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ Boatyard succeeded in " in done.stdout
    assert "✗ Storm failed in " in done.stdout
    assert "That was exit code 1, as it is meant to be" in done.stderr
    assert_is_for_people(done)
    command = done.stderr.rpartition("looked at: ")[2].split()
    shown = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert shown.stdout.startswith("✗ Storm  failure\n"), shown.stderr
    return done.stderr


@pytest.mark.requirement("A08")
@pytest.mark.requirement("A16")
@pytest.mark.parametrize(
    ("branch", "environment", "other"),
    [("develop", "staging", "production"), ("main", "production", "staging")],
    ids=["develop", "main"],
)
def test_a_branch_reaches_its_environment(
    repository: Repository, branch: str, environment: str, other: str
) -> None:
    """The pipeline of seven jobs deploys develop to staging and main to production, only there."""
    copy_example(repository, DELIVERY)
    if branch != "main":
        repository.git("switch", "--quiet", "--create", branch)
    done = deploy(repository)

    assert jobs_marked("✓", done) == [*CHECKS, f"deploy-{environment}"], done.stdout
    assert jobs_marked("⊘", done) == [f"deploy-{other}", "rollback"]
    assert (repository.home / environment / "current" / "app" / "service.py").is_file()
    assert not (repository.home / other).exists()


@pytest.mark.requirement("A09")
def test_a_failed_deployment_is_rolled_back(repository: Repository) -> None:
    """When the smoke test fails, the rollback job runs and the release before is current again."""
    copy_example(repository, DELIVERY)
    current = repository.home / "production" / "current"
    assert deploy(repository).returncode == 0
    before = current.readlink()
    repository.write("config/production.json", '{"environment": "production"}\n')
    done = deploy(repository)

    assert done.returncode == 1
    assert "│   the configuration has no greeting\n" in done.stdout
    assert jobs_marked("✗", done) == ["deploy-production"]
    assert jobs_marked("✓", done) == [*CHECKS, "rollback"]
    assert current.readlink() == before
    assert len(list((repository.home / "production" / "releases").iterdir())) == 2


@pytest.mark.requirement("B01")
@pytest.mark.parametrize(
    ("gate", "file", "content"),
    [
        ("quality", "app/service.py", "def greet(:\n"),
        ("test", "app/service.py", "def greet(configuration):\n    return 'Hi'\n"),
        ("security", "key.txt", "-----BEGIN RSA PRIVATE KEY-----\n"),
    ],
    ids=["quality", "test", "security"],
)
def test_a_gate_blocks(repository: Repository, gate: str, file: str, content: str) -> None:
    """Where a gate fails, nothing behind it runs: no build, no deployment and no rollback."""
    copy_example(repository, DELIVERY)
    repository.write(file, content)
    repository.commit()
    done = deploy(repository)

    assert done.returncode == 1
    assert jobs_marked("✗", done) == [gate], done.stdout
    assert jobs_marked("✓", done) == CHECKS[: CHECKS.index(gate)]
    assert list(repository.home.iterdir()) == []
