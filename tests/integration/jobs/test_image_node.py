"""Actions in JavaScript in a job's container, with a real daemon: whose Node.js runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.images import TOOLS, make_tools_image
from tests.remotes import Remotes

from windlass.docker.images import remove_image
from windlass.jobs.actions.published import PublishedActions
from windlass.jobs.executors.docker import DockerExecutor
from windlass.model.action_sources import ActionSources
from windlass.model.status import Result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench

    from windlass.docker.engine import Engine

IMAGE = f"windlass-test/node:{os.getpid()}"
KNOWN = {"20", "24"}
"""The versions that actions may ask for."""


@pytest.fixture(scope="session")
def version() -> str:
    """The version of this machine's Node.js, for which the action asks."""
    if shutil.which("node") is None:
        pytest.skip("node is not on PATH")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    version = said.removeprefix("v").partition(".")[0]
    return version if version in KNOWN else pytest.skip(f"no action asks for {said.strip()}")


@pytest.fixture
def bench(
    bench: Bench, docker: Engine, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """The bench, with jobs in an image that each test makes, and a published action."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    remotes = Remotes(tmp_path)
    files = {
        "action.yml": f"runs: {{using: node{version}, main: main.js}}\n",
        "main.js": "console.log(process.execPath, __dirname)\n",
    }
    remotes.publish("acme/say", files)
    published = PublishedActions(ActionSources(urls=(remotes.url,)), "https://github.com")
    bench.published = lambda: published
    bench.executor = DockerExecutor({"DOCKER_HOST": docker.address.text}, image=IMAGE)
    yield bench
    remove_image(docker, IMAGE, force=True)


def test_an_image_with_node_runs_its_own(bench: Bench, docker: Engine) -> None:
    """Nothing of this machine is put into the tool cache."""
    make_tools_image(docker, IMAGE, (*TOOLS, "node"))

    assert bench.run("- uses: acme/say@v1").result is Result.SUCCESS, bench.errors()
    assert "bin/node /__w/_actions/acme/say/v1\n" in bench.output()
    assert not [*(bench.root / "tools").iterdir()]


def test_an_image_without_node_runs_that_of_this_machine(bench: Bench, docker: Engine) -> None:
    """It is put into the tool cache once, and found there by later jobs."""
    make_tools_image(docker, IMAGE, (*TOOLS, "node"), without="node")

    for _ in range(2):
        assert bench.run("- uses: acme/say@v1\n- uses: acme/say@v1").result is Result.SUCCESS
        assert bench.output().count("/__t/_node/") == 2
    assert len([*(bench.root / "tools").rglob("node*")]) == 1


def test_an_image_in_which_no_node_runs_says_so(bench: Bench, docker: Engine, version: str) -> None:
    """It lacks the libraries that the one of this machine needs."""
    make_tools_image(docker, IMAGE)

    assert bench.run("- uses: acme/say@v1").result is Result.FAILURE
    [error] = bench.errors()
    said = f"The action runs on Node.js {version}. The job's image has no Node.js, and "
    assert error.startswith(said)
