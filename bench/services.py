"""How fast jobs send what is kept, in how much memory, and what GitHub's own client makes of it.

    .venv/bin/python bench/services.py [MEGABYTES]

Random data goes in blocks of 8 MiB, by four connections as a client that uploads has them, to a
server in a process of its own; the same with one connection is for information. Then npm's
@actions/artifact uploads random data, not compressed, to Windlass and to the same server with a
handler that throws away what comes, in turns; and 10,000 small files to Windlass alone. A limit
that is missed is a failure.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from windlass.db.database import Database
from windlass.services.artifacts import SERVICE
from windlass.services.jobs import ServedJob
from windlass.services.messages import Request, Response
from windlass.services.run_services import RunServices
from windlass.services.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTES = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 512
BLOCK = 8 << 20
CONNECTIONS = 4
ROUNDS = 3
PACKAGE = "@actions/artifact@6.2.1"
CACHE = Path.home() / ".cache" / "windlass-tests" / "artifact-6.2.1"
CLIENT_MEGABYTES = 256
SMALL_FILES = 10_000

LEAST_MEGABYTES_A_SECOND = 400.0
MOST_MEMORY_MEGABYTES = 150.0
LEAST_SHARE = 0.85
MOST_SECONDS_FOR_SMALL_FILES = 10.0

JOB = ServedJob(run="1", attempt=1, key="bench")

UPLOAD = """
const {DefaultArtifactClient} = await import('@actions/artifact');
const {readdirSync} = require('node:fs');
const {performance} = require('node:perf_hooks');
const files = readdirSync('.', {recursive: true, withFileTypes: true})
  .filter(it => it.isFile()).map(it => `${it.parentPath ?? it.path}/${it.name}`);
const started = performance.now();
await new DefaultArtifactClient().uploadArtifact(process.env.NAME, files, '.',
  {compressionLevel: Number(process.env.LEVEL)});
console.error(`SECONDS ${(performance.now() - started) / 1000}`);
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        failures = [*measure_blocks(folder), *measure_client(folder)]
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if failures else 0)


def measure_blocks(folder: Path) -> Iterator[str]:
    blocks = [folder / f"block-{number}" for number in range(CONNECTIONS)]
    for block in blocks:
        block.write_bytes(os.urandom(BLOCK))
    rates: dict[int, float] = {}
    for connections in (1, CONNECTIONS):
        with serving("keep", folder / f"state-{connections}") as server:
            rates[connections] = statistics.median(
                put_blocks(server, blocks[:connections]) for _ in range(ROUNDS)
            )
            memory = server.memory()
            sent = ROUNDS * MEGABYTES
        print(
            f"blocks by {connections} connections: {rates[connections]:.0f} MB/s; "
            f"{memory:.0f} MB of memory at most while {sent} MB came"
        )
        if memory > MOST_MEMORY_MEGABYTES:
            yield f"{memory:.0f} MB of memory, more than {MOST_MEMORY_MEGABYTES:.0f}"
    if rates[CONNECTIONS] < LEAST_MEGABYTES_A_SECOND:
        yield f"blocks: {rates[CONNECTIONS]:.0f} MB/s, less than {LEAST_MEGABYTES_A_SECOND:.0f}"


def measure_client(folder: Path) -> Iterator[str]:
    if not (CACHE / "node_modules").is_dir():
        yield f"{PACKAGE} is not in {CACHE}: the tests of artifacts install it"
        return
    large, small = folder / "large", folder / "small"
    large.mkdir()
    with (large / "random").open("wb") as file:
        for _ in range(CLIENT_MEGABYTES):
            file.write(os.urandom(1 << 20))
    for number in range(SMALL_FILES):
        path = small / str(number % 100) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * 10)
    with serving("keep", folder / "kept") as kept, serving("discard", folder / "lost") as lost:
        pairs = [
            (upload(kept, large, f"k{turn}", level=0), upload(lost, large, f"l{turn}", level=0))
            for turn in range(ROUNDS + 1)
        ][1:]
        seconds = upload(kept, small, "small", level=6)
    share = statistics.median(discarded / kept for kept, discarded in pairs)
    rate = CLIENT_MEGABYTES / statistics.median(kept for kept, _ in pairs)
    print(f"npm's client: {rate:.0f} MB/s, {share:.2f} of what it sends to a server that discards")
    print(f"npm's client: {SMALL_FILES} small files in {seconds:.1f} s")
    if share < LEAST_SHARE:
        yield f"npm's client: {share:.2f} of what is possible, less than {LEAST_SHARE}"
    if seconds > MOST_SECONDS_FOR_SMALL_FILES:
        yield f"small files: {seconds:.1f} s, more than {MOST_SECONDS_FOR_SMALL_FILES:.0f}"


def put_blocks(server: Served, blocks: list[Path]) -> float:
    """Send the megabytes by a connection for each block; return how many a second.

    The artifact takes the place of the one before, so that the disk has no more to write.
    """
    address = server.create("blocks")
    share = (MEGABYTES << 20) // BLOCK // len(blocks)
    threads = [
        threading.Thread(target=_send_blocks, args=(address, block, number, share))
        for number, block in enumerate(blocks)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    return share * len(blocks) * BLOCK / 1e6 / seconds


def _send_blocks(address: str, block: Path, connection: int, count: int) -> None:
    """Send one block again and again, each time under another name, by `sendfile`."""
    parts = urlsplit(address)
    client = http.client.HTTPConnection(parts.netloc)
    client.connect()
    with block.open("rb") as file:
        for turn in range(count):
            number = turn * CONNECTIONS + connection
            name = base64.urlsafe_b64encode(f"block-{number:06d}".encode()).decode()
            client.putrequest("PUT", f"{parts.path}?{parts.query}&comp=block&blockid={name}")
            client.putheader("Content-Length", str(BLOCK))
            client.endheaders()
            assert client.sock is not None
            client.sock.sendfile(file, 0)
            answer = client.getresponse()
            answer.read()
            assert answer.status == 201, answer.status


def upload(server: Served, folder: Path, name: str, *, level: int) -> float:
    """Let npm's client upload all files of a folder and return the seconds it took."""
    beside = folder.parent / "node_modules"
    if not beside.exists():
        beside.symlink_to(CACHE / "node_modules")
    variables = {**server.variables, "NAME": name, "LEVEL": str(level)}
    done = subprocess.run(
        ["node", "-e", f"(async () => {{{UPLOAD}}})()"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "GITHUB_WORKSPACE": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return float(done.stderr.rpartition("SECONDS ")[2])


class Served:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.variables: dict[str, str] = json.loads(process.stdout.readline())
        self._process = process

    def create(self, name: str) -> str:
        """Begin an artifact and return where its content goes."""
        origin = urlsplit(self.variables["ACTIONS_RESULTS_URL"]).netloc
        client = http.client.HTTPConnection(origin)
        body = json.dumps({"workflow_run_backend_id": JOB.run_id, "name": name})
        token = {"Authorization": f"Bearer {self.variables['ACTIONS_RUNTIME_TOKEN']}"}
        client.request("POST", f"/twirp/{SERVICE}/CreateArtifact", body, token)
        answer: dict[str, Any] = json.loads(client.getresponse().read())
        return str(answer["signed_upload_url"])

    def memory(self) -> float:
        """Return the most memory the process has had, in megabytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


@contextmanager
def serving(kind: str, state: Path) -> Iterator[Served]:
    """Serve from another process for as long as its input is open."""
    process = subprocess.Popen(
        [sys.executable, __file__, "serve", kind, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Served(process)
    finally:
        process.communicate()


def serve(kind: str, state: Path) -> None:
    state.mkdir()
    if kind == "keep":
        services = RunServices(Database(state / "history.db"), state, print)
        variables = services.open(JOB).action_variables
    else:
        variables = serve_nothing()
    print(json.dumps(variables), flush=True)
    sys.stdin.read()


def serve_nothing() -> dict[str, str]:
    """Serve the calls of the artifact service, and throw away what comes."""
    server = Server(print)

    def answer(request: Request) -> Response:
        method = request.path.rpartition("/")[2]
        if method == "CreateArtifact":
            return Response.json({"ok": True, "signed_upload_url": f"{request.origin}/c/a/b/c?d=e"})
        return Response.json({"ok": True, "artifact_id": "1"})

    def discard(request: Request) -> Response:
        buffer = memoryview(bytearray(1 << 18))
        while request.body.readinto(buffer):
            """Nothing is done with it."""
        return Response(201)

    server.routes(f"/twirp/{SERVICE}/", answer)
    server.routes("/c/", discard, needs_token=False)
    origin = server.listen()
    return {"ACTIONS_RESULTS_URL": origin, "ACTIONS_RUNTIME_TOKEN": server.tokens.issue(JOB)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
