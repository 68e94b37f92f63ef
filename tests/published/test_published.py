"""The most used actions, as published, do in a run what they do on GitHub."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.e2e.repositories import Repository
from tests.published.table import Trial, read_trials

if TYPE_CHECKING:
    from pathlib import Path

TRIALS = [trial for trial in read_trials() if not trial.missing]
SECONDS = 300


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with the files that the trials look for."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "home").mkdir()
    repository = Repository(tmp_path / "repository", tmp_path / "home")
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.heed_host_notice()
    repository.write("data.txt", "data\n")
    repository.write("Dockerfile", "FROM scratch\nCOPY data.txt /\n")
    fill_tool_cache(repository.path / ".windlass" / "tools")
    return repository


def fill_tool_cache(tools: Path) -> None:
    """Put the programs of this machine where setup actions look before they download."""
    for name, program, word in (("node", "node", "v"), ("Python", "python3", "Python ")):
        found = shutil.which(program)
        assert found, f"{program} is missing"
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        version = said.stdout.strip().removeprefix(word)
        folder = tools / name / version / "x64"
        (folder / "bin").mkdir(parents=True)
        for alias in {program, program.rstrip("3")}:
            (folder / "bin" / alias).symlink_to(os.path.realpath(found))
        if program == "python3":
            (folder / "python").symlink_to("bin/python")
        folder.with_name("x64.complete").touch()


@pytest.mark.parametrize("trial", TRIALS, ids=[trial.action for trial in TRIALS])
def test_published_action(trial: Trial, repository: Repository, sources: str) -> None:
    """It runs unmodified, or fails for what it says it needs of the world."""
    job = {"runs-on": "ubuntu-latest", "steps": list(trial.steps)}
    permissions = {"contents": "read", "id-token": "write", "attestations": "write"}
    workflow = {"on": "push", "permissions": permissions, "jobs": {"job": job}}
    repository.workflow(yaml.safe_dump(workflow, sort_keys=False))
    repository.commit()
    environment = repository.environment({"WINDLASS_ACTION_URLS": sources})
    if "DOCKER_HOST" in os.environ:
        environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    for name in ("CARGO_HOME", "RUSTUP_HOME"):
        environment[name] = str(repository.home / name)
    done = subprocess.run(
        ["python", "-m", "windlass", "run", "-P", "ubuntu-latest=host"],
        cwd=repository.path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert done.returncode == 0 or (trial.fails and re.search(trial.fails, said)), said[-4000:]
