"""Which jobs need a Docker daemon, by their scripts and by their actions."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from windlass.lang.action.reading import read_action
from windlass.lang.docker_calls import find_call, is_docker_action
from windlass.lang.workflow.model import Job
from windlass.lang.workflow.reading import read_workflow
from windlass.plan.docker_use import find_docker_use
from windlass.plan.steps import LoadedAction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.lang.workflow.model import Step


@pytest.mark.parametrize(
    "script",
    [
        "docker build .",
        "docker",
        "  docker ps -a",
        "set -e\ndocker compose up -d\n",
        "docker-compose up",
        "docker-buildx ls",
        "sudo docker ps",
        "sudo -E docker ps",
        "sudo --preserve-env=A docker ps",
        "timeout 30 docker pull x",
        "timeout -k 5s 2m docker pull x",
        "time docker build .",
        "env A=b docker build .",
        "DOCKER_BUILDKIT=1 docker build .",
        "A='b c' B=\"d e\" docker build .",
        "/usr/bin/docker ps",
        "cd app && docker build .",
        "cd app; docker build .",
        "true || docker build .",
        "docker|cat",
        "cat x | docker load",
        "cat x | xargs docker rmi",
        "id=$(docker run -d x)",
        "id=`docker run -d x`",
        "(docker ps)",
        "{ docker ps; }",
        "if docker ps; then echo; fi",
        "if ! docker ps; then echo; fi",
        "! docker ps",
        "while true; do docker ps; done",
        "for i in a b; do docker pull $i; done",
        "if true; then docker ps; else docker images; fi",
        'echo "version=$(docker run --rm x)" >> $GITHUB_OUTPUT',
        "exec docker run x",
        "nohup docker run x &",
        "echo $TOKEN | docker login -u x --password-stdin",
        "echo a \\\n  | docker load",
        "docker build -t ${{ inputs.tag }} .",
        "kind create cluster",
        "minikube start",
        "python -m build && cibuildwheel --output-dir x",
    ],
)
def test_calls_are_seen(script: str) -> None:
    """A program that wants a daemon is seen wherever a command may stand."""
    assert find_call(script) is not None


@pytest.mark.parametrize(
    "script",
    [
        "",
        "echo docker",
        "make docker",
        "which docker",
        "command -v docker",
        "apt-get install docker docker-compose",
        "# docker build .",
        "ls # docker build .",
        "cat docker/Dockerfile",
        "./docker/build.sh",
        "docker_build",
        "docker.io/library/x",
        "dockerd --version",
        "pip install docker",
        "python -m pytest tests/docker",
        "cp a docker",
        "podman build .",
        "echo 'a kind of magic'",
        "IMAGE=docker",
        "curl https://example.org/docker",
    ],
)
def test_words_that_are_no_calls(script: str) -> None:
    """A name in an argument, a path, a comment or another word is nothing that runs."""
    assert find_call(script) is None


def test_the_line_of_the_call_is_told() -> None:
    """The first such line is what a job's log shows as the reason."""
    assert find_call("cd app\n  docker build . # now\ndocker push x") == "docker build ."


@pytest.mark.parametrize(
    ("uses", "needs"),
    [
        ("docker/build-push-action@v6", True),
        ("Docker/Login-Action@v3", True),
        ("docker/setup-buildx-action@0123456789012345678901234567890123456789", True),
        ("helm/kind-action@v1", True),
        ("docker/metadata-action@v5", False),
        ("actions/checkout@v4", False),
        ("docker://alpine:3", False),
        ("./docker/build-push-action", False),
    ],
)
def test_actions_that_are_known(uses: str, needs: bool) -> None:
    """Published actions are known by their names, whatever their version and case."""
    assert is_docker_action(uses) is needs


def steps_of(text: str) -> Sequence[Step]:
    written = textwrap.indent(textwrap.dedent(text).strip("\n"), "      ")
    workflow = f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{written}\n"
    reading = read_workflow("w.yml", workflow.encode())
    assert reading.workflow is not None, reading.diagnostics
    (job,) = reading.workflow.jobs
    assert isinstance(job, Job)
    return job.steps


def composite(text: str) -> LoadedAction:
    written = textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")
    content = f"name: a\nruns:\n  using: composite\n  steps:\n{written}\n"
    action = read_action("action.yml", content.encode()).action
    assert action is not None
    return LoadedAction(action=action, folder="")


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        pytest.param("- run: make", None, id="none"),
        pytest.param("- run: make\n- run: docker ps", "`docker ps`", id="script"),
        pytest.param("- run: ${{ inputs.command }}", None, id="expression alone"),
        pytest.param("- uses: docker/login-action@v3", "docker/login-action@v3", id="known action"),
        pytest.param("- uses: docker://alpine", None, id="an image runs outside"),
        pytest.param("- uses: octo/build@v1", "octo/build@v1: `docker build .`", id="composite"),
        pytest.param(
            "- uses: octo/outer@v1",
            "octo/outer@v1: octo/build@v1: `docker build .`",
            id="composite in composite",
        ),
        pytest.param("- uses: octo/loop@v1", None, id="composite in itself"),
        pytest.param("- uses: octo/unknown@v1", None, id="not loaded"),
        pytest.param("- parallel:\n  - run: docker ps", "`docker ps`", id="parallel"),
        pytest.param(f"- run: docker run {'x' * 90}", f"`docker run {'x' * 59}…`", id="long"),
    ],
)
def test_steps_need_docker(steps: str, reason: str | None) -> None:
    """The reason names the step's script or action, and what is called within."""
    actions = {
        "octo/build@v1": composite("- run: docker build .\n  shell: bash"),
        "octo/outer@v1": composite("- uses: octo/build@v1"),
        "octo/loop@v1": composite("- uses: octo/loop@v1"),
    }

    assert find_docker_use(steps_of(steps), actions) == reason
