"""Signatures of what is posted to a server: a keyed digest of the body, as GitHub's webhooks have.

Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

_PREFIX: Final = "sha256="


def sign(secret: str, body: bytes) -> str:
    """Return the signature of a body: `sha256=` and 64 hexadecimal digits."""
    return _PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str | None, body: bytes, signature: str) -> bool:
    """Tell whether a body was signed by who knows the secret; by nobody where there is none.

    It takes the same time whatever the signature is, and whether or not there is a secret.
    """
    expected = sign(secret or "", body).encode()
    matches = hmac.compare_digest(expected, signature.encode("utf-8", "surrogateescape"))
    return matches and bool(secret)
