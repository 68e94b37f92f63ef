"""Texts that sort by the moment they were drawn, and are never drawn twice.

Sixteen hexadecimal digits of nanoseconds since the epoch, and eight that are random: several
servers draw them without asking each other.
"""

from __future__ import annotations

import secrets
import threading
import time

_lock = threading.Lock()
_last = 0


def draw_ticket() -> str:
    """Return a ticket that sorts behind all that this process has drawn."""
    global _last  # noqa: PLW0603 (a clock that is set back must not change the order)
    with _lock:
        _last = max(time.time_ns(), _last + 1)
        return f"{_last:016x}{secrets.token_hex(4)}"
