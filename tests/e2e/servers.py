"""A server that is asked over HTTP, repositories for it, and runners that join it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import httpx
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from windlass.testing.servers import RunningServer

NAME = "octo/boat"


class Api:
    """What is asked of a server here, by a new connection each time: the server may be another."""

    def __init__(self, server: RunningServer) -> None:
        self._url = f"{server.url}/api/v1"
        self._headers = {"Authorization": f"Bearer {server.token}"}

    def get(self, path: str) -> Any:
        answer = httpx.get(self._url + path, headers=self._headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = httpx.post(self._url + path, json=body or None, headers=self._headers, timeout=60)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def register_boat(self, root: Path, *, host: bool = True) -> None:
        self.post("/repositories", name=NAME, location=str(root), host=host)

    def start(self, **inputs: str) -> str:
        path = f"/repositories/{NAME}/dispatches"
        started = self.post(path, workflow="ci.yml", ref="main", inputs=inputs)
        return str(started["run"])

    def has_ended(self, run: str) -> bool:
        return self.get(f"/runs/{run}")["result"] is not None

    def wait_for_end(self, run: str) -> str:
        assert wait_until(lambda: self.has_ended(run))
        return str(self.get(f"/runs/{run}")["result"])

    def wait_for_runner(self, name: str) -> None:
        assert wait_until(
            lambda: any(it["name"] == name and it["online"] for it in self.get("/runners")["items"])
        )


def log_of(server: RunningServer, run: str, number: int = 1) -> list[str]:
    path = server.data / "runs" / run / "1" / "jobs" / str(number) / "log"
    return path.read_text(encoding="utf-8").splitlines()


def make_repository(root: Path, workflow: str, files: Mapping[str, str] | None = None) -> Path:
    """A repository of a sail, a workflow and some more files, with one commit."""
    texts = {".github/workflows/ci.yml": dedent(workflow), "sail.txt": "white\n", **(files or {})}
    for name, text in texts.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    identity = ("-c", "user.name=Mona", "-c", "user.email=mona@example.com")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Set sail"]):
        subprocess.run(["git", *identity, *words], cwd=root, check=True)
    return root


@contextmanager
def runner(
    url: str, token: str, state: Path, *words: str, python: str = sys.executable
) -> Iterator[subprocess.Popen[bytes]]:
    """A runner's process; what it says is in a file beside its folder."""
    command = [python, "-m", "windlass", "runner", "--url", url, "--state", str(state)]
    with state.with_name(f"{state.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, *words],
            env={**os.environ, "WINDLASS_RUNNER_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)
