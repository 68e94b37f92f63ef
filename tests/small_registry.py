"""A registry in this process that serves one image and can be out of order.

Source: https://distribution.github.io/distribution/spec/api/
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.images import pack, pack_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
_SMALL = 10_000
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class SmallRegistry:
    """What it serves, and what is the matter with it.

    `refusal` is the status with which every question is answered, and how the registry calls it;
    `cut` ends a layer half-way.
    """

    def __init__(self) -> None:
        self.refusal: tuple[int, str] | None = None
        self.cut = False
        self.halves: threading.Event | None = None
        self.released = threading.Event()
        self.asked: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.manifest = self._make_image()
        self.host = ""

    @property
    def image(self) -> str:
        """The name by which a daemon pulls it."""
        return f"{self.host}/octo/tools:1"

    @contextmanager
    def stalling(self) -> Iterator[threading.Event]:
        """Keep back the second half of a layer; yield what tells that the first has been sent."""
        self.halves = threading.Event()
        self.released.clear()
        try:
            yield self.halves
        finally:
            self.halves = None
            self.released.set()

    def renew(self) -> None:
        """Have another image under the name, with a layer that no daemon has."""
        self.manifest = self._make_image()

    def _make_image(self) -> bytes:
        layers = [pack_tools(), pack({"unique": os.urandom(_SMALL * 4)})]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
        }
        told = [self._keep(gzip.compress(it, 1), LAYER) for it in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._keep(json.dumps(config).encode(), CONFIG),
            "layers": told,
        }
        return json.dumps(manifest).encode()

    def _keep(self, data: bytes, kind: str) -> dict[str, Any]:
        self.blobs[_digest(data)] = data
        return {"mediaType": kind, "size": len(data), "digest": _digest(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class _Handler(BaseHTTPRequestHandler):
    registry: SmallRegistry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer the version check, a manifest or a blob."""
        registry = self.registry
        registry.asked.append(self.path)
        if registry.refusal is not None and self.path != "/v2/":
            status, code = registry.refusal
            told = {"errors": [{"code": code, "message": f"the registry says {code}"}]}
            self._say(status, json.dumps(told).encode(), "application/json")
        elif self.path == "/v2/":
            self._say(200, b"{}", "application/json")
        elif "/manifests/" in self.path:
            self._say(200, registry.manifest, MANIFEST)
        else:
            self._send_blob(registry.blobs[self.path.rpartition("/")[2]])

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send_blob(self, data: bytes) -> None:
        registry, kind = self.registry, "application/octet-stream"
        is_layer = len(data) > _SMALL
        if is_layer and registry.halves is not None:
            self._say(200, data, kind, until=len(data) // 2)
            registry.halves.set()
            registry.released.wait()
            self.wfile.write(data[len(data) // 2 :])
        elif is_layer and registry.cut:
            self._cut(data, kind)
        else:
            self._say(200, data, kind)

    def _cut(self, data: bytes, kind: str) -> None:
        """Send the first half; a daemon that asks for the second gets nothing."""
        begin = int(self.headers.get("Range", "bytes=0-")[len("bytes=") :].partition("-")[0])
        length = {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"} if begin else {}
        until = max(len(data) // 2 - begin, 0)
        self._say(206 if begin else 200, data[begin:], kind, until=until, more=length)
        self.close_connection = True

    def _say(
        self,
        status: int,
        body: bytes,
        kind: str,
        *,
        until: int | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", _digest(body))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:until])
            self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of a daemon that hangs up."""


@contextmanager
def serve_small_registry(
    network: AbstractContextManager[object] | None = None,
) -> Iterator[SmallRegistry]:
    """Serve an image on a free port of this machine, which a daemon takes to be safe.

    `network` is entered to listen in another network.
    """
    registry = SmallRegistry()
    handler = type("Handler", (_Handler,), {"registry": registry})
    with network or nullcontext():
        server = _Server(("127.0.0.1", 0), handler)
    registry.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield registry
    finally:
        registry.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
