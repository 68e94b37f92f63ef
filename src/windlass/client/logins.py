"""The servers that a user is logged in to: `servers.json` beside the user's other settings.

    {"default": "home", "servers": {"home": {"url": "http://127.0.0.1:8484", "token": "wlt_..."}}}

It holds tokens: its mode is 600, and it is replaced as a whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from windlass.config.user_folders import find_settings_folder
from windlass.errors import InputError, PlatformError
from windlass.model.values import dataclass, field
from windlass.private_files import replace_private_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
"""The names of this machine for itself."""

_FILE: Final = "servers.json"


@dataclass(frozen=True, slots=True)
class Login:
    """A server by the name that the user has given it."""

    name: str
    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Logins:
    """All of them; `default` is the name of the last one."""

    default: str = ""
    by_name: Mapping[str, Login] = field(default_factory=dict)

    def find(self, name: str) -> Login | None:
        """Return the one of a name or an address."""
        by_url = (it for it in self.by_name.values() if it.url == name.rstrip("/"))
        return self.by_name.get(name) or next(by_url, None)


def find_logins(variables: Mapping[str, str]) -> Path | None:
    """Return where they are kept; None where nothing says where that is."""
    folder = find_settings_folder(variables)
    return folder / _FILE if folder else None


def read_logins(variables: Mapping[str, str]) -> Logins:
    """Return the servers that the user is logged in to.

    Raises:
        InputError: the file cannot be understood.
        OSError: it cannot be read.
    """
    path = find_logins(variables)
    if path is None:
        return Logins()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Logins()
    try:
        return _read(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"{path} cannot be understood", hint="remove it and `windlass login` again"
        ) from None


def add_login(variables: Mapping[str, str], login: Login) -> Path:
    """Keep a login as the default one, and return the file.

    Raises:
        InputError: nothing says where the user's settings are.
        PlatformError: the file cannot be written.
    """
    path = find_logins(variables)
    if path is None:
        raise InputError("HOME is not set: there is no place for the token")
    known = read_logins(variables)
    by_name = {**known.by_name, login.name: login}
    _write(path, Logins(login.name, by_name))
    return path


def _read(values: Mapping[str, Any]) -> Logins:
    by_name = {
        str(name): Login(str(name), str(it["url"]), str(it["token"]))
        for name, it in values["servers"].items()
    }
    return Logins(str(values["default"]), by_name)


def _write(path: Path, logins: Logins) -> None:
    servers = {it.name: {"url": it.url, "token": it.token} for it in logins.by_name.values()}
    text = json.dumps({"default": logins.default, "servers": servers}, indent=2) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_private_file(path, text.encode())
    except OSError as error:
        raise PlatformError(f"{path} cannot be written: {error.strerror}") from error
