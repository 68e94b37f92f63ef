"""Jobs in containers of images, and with options, that are not like any other: real runs."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import DockerRepository
from tests.images import TOOLS, make_tools_image, pack

from windlass.docker.images import build_image, remove_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.docker.engine import Engine

BASE = f"windlass-test/job-images-{os.getpid()}"
IMAGES = {
    "plain": "",
    "user": "USER 1234:2345",
    "odd": 'ENV PATH=/odd:/bin HOME=/image\nWORKDIR /srv/deep\nENTRYPOINT ["/bin/cat", "/no"]',
    "nobody": "USER somebody",
}
WRITES = """\
      - uses: actions/checkout@v4
      - id: one
        run: |
          echo more >> file; mkdir folder; touch folder/new "$HOME/a" "$RUNNER_TEMP/b"
          echo "x=by $(id -u)" >> "$GITHUB_OUTPUT"
          touch "$RUNNER_TOOL_CACHE/c"
      - run: echo "written ${{ steps.one.outputs.x }}"; cat file; stat -c '%u %n' file .git folder
"""
LOOKS = """\
      - run: echo "$PATH $HOME $PWD $(id -u)"
"""


@pytest.fixture(scope="module", autouse=True)
def _images(docker: Engine) -> Iterator[None]:
    make_tools_image(docker, BASE, (*TOOLS, "touch"))
    for name, lines in IMAGES.items():
        build_image(docker, [pack({"Dockerfile": f"FROM {BASE}\n{lines}\n"})], tag=f"{BASE}-{name}")
    yield
    for name in IMAGES:
        remove_image(docker, f"{BASE}-{name}", force=True)
    remove_image(docker, BASE, force=True)


def run(
    tmp_path: Path, docker: Engine, image: str, options: str, steps: str
) -> subprocess.CompletedProcess[str]:
    """Run a workflow whose job has the container."""
    repository = DockerRepository(tmp_path, docker.address.text)
    repository.write("file", "file of the boat\n")
    container = f"{{image: '{BASE}-{image}', options: '{options}'}}"
    repository.workflow(
        f"on: push\njobs:\n  build:\n    runs-on: x\n    container: {container}\n"
        f"    steps:\n{steps}"
    )
    repository.commit()
    return repository.windlass("run")


@pytest.mark.parametrize(
    ("image", "options", "user"),
    [
        pytest.param("plain", "", 0, id="root"),
        pytest.param("user", "", 1234, id="user-of-the-image"),
        pytest.param("plain", "--user 1001:1001", 1001, id="user-by-options"),
        pytest.param("user", "--user 0:0", 0, id="root-by-options"),
        pytest.param("plain", "--read-only --tmpfs /tmp", 0, id="read-only"),
        pytest.param("plain", "--init --cap-drop ALL --pids-limit 50", 0, id="limited"),
        pytest.param("plain", "--pid host", 0, id="processes-of-the-machine"),
    ],
)
def test_a_job_writes_to_its_folders(
    tmp_path: Path, docker: Engine, image: str, options: str, user: int
) -> None:
    """Whoever the processes are, what was checked out is theirs, and nothing stays behind."""
    done = run(tmp_path, docker, image, options, WRITES)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"written by {user}\n" in done.stdout
    assert "file of the boat\n" in done.stdout
    for name in ("file", ".git", "folder"):
        assert f"{user} {name}\n" in done.stdout
    assert not [*(tmp_path / "repository" / ".windlass" / "work").glob("*/*")]


def test_what_an_image_says_of_its_processes(tmp_path: Path, docker: Engine) -> None:
    """Its PATH counts, its entry point does not; HOME and the working folder are the job's."""
    done = run(tmp_path, docker, "odd", "--workdir /tmp -e HOME=/of-the-options", LOOKS)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "/odd:/bin /github/home /__w/repository/repository 0\n" in done.stdout


def test_a_container_that_is_refused(tmp_path: Path, docker: Engine) -> None:
    """The job fails with what the daemon says."""
    done = run(tmp_path, docker, "nobody", "", LOOKS)

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"The container of the image '{BASE}-nobody' cannot be started: " in done.stdout
    assert "unable to find user somebody" in done.stdout


HAND_OVER = """
import os, sys
from pathlib import Path
from windlass.jobs.executors.docker_user import OtherUser
os.chdir(sys.argv[1])
if os.getuid() == 0:
    os.setgid(54321)
    os.setuid(54321)
workspace = Path()
(workspace / "boat").mkdir(mode=0o700)
for name, mode in (("boat/read", 0o444), ("boat/run", 0o700)):
    (workspace / name).touch()
    (workspace / name).chmod(mode)
(workspace / "boat/link").symlink_to(sys.argv[2])
OtherUser(12345, 12345).take_over(workspace)
"""


def test_what_is_handed_over_without_root(tmp_path: Path) -> None:
    """Who may not give files away lets others write to them, and to nothing behind a link."""
    workspace, outside = tmp_path / "workspace", tmp_path / "outside"
    workspace.mkdir()
    workspace.chmod(0o777)
    outside.touch()
    outside.chmod(0o600)
    subprocess.run([sys.executable, "-c", HAND_OVER, workspace, outside], check=True)

    modes = {
        name: stat.S_IMODE((workspace / name).stat().st_mode)
        for name in ("boat", "boat/read", "boat/run")
    }
    assert modes == {"boat": 0o777, "boat/read": 0o666, "boat/run": 0o777}
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
