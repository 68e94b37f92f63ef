"""The folder for what may be fetched or built again, shared by all repositories of a user."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from windlass.config.user_folders import find_cache_folder

if TYPE_CHECKING:
    from pathlib import Path

DAEMONS: Final = "daemons"
"""In it: which processes have made something in which Docker daemon."""


def find_user_cache() -> Path:
    """Return the folder of this process's user; it may not exist."""
    return find_cache_folder(os.environ)
