"""Each rule by example: everything in err.yml is found, nothing in ok.yml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.lang.lint import Repository, all_rules, lint_workflow
from windlass.operations.lint import FolderFiles

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parents[2] / "golden" / "lint"
ZONES = frozenset({"Europe/Berlin", "UTC"})
CODES = [rule.code for rule in all_rules()]


def lint_file(code: str, name: str) -> list[str]:
    files = FolderFiles(GOLDEN / code / "repository")
    repository = Repository(files, timezones=lambda: ZONES)
    content = (GOLDEN / code / name).read_bytes()
    return [
        f"{found.span.start if found.span else '-'} {found.severity} "
        f"{found.code}: {found.message}\n" + (f"    {found.hint}\n" if found.hint else "")
        for found in lint_workflow(name, content, repository)
    ]


@pytest.mark.requirement("B01")
@pytest.mark.parametrize("code", CODES)
def test_wrong_workflow(code: str, golden: Callable[[Path, str], None]) -> None:
    """Every mistake in err.yml is found at its place, and only by the rule."""
    found = lint_file(code, "err.yml")

    assert {line.split()[2] for line in found} == {f"{code}:"}
    golden(GOLDEN / code / "err.out", "".join(found))


@pytest.mark.parametrize("code", CODES)
def test_right_workflow(code: str) -> None:
    """Nothing is found in ok.yml, which comes close to the mistakes."""
    assert lint_file(code, "ok.yml") == []


def test_every_folder_belongs_to_a_rule() -> None:
    """Golden files of a rule that is gone are removed."""
    assert {folder.name for folder in GOLDEN.iterdir()} == set(CODES)
