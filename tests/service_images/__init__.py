"""Real PostgreSQL and Redis as images, made from Debian's packages: no registry is asked.

One root file system holds both; building it takes a minute, so the images stay in the daemon,
under a name that changes with how they are made.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from windlass.docker.images import import_image, inspect_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.docker.engine import Engine

START: Final = Path(__file__).with_name("postgres-start")
SUITE: Final = "bookworm"
BUILD: Final = (
    "mmdebstrap", "--variant=minbase", "--quiet", "--include=postgresql,redis-server,procps",
    f"--customize-hook=install -m 755 {START} $1/usr/local/bin/", SUITE, "-",
)  # fmt: skip
POSTGRES_CHANGES: Final = ('ENTRYPOINT ["postgres-start"]', "EXPOSE 5432")
REDIS_CHANGES: Final = (
    'CMD ["redis-server", "--protected-mode", "no", "--bind", "0.0.0.0"]',
    "EXPOSE 6379",
)
LABEL: Final = "LABEL windlass.test=services"
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class ServiceImages:
    """The names of the images in the daemon."""

    postgres: str
    redis: str


def provide_images(engine: Engine, folder: Path) -> ServiceImages:
    """Return the images, building them where the daemon does not have them, or skip."""
    recipe = "\n".join((*BUILD, *POSTGRES_CHANGES, *REDIS_CHANGES, START.read_text()))
    tag = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    images = ServiceImages(f"windlass-test/postgres:{tag}", f"windlass-test/redis:{tag}")
    wanted = {images.postgres: POSTGRES_CHANGES, images.redis: REDIS_CHANGES}
    missing = [name for name in wanted if inspect_image(engine, name) is None]
    if missing:
        archive = folder / "services.tar"
        _build(archive)
        for name in missing:
            import_image(engine, _blocks(archive), name, changes=(*wanted[name], LABEL))
        archive.unlink()
    return images


def _build(archive: Path) -> None:
    if shutil.which(BUILD[0]) is None:
        pytest.skip("mmdebstrap is not installed, which makes the images of services")
    with archive.open("wb") as file:
        built = subprocess.run(BUILD, stdout=file, stderr=subprocess.PIPE, text=True)
    if built.returncode:
        pytest.skip(f"the images of services cannot be made here: {built.stderr[-300:]}")


def _blocks(archive: Path) -> Iterator[bytes]:
    with archive.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
