"""Where jobs run of which nobody has said it, by what was found out about the machine."""

from __future__ import annotations

import pytest

from windlass.plan.default_place import (
    ChosenPlace,
    DockerAnswer,
    NoPlace,
    SandboxAnswer,
    choose_place,
    describe_change,
    describe_choice,
)

IMAGE = "windlass/ubuntu-latest"
NO_DOCKER = DockerAnswer(fault="no Docker daemon is there")
NO_IMAGE = DockerAnswer(image=IMAGE)
WITH_IMAGE = DockerAnswer(image=IMAGE, has_image=True)
SANDBOX = SandboxAnswer()
NO_SANDBOX = SandboxAnswer(fault="there is no bwrap", cure="install bubblewrap")


@pytest.mark.parametrize(
    ("docker", "sandbox", "line"),
    [
        pytest.param(
            WITH_IMAGE,
            SANDBOX,
            f"jobs run in containers of {IMAGE}: a Docker daemon answers and has the image",
            id="Docker and image",
        ),
        pytest.param(
            WITH_IMAGE,
            NO_SANDBOX,
            f"jobs run in containers of {IMAGE}: a Docker daemon answers and has the image",
            id="Docker and image alone",
        ),
        pytest.param(
            NO_IMAGE,
            SANDBOX,
            f"jobs run in the sandbox: a Docker daemon answers but has no image {IMAGE}; "
            "`windlass images setup` makes it",
            id="Docker without image",
        ),
        pytest.param(
            NO_DOCKER,
            SANDBOX,
            "jobs run in the sandbox: no Docker daemon is there",
            id="no Docker",
        ),
    ],
)
def test_the_default(docker: DockerAnswer, sandbox: SandboxAnswer, line: str) -> None:
    """Containers where they are ready, else the sandbox; in words that say why."""
    chosen = choose_place(docker, lambda: sandbox)

    assert isinstance(chosen, ChosenPlace)
    assert chosen.place == (f"docker://{IMAGE}" if docker.has_image else "sandbox")
    assert describe_choice(chosen, others_are_said=False) == line
    assert describe_choice(chosen, others_are_said=True) == f"other {line}"


@pytest.mark.parametrize(
    ("docker", "message"),
    [
        pytest.param(
            NO_DOCKER,
            "there is no place for jobs: no Docker daemon is there; there is no bwrap",
            id="no Docker",
        ),
        pytest.param(
            NO_IMAGE,
            "there is no place for jobs: a Docker daemon answers but has no image "
            f"{IMAGE}; `windlass images setup` makes it; there is no bwrap",
            id="no image",
        ),
    ],
)
def test_no_place_at_all(docker: DockerAnswer, message: str) -> None:
    """It is never the machine itself; what is missing is named, with the cure."""
    found = choose_place(docker, lambda: NO_SANDBOX)

    assert found == NoPlace(message, "install bubblewrap")


def test_the_sandbox_is_tried_only_where_it_is_needed() -> None:
    """To try it starts a process."""
    asked: list[str] = []

    def ask() -> SandboxAnswer:
        asked.append("sandbox")
        return SANDBOX

    choose_place(WITH_IMAGE, ask)
    assert asked == []
    choose_place(NO_DOCKER, ask)
    assert asked == ["sandbox"]


def test_a_change_is_told_with_both_places() -> None:
    """Who reads it knows what was, what is and why."""
    chosen = ChosenPlace("sandbox", "no Docker daemon is there")

    assert describe_change(f"docker://{IMAGE}", chosen) == (
        f"jobs ran in containers of {IMAGE} here and run in the sandbox from now on: "
        "no Docker daemon is there"
    )
