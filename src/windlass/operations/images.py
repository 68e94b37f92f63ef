"""The images in which jobs for labels such as `ubuntu-latest` run: making and listing them.

A recipe (`recipes/*.toml`) says what is in an image. It is made by mmdebstrap from the packages of
a Debian mirror and given to the daemon: no registry is needed.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import ssl
import subprocess
import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.docker.images import import_image, inspect_image, remove_image, tag_image
from windlass.errors import PlatformError, UsageError
from windlass.lang.casing import fold
from windlass.model.values import dataclass
from windlass.plan.places import EVERY_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import IO

    from windlass.docker.engine import Engine

RECIPES: Final = Path(__file__).parent / "recipes"
DOCKER_PLACE: Final = "docker"
"""The place of a job that runs in the image of its label."""

DEFAULT_LABEL: Final = "ubuntu-latest"
"""The label whose image stands for labels that have none."""

RECIPE_LABEL: Final = "windlass.recipe"
"""The label of an image that holds the digest of what it was made by."""

UNFINISHED: Final = "unfinished-"
"""How the tag of an image begins that is being made; the process that makes it comes behind."""

_AUTHORITIES: Final = "/tmp/windlass-authorities.crt"  # noqa: S108 - in the image, while it is made
_BLOCK_BYTES: Final = 1 << 20
_LAST_LINES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What an image is made of; `labels` are those of runners for which it stands.

    One that stands for none has a `purpose`. `digest` is that of the file: an image with another
    one was made by another recipe.
    """

    image: str
    labels: tuple[str, ...]
    suite: str
    mirror: str
    security: str
    packages: tuple[str, ...]
    commands: tuple[str, ...]
    variables: Mapping[str, str]
    digest: str
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledImage:
    """An image for labels of runners; `id` is empty and `size` 0 where it has not been made.

    `is_current` tells whether it was made by the recipe as it is now.
    """

    name: str
    labels: tuple[str, ...]
    id: str = ""
    size: int = 0
    is_current: bool = False
    purpose: str = ""


def read_recipes() -> tuple[Recipe, ...]:
    """Return the recipes that come with Windlass."""
    return tuple(_read_recipe(path) for path in sorted(RECIPES.glob("*.toml")))


def find_image(label: str) -> str | None:
    """Return the image that stands for a runner's label, made or not; None where there is none."""
    for recipe in read_recipes():
        if fold(label) in map(fold, recipe.labels):
            return recipe.image
    return None


def settle_places(places: Mapping[str, str]) -> dict[str, str]:
    """Return where labels are to run, with the image of a label in the place of `docker`.

    Raises:
        UsageError: no image stands for the label.
    """
    return {
        label: _settle(label) if place == DOCKER_PLACE else place for label, place in places.items()
    }


def _settle(label: str) -> str:
    image = find_image(DEFAULT_LABEL if label == EVERY_LABEL else label)
    if image is None:
        raise UsageError(
            f"no image stands for the label '{label}'",
            hint=f"name one: -P {label}=docker://IMAGE; `windlass images list` says which labels "
            "have one",
        )
    return f"docker://{image}"


def list_images(engine: Engine) -> tuple[LabelledImage, ...]:
    """Return the images that labels stand for, those not made yet too."""
    return tuple(_describe(engine, recipe) for recipe in read_recipes())


def set_up_images(
    engine: Engine, *, note: Callable[[str], None], again: bool = False
) -> tuple[LabelledImage, ...]:
    """Make every image that is not there, or not by its present recipe; all of them with `again`.

    `note` gets lines about what is done.

    Raises:
        PlatformError: mmdebstrap is not installed, or could not make the image.
        DockerError: the daemon cannot be reached, or refused the image.
    """
    engine.ping()
    for recipe in read_recipes():
        if again or not _describe(engine, recipe).is_current:
            _make_image(engine, recipe, note)
    return list_images(engine)


def _read_recipe(path: Path) -> Recipe:
    text = path.read_bytes()
    table = tomllib.loads(text.decode())
    return Recipe(
        image=table["image"],
        labels=tuple(table["labels"]),
        suite=table["suite"],
        mirror=table["mirror"],
        security=table["security"],
        packages=tuple(table["packages"]),
        commands=tuple(table["commands"]),
        variables=table["variables"],
        digest=hashlib.sha256(text).hexdigest(),
        purpose=table.get("purpose", ""),
    )


def _describe(engine: Engine, recipe: Recipe) -> LabelledImage:
    found = inspect_image(engine, recipe.image)
    if found is None:
        return LabelledImage(name=recipe.image, labels=recipe.labels, purpose=recipe.purpose)
    labels = found.config.get("Labels") or {}
    return LabelledImage(
        name=recipe.image,
        labels=recipe.labels,
        id=found.id,
        size=found.size,
        is_current=labels.get(RECIPE_LABEL) == recipe.digest,
        purpose=recipe.purpose,
    )


def _make_image(engine: Engine, recipe: Recipe, note: Callable[[str], None]) -> None:
    """Have the image made under another name, so that what fails half-way leaves nothing."""
    unfinished = f"{recipe.image}:{UNFINISHED}{os.getpid()}"
    note(f"{recipe.image} is made of Debian {recipe.suite} and {len(recipe.packages)} packages")
    try:
        with _start_mmdebstrap(recipe) as process:
            teller = _Teller(process.stderr, note)
            import_image(engine, _read_blocks(process), unfinished, changes=_changes(recipe))
            teller.join()
        if process.returncode:
            raise PlatformError(
                f"mmdebstrap could not make {recipe.image}:\n" + "\n".join(teller.last),
                hint="the lines above say what failed; without root it needs user namespaces and "
                "entries in /etc/subuid (package uidmap)",
            )
        tag_image(engine, unfinished, recipe.image)
    finally:
        remove_image(engine, unfinished)


def _start_mmdebstrap(recipe: Recipe) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list_arguments(recipe, _find_authorities()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise PlatformError(
            "mmdebstrap, which makes the image, is not installed",
            hint="install it (`apt-get install mmdebstrap`), or choose an image of your own: "
            "-P LABEL=docker://IMAGE",
        ) from error


def list_arguments(recipe: Recipe, authorities: str | None) -> list[str]:
    """Return how mmdebstrap is called for a recipe; it writes a tar to its standard output.

    `authorities` is a file with the certificates this machine trusts: what is downloaded in the
    image must get through this machine's proxy too. It does not stay in the image.
    """
    hooks = [f"--customize-hook={_in_image(recipe, trusting=authorities is not None)}"]
    if authorities is not None:
        hooks.insert(0, f"--customize-hook=upload {shlex.quote(authorities)} {_AUTHORITIES}")
        hooks.append(f'--customize-hook=rm -f "$1"{_AUTHORITIES}')
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(recipe.packages)}",
        *hooks,
        recipe.suite,
        "-",
        f"deb {recipe.mirror} {recipe.suite} main",
        f"deb {recipe.mirror} {recipe.suite}-updates main",
        f"deb {recipe.security} {recipe.suite}-security main",
    ]


def _in_image(recipe: Recipe, *, trusting: bool) -> str:
    """Return the shell command that carries the recipe's commands out in the image."""
    variables = {"HOME": "/root", **recipe.variables}
    if trusting:
        names = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        variables.update(dict.fromkeys(names, _AUTHORITIES))
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    script = shlex.quote("\n".join(recipe.commands))
    return f'chroot "$1" env {settings} sh -eu -c {script}'


def _find_authorities() -> str | None:
    return ssl.get_default_verify_paths().cafile


def _changes(recipe: Recipe) -> list[str]:
    settings = [f'ENV {name}="{value}"' for name, value in recipe.variables.items()]
    return [*settings, f"LABEL {RECIPE_LABEL}={recipe.digest}", 'CMD ["/bin/bash"]']


def _read_blocks(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    while block := process.stdout.read(_BLOCK_BYTES):
        yield block


class _Teller(threading.Thread):
    """Passes on what a process says; `last` are the last lines of it."""

    def __init__(self, stream: IO[bytes] | None, note: Callable[[str], None]) -> None:
        super().__init__(name="mmdebstrap", daemon=True)
        self._stream = stream
        self._note = note
        self.last: list[str] = []
        self.start()

    def run(self) -> None:
        """Read to the end."""
        for line in self._stream or ():
            text = line.decode("utf-8", "replace").rstrip()
            self.last = [*self.last, text][-_LAST_LINES:]
            self._note(text)
