"""What is stored goes when its time is over or there is too much of it."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.integration.services.calling import Caller, send
from tests.integration.services.serving import Place
from tests.integration.services.test_cache_protocol import Client

from windlass.db.runs import AttemptRow, RunRow, enter_attempt
from windlass.operations import tidying
from windlass.operations.history import make_history
from windlass.operations.pruning import prune
from windlass.services.artifacts import RETENTION_DAYS
from windlass.services.caches.eviction import CacheLimits
from windlass.services.caches.store import CacheStore
from windlass.services.tokens import ADDRESS_SECONDS, TOKEN_SECONDS
from windlass.stores.blobs import BlobStore
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.pruning_stored import Removal

DAY = 86_400.0
RUN = RunRow(
    id="1",
    number=1,
    workflow="CI",
    path=".github/workflows/ci.yml",
    event="push",
    sha="0" * 40,
    ref="refs/heads/main",
    created=0,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def place(tmp_path: Path, clock: ManualClock) -> Iterator[Place]:
    """A `.windlass` with one run, in which only the clock lets time pass."""
    place = Place(tmp_path / ".windlass", clock.now)
    with place.database.writing() as connection:
        enter_attempt(connection, AttemptRow(run=RUN, attempt=1, started=0))
    yield place
    place.close()
    assert place.told == []


def prune_at(place: Place, clock: ManualClock, *, dry_run: bool = False) -> list[Removal]:
    with closing(make_history(place.state, place.told.append)) as history:
        return prune(history, dry_run=dry_run, now=clock.now)


def keep(job: Caller, name: str, content: bytes, days: float | None = None) -> None:
    fields = {}
    if days is not None:
        fields["expires_at"] = datetime.fromtimestamp(days * DAY, UTC).isoformat()
    send(job.create(name, **fields), "PUT", content)
    status, answer = job.finalize(content, name)
    assert status == 200, answer


@pytest.mark.requirement("A21")
def test_an_artifact_goes_at_its_day(place: Place, clock: ManualClock) -> None:
    """It is kept for the days it asks for, at most ninety; then it is not found, then not there."""
    job, blobs = Caller(place.begin()), BlobStore(place.state / "blobs")
    keep(job, "short", os.urandom(5000), days=3)
    keep(job, "default", os.urandom(5000))
    keep(job, "long", os.urandom(5000), days=400)

    clock.advance(3 * DAY - 1)
    assert prune_at(place, clock) == []
    clock.advance(2)
    later = Caller(place.begin("later"))
    assert later.names() == ["long", "default"]
    assert later.call("GetSignedArtifactURL", name="short")[0] == 404
    assert len(blobs.list_digests()) == 3

    planned = prune_at(place, clock, dry_run=True)
    assert prune_at(place, clock) == planned
    assert [(it.kind, it.name, it.reason) for it in planned] == [
        ("artifact", "short", "was to be kept until 1970-01-04")
    ]
    assert planned[0].bytes >= 5000
    assert len(blobs.list_digests()) == 2

    clock.advance((RETENTION_DAYS - 3) * DAY)
    assert {it.name for it in prune_at(place, clock)} == {"default", "long"}
    assert blobs.list_digests() == []


def test_what_an_expired_artifact_shares_stays(place: Place, clock: ManualClock) -> None:
    """A content that another artifact or a cache needs stays, and frees nothing."""
    job, content = place.begin(), os.urandom(5000)
    keep(Caller(job), "short", content, days=1)
    keep(Caller(job), "long", content, days=9)
    Client(job).save("k", content)

    clock.advance(2 * DAY)
    assert [(it.name, it.bytes) for it in prune_at(place, clock)] == [("short", 0)]
    later = Caller(place.begin("later"))
    assert later.fetch("long")[2] == content
    clock.advance(8 * DAY)
    assert {it.name: it.bytes > 0 for it in prune_at(place, clock)} == {"k": False, "long": True}


@pytest.mark.requirement("A21")
def test_a_cache_stays_for_as_long_as_it_is_used(place: Place, clock: ManualClock) -> None:
    """Use puts off the end of a cache; a week without it is the end."""
    client = Client(place.begin())
    client.save("used", b"used")
    client.save("unused", b"unused")

    clock.advance(5 * DAY)
    assert Client(place.begin("second")).restore("used") == b"used"
    clock.advance(3 * DAY)
    third = Client(place.begin("third"))
    assert third.restore("unused") is None
    assert [it.name for it in prune_at(place, clock)] == ["unused"]
    assert third.restore("used") == b"used"


@pytest.mark.requirement("A21")
def test_caches_make_room_by_themselves(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a new cache is one too many, the least recently used goes at once, without pruning."""
    defaults = CacheStore.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "limits", CacheLimits(10_000, 7))
    place = Place(tmp_path / ".windlass", clock.now)
    client = Client(place.begin())
    for key in ("first", "second", "third"):
        client.save(key, os.urandom(3000))
        clock.advance(60)
    assert client.restore("first") is not None

    clock.advance(60)
    client.save("fourth", os.urandom(3000))

    assert client.restore("second") is None
    assert all(client.restore(key) for key in ("first", "third", "fourth"))
    assert len(BlobStore(place.state / "blobs").list_digests()) == 3
    place.close()
    assert place.told == []


def test_a_run_ends_with_a_look_at_what_is_stored(place: Place, clock: ManualClock) -> None:
    """What has expired goes by itself at the end of some later run, once an hour at most."""
    keep(Caller(place.begin()), "short", os.urandom(5000), days=1)
    blobs = BlobStore(place.state / "blobs")
    with closing(make_history(place.state, place.told.append)) as history:
        for days, left in ((0.5, 1), (0.51, 1), (2.0, 0)):
            clock.advance(days * DAY - clock.now())
            tidying.tidy_up(history, clock.now)
            assert len(blobs.list_digests()) == left


def test_a_token_and_an_address_end(place: Place, clock: ManualClock) -> None:
    """A day after its issue a token opens nothing; an address does so for six hours."""
    job = Caller(place.begin())
    address = job.create()

    clock.advance(ADDRESS_SECONDS + 1)
    status, _, answer = send(address, "PUT", b"late")
    assert (status, b"AuthenticationFailed" in answer) == (403, True)
    assert b"has expired" in answer
    clock.advance(TOKEN_SECONDS)
    status, refusal = job.call("ListArtifacts")
    assert (status, refusal["msg"]) == (401, "The token has expired.")
