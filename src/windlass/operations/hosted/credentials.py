"""What people, runners and jobs show: random texts, of which a server keeps only the SHA-256.

A credential is found by its digest, so who can measure how long that takes learns of a digest only.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

ACCESS: Final = "wlt_"
RUNNER: Final = "wlr_"
REGISTRATION: Final = "wlg_"
JOB: Final = "wlj_"


def draw_credential(kind: str) -> str:
    """Return a new text of a kind: ACCESS, RUNNER, REGISTRATION or JOB."""
    return kind + secrets.token_urlsafe(32)


def digest_credential(text: str) -> str:
    """Return what is kept of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
