"""Every folder of examples/ is a repository whose workflows run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.repositories import Repository

EXAMPLES = sorted(
    path for path in (Path(__file__).resolve().parents[2] / "examples").iterdir() if path.is_dir()
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(repository: Repository, example: Path) -> None:
    """It lints without a finding, is compatible, and its push succeeds."""
    shutil.copytree(example, repository.path, dirs_exist_ok=True)
    repository.commit()

    assert repository.windlass("lint", "--no-shellcheck").stdout.startswith("no problems found")
    assert repository.windlass("compat").returncode == 0
    done = repository.windlass("run")
    assert done.returncode == 0, done.stdout + done.stderr
