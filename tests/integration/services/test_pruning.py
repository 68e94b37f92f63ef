"""What goes of caches and artifacts when `.windlass` is pruned."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from tests.integration.services.serving import Place
from tests.integration.services.test_cache_protocol import Client

from windlass.db.caches import list_caches
from windlass.operations.history import make_history
from windlass.operations.pruning import prune
from windlass.stores.blobs import BlobStore

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.operations.pruning_stored import Removal


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Three caches: `old` was not used for 8 days, `twin` has the same content as `new`."""
    place = Place(tmp_path / ".windlass")
    client = Client(place.begin())
    same = os.urandom(1 << 16)
    for key, content in (("old", os.urandom(1 << 16)), ("new", same), ("twin", same)):
        client.save(key, content)
    with place.database.writing() as connection:
        connection.execute(
            "UPDATE caches SET used = ? WHERE cache_key = 'old'", (time.time() - 8 * 86_400,)
        )
    place.close()
    return place.state


def run_prune(state: Path, *, dry_run: bool = False) -> list[Removal]:
    history = make_history(state, print)
    removed = prune(history, dry_run=dry_run)
    history.close()
    return removed


def test_dry_run(state: Path) -> None:
    """It is said what would go, and nothing does."""
    (removal,) = run_prune(state, dry_run=True)
    assert (removal.kind, removal.name) == ("cache", "old")
    assert removal.reason == "unused for over 7 days"
    assert removal.bytes == 1 << 16
    assert len(BlobStore(state / "blobs").list_digests()) == 2


@pytest.mark.requirement("A21")
def test_old_caches_go(state: Path) -> None:
    """A cache that was unused for long goes, with what it stored; the others stay whole."""
    assert [it.name for it in run_prune(state)] == ["old"]
    assert len(BlobStore(state / "blobs").list_digests()) == 1
    place = Place(state)
    client = Client(place.begin())
    assert {row.key for row in list_caches(place.database)} == {"new", "twin"}
    assert len(client.restore("twin") or b"") == 1 << 16
    place.close()
    assert run_prune(state) == []


def test_what_a_cache_shares_stays(state: Path) -> None:
    """A content that another cache needs, too, stays when one goes."""
    place = Place(state)
    with place.database.writing() as connection:
        connection.execute("UPDATE caches SET used = 0 WHERE cache_key = 'twin'")
    place.close()
    assert {it.name: it.bytes for it in run_prune(state)} == {"old": 1 << 16, "twin": 0}
    assert len(BlobStore(state / "blobs").list_digests()) == 1


def test_blobs_without_owner_go(state: Path) -> None:
    """What nothing needs, e.g. after history was lost, goes and is counted."""
    for companion in ("", "-wal", "-shm"):
        (state / f"history.db{companion}").unlink(missing_ok=True)
    (removal,) = run_prune(state)
    assert (removal.kind, removal.reason) == ("blobs", "no artifact and no cache needs them")
    assert removal.bytes >= 2 << 16
