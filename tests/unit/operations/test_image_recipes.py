"""The recipes of images: what is in them, and what mmdebstrap is told."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from windlass.errors import UsageError
from windlass.jobs.containers.daemon import IMAGE
from windlass.operations.images import (
    RECIPES,
    find_image,
    list_arguments,
    read_recipes,
    settle_places,
)

if TYPE_CHECKING:
    from pathlib import Path

DAEMON, RECIPE = read_recipes()


@pytest.mark.parametrize(
    ("label", "image"),
    [
        ("ubuntu-latest", "windlass/ubuntu-latest"),
        ("Ubuntu-24.04", "windlass/ubuntu-latest"),
        ("ubuntu-24.04-arm", None),
        ("windows-latest", None),
        ("self-hosted", None),
    ],
)
def test_which_image_stands_for_a_label(label: str, image: str | None) -> None:
    """In any case, as labels are."""
    assert find_image(label) == image


def test_docker_as_a_place_is_the_image_of_the_label() -> None:
    """Other places are left as they are."""
    places = {"ubuntu-22.04": "docker", "*": "docker", "a": "host", "b": "docker://alpine"}

    assert settle_places(places) == {
        "ubuntu-22.04": "docker://windlass/ubuntu-latest",
        "*": "docker://windlass/ubuntu-latest",
        "a": "host",
        "b": "docker://alpine",
    }


def test_a_label_without_an_image_cannot_be_in_docker() -> None:
    """What to write instead is said."""
    with pytest.raises(UsageError, match="no image stands for the label 'windows-latest'") as told:
        settle_places({"windows-latest": "docker"})
    assert "-P windows-latest=docker://IMAGE" in str(told.value.hint)


def test_what_workflows_take_for_granted_is_in_it() -> None:
    """What `actions/checkout`, caches, and common scripts need."""
    needed = {"git", "curl", "jq", "zstd", "sudo", "ca-certificates", "python3", "python3-venv"}

    assert needed <= set(RECIPE.packages)
    assert any("node" in command for command in RECIPE.commands)


def test_the_digest_is_that_of_the_whole_recipe() -> None:
    """`sha256sum` of the file says the same."""
    paths = sorted(RECIPES.glob("*.toml"))
    told = subprocess.run(["sha256sum", *paths], capture_output=True, text=True, check=True)

    assert told.stdout.split()[::2] == [DAEMON.digest, RECIPE.digest]


def test_the_image_of_a_daemon_stands_for_no_label() -> None:
    """It is listed with what it is for, and made as the others are."""
    assert DAEMON.image == IMAGE
    assert DAEMON.labels == ()
    assert DAEMON.purpose
    assert {"docker.io", "git"} <= set(DAEMON.packages)


def test_mmdebstrap_gets_packages_hooks_and_sources() -> None:
    """It writes a tar to its standard output; sources have the security updates."""
    arguments = list_arguments(RECIPE, None)

    assert arguments[:3] == ["mmdebstrap", "--variant=minbase", "--format=tar"]
    assert arguments[3] == f"--include={','.join(RECIPE.packages)}"
    assert arguments[5:] == [
        "bookworm",
        "-",
        "deb http://deb.debian.org/debian bookworm main",
        "deb http://deb.debian.org/debian bookworm-updates main",
        "deb http://security.debian.org/debian-security bookworm-security main",
    ]


def test_certificates_of_this_machine_are_lent_to_it() -> None:
    """They are put there first, named to pip, and taken away last."""
    hooks = [it for it in list_arguments(RECIPE, "/my certs") if it.startswith("--customize-hook")]

    place = "/tmp/windlass-authorities.crt"
    assert hooks[0] == f"--customize-hook=upload '/my certs' {place}"
    assert f"PIP_CERT={place}" in hooks[1]
    assert hooks[2] == f'--customize-hook=rm -f "$1"{place}'


def test_commands_reach_the_images_shell_as_they_are(tmp_path: Path) -> None:
    """Each quoting on the way is undone: a shell, `chroot`, `env`, a shell."""
    (hook,) = (
        it.removeprefix("--customize-hook=")
        for it in list_arguments(RECIPE, None)
        if it.startswith("--customize-hook")
    )
    chroot = tmp_path / "chroot"
    chroot.write_text('#!/bin/sh\nshift\nprintf "%s\\0" "$@"\n')
    chroot.chmod(0o755)
    told = subprocess.run(
        ["sh", "-c", hook, "exec", "/root-of-image"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    words = told.stdout.rstrip("\0").split("\0")
    settings = [f"{name}={value}" for name, value in RECIPE.variables.items()]
    assert words == ["env", "HOME=/root", *settings, "sh", "-eu", "-c", "\n".join(RECIPE.commands)]
    assert shlex.split(hook)[0] == "chroot"
