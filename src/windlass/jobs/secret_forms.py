"""The forms in which a secret may turn up in a log, as GitHub's runner knows them.

Source: actions/runner src/Sdk/DTLogging/Logging/ValueEncoders.cs, src/Runner.Common/HostContext.cs
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_QUOTED = 9
SHORTEST_SECTION = 6
LONGEST_ENCODED = 1 << 16
PIECE = 1 << 12
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_XML = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;"))
_JSON = {
    "\t": "\\t",
    "\n": "\\n",
    "\r": "\\r",
    "\f": "\\f",
    "\b": "\\b",
    "\\": "\\\\",
    '"': '\\"',
}
_JSON_NUMBERED = frozenset([*map(chr, range(0x20)), "\x85", "\u2028", "\u2029"])


def secret_forms(secret: str) -> set[bytes]:
    """Return a secret with its encoded forms; the empty secret has none.

    A very long secret is hidden piece by piece, as it is only: the automaton that looks for all its
    forms would take more memory than a job should.
    """
    if len(secret) > LONGEST_ENCODED:
        pieces = range(0, len(secret), PIECE)
        return {encode(secret[start : start + PIECE]) for start in pieces}
    return {form for form in _list_forms(secret) if form}


def split_secret(secret: str) -> list[str]:
    """Return what is masked of a secret's value: the whole and each of its lines, trimmed."""
    whole = secret.strip()
    return [whole, *(line.strip() for line in whole.replace("\r", "\n").split("\n"))]


def _list_forms(secret: str) -> Iterator[bytes]:
    data = encode(secret)
    yield data
    # Base64 of `user:secret` depends on where in a group of three bytes the secret begins.
    for shift in range(3):
        shifted = data[shift:] if len(data) > shift else data
        yield _base64(shifted)
        # GitHub's runner stops here. Without the last, partial group a secret is also found where
        # something follows it, as the line feed does in `echo $SECRET | base64`.
        whole = shifted[: len(shifted) // 3 * 3]
        if len(whole) >= SHORTEST_SECTION:
            yield _base64(whole)
    yield encode(secret.replace('"', '\\"'))
    yield encode(secret.replace("'", "''"))
    yield encode("".join(_escape_for_json(character) for character in secret))
    yield b"".join(bytes((byte,)) if byte in _UNRESERVED else b"%%%02X" % byte for byte in data)
    yield encode(_escape_for_xml(secret))
    if len(secret) >= SHORTEST_QUOTED and secret[0] == secret[-1] == '"':
        yield data[1:-1]
    yield from (encode(section) for section in _powershell_sections(secret))


def encode(text: str) -> bytes:
    """Encode as UTF-8; a lone surrogate, which UTF-8 cannot hold, keeps its three bytes."""
    return text.encode("utf-8", "surrogatepass")


def _base64(data: bytes) -> bytes:
    # The module base64 takes longer to import than to use.
    return binascii.b2a_base64(data, newline=False)


def _escape_for_json(character: str) -> str:
    if character in _JSON:
        return _JSON[character]
    return f"\\u{ord(character):04x}" if character in _JSON_NUMBERED else character


def _escape_for_xml(secret: str) -> str:
    for character, escape in _XML:
        secret = secret.replace(character, escape)
    return secret


def _powershell_sections(secret: str) -> Iterator[str]:
    """Yield the parts that PowerShell prints apart when a command with `&` in it fails."""
    if "&" not in secret:
        return
    coloured = secret.find("&+")
    end = coloured + 2 if coloured >= 0 else secret.rfind("&") + 1
    before = secret[:end]
    after = secret[end + 1 :] if coloured >= 0 else secret[end:]
    yield from (part for part in (before, after) if len(part) >= SHORTEST_SECTION)
