"""What the cache service answers to clients that fail, lie, race or speak nonsense."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from tests.integration.services.serving import Place

from windlass.db.caches import add_cache, list_caches
from windlass.model.values import dataclass
from windlass.services.caches.eviction import DAY, CacheLimits
from windlass.services.caches.store import CacheStore
from windlass.services.contents import Contents
from windlass.stores.blobs import BlobStore

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.services.job_services import JobServices

TWIRP = "/twirp/github.actions.results.api.v1.CacheService/"
REST = "/_apis/artifactcache/"
VERSION = "0" * 64


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A client of one job that sends what it is told to."""

    def __init__(self, job: JobServices) -> None:
        self.job = job

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Any = b"",
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        given = body if isinstance(body, bytes) else json.dumps(body).encode()
        address = urlsplit(self.job.origin)
        connection = http.client.HTTPConnection(address.hostname or "", address.port or 0)
        bearer = self.job.token if token is None else token
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, given, {"Authorization": f"Bearer {bearer}", **named})
        answer = connection.getresponse()
        found = Answer(answer.status, answer.read())
        connection.close()
        return found

    def call(self, method: str, **fields: Any) -> Answer:
        return self.send("POST", TWIRP + method, {"version": VERSION, **fields})

    def upload(self, address: str, content: bytes) -> Answer:
        parts = urlsplit(address)
        return self.send("PUT", f"{parts.path}?{parts.query}", content, x_ms_blob_type="BlockBlob")

    def save(self, key: str, content: bytes) -> Answer:
        made = self.call("CreateCacheEntry", key=key).json
        assert self.upload(made["signed_upload_url"], content).status == 201
        return self.call("FinalizeCacheEntryUpload", key=key, size_bytes=str(len(content)))

    def find(self, key: str, *more: str) -> Any:
        return self.call("GetCacheEntryDownloadURL", key=key, restore_keys=list(more)).json

    def restore(self, key: str) -> bytes | None:
        found = self.find(key)
        if not found["ok"]:
            return None
        parts = urlsplit(found["signed_download_url"])
        return self.send("GET", f"{parts.path}?{parts.query}", token="").body


@pytest.fixture
def client(served: Place) -> Client:
    return Client(served.begin())


def test_two_jobs_save_one_key(served: Place) -> None:
    """Of many jobs at once one gets the key; the others are told, and nothing is torn."""
    clients = [Client(served.begin(f"job-{number}")) for number in range(8)]
    answers: dict[int, Answer] = {}
    gate = threading.Barrier(len(clients))

    def reserve(number: int) -> None:
        gate.wait()
        answers[number] = clients[number].call("CreateCacheEntry", key="k")

    threads = [threading.Thread(target=reserve, args=(number,)) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [number for number, answer in answers.items() if answer.status == 200]
    losers = [answer for number, answer in answers.items() if number != winner]
    assert {(it.status, it.json["code"]) for it in losers} == {(409, "already_exists")}

    one = clients[winner]
    one.upload(answers[winner].json["signed_upload_url"], b"won")
    assert one.call("FinalizeCacheEntryUpload", key="k", size_bytes="3").json["ok"]
    loser = clients[(winner + 1) % len(clients)]
    assert loser.call("FinalizeCacheEntryUpload", key="k", size_bytes="3").status == 404
    assert loser.restore("k") == b"won"


def test_finalize_again(client: Client) -> None:
    """A client that has not heard the answer asks again and hears the same."""
    first = client.save("k", b"x")
    assert first.json == client.call("FinalizeCacheEntryUpload", key="k", size_bytes="1").json


def test_finalize_long_after(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server remembers the last of them alone: it may be kept for years."""
    monkeypatch.setattr("windlass.services.caches.drafts._MOST_FINISHED", 2)
    for key in ("k", "l", "m"):
        assert client.save(key, b"x").json["ok"]

    again = {key: client.call("FinalizeCacheEntryUpload", key=key, size_bytes="1") for key in "klm"}

    assert [again[key].status for key in "klm"] == [404, 200, 200]


def test_a_death_before_the_end_is_told(
    served: Place, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept, and its upload not yet thrown away, is told to the client that asks again."""
    with monkeypatch.context() as death:
        death.setattr(Contents, "end_upload", lambda _self, _upload: None)
        first = client.save("k", b"x")
    served.services._means.caches.drafts._finished.clear()

    again = client.call("FinalizeCacheEntryUpload", key="k", size_bytes="1")

    assert first.json["ok"]
    assert (again.status, again.json) == (200, first.json)
    assert client.restore("k") == b"x"


@pytest.mark.parametrize(
    ("sent", "announced", "why"),
    [
        (b"abc", "4", "The cache has 3 bytes, and 4 were announced: send it again."),
        (None, "4", "The cache is not complete: its content was never sent."),
    ],
    ids=["truncated", "never-sent"],
)
def test_incomplete(client: Client, sent: bytes | None, announced: str, why: str) -> None:
    """What is not complete is thrown away, and its key is free again."""
    address = client.call("CreateCacheEntry", key="k").json["signed_upload_url"]
    if sent is not None:
        client.upload(address, sent)
    answer = client.call("FinalizeCacheEntryUpload", key="k", size_bytes=announced)
    assert (answer.status, answer.json["msg"]) == (400, why)
    assert not client.find("k")["ok"]
    assert client.upload(address, b"late").status == 404
    assert client.save("k", b"whole").json["ok"]


def test_nothing_is_found_before_it_is_complete(served: Place, client: Client) -> None:
    """A cache that is being written is seen by nobody."""
    address = client.call("CreateCacheEntry", key="k").json["signed_upload_url"]
    client.upload(address, b"x")
    assert Client(served.begin("other")).restore("k") is None


def test_a_job_that_ends_gives_up_its_key(served: Place, client: Client) -> None:
    """What a job has not finished when it ends can be saved by another; its uploads are gone."""
    address = client.call("CreateCacheEntry", key="k").json["signed_upload_url"]
    client.upload(address, b"x" * 100)
    client.job.close()
    other = Client(served.begin("other"))
    assert other.upload(address, b"late").status == 404
    assert other.save("k", b"mine").json["ok"]
    assert other.restore("k") == b"mine"


def test_a_process_that_died_gives_up_its_keys(served: Place, client: Client) -> None:
    """A key reserved by a Windlass that was killed can be saved by another."""
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    for writer, key in ((f"{died.pid}/job", "dead"), (f"{os.getppid()}/job", "alive")):
        with served.database.writing() as connection:
            add_cache(
                connection,
                scope="refs/heads/main",
                version=VERSION,
                key=key,
                writer=writer,
                now=9e9,
            )
    assert client.call("CreateCacheEntry", key="dead").status == 200
    assert client.call("CreateCacheEntry", key="alive").status == 409


def test_a_lost_content_is_no_cache(served: Place, client: Client) -> None:
    """A cache whose blob is gone is forgotten: the next best one is found."""
    client.save("k-1", b"older")
    client.save("k-2", b"newer")
    (newer, _) = list_caches(served.database)
    blobs = BlobStore(served.state / "blobs")
    for part in blobs.locate(newer.blob or "").iterdir():
        part.unlink()
    assert client.find("k-2", "k-")["matched_key"] == "k-1"
    assert client.save("k-2", b"again").json["ok"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": "a,b"}, "Key Validation Error: a,b cannot contain commas."),
        ({"key": ""}, "Key Validation Error: the key is empty."),
        ({"key": 5}, "The field key has to be a text, not int."),
        ({}, "The field key has to be a text, not nothing."),
        ({"key": "k", "version": "../x"}, "The version of a cache is a hash"),
        ({"key": "k", "version": ""}, "The version of a cache is a hash"),
    ],
    ids=["comma", "empty", "number", "missing", "path", "no-version"],
)
def test_wrong_names(client: Client, fields: dict[str, Any], message: str) -> None:
    """A key or a version that can be none is refused when it is saved and when it is sought."""
    for method in ("CreateCacheEntry", "GetCacheEntryDownloadURL"):
        answer = client.call(method, **fields)
        assert answer.status == 400
        assert answer.json["msg"].startswith(message)


@pytest.mark.parametrize(
    ("more", "status"),
    [(["r"] * 20, 200), ([f"r{n}" for n in range(9)], 200), ([f"r{n}" for n in range(10)], 400)],
    ids=["repeated", "ten", "eleven"],
)
def test_number_of_keys(client: Client, more: list[str], status: int) -> None:
    """Ten different keys are sought at once; BuildKit names the first one twice."""
    assert client.call("GetCacheEntryDownloadURL", key="k", restore_keys=more).status == status
    path = f"{REST}cache?version={VERSION}&keys={quote(','.join(['k', *more]))}"
    assert client.send("GET", path).status == (204 if status == 200 else 400)


def test_tokens(served: Place, client: Client) -> None:
    """Without the token of a job that runs nothing is saved or found, in either version."""
    client.job.close()
    for token, why in (
        ("", "no token"),
        ("abc", "not one of this run's"),
        (client.job.token, "has ended"),
    ):
        for method, path in (
            ("POST", f"{TWIRP}CreateCacheEntry"),
            ("GET", f"{REST}cache?keys=k&version={VERSION}"),
        ):
            answer = client.send(method, path, {"key": "k"}, token)
            assert answer.status == 401
            assert why in answer.json["message"]


def test_signed_addresses(client: Client) -> None:
    """An address is good for the one content that it was signed for, as it was signed."""
    client.save("a", b"A")
    client.save("b", b"B")
    first, second = (urlsplit(client.find(key)["signed_download_url"]) for key in "ab")
    assert client.send("GET", f"{second.path}?{first.query}", token="").status == 403
    assert client.send("GET", first.path, token="").status == 403
    assert client.send("PUT", f"{first.path}?{first.query}", b"new", token="").status == 405
    assert client.restore("a") == b"A"


class TestFirstVersion:
    """The older service, by the requests of `@actions/cache` up to 3."""

    def reserve(self, client: Client, key: str = "k", **more: Any) -> Answer:
        return client.send("POST", f"{REST}caches", {"key": key, "version": VERSION, **more})

    def patch(self, client: Client, number: int, content: bytes, given: str) -> Answer:
        return client.send("PATCH", f"{REST}caches/{number}", content, Content_Range=given)

    def test_parts_in_any_order_and_again(self, client: Client) -> None:
        """Ranges may come in any order, and a repeated one takes the place of the first."""
        number = self.reserve(client).json["cacheId"]
        assert self.patch(client, number, b"def", "bytes 3-5/*").status == 204
        assert self.patch(client, number, b"xyz", "bytes 0-2/*").status == 204
        assert self.patch(client, number, b"abc", "bytes 0-2/6").status == 204
        assert client.send("POST", f"{REST}caches/{number}", {"size": 6}).status == 204
        assert client.restore("k") == b"abcdef"

        found = client.send("GET", f"{REST}cache?keys=k&version={VERSION}").json
        assert (found["cacheKey"], found["scope"]) == ("k", "refs/heads/main")

    @pytest.mark.parametrize(
        ("parts", "size", "message"),
        [
            ([("bytes 0-2/*", b"abc")], 4, "The cache has 3 bytes, and 4 were announced"),
            (
                [("bytes 3-5/*", b"abc")],
                6,
                "The cache is not complete: nothing was sent for byte 0",
            ),
            (
                [("bytes 0-2/*", b"abc"), ("bytes 2-3/*", b"cd")],
                4,
                "The cache is not complete: nothing was sent for byte 3",
            ),
            ([], 6, "The cache has 0 bytes, and 6 were announced"),
        ],
        ids=["short", "hole", "overlap", "nothing"],
    )
    def test_ranges_that_make_no_whole(
        self, client: Client, parts: list[tuple[str, bytes]], size: int, message: str
    ) -> None:
        """A cache with holes, overlaps or missing bytes is not kept."""
        number = self.reserve(client).json["cacheId"]
        for given, content in parts:
            assert self.patch(client, number, content, given).status == 204
        answer = client.send("POST", f"{REST}caches/{number}", {"size": size})
        assert answer.status == 400
        assert message in answer.json["message"]
        assert client.restore("k") is None

    @pytest.mark.parametrize(
        "given", ["", "bytes 2-1/*", "bytes a-b/*", "items 0-2/*", f"bytes 0-{10**17}/*"]
    )
    def test_ranges_that_are_none(self, client: Client, given: str) -> None:
        """A part has to say where it belongs."""
        number = self.reserve(client).json["cacheId"]
        assert self.patch(client, number, b"abc", given).status == 400

    def test_a_range_that_lies(self, client: Client) -> None:
        """A part has to be as long as it says."""
        number = self.reserve(client).json["cacheId"]
        answer = self.patch(client, number, b"abc", "bytes 0-5/*")
        assert "has 3 bytes, not 6" in answer.json["message"]

    def test_a_key_that_is_taken(self, client: Client) -> None:
        """BuildKit tells by `typeKey` that a cache exists already."""
        self.reserve(client)
        answer = self.reserve(client)
        assert answer.status == 409
        assert answer.json["typeKey"] == "ArtifactCacheItemAlreadyExistsException"
        assert answer.json["message"].startswith("Cache already exists. Scope: refs/heads/main")

    def test_too_large(self, client: Client) -> None:
        """A cache that is larger than all together may be is refused before it is sent."""
        answer = self.reserve(client, cacheSize=11 << 30)
        assert answer.status == 400
        assert answer.json["message"] == (
            "Cache size of ~11264 MB (11811160064 B) is over the limit of 10240 MB, "
            "not saving cache."
        )

    def test_caches_of_others(self, served: Place, client: Client) -> None:
        """A job writes to its own number alone."""
        number = self.reserve(client).json["cacheId"]
        other = Client(served.begin("other"))
        assert self.patch(other, number, b"abc", "bytes 0-2/*").status == 404
        assert other.send("POST", f"{REST}caches/{number}", {"size": 0}).status == 404

    def test_list(self, client: Client) -> None:
        """Caches with a similar key are listed where a job looks for its own."""
        client.save("npm-1", b"x")
        listed = client.send("GET", f"{REST}caches?key=npm").json
        assert listed["totalCount"] == 1
        assert listed["artifactCaches"][0]["cacheKey"] == "npm-1"

    def test_paths_that_are_not_there(self, client: Client) -> None:
        """Anything else is refused, with a sentence."""
        for method, path in (("DELETE", "caches/1"), ("GET", "other"), ("PUT", "caches")):
            assert client.send(method, REST + path).status == 404


@pytest.mark.requirement("A21")
def test_eviction(tmp_path: Path) -> None:
    """Room is made for a new cache: what was not used for long goes, and its blob with it."""
    place = Place(tmp_path / ".windlass")
    now = [0.0]
    blobs = BlobStore(tmp_path / ".windlass" / "blobs")
    store = CacheStore(
        place.database, blobs, limits=CacheLimits(bytes=100, days=7), now=lambda: now[0]
    )
    client = Client(place.begin())
    for key in ("old", "used", "plain"):
        client.save(key, os.urandom(40))
    with place.database.writing() as connection:
        connection.execute("UPDATE caches SET used = 0")
        connection.execute("UPDATE caches SET used = 1 WHERE cache_key <> 'old'")
    now[0] = 7 * DAY + 1
    assert [it.reason for it in store.evict()] == ["unused for over 7 days"]
    assert {row.key for row in list_caches(place.database)} == {"used", "plain"}
    assert len(blobs.list_digests()) == 2
    place.close()


def test_a_cache_that_was_unused_for_long_is_not_found(served: Place, client: Client) -> None:
    """After 7 days without use a cache is out of reach, and its key is free at once."""
    client.save("k", b"x")
    with served.database.writing() as connection:
        connection.execute("UPDATE caches SET used = used - 6.9 * 86400")
    assert client.find("k")["ok"]
    with served.database.writing() as connection:
        connection.execute("UPDATE caches SET used = used - 7.1 * 86400")
    assert not client.find("k")["ok"]
    assert client.save("k", b"new").json["ok"]
    assert client.restore("k") == b"new"
