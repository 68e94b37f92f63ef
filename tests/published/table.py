"""The published actions that are tried, and the page that says how that went."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("actions.yml")
HEAD = """\
# Published actions

The actions that real workflows use most, as they were published, each in a job on this machine.
`./dev published` tries them again; it takes them from where `WINDLASS_ACTION_URLS` says, or from
GitHub. What an action needs of the world besides, such as a download from GitHub, Windlass does not
make up: where that is not there, the step fails with what the action itself says.

| action | works | remarks |
|---|---|---|
"""


@dataclass(frozen=True)
class Trial:
    """One action: the steps that use it, and what it needs of the world."""

    action: str
    steps: tuple[Any, ...] = ()
    needs: str = ""
    fails: str = ""
    stand_in: str = ""
    missing: str = ""
    note: str = ""

    @property
    def row(self) -> str:
        """Its row of the page."""
        if self.missing:
            return f"| {self.action} | not tried | {self.missing} |"
        if self.needs:
            return f"| {self.action} | with what it needs | {self.needs} |"
        return f"| {self.action} | yes | {self.stand_in or self.note} |"


def read_trials() -> list[Trial]:
    """Read the table of what is tried."""
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [Trial(**{**row, "steps": tuple(row.get("steps", ()))}) for row in rows]


def lay_out_page() -> str:
    """Write docs/reference/published-actions.md."""
    return HEAD + "".join(f"{trial.row}\n" for trial in read_trials())
