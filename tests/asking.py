"""A repository for a server, and questions to that server."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.testing.servers import RunningServer


def make_repository(folder: Path, workflow: str) -> Path:
    """A repository with one commit of one workflow, `.github/workflows/boat.yml`."""
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "boat.yml").write_text(workflow)
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=Start"],
    ):
        subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)
    return folder


class Asking:
    """A client of a server that remembers all that it was answered."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {server.token}"}
        self.answers = ""

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        url = f"{self._server.url}/api/v1{path}"
        answer = httpx.request(method, url, headers=self._headers, timeout=60, **options)
        assert answer.is_success, answer.text
        self.answers += answer.text
        return answer.json() if "json" in answer.headers.get("content-type", "") else None

    def add_repository(self, folder: Path, name: str = "octo/boat") -> None:
        """Make a repository known, whose jobs may run on the machine itself."""
        known = {"location": str(folder), "name": name, "host": True, "poll_seconds": 0}
        self("POST", "/repositories", json=known)

    def dispatch(self, name: str = "octo/boat") -> str:
        """Start the workflow of a repository, wait until its run has ended, and return that."""
        wish = {"workflow": "boat.yml"}
        run: str = self("POST", f"/repositories/{name}/dispatches", json=wish)["run"]
        self("GET", f"/runs/{run}/events")
        return run
