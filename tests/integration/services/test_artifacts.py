"""Artifacts as GitHub's own client sends, lists, fetches and deletes them, unpatched."""

from __future__ import annotations

import hashlib
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from tests import npm

from windlass.db.artifacts import list_artifacts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.services.serving import Place

    from windlass.services.job_services import JobServices

CLIENTS = {"actions-v4": "@actions/artifact@2.3.2", "actions-v7": "@actions/artifact@6.2.1"}
NEWEST = "actions-v7"

CLIENT = """
const {DefaultArtifactClient} = await import('@actions/artifact');
const {createHash, randomBytes} = require('node:crypto');
const {mkdirSync, readFileSync, readdirSync, existsSync} = require('node:fs');
const client = new DefaultArtifactClient();
const fails = async deed => {
  try { return {answer: await deed()}; } catch (error) { return {error: error.message}; }
};
"""
UPLOAD = """
mkdirSync('in/sub', {recursive: true});
writeFileSync('in/a.txt', 'hello');
writeFileSync('in/sub/b.bin', Buffer.alloc(300000, 7));
const upload = (name = 'mine', options = {}) =>
  client.uploadArtifact(name, ['in/a.txt', 'in/sub/b.bin'], 'in', options);
"""


class Client:
    """npm's client in the place of an action of one job."""

    def __init__(self, home: Path, folder: Path, job: JobServices) -> None:
        folder.mkdir()
        variables = {
            **job.action_variables,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(folder),
            "GITHUB_RETENTION_DAYS": "90",
            "RUNNER_TEMP": str(folder),
        }
        self._node = npm.Node(home, folder, variables)
        self.folder = folder

    def run(self, script: str, **variables: str) -> Any:
        """Run a script after one that makes `client`, and return what it told."""
        return self._node.run(CLIENT + script, **variables)


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS, scope="module")
def home(request: pytest.FixtureRequest) -> Path:
    return npm.install(f"artifact-{request.param.rpartition('@')[2]}", request.param)


@pytest.fixture(scope="module")
def newest() -> Path:
    package = CLIENTS[NEWEST]
    return npm.install(f"artifact-{package.rpartition('@')[2]}", package)


@pytest.fixture
def client(served: Place, newest: Path, tmp_path: Path) -> Client:
    return Client(newest, tmp_path / "client", served.begin())


@pytest.mark.requirement("A19")
def test_one_job_uploads_and_the_next_downloads(served: Place, home: Path, tmp_path: Path) -> None:
    """What one job uploads, the next one lists, downloads with the same digest, and deletes."""
    one = Client(home, tmp_path / "one", served.begin("one"))
    two = Client(home, tmp_path / "two", served.begin("two"))
    sent = one.run(f"{UPLOAD} tell(await upload());")

    got = two.run(
        """
        const {artifact} = await client.getArtifact('mine');
        const {downloadPath, digestMismatch} =
          await client.downloadArtifact(artifact.id, {expectedHash: artifact.digest});
        const listed = await client.listArtifacts();
        const deleted = await client.deleteArtifact('mine');
        const after = await client.listArtifacts();
        tell({artifact, listed, digestMismatch, deleted, after: after.artifacts,
          files: readdirSync('.', {recursive: true}).filter(it => !it.startsWith('node_modules'))});
        """
    )

    assert got["artifact"]["id"] == sent["id"]
    assert got["artifact"]["size"] == sent["size"]
    assert got["listed"]["artifacts"] == [got["artifact"]]
    assert got["artifact"].get("digest") in (None, f"sha256:{sent['digest']}")
    assert got["digestMismatch"] is not True
    assert (got["deleted"], got["after"]) == ({"id": sent["id"]}, [])
    assert (two.folder / "a.txt").read_text() == "hello"
    assert (two.folder / "sub" / "b.bin").read_bytes() == b"\x07" * 300_000


def test_a_file_goes_as_it_is(client: Client) -> None:
    """Without an archive a file comes back under its own name, whatever characters it has."""
    name = "Größe, 100% “so” (1).txt"

    told = client.run(
        """
        writeFileSync(process.env.NAME, 'as it is');
        const sent = await client.uploadArtifact('', [process.env.NAME], '.', {skipArchive: true});
        const {artifact} = await client.getArtifact(process.env.NAME);
        await client.downloadArtifact(artifact.id, {path: 'out', expectedHash: artifact.digest});
        tell({sent, artifact, found: readdirSync('out')});
        """,
        NAME=name,
    )

    assert told["artifact"]["name"] == name
    assert told["found"] == [name]
    assert told["sent"]["digest"] == hashlib.sha256(b"as it is").hexdigest()
    assert (client.folder / "out" / name).read_text() == "as it is"


def test_a_name_is_taken_once(served: Place, newest: Path, tmp_path: Path) -> None:
    """A second artifact of the same name is refused in GitHub's words; after a deletion it is not.

    The words: https://github.com/actions/upload-artifact/issues/478
    """
    one = Client(newest, tmp_path / "one", served.begin("one"))
    other = Client(newest, tmp_path / "other", served.begin("other"))
    one.run(f"{UPLOAD} await upload();")

    told = other.run(
        f"""{UPLOAD}
        const refused = await fails(upload);
        await client.deleteArtifact('mine');
        tell({{refused, again: await upload()}});"""
    )

    assert told["refused"]["error"] == (
        "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: "
        "an artifact with this name already exists on the workflow run"
    )
    assert told["again"]["size"] > 0


def test_many_at_once(client: Client) -> None:
    """Twenty uploads at once, some of several blocks, come back each as it was sent."""
    told = client.run(
        """
        const sizes = Array.from({length: 20}, (_, number) => number * 1100000);
        const digests = await Promise.all(sizes.map(async (size, number) => {
          const content = randomBytes(size);
          writeFileSync(`${number}.bin`, content);
          await client.uploadArtifact(`n${number}`, [`${number}.bin`], '.', {compressionLevel: 0});
          return createHash('sha256').update(content).digest('hex');
        }));
        const {artifacts} = await client.listArtifacts();
        const found = await Promise.all(artifacts.map(async ({id, name, digest}) => {
          const path = `out/${name}`;
          const {digestMismatch} = await client.downloadArtifact(id, {path, expectedHash: digest});
          const number = Number(name.slice(1));
          const content = readFileSync(`${path}/${number}.bin`);
          const same = createHash('sha256').update(content).digest('hex') === digests[number];
          return same && !digestMismatch;
        }));
        tell(found);
        """
    )

    assert told == [True] * 20


def test_retention_days(served: Place, client: Client) -> None:
    """An artifact is kept for the days that were asked for, else for ninety; then it is gone."""
    client.run(f"{UPLOAD} await upload('short', {{retentionDays: 3}}); await upload('long');")
    rows = {row.name: row for row in list_artifacts(served.database, "1", time.time())}

    days = {name: round((row.expires - row.created) / 86_400) for name, row in rows.items()}

    assert days == {"short": 3, "long": 90}
    later = rows["short"].expires + 1
    assert [row.name for row in list_artifacts(served.database, "1", later)] == ["long"]


def test_a_newer_attempt_comes_first(served: Place, newest: Path, tmp_path: Path) -> None:
    """A later attempt uploads under the same name; both are there, and the newer one is found."""
    first = Client(newest, tmp_path / "first", served.begin("build"))
    again = Client(newest, tmp_path / "again", served.begin("build", attempt=2))
    first.run(f"{UPLOAD} await upload();")

    told = again.run(
        f"""{UPLOAD}
        const sent = await upload();
        tell({{sent, all: (await client.listArtifacts()).artifacts.length,
          latest: (await client.listArtifacts({{latest: true}})).artifacts.map(it => it.id),
          found: (await client.getArtifact('mine')).artifact.id}});"""
    )

    assert told["all"] == 2
    assert told["latest"] == [told["sent"]["id"]]
    assert told["found"] == told["sent"]["id"]


def test_another_run_is_out_of_reach(served: Place, newest: Path, tmp_path: Path) -> None:
    """A job sees the artifacts of its own run alone."""
    one = Client(newest, tmp_path / "one", served.begin(run="1"))
    stranger = Client(newest, tmp_path / "stranger", served.begin(run="2"))
    sent = one.run(f"{UPLOAD} tell(await upload());")

    told = stranger.run(
        """tell({list: (await client.listArtifacts()).artifacts,
          named: await fails(() => client.getArtifact('mine')),
          fetched: await fails(() => client.downloadArtifact(Number(process.env.ID)))});""",
        ID=str(sent["id"]),
    )

    assert told["list"] == []
    assert "Artifact not found for name: mine" in told["named"]["error"]
    assert "No artifacts found for ID" in told["fetched"]["error"]


def test_a_job_that_has_ended_is_refused(served: Place, newest: Path, tmp_path: Path) -> None:
    """After the end of its job a token is good for nothing, and the client is told so at once."""
    job = served.begin()
    late = Client(newest, tmp_path / "late", job)
    job.close()

    told = late.run("tell(await fails(() => client.listArtifacts()));")

    assert told["error"] == (
        "Failed to ListArtifacts: Received non-retryable error: Failed request: "
        "(401) Unauthorized: The job of this token has ended."
    )


def test_many_small_files(client: Client) -> None:
    """A thousand files come back from one artifact, each in its folder."""
    told = client.run(
        """
        const files = [];
        for (let number = 0; number < 1000; number++) {
          const folder = `in/${number % 10}`;
          mkdirSync(folder, {recursive: true});
          files.push(`${folder}/${number}.txt`);
          writeFileSync(files.at(-1), `file ${number}`);
        }
        await client.uploadArtifact('many', files, 'in');
        const {artifact} = await client.getArtifact('many');
        await client.downloadArtifact(artifact.id, {path: 'out'});
        tell(readdirSync('out', {recursive: true}).length);
        """
    )

    assert told == 1000 + 10


def test_equal_contents_are_kept_once(served: Place, client: Client) -> None:
    """Two artifacts of the same content are one blob, which stays until both are gone."""
    client.run(
        """
        writeFileSync('one.txt', 'the same'.repeat(10000));
        writeFileSync('two.txt', 'the same'.repeat(10000));
        await client.uploadArtifact('', ['one.txt'], '.', {skipArchive: true});
        await client.uploadArtifact('', ['two.txt'], '.', {skipArchive: true});
        """
    )

    rows = list_artifacts(served.database, "1", time.time())

    assert {row.name for row in rows} == {"one.txt", "two.txt"}
    assert len({row.blob for row in rows}) == 1
    blobs = served.state / "blobs"
    files = [it for it in blobs.rglob("*") if it.is_file() and it.name != "lock"]
    assert len(files) == 1
    assert files[0].stat().st_size < 80_000 / 10


def test_what_is_stored_is_a_zip(served: Place, client: Client) -> None:
    """The archive that is kept is the one the client made, byte by byte."""
    sent = client.run(f"{UPLOAD} tell(await upload());")
    (row,) = list_artifacts(served.database, "1", time.time())
    path = served.state / "blobs" / row.blob[:2] / row.blob[2:]

    content = b"".join(part.read_bytes() for part in sorted(path.iterdir()))
    (client.folder / "kept.zip").write_bytes(content)

    assert hashlib.sha256(content).hexdigest() == sent["digest"]
    names = zipfile.ZipFile(client.folder / "kept.zip").namelist()
    assert sorted(names) == ["a.txt", "sub/b.bin"]
