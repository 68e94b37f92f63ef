"""The linter judged by a corpus it was not written from: 66 right workflows and seeded defects."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import pytest
from tests.corpus.seeded.defects import REPOSITORY, Defect, edit, read_defects
from tests.corpus.seeded.differences import ARGUMENTS, HEADING, write_differences

from windlass.lang.diagnostics import Severity
from windlass.lang.lint import Repository, lint_file
from windlass.operations.lint import FolderFiles, lint

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[2] / "corpus" / "actionlint.md"
REACH = 2
SHARE_TO_BE_FOUND = 0.95


class EditedFiles(FolderFiles):
    """The corpus with one file edited."""

    def __init__(self, path: str, text: bytes) -> None:
        super().__init__(REPOSITORY)
        self._path, self._text = path, text

    def read(self, path: str) -> bytes | None:
        return self._text if path == self._path else super().read(path)


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def findings_when_right(path: str) -> Counter[tuple[str, str]]:
    text = (REPOSITORY / path).read_bytes()
    repository = Repository(FolderFiles(REPOSITORY), timezones=zones)
    return Counter((found.code, found.message) for found in lint_file(path, text, repository))


@cache
def is_found(defect: Defect) -> bool:
    """Say whether there is a new finding near one of the defect's lines."""
    text = edit(defect).encode()
    repository = Repository(EditedFiles(defect.file, text), timezones=zones)
    known = findings_when_right(defect.file).copy()
    for found in lint_file(defect.file, text, repository):
        known[found.code, found.message] -= 1
        if known[found.code, found.message] >= 0 or found.span is None:
            continue
        line = found.span.start.line
        if any(abs(line - expected) <= REACH for expected in (defect.line, *defect.also)):
            return True
    return False


def test_right_workflows_have_no_error() -> None:
    """A repository whose workflows are right gets no error, whatever its habits are."""
    report = lint(root=REPOSITORY, use_shellcheck=False)

    assert len([name for name in report.files if "/workflows/" in name]) == 66
    assert [found for found in report.diagnostics if found.severity is Severity.ERROR] == []


@pytest.mark.requirement("M01")
def test_seeded_defects_are_found() -> None:
    """Of the seeded defects, 95 % at least are found within two lines of their place."""
    defects = read_defects()
    missed = sorted(defect.id for defect in defects if not is_found(defect))

    assert len(missed) <= (1 - SHARE_TO_BE_FOUND) * len(defects), f"not found: {', '.join(missed)}"


@pytest.mark.requirement("M01")
def test_every_difference_from_actionlint_is_listed(golden: Callable[[Path, str], None]) -> None:
    """The page names each defect that only one of both finds, with the argument for its kind."""
    defects = read_defects()
    found = {defect.id for defect in defects if is_found(defect)}
    judged = {one.category for one in defects if (one.id in found) is not one.actionlint}
    by_hand, heading, _ = PAGE.read_text(encoding="utf-8").partition(HEADING)

    assert judged <= set(ARGUMENTS)
    assert heading
    golden(PAGE, by_hand + write_differences(defects, found))
