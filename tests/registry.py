"""A real registry on this machine that wants a password (Debian's docker-registry)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERNAME = "mona"
PASSWORD = "hunter2-of-the-registry"
_SALT = "$2y$05$abcdefghijklmnopqrstuu"
_SECONDS = 20


@dataclass(frozen=True)
class Registry:
    """Where a registry listens, and who may pull from it."""

    host: str
    username: str = USERNAME
    password: str = PASSWORD


@contextmanager
def serve_registry(folder: Path) -> Iterator[Registry]:
    """Start a registry that keeps its images in a folder, or skip."""
    program = shutil.which("docker-registry")
    if program is None or shutil.which("perl") is None:
        pytest.skip("docker-registry (and perl, for its passwords) is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        registry = Registry(f"127.0.0.1:{free.getsockname()[1]}")
    (folder / "users").write_text(f"{USERNAME}:{_encrypt(PASSWORD)}\n")
    (folder / "config.yml").write_text(
        f"""
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: "{registry.host}"}}
auth: {{htpasswd: {{realm: test, path: {folder}/users}}}}
"""
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "serve", folder / "config.yml"], stdout=log, stderr=log)
        try:
            _await(registry, server)
            yield registry
        finally:
            server.terminate()
            server.wait()


def _encrypt(password: str) -> str:
    program = "print crypt($ARGV[0], $ARGV[1])"
    done = subprocess.run(
        ["perl", "-e", program, password, _SALT], capture_output=True, text=True, check=True
    )
    return done.stdout


def _await(registry: Registry, server: subprocess.Popen[bytes]) -> None:
    """Wait until the registry asks for a password."""
    for _ in range(_SECONDS * 10):
        try:
            urllib.request.urlopen(f"http://{registry.host}/v2/", timeout=5)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 401:
                return
        except urllib.error.URLError:
            assert server.poll() is None, "the registry has ended"
            time.sleep(0.1)
    pytest.fail("the registry did not start")
