"""All services there are. A new one adds its routes here, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.db.database import Database
    from windlass.services.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What services work with: the local history's database and `.windlass`."""

    database: Database
    state: Path


def add_all_routes(server: Server, means: Means) -> None:
    """Add the routes of every service: a line for each, `caches.add_routes(server, means)`."""
