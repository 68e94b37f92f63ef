"""A repository that people push to: a bare one, and the checkout they push from."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from tests.remotes import IDENTITY

from windlass.git.commands import make_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOTHING = "0" * 40

CI = """\
name: CI
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo built
"""


class PushedRepository:
    """`bare` is what a server registers; what is written and committed is pushed there."""

    def __init__(self, root: Path, *, ci: str = CI) -> None:
        self.bare = root / "bare.git"
        self.work = root / "work"
        self.git("init", "-q", "--bare", "-b", "main", str(self.bare), at=root)
        self.git("init", "-q", "-b", "main", str(self.work), at=root)
        self.write(".github/workflows/ci.yml", ci)
        self.push("First")

    def write(self, path: str, text: str) -> None:
        file = self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, message: str = "Change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, message: str = "Change", branch: str = "main") -> tuple[str, str]:
        """Commit what was written and push it; return what the branch was and is."""
        before = self.find(f"refs/heads/{branch}")
        after = self.commit(message)
        self.git("push", "-q", "-f", str(self.bare), f"HEAD:refs/heads/{branch}")
        return before, after

    def find(self, ref: str) -> str:
        """What a ref of the bare repository is."""
        done = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", ref],
            cwd=self.bare,
            env=make_environment(IDENTITY),
            capture_output=True,
            text=True,
        )
        return done.stdout.strip() or NOTHING

    def git(self, *words: str, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=at or self.work,
            env=make_environment(IDENTITY),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()


def tell_push(before: str, after: str, ref: str = "refs/heads/main", **more: Any) -> str:
    """What a push says of itself, as JSON."""
    return json.dumps({"ref": ref, "before": before, "after": after, **more})


def tell_pull_request(
    head: str, *, base: str = "main", number: int = 7, fork: bool = False, action: str = "opened"
) -> str:
    """What a webhook says of a pull request, as far as it decides anything."""

    def side(ref: str, sha: str, owner: str) -> Mapping[str, Any]:
        return {"ref": ref, "sha": sha, "repo": {"full_name": f"{owner}/boat"}}

    return json.dumps(
        {
            "action": action,
            "number": number,
            "pull_request": {
                "number": number,
                "head": side("feature", head, "stranger" if fork else "octo"),
                "base": side(base, NOTHING.replace("0", "a"), "octo"),
            },
            "repository": {"full_name": "octo/boat"},
            "sender": {"login": "stranger"},
        }
    )
