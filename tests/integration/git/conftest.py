"""Repositories made by a real git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CLEAN = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


@dataclass(frozen=True)
class Checkout:
    """A working tree under test."""

    path: Path

    def git(self, *arguments: str) -> str:
        return self.git_bytes(*arguments).decode("utf-8", "surrogateescape").strip()

    def git_bytes(self, *arguments: str) -> bytes:
        settings = ["-c", "user.name=Mona Lisa", "-c", "user.email=1+mona@users.noreply.github.com"]
        return subprocess.run(
            ["git", *settings, "-c", "protocol.file.allow=always", *arguments],
            cwd=self.path,
            env={**CLEAN, "GIT_CONFIG_GLOBAL": "/dev/null"},
            check=True,
            capture_output=True,
        ).stdout

    def write(self, name: str, text: str = "text\n") -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self, message: str = "Change") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def fingerprint(self) -> dict[str, bytes]:
        """Everything in `.git`, to show that nothing was written there."""
        folder = self.path / ".git"
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository on `main` with one commit."""
    folder = tmp_path / "app"
    folder.mkdir()
    found = Checkout(folder)
    found.git("init", "--quiet", "--initial-branch", "main")
    found.write("a.txt")
    found.commit("First")
    return found


@pytest.fixture(autouse=True)
def no_user_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
