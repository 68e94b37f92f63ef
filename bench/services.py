"""How fast jobs send what is kept, in how much memory, and what GitHub's own client makes of it.

    .venv/bin/python bench/services.py [MEGABYTES]

Random data goes in blocks of 8 MiB, by four connections as a client that uploads has them, to a
server in a process of its own; the same with one connection is for information. Then npm's
@actions/artifact uploads random data, not compressed, to Windlass and to the same server with a
handler that throws away what comes, in turns; and 10,000 small files to both. Last, npm's
@actions/cache restores 500 MB of random data from Windlass and, in turns, from a program that does
nothing but hand over an archive which lies in memory; `tar` unpacks the same archive by itself.

A limit that is missed is a failure. Where the client alone takes longer than a limit, nobody who
serves it could keep that: both are printed, and it is a failure to be slower than the client is.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
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
TURNS = 4
PACKAGES = Path.home() / ".cache" / "windlass-tests"
"""Where the tests install @actions/artifact and @actions/cache."""

ARTIFACT = PACKAGES / "artifact-6.2.1" / "node_modules"
CACHE = PACKAGES / "cache-6" / "node_modules"
CLIENT_MEGABYTES = 256
SMALL_FILES = 10_000
CACHED_MEGABYTES = 500
CACHED_FILES = 10

LEAST_MEGABYTES_A_SECOND = 400.0
MOST_MEMORY_MEGABYTES = 150.0
LEAST_SHARE = 0.85
MOST_SECONDS_FOR_SMALL_FILES = 10.0
BYTES_A_SECOND_OF_A_CACHE = 500e6
MOST_OVER_THE_CLIENT = 1.15
"""What few rounds on a machine that is shared may be above those of the client alone."""

GITHUB: dict[str, Any] = {
    "repository": "octo-org/octo-repo",
    "ref": "refs/heads/main",
    "ref_type": "branch",
    "event_name": "push",
    "event": {"repository": {"default_branch": "main"}},
}
JOB = ServedJob(run="1", attempt=1, key="bench", github=GITHUB)
CACHE_SERVICE = "github.actions.results.api.v1.CacheService"

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
SAVE = """
const {saveCache} = await import('@actions/cache');
await saveCache(['deps'], process.env.NAME);
"""
RESTORE = """
const {restoreCache} = await import('@actions/cache');
const {performance} = require('node:perf_hooks');
const started = performance.now();
if (await restoreCache(['deps'], process.env.NAME) === undefined) throw new Error('not restored');
console.error(`SECONDS ${(performance.now() - started) / 1000}`);
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        failures = [*measure_blocks(folder), *measure_client(folder), *measure_cache(folder)]
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
    if not ARTIFACT.is_dir():
        yield f"@actions/artifact is not in {ARTIFACT}: the tests of artifacts install it"
        return
    large, small = folder / "large", folder / "small"
    large.mkdir()
    _write_random(large / "random", CLIENT_MEGABYTES)
    for number in range(SMALL_FILES):
        path = small / str(number % 100) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * 10)
    with serving("keep", folder / "kept") as kept, serving("discard", folder / "lost") as lost:
        pairs = [
            (upload(kept, large, f"k{turn}", level=0), upload(lost, large, f"l{turn}", level=0))
            for turn in range(TURNS + 1)
        ][1:]
        turns = [
            (upload(kept, small, f"s{turn}", level=6), upload(lost, small, f"s{turn}", level=6))
            for turn in range(ROUNDS)
        ]
    shutil.rmtree(large)
    kept_seconds, discarded_seconds = map(min, zip(*pairs, strict=True))
    share = discarded_seconds / kept_seconds
    rate = CLIENT_MEGABYTES / kept_seconds
    print(f"npm's client: {rate:.0f} MB/s, {share:.2f} of what it sends to a server that discards")
    if share < LEAST_SHARE:
        yield f"npm's client: {share:.2f} of what is possible, less than {LEAST_SHARE}"
    yield from _judge(f"{SMALL_FILES} small files", turns, MOST_SECONDS_FOR_SMALL_FILES)


def measure_cache(folder: Path) -> Iterator[str]:
    if not CACHE.is_dir():
        yield f"@actions/cache is not in {CACHE}: the tests of caches install it"
        return
    saved, archive = folder / "saved", folder / "archive.tzst"
    (saved / "deps").mkdir(parents=True)
    for number in range(CACHED_FILES):
        _write_random(saved / "deps" / str(number), CACHED_MEGABYTES // CACHED_FILES)
    zstd = ["--use-compress-program", "zstdmt"]
    subprocess.run(["tar", "-cf", archive, "-C", saved, *zstd, "deps"], check=True)
    variables = {"ARCHIVE": str(archive)}
    with (
        serving("keep", folder / "caches") as kept,
        serving("replay", folder / "replayed", **variables) as replayed,
    ):
        run_client(kept, saved, CACHE, SAVE, NAME="cache")
        turns = [(restore(kept, folder), restore(replayed, folder)) for _ in range(TURNS + 1)][1:]
    unpacked = min(unpack(archive, folder) for _ in range(ROUNDS))
    print(f"a cache of {CACHED_MEGABYTES} MB: `tar` alone unpacks it in {unpacked:.2f} s")
    limit = unpacked + archive.stat().st_size / BYTES_A_SECOND_OF_A_CACHE
    yield from _judge(f"a cache of {CACHED_MEGABYTES} MB", turns, limit)


def _judge(what: str, turns: list[tuple[float, float]], limit: float) -> Iterator[str]:
    """Compare what a client took with its limit, or with what it takes when nobody does anything.

    `turns` are seconds with Windlass and with a server that does nothing. The fastest count: what
    else the machine does only ever adds.
    """
    seconds, alone = map(min, zip(*turns, strict=True))
    ratio = seconds / alone
    print(
        f"npm's client: {what} in {seconds:.2f} s; {alone:.2f} s by itself (ratio {ratio:.2f}); "
        f"the limit is {limit:.2f} s"
    )
    if seconds <= limit:
        return
    if alone <= limit:
        yield f"{what}: {seconds:.2f} s, more than {limit:.2f}"
    elif ratio > MOST_OVER_THE_CLIENT:
        yield f"{what}: {ratio:.2f} of the client's own time, more than {MOST_OVER_THE_CLIENT}"


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
    return run_client(server, folder, ARTIFACT, UPLOAD, NAME=name, LEVEL=str(level))


def restore(server: Served, folder: Path) -> float:
    """Let npm's client restore the cache into an empty workspace; return the seconds it took."""
    workspace = folder / "restored" / "workspace"
    workspace.mkdir(parents=True)
    seconds = run_client(server, workspace, CACHE, RESTORE, NAME="cache")
    assert len(list((workspace / "deps").iterdir())) == CACHED_FILES
    shutil.rmtree(workspace.parent)
    return seconds


def unpack(archive: Path, folder: Path) -> float:
    """Unpack the archive by `tar` as npm's client does, and return the seconds it took."""
    target = folder / "unpacked"
    target.mkdir()
    zstd = ["--use-compress-program", "unzstd"]
    started = time.perf_counter()
    subprocess.run(["tar", "-xf", archive, "-P", "-C", target, *zstd], check=True)
    seconds = time.perf_counter() - started
    shutil.rmtree(target)
    return seconds


def run_client(server: Served, folder: Path, modules: Path, script: str, **variables: str) -> float:
    """Run a script with a client of npm in a folder; return the seconds that it says, else 0."""
    beside = folder.parent / "node_modules"
    beside.unlink(missing_ok=True)
    beside.symlink_to(modules)
    done = subprocess.run(
        ["node", "-e", f"(async () => {{{script}}})()"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(folder),
            "RUNNER_TEMP": str(folder.parent / "temporary"),
            **server.variables,
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return float(done.stderr.rpartition("SECONDS ")[2] or 0)


def _write_random(path: Path, megabytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))


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
def serving(kind: str, state: Path, **variables: str) -> Iterator[Served]:
    """Serve from another process for as long as its input is open."""
    process = subprocess.Popen(
        [sys.executable, __file__, "serve", kind, str(state)],
        env={**os.environ, **variables},
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
    elif kind == "replay":
        variables = serve_archive(Path(os.environ["ARCHIVE"]))
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


def serve_archive(archive: Path) -> dict[str, str]:
    """Serve the call that asks for a cache, and let the kernel send one file to whoever connects.

    There is no server that does less.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_replay, args=(listener, archive), daemon=True).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/archive"
    server = Server(print)
    found = {"ok": True, "signed_download_url": address, "matched_key": "cache"}
    server.routes(f"/twirp/{CACHE_SERVICE}/", lambda _request: Response.json(found))
    return {
        "ACTIONS_RESULTS_URL": f"{server.listen()}/",
        "ACTIONS_RUNTIME_TOKEN": server.tokens.issue(JOB),
        "ACTIONS_CACHE_SERVICE_V2": "True",
    }


def _replay(listener: socket.socket, archive: Path) -> None:
    size = archive.stat().st_size
    while True:
        connection, _ = listener.accept()
        with connection, archive.open("rb") as file:
            connection.recv(1 << 16)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            connection.sendfile(file)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
