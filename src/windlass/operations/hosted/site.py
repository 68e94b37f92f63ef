"""What the operations of a server work on: its database, its folder, its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.db.connections import Store
    from windlass.engine.server.changes import Changes
    from windlass.engine.server.runs import ServerRuns


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One server process. All of them on one database share `store` and what lies in `data`.

    `address` is where people, runners and jobs find it: `http://127.0.0.1:8484`, without a slash at
    the end. `now` returns seconds since the epoch.
    """

    store: Store
    data: Path
    runs: ServerRuns
    changes: Changes
    address: str
    now: Callable[[], float]
