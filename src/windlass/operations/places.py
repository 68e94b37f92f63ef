"""The places of a run before it begins: which are needed, and whether this machine can make them.

What may stand behind `-P LABEL=` is said in `windlass.operations.executors`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from windlass.errors import UsageError
from windlass.lang.casing import fold
from windlass.lang.expressions import Unknown
from windlass.plan.places import DOCKER, EVERY_LABEL, HOST, OFFLINE, SANDBOX, find_place
from windlass.plan.runner import list_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from windlass.operations.default_place import DefaultPlace
    from windlass.plan.plan import LegPlan, Plan

KNOWN: Final = (HOST, SANDBOX, OFFLINE)


def check_places(places: Mapping[str, str]) -> None:
    """Check that there are such places.

    Raises:
        UsageError: there is one that is not.
    """
    for label, place in places.items():
        if place not in KNOWN and not (place.startswith(DOCKER) and place != DOCKER):
            raise UsageError(
                f"jobs for '{label}' cannot run in '{place}'",
                hint=f"a place is one of {', '.join(KNOWN)}, {DOCKER}IMAGE",
            )


def require_places(places: Mapping[str, str]) -> None:
    """Check that this machine can make all places, before anything of a run exists.

    Raises:
        UsageError: there is no such place.
        ExecutorError, DockerError: this machine cannot make it; the hint says what to do.
    """
    check_places(places)
    wanted = set(places.values())
    for place in {SANDBOX, OFFLINE} & wanted:
        from windlass.jobs.executors.bubblewrap import require_sandbox

        require_sandbox(offline=place == OFFLINE)
    if any(place.startswith(DOCKER) for place in wanted):
        from windlass.docker.addresses import find_address
        from windlass.docker.engine import Engine

        Engine(find_address(os.environ)).ping()


def settle_places(
    places: Mapping[str, str], default: DefaultPlace, plan: Plan | None
) -> dict[str, str]:
    """Return where the jobs of a plan run, by label, once it is known that they can.

    What is said of labels that no job has is left out: it may be meant for other repositories.
    Labels of which nothing is said have the default, if a job needs it.

    Raises:
        ExecutorError, DockerError: this machine cannot make a place, or there is no default.
    """
    if plan is None:
        return dict(places)
    legs = [leg for job in plan.jobs() for leg in job.legs if leg.runs_on is not None]
    is_known = not any(isinstance(leg.place, Unknown) for leg in legs)
    said = _leave_out_others(places, legs) if is_known else dict(places)
    require_places(said)
    if EVERY_LABEL in places or (is_known and default.choice is None):
        return said
    return {**said, EVERY_LABEL: default.require().place}


def _leave_out_others(places: Mapping[str, str], legs: list[LegPlan]) -> dict[str, str]:
    needed = {label for leg in legs for label in _list_needed(leg, places)}
    return {label: place for label, place in places.items() if fold(label) in needed}


def _list_needed(leg: LegPlan, places: Mapping[str, str]) -> Iterator[str]:
    """Yield what decides the place of a leg, unless it has a container of its own."""
    labels = tuple(list_labels(leg.runs_on))
    if leg.place != find_place(labels, places):
        return
    known = {fold(label) for label in places}
    yield next((fold(label) for label in labels if fold(label) in known), EVERY_LABEL)
