"""Docker's own client, asked what it would tell the daemon: an oracle for what options mean."""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

API = "1.41"


class Recorder(socketserver.ThreadingUnixStreamServer):
    """Answers as a daemon does and keeps what containers were to be made of."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Answers)
        self.bodies: list[dict[str, Any]] = []


class _Answers(BaseHTTPRequestHandler):
    server: Recorder

    def do_HEAD(self) -> None:
        self._answer({})

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(body)
        self._answer({"Id": "0" * 64, "Warnings": []})

    def _answer(self, value: dict[str, Any]) -> None:
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Api-Version", API)
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def address_string(self) -> str:
        return "client"

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


_CLIENT_ONLY = frozenset(
    ["Image", "AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce", "ConsoleSize"]
)
"""The image, and what is about the client's own terminal."""

_NAMED = frozenset(["ExposedPorts", "Volumes", "Labels", "Tmpfs"])
_DEFAULTS = {"NetworkMode": "default", "MemorySwappiness": -1, "RestartPolicy": {"Name": "no"}}


def essence(config: dict[str, Any]) -> dict[str, Any]:
    """Return what is told apart from defaults: no zeroes, nothing empty, no order in sets."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict) and name not in _NAMED:
            value = essence(value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            value = sorted((essence(item) for item in value), key=str)
        elif name == "Env":
            value = sorted(value or [])
        is_told = name not in _CLIENT_ONLY and value not in (None, "", 0, [], {})
        if is_told and _DEFAULTS.get(name) != value:
            found[name] = value
    return found


class DockerClient:
    """`docker create`, with nobody behind it."""

    def __init__(self, program: str, folder: Path, recorder: Recorder) -> None:
        self._program = program
        self._recorder = recorder
        address = f"unix://{folder / 'docker.sock'}"
        self._variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "DOCKER_HOST": address}

    def create(self, words: Sequence[str]) -> dict[str, Any] | str:
        """Return what the daemon is told, or what the client says against it."""
        self._recorder.bodies.clear()
        done = subprocess.run(
            [self._program, "create", *words, "image"],
            env=self._variables,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stderr if done.returncode else self._recorder.bodies[-1]


@contextmanager
def docker_client(folder: Path) -> Iterator[DockerClient]:
    """Start a recorder and give the client that talks to it, or skip."""
    program = next((it for it in ("/usr/bin/docker", shutil.which("docker")) if _exists(it)), None)
    if program is None:
        pytest.skip("Docker's client (docker) is not installed")
    with Recorder(folder / "docker.sock") as recorder:
        threading.Thread(target=recorder.serve_forever, daemon=True).start()
        try:
            yield DockerClient(program, folder, recorder)
        finally:
            recorder.shutdown()


def _exists(program: str | None) -> bool:
    return program is not None and Path(program).exists()
