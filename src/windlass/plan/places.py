"""Where a job runs, by the labels of its `runs-on`: what the user said of them, else this machine.

A place is a text: `host`, `sandbox`, `sandbox:offline` or `docker://IMAGE`.
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


def find_place(labels: Iterable[str], places: Mapping[str, str]) -> str:
    """Return the place of a job; of several labels with a place the first one counts.

    `places` says by label, in any case, where jobs run.
    """
    known = {fold(label): place for label, place in places.items()}
    return next((known[fold(label)] for label in labels if fold(label) in known), HOST)


def foresee_place(runs_on: Any, places: Mapping[str, str]) -> Any:
    """Return the place of a job, or UNKNOWN where a label that may decide it is not known yet."""
    items = runs_on if isinstance(runs_on, list) else [runs_on]
    if places and any(isinstance(item, Unknown) for item in items):
        return UNKNOWN
    return find_place(list_labels(runs_on), places)
