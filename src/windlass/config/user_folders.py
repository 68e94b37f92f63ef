"""Where a user's files belong: `windlass` in the folders of the XDG specification.

Each base folder has a variable, which counts where it holds an absolute path, and else a place in
the user's home.

Source: https://specifications.freedesktop.org/basedir-spec/latest/
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = "windlass"


def find_cache_folder(variables: Mapping[str, str]) -> Path:
    """Return the folder of what may be fetched or built again."""
    return _find("XDG_CACHE_HOME", variables) or Path.home() / ".cache" / _NAME


def find_data_folder(variables: Mapping[str, str]) -> Path:
    """Return the folder of what is the user's own, such as a server."""
    return _find("XDG_DATA_HOME", variables) or Path.home() / ".local/share" / _NAME


def find_state_folder(variables: Mapping[str, str]) -> Path:
    """Return the folder of what has to outlive a process, and is of this machine alone."""
    return _find("XDG_STATE_HOME", variables) or Path.home() / ".local/state" / _NAME


def find_settings_folder(variables: Mapping[str, str]) -> Path | None:
    """Return the folder of what the user has written down; None where nothing says where that is.

    Without HOME there is none: a service that runs as nobody in particular has no settings.
    """
    if found := _find("XDG_CONFIG_HOME", variables):
        return found
    home = variables.get("HOME")
    return Path(home, ".config", _NAME) if home else None


def _find(variable: str, variables: Mapping[str, str]) -> Path | None:
    given = Path(variables.get(variable, ""))
    return given / _NAME if given.is_absolute() else None
