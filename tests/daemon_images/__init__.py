"""The images of jobs that have a Docker daemon of their own: that of the daemon, and a client's.

They are made of recipes as `windlass images setup` makes them, where the daemon does not have them.
Making one takes most of a minute, so each is kept in the cache of the tests too.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from tests.images import read_blocks
from tests.npm import CACHE

from windlass.docker.images import load_images, save_image
from windlass.errors import DockerError, PlatformError
from windlass.operations import images

if TYPE_CHECKING:
    from windlass.docker.engine import Engine

DAEMON_RECIPE: Final = images.RECIPES / "docker.toml"
CLIENT_RECIPE: Final = Path(__file__).with_name("docker-client.toml")
CLIENT_IMAGE: Final = "windlass-test/docker-client"


@pytest.fixture(scope="session")
def daemon_image(docker: Engine) -> None:
    """Have the image of jobs' daemons in the daemon that tests use."""
    _provide(docker, DAEMON_RECIPE)


@pytest.fixture(scope="session")
def client_image(docker: Engine) -> str:
    """Have that image there and one with a client; return the name of the latter."""
    _provide(docker, DAEMON_RECIPE, CLIENT_RECIPE)
    return CLIENT_IMAGE


def _provide(engine: Engine, *recipes: Path) -> None:
    """Have images, each made on this machine once, or skip.

    What somebody else makes just now is waited for when the others are there.
    """
    for how in (fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_EX):
        for path in recipes:
            with contextlib.suppress(BlockingIOError):
                _provide_one(engine, path, how)


def _provide_one(engine: Engine, path: Path, how: int) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, folder)
        patch.setattr(images, "RECIPES", Path(folder))
        (recipe,) = images.read_recipes()
        archive = CACHE / "images" / f"{path.stem}-{recipe.digest[:12]}.tar"
        archive.parent.mkdir(parents=True, exist_ok=True)
        with archive.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, how)
            (found,) = images.list_images(engine)
            if not found.is_current and archive.exists():
                load_images(engine, read_blocks(archive))
            elif not found.is_current:
                _make(engine)
                _save(engine, recipe.image, archive)


def _make(engine: Engine) -> None:
    try:
        images.set_up_images(engine, note=print)
    except DockerError:
        raise
    except PlatformError as error:
        pytest.skip(f"the image cannot be made here: {error.message[-300:]}")


def _save(engine: Engine, image: str, archive: Path) -> None:
    unfinished = archive.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        file.writelines(save_image(engine, image))
    unfinished.rename(archive)
