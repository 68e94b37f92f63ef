"""The typed workflow, and how it is read from a file."""

from windlass.lang.workflow.reading import Reading, read_workflow

__all__ = ["Reading", "read_workflow"]
