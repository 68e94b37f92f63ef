"""The most used actions, as published, do in a run what they do on GitHub."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.e2e.repositories import Repository
from tests.published.stand_ins import Server, TokenService, put_hadolint, put_uv
from tests.published.table import Trial, read_trials
from tests.registry import serve_registry
from tests.serving import serve

if TYPE_CHECKING:
    from pathlib import Path

TRIALS = [trial for trial in read_trials() if trial.steps]
SECONDS = 900
IMAGE = "windlass/ubuntu-latest"
WINDLASS = (sys.executable, "-m", "windlass")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with the files that the trials look for."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "home").mkdir()
    repository = Repository(tmp_path / "repository", tmp_path / "home")
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("remote", "add", "origin", "https://github.com/octo/boat.git")
    repository.heed_host_notice()
    repository.write("data.txt", "data\n")
    repository.write("Dockerfile", "FROM scratch\nCOPY data.txt /\n")
    repository.write("package.json", '{"packageManager": "pnpm@8.15.5"}\n')
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
            put = shutil.copy if program == "node" else os.symlink  # Python is more than a file
            put(os.path.realpath(found), folder / "bin" / alias)
        if program == "python3":
            (folder / "python").symlink_to("bin/python")
        folder.with_name("x64.complete").touch()


class Surroundings:
    """What stands around one trial: the stand-ins it names, and how its steps find them."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        self.words: dict[str, str] = {}
        self.options: list[str] = []
        self._repository = repository
        self._folder = folder
        self._open = contextlib.ExitStack()

    def provide(self, names: tuple[str, ...]) -> contextlib.ExitStack:
        """Start stand-ins; they end with what is returned."""
        for name in names:
            getattr(self, f"_provide_{name}")()
        return self._open

    def _provide_tools(self) -> None:
        fill_tool_cache(self._repository.path / ".windlass" / "tools")

    def _provide_uv(self) -> None:
        put_uv(self._repository.path / ".windlass" / "tools")

    def _provide_registry(self) -> None:
        registry = self._open.enter_context(serve_registry(self._folder))
        self.words |= {
            "REGISTRY": registry.host,
            "USERNAME": registry.username,
            "PASSWORD": registry.password,
        }

    def _provide_hadolint(self) -> None:
        self._repository.write("bad.Dockerfile", "FROM debian\nRUN cd /tmp\n")
        self._open.enter_context(put_hadolint(self._folder))

    def _provide_sts(self) -> None:
        self.words["STS"] = self._open.enter_context(serve(TokenService))

    def _provide_server(self) -> None:
        served = type("OneServer", (Server,), {"release": {}})
        url = self._open.enter_context(serve(served))
        self._repository.git("remote", "set-url", "origin", f"{url}/octo/boat.git")
        self.options += ["--secret", "GITHUB_TOKEN"]
        self.words["TOKEN"] = Server.TOKEN


@pytest.mark.requirement("A12")
@pytest.mark.parametrize("trial", TRIALS, ids=[trial.action for trial in TRIALS])
def test_published_action(
    trial: Trial,
    repository: Repository,
    sources: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """It runs unmodified, or fails for what it says it needs of the world."""
    place = str(request.config.getoption("--place"))
    if place == "docker":
        place = f"docker://{IMAGE}"
    if place not in trial.places and place.partition(":")[0] not in trial.places:
        pytest.skip(f"{trial.action} is tried in {trial.places}: {trial.elsewhere}")
    surroundings = Surroundings(repository, tmp_path)
    with surroundings.provide(trial.stand_ins):
        done = run_trial(trial, place, repository, sources, surroundings)

    said = done.stdout + done.stderr
    assert "Traceback" not in said
    if trial.outcome == "works":
        assert done.returncode == 0, said[-4000:]
    else:
        assert done.returncode == 1, "it works now: the table says that it needs something"
        assert re.search(trial.fails, said), said[-4000:]


def run_trial(
    trial: Trial, place: str, repository: Repository, sources: str, around: Surroundings
) -> subprocess.CompletedProcess[str]:
    """Run a job with the steps of a trial."""
    job = {"runs-on": "ubuntu-latest", "steps": list(trial.steps)}
    permissions = {"contents": "write", "id-token": "write", "attestations": "write"}
    workflow = {"on": "push", "permissions": permissions, "jobs": {"job": job}}
    text = yaml.safe_dump(workflow, sort_keys=False)
    for word, value in around.words.items():
        text = text.replace(f"%{word}%", value)
    repository.workflow(text)
    repository.commit()
    environment = repository.environment({"WINDLASS_ACTION_URLS": sources})
    if "DOCKER_HOST" in os.environ:
        environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    if "TOKEN" in around.words:
        environment["GITHUB_TOKEN"] = around.words["TOKEN"]
    for name in ("CARGO_HOME", "RUSTUP_HOME"):
        environment[name] = str(repository.home / name)
    return subprocess.run(
        [*WINDLASS, "run", "-P", f"ubuntu-latest={place}", *around.options],
        cwd=repository.path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
