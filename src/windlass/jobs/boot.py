"""Which uptime of the machine this is: what was written down before the last start may not hold."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@cache
def read_boot() -> str:
    """Return the id of this uptime; empty, and so always the same, where the system hides it.

    Source: random(4)
    """
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
