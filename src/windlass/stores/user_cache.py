"""The folder for what may be fetched or built again, shared by all repositories of a user.

Source: https://specifications.freedesktop.org/basedir-spec/latest/
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "XDG_CACHE_HOME"
DAEMONS: Final = "daemons"
"""In it: which processes have made something in which Docker daemon."""


def find_user_cache() -> Path:
    """Return the folder: `windlass` in XDG_CACHE_HOME, else in `~/.cache`; it may not exist."""
    given = os.environ.get(VARIABLE, "")
    # A relative path is to be ignored, as the specification says.
    base = Path(given) if given.startswith("/") else Path.home() / ".cache"
    return base / "windlass"
