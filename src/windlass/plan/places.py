"""Where a job runs: in the container of its own, where the user said, or by default.

A place is a text: `host`, `sandbox`, `sandbox:offline` or `docker://IMAGE`. What the user says is
kept by label of `runs-on`, and below `*` for all labels without a place of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from windlass.lang.casing import fold
from windlass.lang.expressions import UNKNOWN, Unknown, to_text
from windlass.lang.runner_labels import system_of
from windlass.lang.template import TemplateFault, evaluate_token_partial
from windlass.lang.tokens import MappingToken
from windlass.plan.runner import list_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from windlass.lang.tokens import Token

HOST: Final = "host"
"""This machine itself, as its user."""

SANDBOX: Final = "sandbox"
OFFLINE: Final = "sandbox:offline"

DOCKER: Final = "docker://"
"""What stands before the name of an image."""

EVERY_LABEL: Final = "*"
"""What stands for all labels that have no place of their own."""


_Value = TypeVar("_Value")


def merge_places(weaker: Mapping[str, str], stronger: Mapping[str, str]) -> dict[str, str]:
    """Return two layers of places as one; where the stronger names all labels it says everything.

    So `-P '*=host'` counts for labels too that the user's settings name.
    """
    if EVERY_LABEL in stronger:
        return dict(stronger)
    named = {fold(label) for label in stronger}
    kept = {label: place for label, place in weaker.items() if fold(label) not in named}
    return {**kept, **stronger}


def find_place(labels: Iterable[str], places: Mapping[str, str]) -> str | None:
    """Return the place of a job, None where nothing is said of its labels.

    `places` says by label, in any case, where jobs run; of several labels with a place the first
    one counts.
    """
    return find_value(labels, places)


def find_value(labels: Iterable[str], said: Mapping[str, _Value]) -> _Value | None:
    """Return what is said of the first label of a job of which something is, else of all labels."""
    known = {fold(label): value for label, value in said.items()}
    found = (known[fold(label)] for label in labels if fold(label) in known)
    return next(found, known.get(EVERY_LABEL))


def find_foreign_label(labels: Iterable[str], places: Mapping[str, str]) -> str | None:
    """Return the first label that Linux cannot serve and that no place of its own was given for."""
    known = {fold(label) for label in places}
    for label in labels:
        if fold(label) not in known and system_of(label) in ("windows", "macos"):
            return label
    return None


def foresee_place(
    runs_on: Any, image: Any, places: Mapping[str, str], find_default: Callable[[], Any]
) -> Any:
    """Return the place of a job, None where it has none: it needs another system.

    It is UNKNOWN where something decides it that is not known yet. `image` is that of the job's
    own container (`foresee_image`); `find_default` is asked only where nothing else says it.
    """
    if isinstance(image, Unknown):
        return UNKNOWN
    if image:
        return f"{DOCKER}{image}"
    items = runs_on if isinstance(runs_on, list) else [runs_on]
    if any(isinstance(item, Unknown) for item in items):
        return UNKNOWN if places.keys() != {EVERY_LABEL} else places[EVERY_LABEL]
    labels = tuple(list_labels(runs_on))
    place = find_place(labels, places)
    if place is None and find_foreign_label(labels, places) is None:
        return find_default()
    return place


def foresee_image(container: Token | None, contexts: Mapping[str, Any]) -> Any:
    """Return the image of a job's own container, "" where it has none, or UNKNOWN.

    A mistake leaves it UNKNOWN; the job fails for it when its turn comes.
    """
    token = container.find("image") if isinstance(container, MappingToken) else container
    if token is None:
        return ""
    value = evaluate_token_partial(token, contexts)
    if isinstance(value, Mapping):
        value = value.get("image", "")
    if isinstance(value, Unknown | TemplateFault):
        return UNKNOWN
    return to_text(value).removeprefix(DOCKER)
