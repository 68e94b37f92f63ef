"""The typed workflow, and how it is read from a file."""

from windlass.lang.workflow.reading import read_workflow
from windlass.lang.workflow.result import Reading

__all__ = ["Reading", "read_workflow"]
