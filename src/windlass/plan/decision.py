"""Whether something runs, and the evidence that decided it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.expressions import Value


class Verdict(StrEnum):
    """UNKNOWN: it depends on a result still to come."""

    RUN = "RUN"
    SKIP = "SKIP"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with what decided it.

    `reason` is a sentence for people; `expression` the condition that was evaluated and `values`
    the parts of it that mattered with the values they had, in the order they were looked at.
    """

    verdict: Verdict
    reason: str
    expression: str | None = None
    values: tuple[tuple[str, Value], ...] = ()
