"""GitHub's own client of its REST API, asking a server of ours about a repository made by git."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.integration.git.conftest import Checkout
from tests.npm import install

from windlass.model.values import dataclass

PACKAGES = (
    *("@octokit/rest@22.0.1", "@octokit/openapi@23.0.2", "@actions/github@6.0.1"),
    *("ajv@8.17.1", "ajv-formats@3.0.1"),
)
OWN = {"owner": "octo-org", "repo": "octo-repo"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client got; `problems` are where it is not as GitHub's description says."""

    status: int
    data: Any
    link: str
    problems: list[str]

    @property
    def message(self) -> str:
        """What an error says."""
        return str(self.data["message"])


@dataclass(frozen=True, slots=True)
class RestClient:
    """`@octokit/rest` with a token."""

    api: str
    token: str
    home: Path

    def call(self, *calls: tuple[str, str, dict[str, Any]]) -> list[Reply]:
        """Make calls by the names Octokit has for them; the repository is that of the run."""
        script = self.home / "octokit.mjs"
        shutil.copyfile(Path(__file__).with_name("octokit.mjs"), script)
        asked = [[group, name, {**OWN, **parameters}] for group, name, parameters in calls]
        question = {"api": self.api, "token": self.token, "calls": asked}
        done = subprocess.run(
            ["node", str(script)],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return [
            Reply(it["status"], it["data"], it.get("link", ""), it["problems"])
            for it in json.loads(done.stdout)
        ]


def install_client() -> Path:
    """Return the folder of the packages."""
    return install("rest", *PACKAGES)


def make_repository(folder: Path) -> Checkout:
    """Return a repository with a history that has one of everything.

    `main` has three commits and an annotated and a plain tag, `feature/x` parts from the second.
    """
    checkout = Checkout(folder)
    checkout.git("init", "--quiet", "--initial-branch=main")
    checkout.write("README.md", "# Read me\n")
    checkout.write("src/a.txt", "one\ntwo\nthree\n")
    (folder / "to-a").symlink_to("src/a.txt")
    (folder / "nowhere").symlink_to("/etc/passwd")
    checkout.commit("First\n\nWith a body.")
    checkout.git("tag", "v1")
    checkout.write("src/a.txt", "one\n2\nthree\n")
    (folder / "b.bin").write_bytes(bytes(range(256)))
    checkout.commit("Second")
    checkout.git("tag", "--annotate", "--message", "Release two", "v2")
    checkout.git("switch", "--quiet", "--create", "feature/x")
    checkout.git("mv", "src/a.txt", "src/c.txt")
    checkout.write("new.txt")
    checkout.commit("Move")
    checkout.git("switch", "--quiet", "main")
    checkout.git("rm", "--quiet", "b.bin")
    checkout.commit("Third")
    return checkout
