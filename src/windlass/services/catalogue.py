"""All services there are. A new one adds its routes here, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass
from windlass.services import artifacts, contents
from windlass.services.caches import service
from windlass.services.github_api import serving as github_api
from windlass.services.identity import issuer

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.db.database import Database
    from windlass.services.artifacts import Artifacts
    from windlass.services.caches.service import Caches
    from windlass.services.contents import Contents
    from windlass.services.server import Server
    from windlass.stores.blobs import BlobStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What services work with: the local history's database, `.windlass`, and the blobs in there.

    `contents` is how clients send and fetch blobs.
    """

    database: Database
    state: Path
    blobs: BlobStore
    contents: Contents
    artifacts: Artifacts
    caches: Caches


def add_all_routes(server: Server, means: Means) -> None:
    """Add the routes of every service."""
    contents.add_routes(server, means.contents)
    artifacts.add_routes(server, means.artifacts)
    service.add_routes(server, means.caches)
    issuer.add_routes(server, means)
    github_api.add_routes(server, means)
