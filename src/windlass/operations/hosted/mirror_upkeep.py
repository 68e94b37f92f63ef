"""Keeping mirrors small: commits of runs that are forgotten are let go, and what is left is packed.

A mirror is tidied while no job of its repository runs: that costs a machine seconds, for which no
job should wait. Nothing else depends on that; one may begin meanwhile.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from windlass.db.repositories import list_repositories
from windlass.db.retention import list_busy_repositories, list_used_commits
from windlass.errors import WindlassError
from windlass.events.mirrors import find_mirrors

if TYPE_CHECKING:
    from windlass.events.mirrors import Mirrors
    from windlass.operations.hosted.site import Site

YOUNG_SECONDS: Final = 86_400.0
"""So long a commit is kept of which no run is known: one may just be entered."""

_AT_ONCE: Final = 200
_log = logging.getLogger(__name__)


def tidy_mirrors(site: Site) -> int:
    """Let go what no run needs, and tidy; return how many commits are kept no longer.

    A mirror that gives trouble does not keep others from being tidied.

    Raises:
        PlatformError: the database cannot be used.
    """
    mirrors, count = find_mirrors(site.data), 0
    for row in list_repositories(site.store):
        if not (mirrors.find(row.id) / "HEAD").exists():
            continue
        try:
            count += _release(site, mirrors, row.id)
            if row.id not in list_busy_repositories(site.store):
                mirrors.tidy(row.id)
        except WindlassError as error:
            _log.warning("the mirror of %s cannot be tidied: %s", row.name, error)
    return count


def _release(site: Site, mirrors: Mirrors, repository: str) -> int:
    kept, count = mirrors.list_kept(repository), 0
    for start in range(0, len(kept), _AT_ONCE):
        some = kept[start : start + _AT_ONCE]
        used = list_used_commits(site.store, repository, some)
        unused = [sha for sha in some if sha not in used]
        count += mirrors.release(repository, unused, site.now() - YOUNG_SECONDS)
    return count
