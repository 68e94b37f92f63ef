"""Uploads what is as large as it gets by GitHub's own client, and looks at memory and disk.

    python -m tests.chaos.large_contents [--gigabytes 5] [--files 100000]

A file of that many GiB, half of it random and half a hole, and that many small files, each as one
artifact. Both are fetched again and compared. Prints what was measured, and ends with 1 if that was
too much or wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import sys
import tempfile
import threading
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests import npm
from tests.chaos.serving_process import Served, serving
from tests.integration.services.test_artifacts import CLIENTS, NEWEST

from windlass.services.artifacts import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_MEGABYTES_OF_MEMORY = 150.0
MOST_DISK = 1.05
"""What lies in the store at any moment, over what has to: nothing is ever there twice."""

PIECE = 1 << 20
HOURS = 3600.0
UPLOAD = """
const {DefaultArtifactClient} = await import('@actions/artifact');
const {readdirSync} = require('node:fs');
const files = readdirSync('in', {recursive: true, withFileTypes: true})
  .filter(it => it.isFile()).map(it => `${it.parentPath ?? it.path}/${it.name}`);
tell(await new DefaultArtifactClient().uploadArtifact(
  process.env.NAME, files, 'in', {compressionLevel: 0}));
"""


class Disk:
    """How much a folder takes at most while it is watched."""

    def __init__(self, folder: Path) -> None:
        self.most = 0
        self._folder = folder
        self._is_over = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look ten times a second."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.1):
            self.most = max(self.most, measure(self._folder))


def measure(folder: Path) -> int:
    """Return the bytes that a folder takes on the disk; a file with two names counts once."""
    found: dict[int, int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(f"{parent}/{name}")
            except FileNotFoundError:
                continue
            found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def make_large(folder: Path, gigabytes: int) -> int:
    """Make a file of random pieces with holes as long between them; return the random bytes."""
    size = gigabytes << 30
    with (folder / "large.bin").open("wb") as file:
        for start in range(0, size, 64 * PIECE):
            file.seek(start)
            for _ in range(32):
                file.write(os.urandom(PIECE))
        file.truncate(size)
    return size // 2


def make_small(folder: Path, count: int) -> int:
    """Make small files, a thousand to a folder; return what their archive takes at most."""
    for number in range(count):
        path = folder / f"{number // 1000}" / f"{number}.txt"
        if number % 1000 == 0:
            path.parent.mkdir()
        path.write_text(f"file {number}\n")
    # An archive names each file twice, with some hundred bytes beside.
    return PIECE + count * 300


def upload(served: Served, scratch: Path, name: str) -> dict[str, Any]:
    """Let npm's client upload the folder `in`; return what it says of the artifact."""
    package = CLIENTS[NEWEST]
    home = npm.install(f"artifact-{package.rpartition('@')[2]}", package)
    (scratch / "node_modules").unlink(missing_ok=True)
    variables = {
        **served.variables,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_WORKSPACE": str(scratch),
        "NAME": name,
    }
    said: dict[str, Any] = npm.Node(home, scratch, variables).run(UPLOAD, seconds=HOURS)
    return said


def fetch(served: Served, name: str, target: Path | None) -> str:
    """Fetch an artifact, into a file if that is given; return its SHA-256."""
    parts = urlsplit(served.origin)
    connection = http.client.HTTPConnection(parts.netloc)
    body = json.dumps({"workflow_run_backend_id": served.run_id, "name": name})
    token = {"Authorization": f"Bearer {served.token}"}
    connection.request("POST", f"/twirp/{SERVICE}/GetSignedArtifactURL", body, token)
    address = urlsplit(json.loads(connection.getresponse().read())["signed_url"])
    connection.request("GET", f"{address.path}?{address.query}")
    answer, digest = connection.getresponse(), hashlib.sha256()
    with (target or Path(os.devnull)).open("wb") as file:
        while piece := answer.read(PIECE):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def check(scratch: Path, name: str, needed: int, files: int) -> Iterator[str]:
    """Upload and fetch what is in `in`; yield what is wrong."""
    state = scratch / ".windlass"
    disk, began = Disk(state), time.monotonic()
    target = scratch / "fetched.zip"
    with serving(state) as served:
        with disk.watched():
            said = upload(served, scratch, name)
        seconds = time.monotonic() - began
        digest = fetch(served, name, target)
        memory = served.measure_memory()
    print(
        f"{name}: {said['size'] / 1e6:.0f} MB in {seconds:.0f} s, "
        f"{memory:.0f} MB of memory, {disk.most / 1e6:.0f} MB on the disk at most",
        flush=True,
    )
    if memory > MOST_MEGABYTES_OF_MEMORY:
        yield f"{name}: {memory:.0f} MB of memory"
    if disk.most > needed * MOST_DISK:
        yield f"{name}: {disk.most} bytes on the disk for {needed}"
    if digest != said["digest"]:
        yield f"{name}: what was fetched has the digest {digest}, not {said['digest']}"
    with zipfile.ZipFile(target) as archive:
        if len(archive.namelist()) != files:
            yield f"{name}: {len(archive.namelist())} files in the archive"
    target.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=int, default=5)
    parser.add_argument("--files", type=int, default=100_000)
    arguments = parser.parse_args()
    faults: list[str] = []
    for name, count in (("large", 1), ("many", arguments.files)):
        with tempfile.TemporaryDirectory(prefix="windlass-large-") as folder:
            scratch = Path(folder)
            (scratch / "in").mkdir()
            needed = (
                make_large(scratch / "in", arguments.gigabytes)
                if name == "large"
                else make_small(scratch / "in", count)
            )
            faults += check(scratch, name, needed, count)
    for fault in faults:
        print(f"FAILED: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
