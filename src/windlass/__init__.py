"""Windlass takes a repository from commit to production and back."""

__version__ = "0.1.0"
