"""Access tokens: how people and programs show who they are.

A token is shown once; a server keeps its digest, as of any credential.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

from windlass.db.access_tokens import (
    AccessTokenRow,
    add_access_token,
    find_access_token,
    list_access_tokens,
    revoke_access_token,
)
from windlass.engine.server.changes import TOKENS
from windlass.errors import InvalidError, MissingError, PlatformError
from windlass.model.values import dataclass, field
from windlass.operations.hosted.callers import Caller
from windlass.operations.hosted.credentials import ACCESS, digest_credential, draw_credential
from windlass.private_files import replace_private_file

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.operations.hosted.site import Site

BOOTSTRAP_FILE: Final = "token"
BOOTSTRAP_NAME: Final = "bootstrap"
_MOST_LETTERS: Final = 100
_DAY_SECONDS: Final = 86400.0


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made; nobody can read its text again."""

    row: AccessTokenRow
    text: str = field(repr=False)


def create_token(site: Site, name: str, days: float | None = None) -> NewToken:
    """Make a token that lasts for some days, or until it is revoked.

    Raises:
        InvalidError: the name is empty or very long, or the days are none.
    """
    name = name.strip()
    if not name or len(name) > _MOST_LETTERS or not name.isprintable():
        raise InvalidError(f"a token's name has 1 to {_MOST_LETTERS} printable letters")
    if days is not None and not 0 < days < float("inf"):
        raise InvalidError(f"a token lasts for more than 0 days, not {days:g}")
    text = draw_credential(ACCESS)
    now = site.now()
    row = AccessTokenRow(
        id=secrets.token_hex(8),
        name=name,
        digest=digest_credential(text),
        created=now,
        expires=None if days is None else now + days * _DAY_SECONDS,
    )
    with site.store.writing() as connection:
        site.claim(connection)
        add_access_token(connection, row)
    return NewToken(row, text)


def list_tokens(site: Site) -> list[AccessTokenRow]:
    """Return all tokens without their texts, oldest first."""
    return list_access_tokens(site.store)


def revoke_token(site: Site, token: str) -> None:
    """Have a token, by its id, not count any more. May be done again.

    Raises:
        MissingError: there is no such token.
    """
    with site.store.writing() as connection:
        revoked = revoke_access_token(connection, token, site.now())
    site.changes.tell(TOKENS)
    if not revoked and all(row.id != token for row in list_access_tokens(site.store)):
        raise MissingError(f"there is no token '{token}'", hint="`windlass tokens` lists their ids")


def check_token(site: Site, text: str) -> Caller | None:
    """Return whose token a text is; None where it is none, has expired or was revoked."""
    if not text.startswith(ACCESS):
        return None
    digest = digest_credential(text)
    row = find_access_token(site.store, digest)
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    if row.revoked is not None or (row.expires is not None and row.expires <= site.now()):
        return None
    return Caller(row.id, row.name, row.expires)


def write_bootstrap_token(site: Site) -> Path:
    """Make sure that the server's folder holds a token that counts, and return its file.

    It is for whoever may read that folder: the file has mode 600. A token that was revoked or
    removed is replaced by a new one.

    Raises:
        PlatformError: the file cannot be read or written.
    """
    path = site.data / BOOTSTRAP_FILE
    try:
        if path.exists() and check_token(site, path.read_text("ascii", "replace").strip()):
            path.chmod(0o600)
            return path
        made = create_token(site, BOOTSTRAP_NAME)
        replace_private_file(path, f"{made.text}\n".encode())
    except OSError as error:
        raise PlatformError(
            f"{path}: the first access token cannot be written: {error.strerror}",
            hint="may the server write to its folder, and has the disk room?",
        ) from error
    return path
