"""Real PostgreSQL and Redis as images, made from Debian's packages: no registry is asked.

One root file system holds both; building it takes a minute, so it is kept in the cache of the
tests, and the images in the daemon, under names that change with how they are made.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from tests.images import pack, read_blocks
from tests.npm import CACHE

from windlass.docker.images import build_image, import_image, inspect_image

if TYPE_CHECKING:
    from windlass.docker.engine import Engine

START: Final = Path(__file__).with_name("postgres-start")
BASE: Final = "windlass-test/services"
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


@dataclass(frozen=True)
class ServiceImages:
    """The names of the images in the daemon."""

    postgres: str
    redis: str


def provide_images(engine: Engine) -> ServiceImages:
    """Return the images, building them where the daemon does not have them, or skip."""
    # Wherever the checkout lies.
    build = " ".join(BUILD).replace(str(START), START.name)
    recipe = "\n".join((build, *POSTGRES_CHANGES, *REDIS_CHANGES, START.read_text()))
    tag = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    images = ServiceImages(f"windlass-test/postgres:{tag}", f"windlass-test/redis:{tag}")
    archive = CACHE / "images" / f"services-{tag}.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with archive.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _provide(engine, images, archive)
    return images


def _provide(engine: Engine, images: ServiceImages, archive: Path) -> None:
    wanted = {images.postgres: POSTGRES_CHANGES, images.redis: REDIS_CHANGES}
    missing = [name for name in wanted if inspect_image(engine, name) is None]
    if not missing:
        return
    if not archive.exists():
        _build(archive)
    base = import_image(engine, read_blocks(archive), f"{BASE}:{archive.stem}")
    for name in missing:
        dockerfile = "\n".join((f"FROM {base}", *wanted[name], LABEL))
        build_image(engine, [pack({"Dockerfile": dockerfile})], tag=name)


def _build(archive: Path) -> None:
    if shutil.which(BUILD[0]) is None:
        pytest.skip("mmdebstrap is not installed, which makes the images of services")
    unfinished = archive.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        built = subprocess.run(BUILD, stdout=file, stderr=subprocess.PIPE, text=True)
    if built.returncode:
        unfinished.unlink()
        pytest.skip(f"the images of services cannot be made here: {built.stderr[-300:]}")
    unfinished.rename(archive)
