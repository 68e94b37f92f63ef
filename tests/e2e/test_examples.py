"""Every folder of examples/ is a repository whose workflows run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.e2e.repositories import Repository

EXAMPLES = sorted(
    path for path in (Path(__file__).resolve().parents[2] / "examples").iterdir() if path.is_dir()
)
DELIVERY = EXAMPLES[0].with_name("delivery")
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
    """It lints without a finding, is compatible, and its push succeeds."""
    copy_example(repository, example)

    assert repository.windlass("lint", "--no-shellcheck").stdout.startswith("no problems found")
    assert repository.windlass("compat").returncode == 0
    done = deploy(repository)
    assert done.returncode == 0, done.stdout + done.stderr


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
