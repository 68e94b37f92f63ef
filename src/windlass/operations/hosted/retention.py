"""What a server forgets, and when: runs, logs, artifacts, caches, deliveries, replies, effects.

Nothing goes of a run that goes on. A run is forgotten in the database first and its folder removed
afterwards, so that what is listed can be read; a folder that a dying server has left behind is
found by the next. Several servers may do this at once.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

from windlass.db.access_tokens import remove_ended_tokens
from windlass.db.artifacts import list_all, list_blobs, remove_artifact, remove_orphans
from windlass.db.caches import list_cache_blobs
from windlass.db.deliveries import remove_deliveries
from windlass.db.registrations import remove_registrations
from windlass.db.replies import remove_replies
from windlass.db.retention import (
    list_old_among,
    list_old_runs,
    list_repositories_of_runs,
    list_surplus_runs,
    list_unknown,
    remove_ended_runs,
)
from windlass.errors import InputError
from windlass.model.values import dataclass
from windlass.operations.hosted.mirror_upkeep import tidy_mirrors
from windlass.services.caches.store import CacheStore
from windlass.stores.blobs import BlobStore
from windlass.stores.run_folders import RunFolders
from windlass.stores.state_folder import BLOBS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from windlass.engine.effects.interface import Effects
    from windlass.operations.hosted.site import Site

DAY_SECONDS: Final = 86_400.0
_AT_ONCE: Final = 200
_ORPHAN_DAYS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things are kept, in days after their end, and how many runs of each repository.

    `runs` of 0 sets no limit. Logs may go before their runs, and never after.

    Source of the 90 days: https://docs.github.com/en/organizations/managing-organization-settings/configuring-the-retention-period-for-github-actions-artifacts-and-logs-in-your-organization
    """

    days: float = 90
    log_days: float = 90
    runs: int = 0
    delivery_days: float = 30
    effect_days: float = 7
    reply_days: float = 1
    token_days: float = 30


VARIABLES: Final[Mapping[str, str]] = {
    "days": "WINDLASS_KEEP_DAYS",
    "log_days": "WINDLASS_KEEP_LOG_DAYS",
    "runs": "WINDLASS_KEEP_RUNS",
    "delivery_days": "WINDLASS_KEEP_DELIVERY_DAYS",
    "effect_days": "WINDLASS_KEEP_EFFECT_DAYS",
    "reply_days": "WINDLASS_KEEP_REPLY_DAYS",
    "token_days": "WINDLASS_KEEP_TOKEN_DAYS",
}
"""The variables that say otherwise, by the name of the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How much of each kind was forgotten; `bytes` are those of blobs.

    `commits` are those that mirrors kept for runs.
    """

    runs: int = 0
    logs: int = 0
    artifacts: int = 0
    caches: int = 0
    bytes: int = 0
    deliveries: int = 0
    replies: int = 0
    tokens: int = 0
    effects: int = 0
    commits: int = 0


def read_limits(variables: Mapping[str, str]) -> Limits:
    """Return the limits that variables set, and the defaults of others.

    Raises:
        InputError: one is no number, or below 0.
    """
    given: dict[str, Any] = {}
    for name, variable in VARIABLES.items():
        if text := variables.get(variable, ""):
            given[name] = _read_limit(variable, text, whole=name == "runs")
    return Limits(**given)


def remove_what_is_old(site: Site, effects: Effects, limits: Limits) -> Removed:
    """Forget what is beyond the limits.

    Raises:
        PlatformError: database or disk refuse; what is gone by then is gone.
    """
    now = site.now()
    runs = _remove_old_runs(site, now - limits.days * DAY_SECONDS)
    runs += _remove_surplus_runs(site, limits.runs)
    logs = _remove_logs(site, now, limits)
    blobs = BlobStore(site.data / BLOBS, outlives=True)
    caches = len(CacheStore(site.store, blobs, now=site.now).evict())
    artifacts = _remove_artifacts(site, now)
    freed = blobs.remove_unneeded(lambda: list_blobs(site.store) | list_cache_blobs(site.store))
    with site.store.writing() as connection:
        deliveries = remove_deliveries(connection, now - limits.delivery_days * DAY_SECONDS)
        replies = remove_replies(connection, now - limits.reply_days * DAY_SECONDS)
        tokens = remove_ended_tokens(connection, now - limits.token_days * DAY_SECONDS)
        tokens += remove_registrations(connection, now - limits.token_days * DAY_SECONDS)
    return Removed(
        runs=runs,
        logs=logs,
        artifacts=artifacts,
        caches=caches,
        bytes=freed,
        deliveries=deliveries,
        replies=replies,
        tokens=tokens,
        effects=effects.forget(now - limits.effect_days * DAY_SECONDS),
        commits=tidy_mirrors(site),
    )


def _remove_old_runs(site: Site, before: float) -> int:
    count = 0
    while runs := list_old_runs(site.store, before, _AT_ONCE):
        removed = _remove_runs(site, runs)
        count += removed
        if not removed:
            break
    return count


def _remove_surplus_runs(site: Site, keep: int) -> int:
    count = 0
    for repository in list_repositories_of_runs(site.store) if keep else ():
        while runs := list_surplus_runs(site.store, repository, keep, _AT_ONCE):
            removed = _remove_runs(site, runs)
            count += removed
            if not removed:
                break
    return count


def _remove_runs(site: Site, runs: Sequence[str]) -> int:
    """Forget runs, and remove the folders of those that are gone."""
    with site.store.writing() as connection:
        count = remove_ended_runs(connection, runs)
    for run in list_unknown(site.store, runs):
        _remove_folder(RunFolders(site.data).path / run)
    return count


def _remove_logs(site: Site, now: float, limits: Limits) -> int:
    """Remove the folders of runs whose logs are old, and those that are of no run any more."""
    folders = RunFolders(site.data)
    before, count = now - min(limits.log_days, limits.days) * DAY_SECONDS, 0
    known = folders.ids()
    for start in range(0, len(known), _AT_ONCE):
        runs = known[start : start + _AT_ONCE]
        old = list_old_among(site.store, runs, before)
        orphans = [
            run
            for run in list_unknown(site.store, runs)
            if _read_age(folders.path / run, now) > _ORPHAN_DAYS * DAY_SECONDS
        ]
        for run in (*old, *orphans):
            _remove_folder(folders.path / run)
        count += len(old)
    return count


def _remove_artifacts(site: Site, now: float) -> int:
    expired = [row.id for row in list_all(site.store) if row.expires <= now]
    with site.store.writing() as connection:
        for artifact in expired:
            remove_artifact(connection, artifact)
        remove_orphans(connection)
    return len(expired)


def _remove_folder(path: Path) -> None:
    # What cannot be removed now is found again the next time.
    shutil.rmtree(path, ignore_errors=True)


def _read_age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0.0


def _read_limit(variable: str, text: str, *, whole: bool) -> float:
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        kind = "a whole number" if whole else "a number of days"
        raise InputError(f"{variable} is '{text}': it has to be {kind}, 0 or more")
    return value
