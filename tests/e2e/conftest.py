"""Fixtures of the tests that drive the command line as a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.e2e.histories import CHAIN
from tests.e2e.repositories import Repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Repository:
    """An empty folder that is no repository."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "home").mkdir()
    return Repository(tmp_path / "repository", tmp_path / "home")


@pytest.fixture
def repository(folder: Repository) -> Repository:
    """A repository on branch main with one empty commit, whose user knows where jobs run."""
    folder.git("init", "--quiet", "--initial-branch=main")
    folder.commit("Begin")
    folder.heed_host_notice()
    return folder


@pytest.fixture
def chain(repository: Repository, tmp_path: Path) -> Repository:
    """A repository whose run has failed in its second job."""
    repository.workflow(CHAIN)
    repository.commit()
    done = repository.windlass("run", "--env", f"SIGN={tmp_path / 'sign'}")
    assert done.returncode == 1, done.stdout + done.stderr
    return repository
