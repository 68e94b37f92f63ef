"""`compat`: what in a repository's workflows Windlass refuses or does differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.compat import FeatureUse, Verdict, survey
from windlass.model.values import dataclass
from windlass.operations.lint import find_root
from windlass.operations.loading import WORKFLOW_FOLDER, load_workflows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from windlass.lang.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatReport:
    """Every use of a feature that is not honoured, in the order of the table.

    `diagnostics` are the mistakes of files; `unread` counts the files that could not be read, of
    which nothing is known.
    """

    root: Path
    files: tuple[str, ...]
    uses: tuple[FeatureUse, ...]
    diagnostics: tuple[Diagnostic, ...]
    unread: int = 0

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
    libraries = [load_workflows(base, chosen) for chosen in _chosen(paths)]
    files = [file for library in libraries for file in library.files]
    workflows = [file.reading.workflow for file in files]
    missed = [found.span for library in libraries for found in library.unreadable]
    unreadable = [span.path for span in missed if span is not None]
    return CompatReport(
        root=base,
        files=(*(file.path for file in files), *unreadable),
        uses=tuple(use for workflow in workflows if workflow for use in survey(workflow)),
        diagnostics=tuple(found for library in libraries for found in library.diagnostics),
        unread=workflows.count(None) + len(unreadable),
    )


def _chosen(paths: Sequence[Path]) -> tuple[Path | None, ...]:
    """Return what is to be loaded: a repository stands for its workflows."""
    inside = (path / WORKFLOW_FOLDER for path in paths)
    found = zip(paths, inside, strict=True)
    return tuple(folder if folder.is_dir() else path for path, folder in found) or (None,)
