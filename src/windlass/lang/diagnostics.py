"""What is wrong with something a user wrote: a value, collected and shown, never raised."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.lang.positions import Span


class Severity(StrEnum):
    """An error keeps the workflow from running as written; the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a diagnostic, e.g. the first definition of a duplicate."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding about one place in one file.

    `code` is a stable kebab-case id, `message` one sentence that names what was found and what was
    expected, `hint` what to do next.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    span: Span | None = None
    related: tuple[Related, ...] = ()
    hint: str | None = None


def has_error(diagnostics: Iterable[Diagnostic]) -> bool:
    """Tell whether one of some findings is an error."""
    return any(found.severity is Severity.ERROR for found in diagnostics)
