"""What came before a job or a step: as it ended in a run, or as a plan foresees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from windlass.lang.casing import fold
from windlass.lang.expressions import to_text
from windlass.model.status import Result
from windlass.model.values import dataclass, field
from windlass.plan.decision import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.lang.expressions import Value

_Entry = TypeVar("_Entry", Result, Verdict)


@dataclass(frozen=True, slots=True)
class Ancestry:
    """How everything that a job needs, directly or not, has ended.

    `unsuccessful` and `failed` are the first ancestor that did not succeed and the first that
    failed, each as (job id, result), or None where there is no such ancestor: a run carries them
    from job to job. `cancelled` says that the run was cancelled. `results` are those of the jobs
    that `success('id')` may name.
    """

    unsuccessful: tuple[str, Result] | None = None
    failed: tuple[str, Result] | None = None
    cancelled: bool = False
    results: Mapping[str, Result] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a plan says of everything that comes before a job or a step, by id.

    The plan assumes that whatever runs succeeds and that nobody cancels the run; where a condition
    asks for the opposite, its verdict is UNKNOWN.
    `needs` are the direct ones among them. `strict` says that one which is skipped counts against
    success: it does for jobs, not for steps.
    """

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    strict: bool = True


def select_named(known: Mapping[str, _Entry], names: Sequence[Value]) -> dict[str, _Entry]:
    """Return what a status function is about: the named entries, or all where none is named."""
    if not names:
        return dict(known)
    wanted = {fold(to_text(name)) for name in names}
    return {name: entry for name, entry in known.items() if fold(name) in wanted}
