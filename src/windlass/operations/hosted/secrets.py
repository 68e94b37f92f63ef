"""Secrets and variables of a repository, as on GitHub: names in capitals, values up to 48 KB.

Source: https://docs.github.com/en/actions/reference/security/secrets
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from windlass.db.repositories import (
    change_webhook_secret,
    find_repository,
    list_repositories,
    lock_repository,
)
from windlass.db.values import (
    ValueRow,
    list_all_values,
    list_values,
    remove_value,
    replace_value,
    set_value,
)
from windlass.errors import InvalidError, MissingError
from windlass.model.values import dataclass, replace
from windlass.secrets.sealing import KEY_FILE, add_key, drop_old_keys, open_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.db.connections import Connection, Store
    from windlass.db.repositories import RepositoryRow
    from windlass.db.values import Kind
    from windlass.operations.hosted.site import Site
    from windlass.secrets.sealing import Keys

MOST_BYTES: Final = 48 * 1024
_NAME: Final = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_RESERVED: Final = "GITHUB_"


def set_secret(site: Site, repository: str, name: str, value: str) -> ValueRow:
    """Keep a secret of a repository, by the repository's id; the value of the row is sealed.

    Raises:
        MissingError: there is no such repository.
        InvalidError: the name is none, or the value is too long.
    """
    return _set(site, repository, "secret", name, value)


def set_variable(site: Site, repository: str, name: str, value: str) -> ValueRow:
    """Keep a variable of a repository; see `set_secret`."""
    return _set(site, repository, "variable", name, value)


def list_secrets(site: Site, repository: str) -> list[ValueRow]:
    """Return a repository's secrets, by name; their values are sealed.

    Raises:
        MissingError: there is no such repository.
    """
    _require(site, repository)
    return list_values(site.store, repository, "secret")


def list_variables(site: Site, repository: str) -> list[ValueRow]:
    """Return a repository's variables, by name; see `list_secrets`."""
    _require(site, repository)
    return list_values(site.store, repository, "variable")


def remove_secret(site: Site, repository: str, name: str) -> None:
    """Forget a secret.

    Raises:
        MissingError: there is no such repository, or no such secret.
    """
    _remove(site, repository, "secret", name)


def remove_variable(site: Site, repository: str, name: str) -> None:
    """Forget a variable; see `remove_secret`."""
    _remove(site, repository, "variable", name)


def read_values(site: Site, repository: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the secrets, opened, and the variables that runs of a repository get, by name.

    Raises:
        PlatformError: a secret cannot be opened; a run without it would do something else.
    """
    sealed = list_values(site.store, repository, "secret")
    variables = {row.name: row.value for row in list_values(site.store, repository, "variable")}
    if not sealed:
        return {}, variables
    keys = _open_keys(site)
    return {row.name: keys.unseal(row.value, _about(row)) for row in sealed}, variables


class StoredValues:
    """What a server's database holds for repositories; see `site.RepositoryValues`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def find_variables(self, repository: str) -> dict[str, str]:
        """Return the variables of a repository, by name."""
        rows = list_values(self._site.store, repository, "variable")
        return {row.name: row.value for row in rows}

    def find_secrets(self, repository: str) -> dict[str, str]:
        """Return the secrets of a repository in clear, by name.

        Raises:
            PlatformError: one cannot be opened; a run without it would do something else.
        """
        return read_values(self._site, repository)[0]


def describe_webhook(repository: str) -> str:
    """Return what the sealed secret of a repository's webhook is about."""
    return f"webhook secret of the repository {repository}"


def seal_text(site: Site, text: str, about: str) -> str:
    """Return any text sealed under the server's key; `about` says what it is."""
    return _open_keys(site).seal(text, about)


def unseal_text(site: Site, sealed: str, about: str) -> str:
    """Return what `seal_text` has sealed.

    Raises:
        PlatformError: its key is not there any more, or it was damaged or moved.
    """
    return _open_keys(site).unseal(sealed, about)


def rotate_key(store: Store, data: Path) -> int:
    """Seal everything under a new key while servers go on, and return how much that was.

    The key that was the newest stays in the file until the next time, for a server that is just
    sealing something under it; older ones are forgotten. Whoever dies in between does the rest when
    this is asked for again.

    Raises:
        PlatformError: something cannot be opened, and no key is forgotten.
    """
    path = data / KEY_FILE
    _seal_again(store, open_keys(path))
    drop_old_keys(path)
    return _seal_again(store, add_key(path))


def _seal_again(store: Store, keys: Keys) -> int:
    """Seal all that is sealed under another key than the newest; return how much that was."""
    count = 0
    while stale := _list_stale(store, keys):
        for value in stale:
            opened = keys.unseal(value.sealed, value.about)
            with store.writing() as connection:
                count += value.put(connection, keys.seal(opened, value.about))
    return count


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A sealed text, what it is about, and how another is put in its place."""

    sealed: str
    about: str
    put: Callable[[Connection, str], bool]


def _list_stale(store: Store, keys: Keys) -> list[_Sealed]:
    """Return everything that is sealed under another key than the newest."""
    values = [
        _Sealed(row.value, _about(row), partial(_put_value, row))
        for row in list_all_values(store, "secret")
    ]
    webhooks = [
        _Sealed(row.webhook_secret, describe_webhook(row.id), partial(_put_webhook, row))
        for row in list_repositories(store)
        if row.webhook_secret is not None
    ]
    return [it for it in (*values, *webhooks) if not keys.is_newest(it.sealed)]


def _put_value(row: ValueRow, connection: Connection, sealed: str) -> bool:
    return replace_value(connection, row, sealed)


def _put_webhook(row: RepositoryRow, connection: Connection, sealed: str) -> bool:
    found = lock_repository(connection, row.id)
    if found is None or found.webhook_secret != row.webhook_secret:
        return False
    change_webhook_secret(connection, row.id, sealed)
    return True


def draft_secret(site: Site, repository: str, name: str, value: str) -> ValueRow:
    """Return the row of a secret that a repository is to have, sealed; see `set_secret`."""
    return _draft(site, repository, "secret", name, value)


def _set(site: Site, repository: str, kind: Kind, name: str, value: str) -> ValueRow:
    _require(site, repository)
    row = _draft(site, repository, kind, name, value)
    with site.store.writing() as connection:
        set_value(connection, row)
    return row


def _draft(site: Site, repository: str, kind: Kind, name: str, value: str) -> ValueRow:
    name = _check_name(name)
    if len(value.encode(errors="surrogatepass")) > MOST_BYTES:
        raise InvalidError(f"{kind} {name}: the value is longer than {MOST_BYTES} bytes")
    if "\0" in value or not _is_text(value):
        raise InvalidError(f"{kind} {name}: the value is not text")
    row = ValueRow(repository=repository, kind=kind, name=name, value=value, updated=site.now())
    if kind == "secret":
        row = _seal(_open_keys(site), row)
    return row


def _seal(keys: Keys, row: ValueRow) -> ValueRow:
    return replace(row, value=keys.seal(row.value, _about(row)))


def _remove(site: Site, repository: str, kind: Kind, name: str) -> None:
    _require(site, repository)
    with site.store.writing() as connection:
        removed = remove_value(connection, repository, kind, name.upper())
    if not removed:
        raise MissingError(f"there is no {kind} '{name.upper()}'")


def _require(site: Site, repository: str) -> None:
    if find_repository(site.store, repository) is None:
        raise MissingError(f"there is no repository '{repository}'")


def _check_name(name: str) -> str:
    """Return a name as it is kept: in capitals."""
    name = name.upper()
    if not _NAME.fullmatch(name):
        raise InvalidError(
            f"'{name}' cannot be a name: it has letters, digits and _, and no digit first"
        )
    if name.startswith(_RESERVED):
        raise InvalidError(f"'{name}' cannot be a name: those with {_RESERVED} are GitHub's own")
    return name


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _about(row: ValueRow) -> str:
    return f"{row.kind} {row.name} of the repository {row.repository}"


def _open_keys(site: Site) -> Keys:
    return open_keys(site.data / KEY_FILE)
