"""`windlass.lock`: which commit each ref is that workflows name of other repositories.

A JSON file at the repository's root, meant to be committed. A run takes what it names at that very
commit, wherever the branch or tag has gone since.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import InputError, PlatformError
from windlass.model.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from windlass.model.action_sources import ActionSources

LOCK_FILE: Final = "windlass.lock"
VERSION: Final = 1
_KEY: Final = r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+@\S+"
_SHA: Final = r"[0-9a-f]{40}|[0-9a-f]{64}"
_HINT: Final = "`windlass actions update` writes it anew"


def read_lock(root: Path) -> dict[str, str]:
    """Return the commits of a repository's lock file by `owner/name@ref`; none where it has none.

    Raises:
        InputError: the file cannot be read, or is no lock file.
    """
    path = root / LOCK_FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{LOCK_FILE}:{error.lineno}:{error.colno}"
        raise InputError(f"{place}: not JSON: {error.msg}", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{LOCK_FILE}: not JSON: {error}", hint=_HINT) from error
    return _check(content)


def write_lock(root: Path, pins: Mapping[str, str]) -> None:
    """Write the lock file of a repository, at once or not at all.

    Raises:
        PlatformError: it cannot be written.
    """
    content = {"version": VERSION, "repositories": dict(sorted(pins.items()))}
    path = root / LOCK_FILE
    beside = root / f".{LOCK_FILE}.new"
    try:
        beside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise PlatformError(f"{path} cannot be written: {error.strerror}") from error


def with_lock(sources: ActionSources, root: Path) -> ActionSources:
    """Return where actions are taken from, with the commits of the repository's lock file.

    Raises:
        InputError: the file cannot be read, or is no lock file.
    """
    pins = read_lock(root)
    return replace(sources, pins={**pins, **sources.pins}) if pins else sources


def _check(content: Any) -> dict[str, str]:
    pins = content.get("repositories") if isinstance(content, dict) else None
    if not isinstance(pins, dict):
        raise InputError(f"{LOCK_FILE}: there is no object 'repositories'", hint=_HINT)
    if content.get("version") != VERSION:
        raise InputError(
            f"{LOCK_FILE} has the version {content.get('version')!r}, and this Windlass knows "
            f"{VERSION}",
            hint="use a newer version of Windlass",
        )
    for key, sha in pins.items():
        if not re.fullmatch(_KEY, key):
            raise InputError(f"{LOCK_FILE}: {key!r} is not owner/name@ref", hint=_HINT)
        if not isinstance(sha, str) or not re.fullmatch(_SHA, sha):
            raise InputError(f"{LOCK_FILE}: {sha!r} of {key} is no commit SHA", hint=_HINT)
    return pins
