"""Registries on this machine: a real one with a password (Debian's docker-registry), a slow one."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.ports import choose_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERNAME = "mona"
PASSWORD = "hunter2-of-the-registry"
_SALT = "$2y$05$abcdefghijklmnopqrstuu"
_SECONDS = 60


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
    registry = Registry(f"127.0.0.1:{choose_port()}")
    write_registry_settings(folder, registry.host)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "serve", folder / "config.yml"], stdout=log, stderr=log)
        try:
            _await(registry, server)
            yield registry
        finally:
            server.terminate()
            server.wait()


def write_registry_settings(folder: Path, host: str, *, seen: str = "") -> None:
    """Write what a registry is told into a folder, which it may see under another name."""
    own = seen or str(folder)
    (folder / "users").write_text(f"{USERNAME}:{_encrypt(PASSWORD)}\n")
    (folder / "config.yml").write_text(
        f"""
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {own}/images}}}}
http: {{addr: "{host}"}}
auth: {{htpasswd: {{realm: test, path: {own}/users}}}}
"""
    )


def _encrypt(password: str) -> str:
    program = "print crypt($ARGV[0], $ARGV[1])"
    done = subprocess.run(
        ["perl", "-e", program, password, _SALT], capture_output=True, text=True, check=True
    )
    return done.stdout


def _await(registry: Registry, server: subprocess.Popen[bytes]) -> None:
    """Wait until the registry asks for a password."""

    def asks() -> bool:
        try:
            urllib.request.urlopen(f"http://{registry.host}/v2/", timeout=5)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code == 401
        except OSError:
            assert server.poll() is None, "the registry has ended"
        return False

    assert wait_until(asks, _SECONDS), "the registry did not start"


class SilentRegistry:
    """A registry without passwords that answers no question about an image; `asked` is of one."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/v2/":
                    registry.asked.set()
                    self.connection.recv(1)
                    return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_GET  # noqa: N815 - named by the standard library

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> SilentRegistry:
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
