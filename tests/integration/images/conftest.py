"""Fixtures of the tests that make images."""

from __future__ import annotations

from tests.e2e.conftest import folder

__all__ = ["folder"]
