"""examples/ferry, a service as teams have them, runs as it is, wherever its jobs do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import Repository
from tests.npm import CACHE
from tests.remotes import Remotes
from tests.service_images import provide_images

from windlass.docker.images import inspect_image, tag_image
from windlass.docker.networks import inspect_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.docker.engine import Engine

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ferry"
PYTHON_IMAGE = "python:3.11-bookworm"
STAND_IN = "windlass/ubuntu-latest"
"""What `windlass images setup` makes has the same Python."""

SETTINGS = f"""\
[docker]
images = ["{PYTHON_IMAGE}"]
"""
"""A job's own daemon begins with what it would have to pull."""

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


class _Folder(SimpleHTTPRequestHandler):
    """Lists a folder and gives its files, and says nothing of it."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep it to oneself."""


@pytest.fixture
def packages(docker: Engine) -> Iterator[dict[str, str]]:
    """Variables by which pip finds what the example asks for, wherever it runs.

    This machine gets it, so that nobody else has to trust the certificates of its proxy.
    """
    folder = CACHE / "ferry-wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--python-version", "3.11"]
    pip += ["--only-binary=:all:", "--dest", str(folder)]
    pip += ["--requirement", str(EXAMPLE / "requirements.txt")]
    subprocess.run(pip, check=True, timeout=SECONDS)
    host = inspect_network(docker, "bridge")["IPAM"]["Config"][0]["Gateway"]
    with ThreadingHTTPServer((host, 0), partial(_Folder, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"http://{host}:{server.server_port}/",
            "PIP_TRUSTED_HOST": host,
        }
        server.shutdown()


@pytest.mark.requirement("A12")
@pytest.mark.requirement("A19")
@pytest.mark.parametrize(
    ("place", "code"),
    [("host", 0), ("sandbox", 3), ("docker", 0)],
    ids=["host", "sandbox", "docker"],
)
def test_ferry(
    place: str,
    code: int,
    ferry: Repository,
    sources: str,
    packages: dict[str, str],
    tmp_path: Path,
) -> None:
    """All jobs succeed; only that which needs Docker itself is refused where there is none."""
    remotes = Remotes(tmp_path)
    remotes.publish("harbour/check-python", CHECK_PYTHON)
    settings = tmp_path / "config.toml"
    settings.write_text(SETTINGS)
    run = ferry.windlass(
        *("run", "--action-url", remotes.url),
        *("--action-url", sources, "-P", f"ubuntu-latest={place}"),
        *(word for pair in packages.items() for word in ("--env", "=".join(pair))),
        variables={
            "DOCKER_HOST": os.environ["DOCKER_HOST"],
            "WINDLASS_CONFIG": str(settings),
        },
        seconds=SECONDS,
    )

    said = run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert run.returncode == code, said[-6000:]
    for job in ("style", "wheels", "test (0)", "test (2)", "inside", "report"):
        assert f"✓ {job} " in said, said[-6000:]
    assert f"{'✗' if code else '✓'} image / build" in said
    assert ("and there is none in the sandbox" in said) == bool(code)
    assert ("a Docker daemon of its own: `docker build" in said) == (place == "docker")
    assert "## Tests of the ferry\n  OK" in said
