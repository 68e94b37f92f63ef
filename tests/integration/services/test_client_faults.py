"""GitHub's own clients where something is wrong: lines that break, tokens, names, files, days."""

from __future__ import annotations

import stat
import time
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests import npm
from tests.integration.services.breaking import Breaking
from tests.integration.services.test_artifacts import CLIENTS, NEWEST, UPLOAD, Client
from tests.integration.services.test_caches import CLIENTS as CACHE_CLIENTS
from tests.integration.services.test_caches import Machine

from windlass.db.artifacts import ArtifactRow, enter_artifact, list_artifacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.services.serving import Place

    from windlass.services.job_services import JobServices

DAY = 86_400


@pytest.fixture(scope="module")
def home() -> Path:
    package = CLIENTS[NEWEST]
    return npm.install(f"artifact-{package.rpartition('@')[2]}", package)


@pytest.fixture
def client(served: Place, home: Path, tmp_path: Path) -> Client:
    return Client(home, tmp_path / "client", served.begin())


def through(line: Breaking, job: JobServices) -> dict[str, str]:
    """Return the variables that let a client of a job take a line."""
    return {
        name: value.replace(job.origin, line.origin)
        for name, value in job.action_variables.items()
        if job.origin in value
    }


def cut_blocks(times: int) -> Callable[[bytes], int | None]:
    """Judge the first blocks to be cut in their midst."""
    left = [times]

    def judge(head: bytes) -> int | None:
        is_block = head.startswith(b"PUT ") and b"blocklist" not in head.partition(b"\r\n")[0]
        if not is_block or left[0] == 0:
            return None
        left[0] -= 1
        return 300_000

    return judge


def test_an_upload_over_a_line_that_breaks(served: Place, home: Path, tmp_path: Path) -> None:
    """Blocks that are cut in their midst are sent again by the client, and the content is whole."""
    job = served.begin()
    line = Breaking(job.origin, cut_blocks(2))
    client = Client(home, tmp_path / "client", job)

    told = client.run(
        """
        const content = randomBytes(20_000_000);
        writeFileSync('a.bin', content);
        const sent = await client.uploadArtifact('mine', ['a.bin'], '.', {compressionLevel: 0});
        const {digestMismatch} = await client.downloadArtifact(
          sent.id, {path: 'out', expectedHash: `sha256:${sent.digest}`});
        tell({digestMismatch, same: readFileSync('out/a.bin').equals(content)});
        """,
        **through(line, job),
    )

    line.close()
    assert line.cut == 2
    assert told == {"digestMismatch": False, "same": True}
    assert len(list((served.state / "blobs").glob("??/*/*"))) == 3


def test_a_cache_over_a_line_that_breaks(served: Place, tmp_path: Path) -> None:
    """A cache whose blocks are cut is saved all the same, and restored as it was."""
    job = served.begin()
    line = Breaking(job.origin, cut_blocks(1))
    machine = Machine(npm.install(*CACHE_CLIENTS["v2"]), tmp_path / "machine", job, None)
    machine.write("deps/a.txt", "a" * 1000)
    machine.write("deps/b.bin", bytes(range(256)) * 4000)
    number = machine.save("k", **through(line, job))

    line.close()
    assert number > 0
    assert machine.restore("k", lookupOnly=True) == "k"


def test_a_token_that_is_wrong(served: Place, home: Path, tmp_path: Path) -> None:
    """A client with another's token is told so at once, and does not try again."""
    job = served.begin()
    client = Client(home, tmp_path / "client", job)
    head, claims, _ = job.token.split(".")

    told = client.run(
        f"{UPLOAD} tell(await fails(upload));", ACTIONS_RUNTIME_TOKEN=f"{head}.{claims}.AAAA"
    )

    assert told["error"] == (
        "Failed to CreateArtifact: Received non-retryable error: Failed request: "
        "(401) Unauthorized: The token is not one of this run's."
    )


def test_a_cache_with_a_wrong_token(served: Place, tmp_path: Path) -> None:
    """Caches are never worth a failure: the client warns with our words, and its step goes on."""
    job = served.begin()
    machine = Machine(npm.install(*CACHE_CLIENTS["v2"]), tmp_path / "machine", job, None)
    machine.write("deps/x", "x")
    job.close()

    assert machine.save("k") == -1
    assert "The job of this token has ended." in machine.said
    assert machine.restore("k") is None
    assert "The job of this token has ended." in machine.said


def test_a_digest_that_does_not_match(client: Client) -> None:
    """A download is compared with the digest that was expected, and a difference is told."""
    told = client.run(
        f"""{UPLOAD}
        const {{id}} = await upload();
        const other = 'sha256:' + createHash('sha256').update('other').digest('hex');
        const {{digestMismatch}} =
          await client.downloadArtifact(id, {{path: 'out', expectedHash: other}});
        tell(digestMismatch);"""
    )

    assert told is True


def test_merging(served: Place, home: Path, tmp_path: Path) -> None:
    """What actions/upload-artifact/merge does: download many, upload one, delete the many."""
    for number in range(3):
        one = Client(home, tmp_path / f"one-{number}", served.begin(f"one-{number}"))
        one.run(
            """
            writeFileSync(`${process.env.N}.txt`, process.env.N);
            await client.uploadArtifact(`part-${process.env.N}`, [`${process.env.N}.txt`], '.');
            """,
            N=str(number),
        )
    merging = Client(home, tmp_path / "merging", served.begin("merging"))

    told = merging.run(
        """
        const {artifacts} = await client.listArtifacts({latest: true});
        const parts = artifacts.filter(it => it.name.startsWith('part-'));
        await Promise.all(parts.map(it => client.downloadArtifact(it.id, {path: 'all'})));
        const files = readdirSync('all').map(it => `all/${it}`);
        await client.uploadArtifact('merged', files, 'all');
        await Promise.all(parts.map(it => client.deleteArtifact(it.name)));
        const after = await client.listArtifacts();
        const {artifact} = await client.getArtifact('merged');
        await client.downloadArtifact(artifact.id, {path: 'out'});
        tell({after: after.artifacts.map(it => it.name), files: readdirSync('out').sort()});
        """
    )

    assert told == {"after": ["merged"], "files": ["0.txt", "1.txt", "2.txt"]}


@pytest.mark.parametrize(
    ("asked", "allowed", "days"),
    [(1, 90, 1), (90, 90, 90), (400, 90, 90), (400, 0, 90), (20, 7, 7)],
)
def test_days_beyond_the_limit(
    served: Place, client: Client, asked: int, allowed: int, days: int
) -> None:
    """The client keeps to what the runner allows, and the service to its own limit."""
    client.run(
        f"{UPLOAD} await upload('mine', {{retentionDays: {asked}}});",
        GITHUB_RETENTION_DAYS=str(allowed or ""),
    )
    (row,) = list_artifacts(served.database, "1", time.time())

    assert round((row.expires - row.created) / DAY) == days


def test_links_out_of_the_workspace(client: Client, tmp_path: Path) -> None:
    """A link is sent as what it leads to, as on GitHub; one that leads nowhere fails the upload."""
    (tmp_path / "outside.txt").write_text("outside")
    told = client.run(
        """
        const {symlinkSync, lstatSync} = require('node:fs');
        symlinkSync('../outside.txt', 'link.txt');
        symlinkSync('nowhere', 'broken.txt');
        const {id} = await client.uploadArtifact('mine', ['link.txt'], '.');
        await client.downloadArtifact(id, {path: 'out'});
        tell({link: lstatSync('out/link.txt').isSymbolicLink(),
          content: readFileSync('out/link.txt', 'utf8'),
          broken: await fails(() => client.uploadArtifact('other', ['broken.txt'], '.')),
          names: (await client.listArtifacts()).artifacts.map(it => it.name)});
        """
    )

    assert (told["link"], told["content"]) == (False, "outside")
    assert "ENOENT" in told["broken"]["error"]
    assert told["names"] == ["mine"]


def test_an_archive_with_traversal(served: Place, client: Client, tmp_path: Path) -> None:
    """An archive is kept and given back as it is; what its names lead to is left alone."""
    outside = tmp_path / "outside"
    outside.mkdir()
    with zipfile.ZipFile(client.folder / "evil.zip", "w") as archive:
        archive.writestr("../../outside/up.txt", "up")
        archive.writestr(f"{outside}/absolute.txt", "absolute")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(outside))
    content = (client.folder / "evil.zip").read_bytes()

    told = client.run(
        """
        const {id} = await client.uploadArtifact('', ['evil.zip'], '.', {skipArchive: true});
        const got = await fails(() => client.downloadArtifact(id, {path: 'out'}));
        await client.downloadArtifact(id, {path: 'raw', skipDecompress: true});
        tell({got, raw: readdirSync('raw')});
        """
    )

    assert (client.folder / "raw" / told["raw"][0]).read_bytes() == content
    assert list(outside.iterdir()) == []
    assert not [it for it in served.state.rglob("*") if it.suffix == ".txt"]


def test_ten_thousand_artifacts(served: Place, client: Client) -> None:
    """A run with very many artifacts lists all that GitHub's client takes, and finds each."""
    now = time.time()
    with served.database.writing() as connection:
        for number in range(10_000):
            row = ArtifactRow(
                id=number + 1,
                run="1",
                attempt=1,
                job="build",
                name=f"n{number}",
                blob="0" * 64,
                size=number,
                mime_type="application/zip",
                created=now,
                expires=now + DAY,
            )
            enter_artifact(connection, row)

    told = client.run(
        """
        const {artifacts} = await client.listArtifacts();
        const {artifact} = await client.getArtifact('n17');
        tell({count: artifacts.length, first: artifacts[0].name, found: artifact.size});
        """
    )

    assert told == {"count": 10_000, "first": "n9999", "found": 17}
