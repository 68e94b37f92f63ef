"""What lies in folders from which other processes remove things at any moment."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def find_paths(folder: Path, pattern: str) -> list[Path]:
    """Return the paths below a folder that match a pattern, in order.

    What is removed meanwhile is left out. `Path.glob` fails there, before Python 3.13.
    """
    names = glob.glob(pattern, root_dir=folder, include_hidden=True)  # noqa: PTH207
    return sorted(folder / name for name in names)
