"""What everybody should hear once: jobs run on this machine, as its user.

Remembered by a file in `.windlass`, so once for each repository.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.cli.roots import find_root

if TYPE_CHECKING:
    from collections.abc import Callable

REMEMBERED_BY: Final = Path(".windlass", "host-notice")
NOTICE: Final = (
    "jobs run on this machine, as you, since `-P` or your settings say so: they can read and "
    "change whatever you can. "
    "Run what you would run by hand. (Said once for each repository.)"
)


def give_host_notice(warn: Callable[[str], None]) -> None:
    """Warn, unless that was done before in the repository that the current folder is in.

    Called when `.windlass` is there. Where nothing can be remembered it is said again.
    """
    root = find_root(Path())
    if root is None or (root / REMEMBERED_BY).exists():
        return
    warn(NOTICE)
    with suppress(OSError):
        (root / REMEMBERED_BY).touch()
