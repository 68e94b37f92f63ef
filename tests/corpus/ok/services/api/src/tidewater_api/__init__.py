"""Berth planning over HTTP."""

__version__ = "1.4.0"
