"""The key that identity tokens are signed with: RSA, made and used by the `openssl` program.

The private key stands in a file of its own that only its owner may read; it is handed to openssl
by name and never shown. The public half is served as a set of JSON Web Keys.
Sources: RFC 7515 (signatures), RFC 7517 (keys), RFC 7518 section 3.3 (RS256), RFC 7638 (names).
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import PlatformError
from windlass.private_files import replace_private_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BITS: Final = 2048
EXPONENT: Final = 65_537
SECONDS: Final = 60
_MODULUS: Final = b"Modulus="
_MISSING: Final = "there is no `openssl` on PATH, which signs identity tokens"


class SigningKey:
    """The key of one machine; threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        """Name the file, which is made when it is first needed."""
        self._path = path
        self._public: dict[str, str] | None = None

    def public(self) -> dict[str, str]:
        """Return the public half as a JSON Web Key.

        Raises:
            PlatformError: there is no openssl, or the key cannot be made or read.
        """
        if self._public is None:
            self._make()
            printed = _openssl("rsa", "-in", str(self._path), "-noout", "-modulus")
            if not printed.startswith(_MODULUS):
                raise PlatformError(
                    f"{self._path} is no RSA key", hint="remove it: it is made anew"
                )
            modulus = bytes.fromhex(printed[len(_MODULUS) :].decode("ascii").strip())
            self._public = _describe(modulus)
        return self._public

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return claims as a signed token.

        Raises:
            PlatformError: there is no openssl, or the key cannot be made or read.
        """
        header = {"typ": "JWT", "alg": "RS256", "kid": self.public()["kid"]}
        text = f"{_encode_json(header)}.{_encode_json(claims)}"
        signature = _openssl("dgst", "-sha256", "-sign", str(self._path), given=text.encode())
        return f"{text}.{encode(signature)}"

    def _make(self) -> None:
        """Make the key where there is none; of several processes at once, one does."""
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (folder / f"{self._path.name}.lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not self._path.exists():
                    self._write()
        except OSError as error:
            raise PlatformError(f"{self._path} cannot be made: {error.strerror}") from error

    def _write(self) -> None:
        numbers = (f"rsa_keygen_bits:{BITS}", f"rsa_keygen_pubexp:{EXPONENT}")
        options = [part for number in numbers for part in ("-pkeyopt", number)]
        text = _openssl("genpkey", "-quiet", "-algorithm", "RSA", *options)
        replace_private_file(self._path, text)


def encode(data: bytes) -> str:
    """Return bytes in base64 for addresses, without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _describe(modulus: bytes) -> dict[str, str]:
    exponent = EXPONENT.to_bytes(3, "big")
    core = {"e": encode(exponent), "kty": "RSA", "n": encode(modulus)}
    name = hashlib.sha256(json.dumps(core, separators=(",", ":"), sort_keys=True).encode()).digest()
    return {**core, "kid": encode(name), "use": "sig", "alg": "RS256"}


def _encode_json(value: Mapping[str, Any]) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def _openssl(*arguments: str, given: bytes = b"") -> bytes:
    # Imported only where a token is asked for: they are not free.
    import shutil
    import subprocess

    program = shutil.which("openssl")
    if program is None:
        raise PlatformError(_MISSING, hint="install it: `apt install openssl`")
    try:
        done = subprocess.run(
            [program, *arguments], input=given, capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlatformError(f"`openssl {arguments[0]}` did not run: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise PlatformError(f"`openssl {arguments[0]}` failed: {said[-1] if said else 'no reason'}")
    return done.stdout
