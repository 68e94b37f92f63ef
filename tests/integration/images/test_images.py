"""Making and listing the images of labels, with a real daemon.

`WINDLASS_IMAGES=1` makes the real ones too, which takes minutes and a Debian mirror.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import Repository, assert_is_for_people
from tests.images import pack

from windlass.docker.images import inspect_image, list_images, remove_image
from windlass.errors import PlatformError
from windlass.operations import images
from windlass.operations.images import RECIPE_LABEL, read_recipes, set_up_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.docker.engine import Engine

NAME = f"windlass-test/labelled-{os.getpid()}"
RECIPE = f"""
image = "{NAME}"
labels = ["some-label"]
suite = "bookworm"
mirror = "http://mirror.invalid/debian"
security = "http://mirror.invalid/security"
packages = ["one", "two"]
commands = ["true"]

[variables]
LANG = "C.UTF-8"
GREETING = "two words"
"""


@pytest.fixture
def recipe(tmp_path: Path, docker: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A recipe of our own, and a stand-in for mmdebstrap that needs no mirror."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "own.toml").write_text(RECIPE)
    monkeypatch.setattr(images, "RECIPES", folder)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "bin").mkdir()
    yield folder / "own.toml"
    remove_image(docker, NAME, force=True)


def stand_in(folder: Path, code: int = 0) -> None:
    (folder / "root.tar").write_bytes(pack({"etc/made": "yes\n"}))
    program = folder / "bin" / "mmdebstrap"
    program.write_text(
        f'#!/bin/sh\necho "I: $*" >&2\ncat {folder}/root.tar\n'
        f'echo "E: no mirror" >&2\nexit {code}\n'
    )
    program.chmod(0o755)


def test_an_image_is_made_once(docker: Engine, recipe: Path, tmp_path: Path) -> None:
    """It is made again where the recipe is another one, or where that is asked for."""
    stand_in(tmp_path)
    said: list[str] = []

    (first,) = set_up_images(docker, note=said.append)
    assert (first.name, first.labels, first.is_current) == (NAME, ("some-label",), True)
    assert any("--include=one,two" in line for line in said)
    found = inspect_image(docker, NAME)
    assert found is not None
    assert found.config["Labels"][RECIPE_LABEL] == read_recipes()[0].digest
    assert set(found.config["Env"]) >= {"LANG=C.UTF-8", "GREETING=two words"}

    said.clear()
    assert set_up_images(docker, note=said.append) == (first,)
    assert said == []
    recipe.write_text(RECIPE.replace("two words", "others"))
    (listed,) = images.list_images(docker)
    assert not listed.is_current
    (second,) = set_up_images(docker, note=said.append)
    assert second.is_current
    assert second.id != first.id
    set_up_images(docker, note=said.append, again=True)
    assert sum("is made of" in line for line in said) == 2


def test_what_fails_half_way_leaves_nothing(docker: Engine, recipe: Path, tmp_path: Path) -> None:
    """The error has the last lines of mmdebstrap."""
    stand_in(tmp_path, code=1)

    with pytest.raises(PlatformError, match="E: no mirror"):
        set_up_images(docker, note=lambda _: None)
    assert list_images(docker, reference=NAME) == []
    assert list_images(docker, reference=f"{NAME}:*") == []


def test_without_mmdebstrap(
    docker: Engine, recipe: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    with pytest.raises(PlatformError) as caught:
        set_up_images(docker, note=lambda _: None)
    assert "apt-get install mmdebstrap" in str(caught.value.hint)


@pytest.mark.parametrize("words", [("images", "list"), ("images", "setup")])
def test_without_a_daemon(folder: Repository, words: tuple[str, ...]) -> None:
    """The platform cannot do it: 3, and what to start."""
    done = folder.windlass(*words, variables={"DOCKER_HOST": f"unix://{folder.home}/none"})

    assert done.returncode == 3
    assert "cannot be reached" in done.stderr
    assert "systemctl start docker" in done.stderr
    assert_is_for_people(done)


def test_an_address_that_is_none(folder: Repository) -> None:
    """The call cannot be understood: 2."""
    done = folder.windlass("images", "list", variables={"DOCKER_HOST": "ssh://there"})

    assert done.returncode == 2
    assert "ssh -nNT -L" in done.stderr
    assert_is_for_people(done)


def test_the_list(folder: Repository, docker: Engine) -> None:
    """A line for each image, a JSON object with `--json`."""
    variables = {"DOCKER_HOST": docker.address.text}
    done = folder.windlass("images", "list", variables=variables)
    told = folder.windlass("images", "list", "--json", variables=variables).stdout.splitlines()

    for name, line, row in zip(
        ("windlass/docker", "windlass/ubuntu-latest"),
        done.stdout.splitlines(),
        map(json.loads, told),
        strict=True,
    ):
        found = inspect_image(docker, name)
        assert line.startswith(f"{name}  ")
        assert ("not made yet" in line) == (found is None)
        assert row["image"] == name
        assert row["id"] == (found.id if found else None)
        assert ("ubuntu-latest" in row["labels"]) == (not row["purpose"])
        assert row["purpose"] in line


@pytest.mark.skipif("WINDLASS_IMAGES" not in os.environ, reason="WINDLASS_IMAGES=1 makes images")
def test_the_real_images(docker: Engine) -> None:
    """From a Debian mirror, with everything that the guide names."""
    found = set_up_images(docker, note=print)

    assert [it.name for it in found] == ["windlass/docker", "windlass/ubuntu-latest"]
    assert all(it.is_current for it in found)
