"""`compat`: what in a repository's workflows Windlass refuses or does differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from windlass.lang.compat import FeatureUse, Verdict, survey
from windlass.lang.workflow import read_workflow
from windlass.operations.lint import find_root, find_workflows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from windlass.lang.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatReport:
    """Every use of a feature that is not honoured, in the order of the table.

    `diagnostics` are the mistakes of files that could not be read.
    """

    root: Path
    files: tuple[str, ...]
    uses: tuple[FeatureUse, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_refused(self) -> bool:
        """Whether something keeps a workflow from being run."""
        return any(found.feature.verdict is Verdict.REFUSED for found in self.uses)


def survey_workflows(paths: Sequence[Path] = (), *, root: Path) -> CompatReport:
    """Survey workflow files or folders; without any, all workflows of the repository.

    Raises:
        InputError: a path is not there, or there is no workflow at all.
    """
    base = find_root(paths[0] if paths else root)
    files = [file for path in paths or (base,) for file in find_workflows(path)]
    uses: list[FeatureUse] = []
    diagnostics: list[Diagnostic] = []
    names: list[str] = []
    for file in files:
        absolute = file.resolve()
        inside = absolute.is_relative_to(base)
        name = absolute.relative_to(base).as_posix() if inside else str(absolute)
        reading = read_workflow(name, file.read_bytes())
        names.append(name)
        diagnostics += reading.diagnostics
        uses += survey(reading.workflow) if reading.workflow is not None else ()
    return CompatReport(
        root=base, files=tuple(names), uses=tuple(uses), diagnostics=tuple(diagnostics)
    )
