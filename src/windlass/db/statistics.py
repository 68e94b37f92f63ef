"""What of many runs is counted: how their attempts ended, and what was warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from windlass.db.connections import marks
from windlass.model.status import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.connections import Store

_ANNOTATION: Final = '{"event": "annotation"%'
_LEVEL: Final = '%%"level": "%s"%%'


class AnnotationCount(NamedTuple):
    """How many annotations there are of each level."""

    warnings: int = 0
    errors: int = 0


def list_results(store: Store, runs: Sequence[str]) -> list[tuple[str, Result]]:
    """Return how the attempts of some runs have ended, each beside its run's id."""
    if not runs:
        return []
    rows = store.ask(
        f"SELECT run, result FROM attempts WHERE run IN ({marks(runs)}) "  # noqa: S608
        "AND result IS NOT NULL ORDER BY run, attempt",
        runs,
    )
    return [(run, Result(result)) for run, result in rows]


def count_annotations(store: Store, runs: Sequence[str]) -> dict[str, AnnotationCount]:
    """Return how many warnings and errors were told of some runs; without those of which none."""
    if not runs:
        return {}
    rows = store.ask(
        "SELECT run, SUM(CASE WHEN line LIKE ? THEN 1 ELSE 0 END), "  # noqa: S608
        "SUM(CASE WHEN line LIKE ? THEN 1 ELSE 0 END) "
        f"FROM announcements WHERE run IN ({marks(runs)}) AND line LIKE ? GROUP BY run",
        (_LEVEL % "warning", _LEVEL % "error", *runs, _ANNOTATION),
    )
    return {run: AnnotationCount(int(warnings), int(errors)) for run, warnings, errors in rows}
