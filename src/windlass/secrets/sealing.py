"""Seals texts with keys that lie in a file: AES-256-GCM, under the key that was made last.

A sealed text is `v1.KEY.DATA`: the id of the key it was sealed under, and nonce and ciphertext in
URL-safe base64. It is bound to what it is about (a repository's secret of one name), so that a row
copied to another place of the database cannot be opened there.

The key file has mode 600 and a line for each key, `ID BASE64`, the newest first. It belongs to no
backup: who has both can read everything.

Source: https://csrc.nist.gov/pubs/sp/800/38/d/final
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.model.values import dataclass, field
from windlass.private_files import add_private_file, replace_private_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT: Final = "v1"
KEY_FILE: Final = "key"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_OTHERS: Final = 0o077
_HINT: Final = "put the key file back that was there when the secrets were set, or set them again"


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by their ids; `newest` is the id of the one that seals."""

    newest: str
    by_id: Mapping[str, bytes] = field(repr=False)

    def seal(self, text: str, about: str) -> str:
        """Return a text sealed; `about` says what it is, and has to be said again to open it."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.by_id[self.newest]).encrypt(nonce, text.encode(), about.encode())
        return f"{FORMAT}.{self.newest}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def unseal(self, sealed: str, about: str) -> str:
        """Return what was sealed.

        Raises:
            PlatformError: its key is not here, or it was damaged or moved.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._find(sealed, about)
        try:
            data = base64.urlsafe_b64decode(sealed.rpartition(".")[2])
            return (
                AESGCM(key)
                .decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], about.encode())
                .decode()
            )
        except (InvalidTag, ValueError) as error:
            raise PlatformError(
                f"{about}: what is kept sealed was damaged, or belongs to something else",
                hint="set it again",
            ) from error

    def is_newest(self, sealed: str) -> bool:
        """Whether a text was sealed under the newest key."""
        return sealed.startswith(f"{FORMAT}.{self.newest}.")

    def _find(self, sealed: str, about: str) -> bytes:
        version, _, rest = sealed.partition(".")
        name = rest.partition(".")[0]
        if version != FORMAT:
            raise PlatformError(
                f"{about}: it was sealed by a newer Windlass, in the format {version!r}",
                hint="use the newer Windlass",
            )
        if name not in self.by_id:
            raise PlatformError(
                f"{about}: it is sealed under the key {name}, which the key file does not have",
                hint=_HINT,
            )
        return self.by_id[name]


def open_keys(path: Path) -> Keys:
    """Return the keys of a file, which is made with a new one where there is none.

    Raises:
        PlatformError: it cannot be read or written, holds no keys, or is for others to read.
    """
    try:
        if not path.exists():
            add_private_file(path, _draw())
        if path.stat().st_mode & _OTHERS:
            raise PlatformError(
                f"{path}: others than its owner may read the key file",
                hint=f"chmod 600 {path}; if others may have read it, rotate the key",
            )
        return _read(path, path.read_text("ascii", "replace"))
    except OSError as error:
        raise _explain(path, error) from error


def add_key(path: Path) -> Keys:
    """Put a new key before the others of a file; what is sealed can still be opened.

    Raises:
        PlatformError: the file cannot be read or written.
    """
    open_keys(path)
    try:
        replace_private_file(path, _draw() + path.read_bytes())
    except OSError as error:
        raise _explain(path, error) from error
    return open_keys(path)


def drop_old_keys(path: Path) -> Keys:
    """Keep the newest key of a file alone: what was sealed under others is lost for ever."""
    open_keys(path)
    try:
        newest = path.read_bytes().splitlines(keepends=True)[0]
        replace_private_file(path, newest)
    except OSError as error:
        raise _explain(path, error) from error
    return open_keys(path)


def _draw() -> bytes:
    """Return a line with a new key."""
    key = base64.b64encode(os.urandom(_KEY_BYTES)).decode()
    return f"{secrets.token_hex(4)} {key}\n".encode()


def _read(path: Path, text: str) -> Keys:
    keys = {}
    for line in text.splitlines():
        name, _, key = line.partition(" ")
        try:
            keys[name] = base64.b64decode(key, validate=True)
        except binascii.Error:
            keys[name] = b""
        if len(keys[name]) != _KEY_BYTES:
            raise PlatformError(
                f"{path}:{len(keys)}: not a key: `ID BASE64` with {_KEY_BYTES} bytes", hint=_HINT
            )
    if not keys:
        raise PlatformError(f"{path}: the key file is empty", hint=_HINT)
    return Keys(next(iter(keys)), keys)


def _explain(path: Path, error: OSError) -> PlatformError:
    return PlatformError(
        f"{path}: the key file cannot be read or written: {error.strerror}",
        hint="it belongs to whoever runs the server",
    )
