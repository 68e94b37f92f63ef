"""One fact about what Windlass does with a part of the workflow language, and where it is used."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windlass.lang.positions import Span
    from windlass.lang.workflow.model import AnyJob, Workflow


class Verdict(StrEnum):
    """Refused means that a run stops before its first job; the others run."""

    HONOURED = "honoured"
    DIFFERS = "differs"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Use:
    """One place that uses a feature; `subject` names it as written, e.g. "`actions/cache@v4`".

    `remark` is what is known of this very one.
    """

    subject: str
    span: Span
    remark: str = ""


WorkflowDetector: TypeAlias = "Callable[[Workflow], Iterator[Use]]"
JobDetector: TypeAlias = "Callable[[AnyJob], Iterator[Use]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What GitHub does, what Windlass does now, and how a use is found.

    `detect_in_job` sees one job, `detect` the whole workflow; a feature without either is honoured
    and is there for the reference page.
    """

    id: str
    title: str
    verdict: Verdict
    github: str
    windlass: str
    detect_in_job: JobDetector | None = None
    detect: WorkflowDetector | None = None


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """A feature together with one place that uses it."""

    feature: Feature
    use: Use
