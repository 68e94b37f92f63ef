"""Wherever a job runs, its actions reach what serves them: artifacts, caches, tokens, summaries."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.images import TOOLS, make_tools_image
from tests.service_actions import ACTIONS

if TYPE_CHECKING:
    from tests.e2e.repositories import Repository

IMAGE = "windlass-test/services"
WORKFLOW = """\
on: push
jobs:
  keep:
    runs-on: there
    CONTAINER
    permissions: {id-token: write}
    steps:
      - uses: actions/checkout@v4
      - uses: ./keep
  fetch:
    needs: keep
    runs-on: here
    steps:
      - uses: actions/checkout@v4
      - uses: ./fetch
  back:
    needs: keep
    runs-on: there
    CONTAINER
    steps:
      - uses: actions/checkout@v4
      - uses: ./fetch
"""
PLACES = ["host", "sandbox", "sandbox:offline", "docker", "container"]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    """Where the jobs that keep something run; `container` is one that the workflow names."""
    place: str = request.param
    if shutil.which("node") is None:
        pytest.skip("node is not on PATH: actions cannot run")
    if place.startswith("sandbox") and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    if place in ("docker", "container"):
        engine = request.getfixturevalue("docker")
        make_tools_image(engine, IMAGE, (*TOOLS, "node"))
    return place


@pytest.mark.requirement("A19")
@pytest.mark.requirement("A21")
def test_services_are_reached(repository: Repository, place: str) -> None:
    """What is kept in one place is fetched in that place and on the machine."""
    for name, text in ACTIONS.items():
        repository.write(name, text)
    container = f"container: {IMAGE}" if place == "container" else ""
    repository.workflow(WORKFLOW.replace("    CONTAINER\n", f"    {container}\n"))
    repository.commit()
    there = {"docker": f"docker://{IMAGE}", "container": "host"}.get(place, place)

    daemon = {"DOCKER_HOST": os.environ["DOCKER_HOST"]} if "DOCKER_HOST" in os.environ else {}

    done = repository.windlass("run", "-P", f"there={there}", "-P", "here=host", variables=daemon)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("artifact true") == 2
    assert "token for me" in done.stdout
    assert done.stdout.count("may ask false") == 2
    # A container has its HOME elsewhere: what it packs is not for jobs on the machine.
    is_elsewhere = place in ("docker", "container")
    assert done.stdout.count("cache true") == (1 if is_elsewhere else 2)
    assert "Kept by an action" in repository.windlass("show", "--json").stdout
