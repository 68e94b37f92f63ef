"""All services there are. A new one adds its routes here, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass
from windlass.services import artifacts, contents
from windlass.services.artifacts import Artifacts
from windlass.services.caches import service
from windlass.services.caches.service import Caches
from windlass.services.caches.store import CacheStore
from windlass.services.contents import Contents
from windlass.services.github_api import serving as github_api
from windlass.services.identity import issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from windlass.db.connections import Store
    from windlass.services.jobs import ServedJob
    from windlass.services.owners import Owners
    from windlass.services.server import Server
    from windlass.services.tokens import Tokens
    from windlass.stores.blobs import BlobStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What services work with: the index of what jobs have stored, and the blobs.

    `contents` is how clients send and fetch blobs. `identity` is the folder of the key of identity
    tokens. `find_root` returns the folder in which Git finds the repository of a job, and
    `read_events` the lines that tell of its run so far.
    """

    database: Store
    blobs: BlobStore
    contents: Contents
    artifacts: Artifacts
    caches: Caches
    identity: Path
    find_root: Callable[[ServedJob], Path]
    read_events: Callable[[ServedJob], Iterable[str]]


def make_means(
    database: Store,
    blobs: BlobStore,
    tokens: Tokens,
    owners: Owners,
    now: Callable[[], float],
    *,
    identity: Path,
    find_root: Callable[[ServedJob], Path],
    read_events: Callable[[ServedJob], Iterable[str]],
) -> Means:
    """Return what services work with; `now` returns seconds since the epoch."""
    contents = Contents(blobs, tokens, owners)
    return Means(
        database=database,
        blobs=blobs,
        contents=contents,
        artifacts=Artifacts(database, blobs, contents, now),
        caches=Caches(CacheStore(database, blobs, owners=owners, now=now), contents),
        identity=identity,
        find_root=find_root,
        read_events=read_events,
    )


def add_all_routes(server: Server, means: Means) -> None:
    """Add the routes of every service."""
    contents.add_routes(server, means.contents)
    artifacts.add_routes(server, means.artifacts)
    service.add_routes(server, means.caches)
    issuer.add_routes(server, means)
    github_api.add_routes(server, means)
