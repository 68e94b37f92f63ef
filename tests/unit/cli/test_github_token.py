"""`--github-token`: the token of `gh`, by a stand-in for that program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.cli.github_token import read_github_token
from windlass.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def put_gh(folder: Path, script: str) -> dict[str, str]:
    """Return the variables with which `gh` is this script."""
    program = folder / "gh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_token(path: Path) -> None:
    """It is what `gh auth token` prints, without its line feed."""
    variables = put_gh(path, 'test "$*" = "auth token" && echo gho_made_up')

    assert read_github_token(variables) == "gho_made_up"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no oauth token found >&2; echo more >&2; exit 1", "no oauth token found"),
        ("exit 0", "it said nothing"),
    ],
)
def test_no_token(path: Path, script: str, message: str) -> None:
    """Where `gh` has none, its reason and what to do are told."""
    with pytest.raises(UsageError) as raised:
        read_github_token(put_gh(path, script))
    assert raised.value.message == f"--github-token: `gh auth token` gave no token: {message}"
    assert raised.value.hint is not None
    assert "gh auth login" in raised.value.hint


def test_no_gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `gh` there is another way, which is told."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError) as raised:
        read_github_token({"PATH": str(tmp_path)})
    assert raised.value.message == "--github-token: there is no `gh` on PATH"
    assert raised.value.hint is not None
    assert "--secret GITHUB_TOKEN" in raised.value.hint
