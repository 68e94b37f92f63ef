"""examples/ferry, a service as teams have them, runs as it is: on this machine and in a sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import Repository
from tests.remotes import Remotes
from tests.service_images import provide_images

from windlass.docker.images import inspect_image, tag_image

if TYPE_CHECKING:
    from windlass.docker.engine import Engine

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ferry"
PYTHON_IMAGE = "python:3.11-bookworm"
STAND_IN = "windlass/ubuntu-latest"
"""What `windlass images setup` makes has the same Python."""

SECONDS = 900
CHECK_PYTHON = {
    "action.yml": """\
name: Check Python
inputs: {folder: {default: .}}
runs: {using: node20, main: index.js}
""",
    "index.js": """\
const {execFileSync} = require('child_process');
const words = ['-m', 'compileall', '-q', process.env.INPUT_FOLDER];
execFileSync('python3', words, {stdio: 'inherit'});
console.log(`checked ${process.env.INPUT_FOLDER}`);
""",
}


@pytest.fixture
def ferry(docker: Engine, tmp_path: Path) -> Repository:
    """The example as a repository of its own, with the images it names in the daemon."""
    services = provide_images(docker)
    stand_ins = {"postgres:15": services.postgres, "redis:7": services.redis}
    if inspect_image(docker, PYTHON_IMAGE) is None:
        if inspect_image(docker, STAND_IN) is None:
            pytest.skip(f"no image {PYTHON_IMAGE}: `windlass images setup` makes a stand-in")
        stand_ins[PYTHON_IMAGE] = STAND_IN
    for name, image in stand_ins.items():
        if inspect_image(docker, name) is None:
            tag_image(docker, image, name)
    shutil.copytree(EXAMPLE, tmp_path / "ferry")
    (tmp_path / "home").mkdir()
    repository = Repository(tmp_path / "ferry", tmp_path / "home")
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.heed_host_notice()
    repository.commit()
    return repository


@pytest.mark.requirement("A12")
@pytest.mark.requirement("A19")
@pytest.mark.parametrize(
    ("place", "image"), [("host", "success"), ("sandbox", "failure")], ids=["host", "sandbox"]
)
def test_ferry(place: str, image: str, ferry: Repository, sources: str, tmp_path: Path) -> None:
    """All jobs succeed; only that which needs Docker itself fails where there is none to reach."""
    remotes = Remotes(tmp_path)
    remotes.publish("harbour/check-python", CHECK_PYTHON)
    run = subprocess.run(
        [
            *("python", "-m", "windlass", "run", "--action-url", remotes.url),
            *("--action-url", sources, "-P", f"ubuntu-latest={place}"),
        ],
        cwd=ferry.path,
        env=ferry.environment({"DOCKER_HOST": os.environ["DOCKER_HOST"]}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    said = run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert run.returncode == (0 if image == "success" else 1), said[-6000:]
    for job in ("style", "wheels", "test (0)", "test (2)", "inside", "report"):
        assert f"✓ {job} " in said, said[-6000:]
    assert f"{'✓' if image == 'success' else '✗'} image / build" in said
    assert "## Tests of the ferry\n  OK" in said
