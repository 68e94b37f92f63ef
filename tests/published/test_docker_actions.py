"""Published actions of Docker's own, unmodified, with a daemon of the job's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import DockerRepository
from tests.images import make_tools_image

from windlass.docker.images import inspect_image
from windlass.jobs.containers.daemon import IMAGE as DAEMON_IMAGE

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.docker.engine import Engine

BASE = "windlass-test/published-base:1"
PLACE = "windlass/ubuntu-latest"
SECONDS = 600
WORKFLOW = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/metadata-action@v5
        id: meta
        with: {images: octo/app, tags: 'type=sha'}
      - uses: docker/setup-buildx-action@v3
        with: {driver: docker}
      - uses: docker/build-push-action@v6
        env: {DOCKER_BUILD_SUMMARY: 'false'}
        with:
          context: .
          load: true
          tags: ${{ steps.meta.outputs.tags }}
          labels: ${{ steps.meta.outputs.labels }}
      - run: docker run --rm "${{ steps.meta.outputs.tags }}" cat /page
"""


def test_an_image_is_built(docker: Engine, sources: str, tmp_path: Path) -> None:
    """metadata, setup-buildx and build-push build and load an image of the checked out files.

    Without `driver: docker`, setup-buildx starts BuildKit in a container, whose image it pulls.
    """
    for image in (PLACE, DAEMON_IMAGE):
        if inspect_image(docker, image) is None:
            pytest.skip(f"no image {image}: `windlass images setup` makes it")
    make_tools_image(docker, BASE, ("sh", "cat"))
    settings = tmp_path / "config.toml"
    settings.write_text(f'[places]\n"*" = "docker"\n[docker]\nimages = ["{BASE}"]\n')
    repository = DockerRepository(tmp_path, docker.address.text)
    repository.workflow(WORKFLOW)
    repository.write("Dockerfile", f"FROM {BASE}\nCOPY page /page\nRUN echo built >> /page\n")
    repository.write("page", "of the workspace\n")
    repository.commit()

    variables = {"WINDLASS_CONFIG": str(settings)}
    run = repository.windlass("run", "--action-url", sources, variables=variables, seconds=SECONDS)

    said = run.stdout + run.stderr
    assert run.returncode == 0, said[-6000:]
    assert "a Docker daemon of its own: docker/setup-buildx-action@v3" in said
    assert "of the workspace" in said
    assert "│   built" in said
