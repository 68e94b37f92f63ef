"""Whether it is time to remove what runs have left behind, asked after each run."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError

if TYPE_CHECKING:
    from windlass.operations.history import History

LOOK_SECONDS: Final = 3_600
MOST_RUNS: Final = 150
"""With more runs than these it is always time; by default 100 are kept."""

MARK: Final = "pruned"


def tidy_up(history: History) -> None:
    """Prune by the default limits, at most once an hour unless there are very many runs.

    Trouble is told and changes nothing else.
    """
    mark = history.state / MARK
    try:
        with suppress(FileNotFoundError):
            is_recent = time.time() - mark.stat().st_mtime < LOOK_SECONDS
            if is_recent and len(history.folders.ids()) < MOST_RUNS:
                return
        # Imported only then: it is not free, and this may be the end of a short run.
        from windlass.operations.pruning import prune

        mark.touch()
        prune(history)
    except (PlatformError, OSError) as error:
        history.tell(f"old runs could not be removed: {error}")
