"""The services of a server, for jobs on several runners: GitHub's own clients, through tunnels."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import os
import queue
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from tests import npm
from tests.hosted_runner import job_started
from tests.integration.server.serving_jobs import Hosted, ServedJob, hosting, read_claims
from tests.integration.services.calling import Caller, put_block, put_list, send
from tests.waiting import wait_until

from windlass.errors import PlatformError
from windlass.listings import find_paths
from windlass.operations.hosted.runners import revoke_runner
from windlass.operations.hosted.services import Claims, make_hosted_means, make_tokens
from windlass.runner.services import RunnerServices
from windlass.runner.tunnels import Tunnel
from windlass.services.artifacts import SERVICE
from windlass.services.identity.issuer import DISCOVERY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARTIFACT = ("artifact-6.2.1", "@actions/artifact@6.2.1")
CACHES = {"v2": ("cache-6", "@actions/cache@6.3.0"), "v1": ("cache-3", "@actions/cache@3.2.4")}
UPLOAD = """
const {DefaultArtifactClient} = await import('@actions/artifact');
const {mkdirSync} = require('node:fs');
mkdirSync('in/sub', {recursive: true});
writeFileSync('in/a.txt', 'hello');
writeFileSync('in/sub/b.bin', Buffer.alloc(300000, 7));
tell(await new DefaultArtifactClient().uploadArtifact('mine', ['in/a.txt', 'in/sub/b.bin'], 'in'));
"""
DOWNLOAD = """
const {DefaultArtifactClient} = await import('@actions/artifact');
const client = new DefaultArtifactClient();
const {artifact} = await client.getArtifact('mine');
const {digestMismatch} =
  await client.downloadArtifact(artifact.id, {expectedHash: artifact.digest, path: 'out'});
const {artifacts} = await client.listArtifacts();
tell({artifact, digestMismatch, names: artifacts.map(it => it.name)});
"""
LARGE = """
const {DefaultArtifactClient} = await import('@actions/artifact');
tell(await new DefaultArtifactClient().uploadArtifact('large', ['large'], '.',
  {compressionLevel: 0}));
"""
SAVE = """
const {saveCache} = await import('@actions/cache');
tell(await saveCache([process.env.CACHED], process.env.KEY));
"""
RESTORE = """
const {restoreCache} = await import('@actions/cache');
tell(await restoreCache([process.env.CACHED], process.env.KEY, ['npm-']) ?? null);
"""


@pytest.fixture
def hosted(database_address: str, tmp_path: Path) -> Iterator[Hosted]:
    with hosting(tmp_path, database_address) as server:
        yield server


@pytest.fixture
def pair(hosted: Hosted) -> tuple[ServedJob, ServedJob]:
    """Two jobs of one run on two runners."""
    hosted.run()
    return hosted.join("first").take(), hosted.join("second").take()


def node(job: ServedJob, package: tuple[str, str]) -> npm.Node:
    """A client of npm in the place of an action of a job."""
    workspace = job.folders.workspace
    variables = {
        **job.services.action_variables,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_WORKSPACE": str(workspace),
        "HOME": str(job.folders.home),
        "RUNNER_TEMP": str(job.folders.temp),
        "GITHUB_RETENTION_DAYS": "90",
    }
    return npm.Node(npm.install(*package), workspace, variables)


@pytest.mark.requirement("A19")
def test_an_artifact_goes_from_one_runner_to_another(pair: tuple[ServedJob, ServedJob]) -> None:
    """What a job uploads, a job of the same run on another machine lists and downloads."""
    one, two = pair
    sent = node(one, ARTIFACT).run(UPLOAD)

    got = node(two, ARTIFACT).run(DOWNLOAD)

    assert (got["artifact"]["id"], got["artifact"]["size"]) == (sent["id"], sent["size"])
    assert (got["names"], got["digestMismatch"]) == (["mine"], False)
    assert (two.folders.workspace / "out" / "a.txt").read_text() == "hello"
    assert (two.folders.workspace / "out" / "sub" / "b.bin").read_bytes() == b"\x07" * 300_000


@pytest.mark.requirement("A21")
@pytest.mark.parametrize("version", CACHES)
def test_a_cache_goes_from_one_run_to_another(hosted: Hosted, version: str) -> None:
    """What a job saves of its own HOME, a job of a later run restores in another HOME."""
    hosted.run()
    one = hosted.join("first").take()
    kept = one.folders.home / "deps"
    kept.mkdir()
    (kept / "one.txt").write_text("one")
    saving = node(one, CACHES[version])
    assert saving.run(SAVE, KEY="npm-1", CACHED=str(kept)) > 0
    one.end()
    (second := hosted.join("second")).take()
    hosted.run()
    other = second.take()

    found = node(other, CACHES[version]).run(
        RESTORE, KEY="npm-2", CACHED=str(other.folders.home / "deps")
    )

    assert found == "npm-1"
    assert (other.folders.home / "deps" / "one.txt").read_text() == "one"


def test_addresses_are_those_that_the_job_reaches(pair: tuple[ServedJob, ServedJob]) -> None:
    """What a job is told to send to, to fetch and to trust begins where its runner listens."""
    one, two = pair
    origins = [job.services.origin for job in pair]
    uploaded = Caller(one.services).create()
    put_block(uploaded, 0, b"x")
    put_list(uploaded, 0)
    assert Caller(one.services).finalize(b"x")[0] == 200

    _, fetched = Caller(two.services).call("GetSignedArtifactURL", name="mine")
    status, _, found = send(f"{two.services.origin}{DISCOVERY}")
    variables = two.services.script_variables
    token = json.loads(
        send(
            f"{variables['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=me",
            Authorization=f"Bearer {variables['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}",
        )[2]
    )["value"]

    assert origins[0] != origins[1]
    assert uploaded.startswith(f"{origins[0]}/")
    assert fetched["signed_url"].startswith(f"{origins[1]}/")
    assert send(fetched["signed_url"])[2] == b"x"
    assert (status, json.loads(found)["issuer"]) == (200, f"{origins[1]}/oidc")
    claims = read_claims(token)
    assert (claims["iss"], claims["aud"]) == (f"{origins[1]}/oidc", "me")
    assert (claims["repository"], claims["ref"]) == ("octo/boat", "refs/heads/main")


def test_the_rest_api_tells_of_the_run(pair: tuple[ServedJob, ServedJob]) -> None:
    """A job asks for its own run, page by page, with a token for that alone."""
    one, _ = pair
    for job in pair:
        job.runner.stand_in.tell(str(job.id), 0, [job_started(job.key)])
    api = one.services.api_addresses["api_url"]
    address = f"{api}/repos/octo/boat/actions/runs/{one.id.run}/jobs"

    status, headers, content = send(
        f"{address}?per_page=1", Authorization=f"Bearer {one.services.api_token}"
    )

    assert status == 200, content
    assert json.loads(content)["total_count"] == 2
    assert [it["name"] for it in json.loads(content)["jobs"]] == [one.key]
    assert f"<{address}?per_page=1&page=2>" in headers["Link"]
    refused = send(address, Authorization=f"Bearer {one.services.token}")
    assert refused[0] == 401


def test_a_token_reaches_its_own_run_alone(hosted: Hosted) -> None:
    """The token of another run's job, one that was changed, and none are refused."""
    hosted.run()
    own = hosted.join("first").take()
    hosted.join("second").take()
    hosted.run()
    other = hosted.join("third").take()
    address = Caller(own.services).create()
    send(address, "PUT", b"secret")
    assert Caller(own.services).finalize(b"secret")[0] == 200
    head, claims, signature = own.services.token.split(".")

    assert Caller(other.services).names() == []
    foreign = Caller(own.services).call("ListArtifacts", token=other.services.token)
    assert (foreign[0], foreign[1]["code"]) == (403, "permission_denied")
    for forged in (f"{head}.{claims}.AAAA", f"{head}.{claims}A.{signature}", "x"):
        status, answer = Caller(own.services).call("ListArtifacts", token=forged)
        assert (status, answer["code"]) == (401, "unauthenticated")


def test_a_token_ends_with_its_job(pair: tuple[ServedJob, ServedJob]) -> None:
    """Once its end is told, a job's token is nothing, and what it was sending is thrown away."""
    one, two = pair
    address = Caller(one.services).create()
    assert put_block(address, 0, b"half") == 201
    assert Caller(two.services).call("CreateArtifact", name="mine")[0] == 409

    one.end()

    status, answer = Caller(two.services).call("ListArtifacts", token=one.services.token)
    assert (status, answer["msg"]) == (401, "The job of this token has ended.")
    assert Caller(two.services).call("CreateArtifact", name="mine")[0] == 200
    assert put_block(address.replace(one.services.origin, two.services.origin), 1, b"x") == 404


def test_a_token_expires(pair: tuple[ServedJob, ServedJob], hosted: Hosted) -> None:
    """A token whose time is over is refused, though its job still runs."""
    one, _ = pair
    claims = Claims(hosted.site)
    tokens = make_tokens(hosted.site, claims)
    job = tokens.find(one.services.token)
    assert not isinstance(job, str)

    status, answer = Caller(one.services).call("ListArtifacts", token=tokens.issue(job, seconds=-1))

    assert (status, answer["msg"]) == (401, "The token has expired.")


def test_a_job_of_another_runner(pair: tuple[ServedJob, ServedJob]) -> None:
    """A runner gets neither tokens nor a tunnel for a job that it has not taken."""
    one, two = pair
    body = {"folders": {"folder": "/", "home": "/", "workspace": "/"}}

    asked = two.runner.stand_in.post(f"jobs/{one.id}/services", body)
    tunnel = two.runner.stand_in._ask("GET", f"services/{one.id}")

    assert (asked.status_code, asked.json()["code"]) == (410, "gone")
    assert (tunnel.status_code, tunnel.json()["code"]) == (410, "gone")


def test_a_proxy_that_ends_tls(pair: tuple[ServedJob, ServedJob], hosted: Hosted) -> None:
    """A server is reached by https:// as well, up and down at once, by who is trusted alone."""
    one, _ = pair
    content = os.urandom(16 << 20)
    with proxy(hosted) as (url, trusting):
        services = RunnerServices(url, one.runner.stand_in.credential, tls=trusting)
        opened = services.open(one.id, one.order, "127.0.0.1", one.folders)
        caller = Caller(opened)
        address = caller.create()
        threads = [
            threading.Thread(target=put_block, args=(address, number, content))
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        put_list(address, *range(4))
        ended = caller.finalize(content * 4)
        found = caller.fetch()
        opened.close()
        stranger = RunnerServices(url, one.runner.stand_in.credential, patience=0.2)
        with pytest.raises(PlatformError, match="certificate"):
            stranger.open(one.id, one.order, "127.0.0.1", one.folders)

    assert ended[0] == 200, ended
    assert found[2] == content * 4


@contextmanager
def proxy(hosted: Hosted) -> Iterator[tuple[str, ssl.SSLContext]]:
    """What stands before a server and speaks TLS; its address, and what trusts it."""
    certificate, key = hosted.folder / "certificate.pem", hosted.folder / "key.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    words += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key)]
    subprocess.run(["openssl", *words, "-out", certificate], check=True, capture_output=True)
    presenting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    presenting.load_cert_chain(certificate, key)
    ready: queue.Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(1 << 16):
                target.write(piece)
                await target.drain()
        target.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", hosted.port)
        await asyncio.gather(carry(reader, back), carry(there, writer))

    async def listen() -> None:
        is_over = asyncio.Event()
        async with await asyncio.start_server(take, "127.0.0.1", 0, ssl=presenting) as server:
            port = server.sockets[0].getsockname()[1]
            ready.put((port, asyncio.get_running_loop(), is_over))
            await is_over.wait()

    thread = threading.Thread(target=asyncio.run, args=(listen(),))
    thread.start()
    port, loop, is_over = ready.get(timeout=10)
    try:
        yield f"https://localhost:{port}", ssl.create_default_context(cafile=str(certificate))
    finally:
        loop.call_soon_threadsafe(is_over.set)
        thread.join()


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"folders": {"folder": 7}}', "\xff"])
def test_messages_that_make_no_sense(pair: tuple[ServedJob, ServedJob], body: str) -> None:
    """What is no request is refused, with what was expected."""
    one, _ = pair

    answer = one.runner.stand_in._ask(
        "POST", f"jobs/{one.id}/services", content=body.encode("latin-1")
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "input")


def test_a_tunnel_that_is_not_asked_for_well(pair: tuple[ServedJob, ServedJob]) -> None:
    """Whoever comes to the address of a tunnel without wanting one is told what it is."""
    one, _ = pair
    ask = one.runner.stand_in._ask

    assert ask("GET", f"services/{one.id}").status_code == 426
    assert ask("GET", "services/none/1/1").status_code == 410
    assert ask("GET", "services/x/y/z").status_code == 422


def test_a_runner_that_was_revoked(pair: tuple[ServedJob, ServedJob], hosted: Hosted) -> None:
    """Its jobs are refused at once: the runner's credential opens no tunnel any more."""
    one, _ = pair
    assert Caller(one.services).names() == []

    revoke_runner(hosted.site, one.runner.stand_in.id)

    status, _, content = send(f"{one.services.origin}/twirp/{SERVICE}/ListArtifacts", "POST", "{}")
    assert (status, json.loads(content)["code"]) == (403, "permission_denied")
    assert "credential is not known" in json.loads(content)["msg"]


def test_the_server_is_killed_amid_an_upload(
    pair: tuple[ServedJob, ServedJob], hosted: Hosted
) -> None:
    """What came before is there afterwards, and tokens and addresses are as good as they were."""
    one, two = pair
    address = Caller(one.services).create()
    assert put_block(address, 0, b"before, ") == 201

    hosted.kill()
    hosted.start()

    assert put_block(address, 1, b"after") == 201
    put_list(address, 0, 1)
    assert Caller(one.services).finalize(b"before, after")[0] == 200
    assert Caller(two.services).fetch()[2] == b"before, after"


def test_the_client_goes_on_when_the_server_was_killed(
    pair: tuple[ServedJob, ServedJob], hosted: Hosted
) -> None:
    """GitHub's client sends again what was broken off, and the artifact is whole."""
    one, two = pair
    content = os.urandom(1 << 20) * 96
    (one.folders.workspace / "large").write_bytes(content)
    blocks = hosted.data / "blobs" / "uploads"

    def kill() -> None:
        wait_until(lambda: len(find_paths(blocks, "*/blocks/*-*")) >= 3, pause_milliseconds=5)
        hosted.kill()
        hosted.start()

    killer = threading.Thread(target=kill)
    killer.start()
    sent = node(one, ARTIFACT).run(LARGE)
    killer.join()

    got = Caller(two.services)
    status, _, found = got.fetch("large")
    assert status == 200
    assert hashlib.sha256(found).hexdigest() == sent["digest"]
    assert list(blocks.iterdir()) == []


def test_a_server_that_does_not_come_back(
    pair: tuple[ServedJob, ServedJob], hosted: Hosted
) -> None:
    """A job hears that the server cannot be reached, in a way after which clients ask again."""
    one, _ = pair
    impatient = RunnerServices(hosted.url, one.runner.stand_in.credential, patience=0.3)
    gate = impatient._gate
    hosted.kill()
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            here = socket.create_connection(listener.getsockname())
            there, _ = listener.accept()
        tunnel = Tunnel(there, lambda: gate, one.id, "http://127.0.0.1:1")
        thread = threading.Thread(target=tunnel.serve)
        thread.start()
        here.sendall(b"GET / HTTP/1.1\r\n\r\n")
        answer = http.client.HTTPResponse(here)
        answer.begin()
        content = json.loads(answer.read())
        here.close()
        thread.join()
    finally:
        hosted.start()

    assert (answer.status, content["code"]) == (503, "unavailable")
    assert "Connection refused" in content["msg"]


def test_a_large_artifact_passes_in_little_memory(
    pair: tuple[ServedJob, ServedJob], hosted: Hosted
) -> None:
    """A gigabyte goes up and down, and neither the server nor the runner holds it."""
    one, two = pair
    block, count = os.urandom(8 << 20), 128
    before = hosted.memory()
    address = Caller(one.services).create("large")
    digest = hashlib.sha256()
    threads = [
        threading.Thread(
            target=lambda first: [put_block(address, it, block) for it in range(first, count, 4)],
            args=(first,),
        )
        for first in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(count):
        digest.update(block)
    put_list(address, *range(count))
    status, _ = Caller(one.services).call(
        "FinalizeArtifact",
        name="large",
        size=str(count * len(block)),
        hash=f"sha256:{digest.hexdigest()}",
    )
    assert status == 200

    _, signed = Caller(two.services).call("GetSignedArtifactURL", name="large")
    assert fetch_digest(signed["signed_url"]) == digest.hexdigest()
    assert hosted.memory() - before < 60


def fetch_digest(address: str) -> str:
    """The digest of what is fetched at an address, which is not held."""
    parts = urlsplit(address)
    client = http.client.HTTPConnection(parts.netloc, timeout=120)
    client.request("GET", f"{parts.path}?{parts.query}")
    answer, digest = client.getresponse(), hashlib.sha256()
    while piece := answer.read(1 << 18):
        digest.update(piece)
    client.close()
    return digest.hexdigest()


def test_two_processes_of_a_server_share_an_upload(
    hosted: Hosted, pair: tuple[ServedJob, ServedJob]
) -> None:
    """Blocks may come to one process and the end of the upload to another."""
    one, _ = pair
    address = Caller(one.services).create()
    assert put_block(address, 0, b"one ") == 201
    claims = Claims(hosted.site)
    tokens = make_tokens(hosted.site, claims)
    means = make_hosted_means(hosted.site, tokens, claims)
    job: Any = tokens.find(one.services.token)
    upload = means.contents.find_upload(job, ("artifact", job.run, str(job.attempt), "mine"))
    assert upload is not None
    assert upload.block_sizes == dict.fromkeys(upload.block_sizes, 4)

    assert put_block(address, 1, b"two") == 201
    assert put_list(address, 0, 1)[0] == 201
    assert upload.size == 7
    assert quote(upload.id) in address
