"""Where the repository begins that a folder is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def find_root(start: Path) -> Path | None:
    """Return the nearest folder above that has a `.git`, without asking Git, which takes longer.

    Whether it is a sound repository is found out later, by those who need one.
    """
    start = start.absolute()
    return next((it for it in (start, *start.parents) if (it / ".git").exists()), None)
