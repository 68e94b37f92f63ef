"""Why part of a workflow could not be evaluated: the job or the run fails with this message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.positions import Span


@dataclass(frozen=True, slots=True)
class PlanFault:
    """A key of a job whose value is wrong or cannot be computed; `span` is where it was written.

    `message` is GitHub's wording where GitHub says something. Such a fault fails the job that it
    belongs to; it never turns into an empty value or a skip.
    """

    message: str
    span: Span | None = None
