"""Keeping small what all repositories of a user share: images that were built, actions fetched.

Both are made again when they are needed.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from windlass.docker.faults import RefusedError
from windlass.docker.images import list_history, list_images, remove_image
from windlass.git.kept_repositories import list_kept, remove_kept
from windlass.jobs.actions.container_images import BUILT_LABEL, BUILT_NAME
from windlass.jobs.actions.published import CHECKOUTS, HISTORIES, REPOSITORIES
from windlass.jobs.supervisor.tree import start_time
from windlass.operations.images import RECIPE_LABEL, UNFINISHED
from windlass.operations.pruning_leftovers import measure
from windlass.operations.pruning_stored import Removal
from windlass.stores.user_cache import find_user_cache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from windlass.docker.engine import Engine

_NO_NAME: Final = "<none>:<none>"
_SHORT_ID: Final = 12


def prune_images(engine: Engine, *, dry_run: bool) -> Iterator[Removal]:
    """Remove the images of actions, and what is left of those that were made anew.

    The images of labels stay, and what a container still needs. In a dry run that is not known.

    Raises:
        DockerError: the daemon is not there.
    """
    for image, name, reason in _list_unneeded(engine):
        size = _measure(engine, str(image["Id"]))
        if dry_run or _remove(engine, name or str(image["Id"])):
            shown = name or str(image["Id"]).removeprefix("sha256:")[:_SHORT_ID]
            yield Removal("image", shown, reason, size)


def prune_actions(*, dry_run: bool) -> Iterator[Removal]:
    """Remove what was fetched of other repositories, but where something is being fetched.

    Raises:
        PlatformError: it cannot be removed.
    """
    for folder in (REPOSITORIES, CHECKOUTS, HISTORIES):
        for name, store in list_kept(find_user_cache() / folder):
            size = measure(store)
            if dry_run or remove_kept(store):
                yield Removal("actions", name, "asked for", size)


def _list_unneeded(engine: Engine) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    """Yield images with the name that is to go, empty where they have none, and why."""
    for image in list_images(engine, reference=BUILT_NAME):
        for name in _names(image):
            yield image, name, "built of an action's Dockerfile"
    for image in list_images(engine, reference=f"*/*:{UNFINISHED}*"):
        for name in _names(image):
            pid = name.rpartition(UNFINISHED)[2]
            if pid.isdecimal() and start_time(int(pid)) is None:
                yield image, name, "its making was interrupted"
    for label in (BUILT_LABEL, RECIPE_LABEL):
        for image in list_images(engine, labels=[label]):
            if not _names(image):
                yield image, "", "made anew since"


def _names(image: Mapping[str, Any]) -> Sequence[str]:
    return [name for name in image.get("RepoTags") or () if name != _NO_NAME]


def _remove(engine: Engine, name: str) -> bool:
    """Remove an image; tell whether no container needs it."""
    try:
        remove_image(engine, name)
    except RefusedError as error:
        if not error.is_conflict:
            raise
        return False
    return True


def _measure(engine: Engine, image: str) -> int:
    """Return how many bytes an image has beyond the one that it was built on."""
    total = 0
    with contextlib.suppress(RefusedError):
        for place, layer in enumerate(list_history(engine, image)):
            if place and layer.get("Tags"):
                break
            total += int(layer["Size"])
    return total
