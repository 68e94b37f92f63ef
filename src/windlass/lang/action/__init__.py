"""The typed action, and how it is read from an `action.yml`."""

from windlass.lang.action.reading import ActionReading, read_action

__all__ = ["ActionReading", "read_action"]
