"""Keeping `.windlass` small: which runs, bases and leftovers go, and what stays.

Nothing goes that a run that is live needs, and the latest run stays. What a run leaves behind is
its folder, the folders of its jobs that were kept, and its journal.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from windlass.db.runs import list_latest, remove_run
from windlass.errors import PlatformError
from windlass.jobs.supervisor.sweep import sweep
from windlass.jobs.workspaces.bases import list_bases, remove_base
from windlass.jobs.workspaces.removal import remove_at_once
from windlass.model.values import dataclass
from windlass.operations.pruning_leftovers import (
    measure,
    prune_halves,
    prune_unentered,
    prune_work,
)
from windlass.operations.pruning_stored import Removal, prune_stored
from windlass.operations.pruning_trees import prune_trees
from windlass.operations.tidying import sweep_daemons
from windlass.stores.state_folder import BASES, DATABASE, TOOLS, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from windlass.operations.history import History

SECONDS_PER_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may stay: so many runs, for so many days, in so many bytes; and so many bases.

    A base goes after as many days without use. `tools` are the tool caches: False leaves them.
    """

    runs: int = 100
    days: float = 30
    run_bytes: int = 2 << 30
    bases: int = 20
    tools: bool = False


DEFAULT_LIMITS: Final = Limits()


def prune(
    history: History,
    limits: Limits = DEFAULT_LIMITS,
    *,
    dry_run: bool = False,
    now: Callable[[], float] = time.time,
) -> list[Removal]:
    """Remove what is beyond the limits; return what went or, with `dry_run`, what would go.

    `now` returns seconds since the epoch.

    Raises:
        PlatformError: something cannot be removed.
    """
    pruner = _Pruner(history, limits, now(), dry_run=dry_run)
    try:
        if not dry_run:
            sweep(history.folders.path)
            sweep_daemons(history.tell)
        removed = [*pruner.prune_runs(), *pruner.prune_leftovers(), *pruner.prune_bases()]
        removed += [*pruner.prune_objects(), *pruner.prune_damaged(), *pruner.prune_tools()]
        removed += prune_stored(history, dry_run=dry_run, now=now)
    except OSError as error:
        problem = error.strerror or str(error)
        raise PlatformError(
            f"{error.filename or history.state} cannot be removed: {problem}"
        ) from error
    return removed


class _Pruner:
    def __init__(self, history: History, limits: Limits, now: float, *, dry_run: bool) -> None:
        self._history = history
        self._limits = limits
        self._dry_run = dry_run
        self._now = now
        self._gone: set[str] = set()

    def prune_runs(self) -> Iterator[Removal]:
        """Remove runs that are too many, too old or too large, the oldest first."""
        kept_bytes = 0
        for place, row in enumerate(list_latest(self._history.database)):
            run = row.run.id
            size = sum(map(measure, self._paths_of(run)))
            reason = self._judge_run(place, row.started, kept_bytes + size)
            if place == 0 or reason is None:
                kept_bytes += size
            elif self._remove_run(run):
                yield Removal("run", run, reason, size)

    def prune_leftovers(self) -> Iterator[Removal]:
        """Remove what killed runs have left, and killed removals."""
        history, dry_run = self._history, self._dry_run
        yield from prune_work(history, gone=self._gone, dry_run=dry_run)
        yield from prune_unentered(history, self._now, dry_run=dry_run)
        yield from prune_halves(history, dry_run=dry_run)

    def prune_bases(self) -> Iterator[Removal]:
        """Remove bases that were not used for long, and all but the most recent ones."""
        folder = self._history.state / BASES
        for place, key in enumerate(list_bases(folder)):
            path = folder / key
            reason = self._judge_base(place, path)
            if reason is None:
                continue
            size = measure(path)
            if self._dry_run or remove_base(folder, key):
                yield Removal("base", key, reason, size)

    def prune_objects(self) -> Iterator[Removal]:
        """Remove what runs and bases needed that are gone."""
        return prune_trees(self._history, gone=self._gone, dry_run=self._dry_run)

    def prune_damaged(self) -> Iterator[Removal]:
        """Remove damaged databases that were moved aside long ago."""
        for path in self._history.state.glob(f"{DATABASE}.damaged-*"):
            if self._is_old(path.stat().st_mtime):
                yield self._remove("database", path, self._age_reason)

    def prune_tools(self) -> Iterator[Removal]:
        """Remove the tool cache, where that was asked for and no run is live."""
        tools = self._history.state / TOOLS
        live = any(attempt.is_live for attempt in self._history.list_runs())
        if self._limits.tools and tools.exists() and not live:
            yield self._remove("tools", tools, "asked for")

    def _judge_run(self, place: int, started: float, total: int) -> str | None:
        if place >= self._limits.runs:
            return f"beyond the last {self._limits.runs}"
        if self._is_old(started):
            return self._age_reason
        if total > self._limits.run_bytes:
            return f"runs take more than {self._limits.run_bytes} bytes"
        return None

    def _judge_base(self, place: int, path: Path) -> str | None:
        if place >= self._limits.bases:
            return f"beyond the last {self._limits.bases}"
        return self._age_reason if self._is_old(path.stat().st_mtime) else None

    def _is_old(self, moment: float) -> bool:
        return self._now - moment > self._limits.days * SECONDS_PER_DAY

    @property
    def _age_reason(self) -> str:
        return f"older than {self._limits.days:g} days"

    def _remove_run(self, run: str) -> bool:
        """Remove a run unless one of its attempts is live; its locks are held meanwhile."""
        numbers = self._numbers(run)
        folders = [self._history.folders.attempt(run, it) for it in numbers]
        if any(folder.is_live for folder in folders):
            return False
        self._gone.add(run)
        if self._dry_run:
            return True
        try:
            if not all(folder.claim() for folder in folders):
                return False
            with self._history.database.writing() as connection:
                if self._numbers(run) != numbers:
                    return False  # somebody has begun another attempt meanwhile
                remove_run(connection, run)
            for path in self._paths_of(run):
                remove_at_once(path)
        finally:
            for folder in folders:
                folder.release()
        return True

    def _remove(self, kind: str, path: Path, reason: str) -> Removal:
        size = measure(path)
        if not self._dry_run:
            remove_at_once(path)
        return Removal(kind, path.name, reason, size)

    def _numbers(self, run: str) -> list[int]:
        return self._history.folders.attempts(run)

    def _paths_of(self, run: str) -> list[Path]:
        work = self._history.state / WORK
        found = [self._history.folders.path / run, work / run, *work.glob(f"{run}.*")]
        return [path for path in found if path.exists()]
