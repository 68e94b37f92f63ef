"""Where jobs run of which nobody has said it: in containers, else in the sandbox.

Never on the machine itself, which would show them all that is its user's: that has to be asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass
from windlass.plan.places import DOCKER, SANDBOX

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerAnswer:
    """What was found out about Docker.

    `fault` says why it cannot be used, empty where a daemon answers; `image` is the name of the
    default image, and `has_image` tells whether the daemon has it.
    """

    fault: str = ""
    image: str = ""
    has_image: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAnswer:
    """Why no sandbox can be made, and the cure; both are empty where one can."""

    fault: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class ChosenPlace:
    """A place, and why it was chosen."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why there is none, and what to do."""

    message: str
    hint: str


def choose_place(
    docker: DockerAnswer, ask_sandbox: Callable[[], SandboxAnswer]
) -> ChosenPlace | NoPlace:
    """Choose where jobs run by default; the sandbox is asked for only where it is needed."""
    if not docker.fault and docker.has_image:
        return ChosenPlace(f"{DOCKER}{docker.image}", "a Docker daemon answers and has the image")
    reason = docker.fault or (
        f"a Docker daemon answers but has no image {docker.image}; `windlass images setup` makes it"
    )
    sandbox = ask_sandbox()
    if sandbox.fault:
        return NoPlace(f"there is no place for jobs: {reason}; {sandbox.fault}", sandbox.cure)
    return ChosenPlace(SANDBOX, reason)


def describe_choice(chosen: ChosenPlace, *, others_are_said: bool) -> str:
    """Say in one line where jobs run and why; some may run where the user said."""
    jobs = "other jobs" if others_are_said else "jobs"
    return f"{jobs} run in {name_place(chosen.place)}: {chosen.reason}"


def describe_change(before: str, chosen: ChosenPlace) -> str:
    """Say that the default is another than it was."""
    return (
        f"jobs ran in {name_place(before)} here and run in {name_place(chosen.place)} from now on: "
        f"{chosen.reason}"
    )


def name_place(place: str) -> str:
    """Return what people call a place."""
    if place.startswith(DOCKER):
        return f"containers of {place.removeprefix(DOCKER)}"
    return f"the {place}"
