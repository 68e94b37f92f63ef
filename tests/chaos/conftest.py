"""Faults are met by the same repositories as the command line's other tests."""

from __future__ import annotations

from tests.daemon_images import daemon_image
from tests.e2e.conftest import folder, repository

__all__ = ["daemon_image", "folder", "repository"]
