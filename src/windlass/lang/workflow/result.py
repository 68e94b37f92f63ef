"""What reading a workflow file gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.diagnostics import Diagnostic
    from windlass.lang.tokens import MappingToken
    from windlass.lang.workflow.model import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a workflow file says.

    `workflow` is None if any diagnostic is an error. `tokens` is the file after the schema has been
    applied, None where it is not even YAML. `called` holds the readings of the workflows that jobs
    call, by job id, as far as they could be resolved.
    """

    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...] = ()
    tokens: MappingToken | None
    called: Mapping[str, Reading] = field(default_factory=dict)
