"""Where published actions come from."""

from __future__ import annotations

import os
import socket

import pytest

GITHUB = "github.com"


@pytest.fixture(scope="session")
def sources() -> str:
    """Where actions come from: what the variable names, or GitHub."""
    if named := os.environ.get("WINDLASS_ACTION_URLS"):
        return named
    try:
        socket.getaddrinfo(GITHUB, 443)
    except OSError:
        pytest.skip(f"{GITHUB} is not reachable, and WINDLASS_ACTION_URLS is not set")
    return f"https://{GITHUB}"
