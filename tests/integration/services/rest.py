"""GitHub's own client of its REST API, asking a server of ours about a repository made by git."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests import npm
from tests.integration.git.conftest import Checkout

from windlass.model.values import dataclass

PACKAGES = (
    *("@octokit/rest@22.0.1", "@octokit/openapi@23.0.2", "@actions/github@6.0.1"),
    *("ajv@8.17.1", "ajv-formats@3.0.1"),
)
SCRIPT = Path(__file__).with_name("octokit.mjs")
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
        asked = [[group, name, {**OWN, **parameters}] for group, name, parameters in calls]
        question = {"api": self.api, "token": self.token, "calls": asked}
        answers = self.run(SCRIPT.read_text(), question)
        return [
            Reply(it["status"], it["data"], it.get("link", ""), it["problems"]) for it in answers
        ]

    def run(self, script: str, question: Any = None, **variables: str) -> Any:
        """Run a module beside the packages; return what it answers.

        It is no file: others who run at the same time have the folder of the packages too.
        """
        done = subprocess.run(
            ["node", "--input-type=module", "--eval", script],
            cwd=self.home,
            env={"PATH": os.environ["PATH"], **variables},
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=npm.SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def install_client() -> Path:
    """Return the folder of the packages."""
    return npm.install("rest", *PACKAGES)


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
