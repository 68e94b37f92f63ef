"""What a rule says about one place of a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.diagnostics import Severity
    from windlass.lang.positions import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found; `severity` None means the rule's own."""

    message: str
    span: Span | None
    hint: str | None = None
    severity: Severity | None = None
