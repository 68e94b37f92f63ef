"""Where a job runs, by the labels of its `runs-on`: what the user said of them, or the default.

A place is a text: `host`, `sandbox`, `sandbox:offline` or `docker://IMAGE`. What was said is kept
by label, and below `*` for all labels without a place of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.casing import fold
from windlass.lang.expressions import UNKNOWN, Unknown
from windlass.plan.runner import list_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HOST: Final = "host"
"""This machine itself, as its user."""

EVERY_LABEL: Final = "*"
"""What stands for all labels that have no place of their own."""


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
    known = {fold(label): place for label, place in places.items()}
    found = (known[fold(label)] for label in labels if fold(label) in known)
    return next(found, known.get(EVERY_LABEL))


def foresee_place(runs_on: Any, places: Mapping[str, str]) -> Any:
    """Return the place of a job, None where nothing is said of its labels.

    It is UNKNOWN where a label that may decide it is not known yet.
    """
    items = runs_on if isinstance(runs_on, list) else [runs_on]
    if places.keys() - {EVERY_LABEL} and any(isinstance(item, Unknown) for item in items):
        return UNKNOWN
    return find_place(list_labels(runs_on), places)
