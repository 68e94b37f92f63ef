"""How steps, jobs and runs end, in GitHub's words.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
"""

from __future__ import annotations

from enum import StrEnum


class Result(StrEnum):
    """The end of a step (outcome, conclusion), a job or a run."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
