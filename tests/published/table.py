"""The published actions that are tried, and the page that says how that went."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from windlass.lang.compat.published import TRIED, Outcome, PublishedAction

FILE = Path(__file__).with_name("actions.yml")
HEAD = """\
# Published actions

The actions that real workflows use most, as they were published, each in a job on this machine.
`./dev published` tries them again, with `--place sandbox` in a sandbox and with `--place docker` in
a container; it takes them from where `WINDLASS_ACTION_URLS` says, or from GitHub. What an action
needs of the world besides, such as a download from GitHub, Windlass does not make up: where that is
not there, the step fails with what the action itself says. `windlass compat` tells the same of the
actions of a repository.

| action | works | remarks |
|---|---|---|
"""
WORDS: dict[Outcome, str] = {
    "works": "yes",
    "needs": "with what it needs",
    "untried": "not tried",
}
PLACES = ("host", "sandbox", "docker")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One action: the steps that use it, what stands in for the world, and what is known of it.

    `fails` is what the run says where something is missing, as a regular expression.
    """

    known: PublishedAction
    steps: tuple[Any, ...] = ()
    stand_ins: tuple[str, ...] = ()
    places: tuple[str, ...] = PLACES
    fails: str = ""

    @property
    def action(self) -> str:
        """`owner/name@ref`."""
        return self.known.action

    @property
    def outcome(self) -> Outcome:
        """How it went."""
        return self.known.outcome

    @property
    def elsewhere(self) -> str:
        """What differs in other places than this machine."""
        return self.known.elsewhere


def read_trials() -> list[Trial]:
    """Read the table of what is tried; every action of the product's own table has a row."""
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    known = {it.action: it for it in TRIED}
    assert list(known) == [row["action"] for row in rows]
    return [
        Trial(
            known=known[row.pop("action")],
            **{key: value if key == "fails" else tuple(value) for key, value in row.items()},
        )
        for row in rows
    ]


def lay_out_page() -> str:
    """Write docs/reference/published-actions.md."""
    return HEAD + "".join(
        f"| {it.known.action} | {WORDS[it.outcome]} | "
        f"{'; '.join(filter(None, (it.known.remark, it.known.elsewhere)))} |\n"
        for it in read_trials()
    )
