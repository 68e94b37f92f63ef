"""Windlass installed by pip is all there, away from its checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.e2e.repositories import CHECKOUT, SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository


def sources_in(folder: Path) -> set[str]:
    """The files of a package, without what Python makes of them."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(folder)) for path in files}


def test_a_plain_pip_install(repository: Repository, tmp_path: Path) -> None:
    """Every file of the package is installed, and the program runs a workflow with them."""
    copy, target = tmp_path / "sources", tmp_path / "installed"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "src"):
        source = CHECKOUT / name
        if source.is_dir():
            # What Python makes of the sources comes and goes while others import them.
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", target, copy],
        check=True,
        timeout=5 * SECONDS,
    )
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: echo hi}]\n"
    )
    repository.commit()
    done = subprocess.run(
        [sys.executable, target / "bin" / "windlass", "run"],
        cwd=repository.path,
        env=repository.environment({"PYTHONPATH": str(target)}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert sources_in(target / "windlass") == sources_in(copy / "src" / "windlass")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a │   hi\n" in done.stdout
