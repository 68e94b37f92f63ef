"""The seeded defects: each one edit that turns one right file of `ok/` into a wrong one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parent.parent / "ok"
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One defect, with the edit that makes it and the place where a linter should see it.

    `line` and `also` count from 1 in the edited file; a finding within 2 of any of them counts.
    `actionlint` says whether actionlint v1.7.12 finds it; README.md tells how that was measured.
    """

    id: str
    file: str
    category: str
    find: str
    replace: str
    line: int
    also: tuple[int, ...] = ()
    description: str
    actionlint: bool


@cache
def read_defects() -> tuple[Defect, ...]:
    """Read every defect, ordered by file of data and place in it."""
    return tuple(
        Defect(**{**entry, "also": tuple(entry.get("also", ()))})
        for data in sorted(DATA.glob("*.yml"))
        for entry in yaml.load(data.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    )


def edit(defect: Defect) -> str:
    """Return the text of the defective file; ValueError unless `find` occurs exactly once."""
    text = (REPOSITORY / defect.file).read_text(encoding="utf-8")
    occurrences = text.count(defect.find)
    if occurrences != 1:
        raise ValueError(f"{defect.id}: its text occurs {occurrences} times in {defect.file}")
    return text.replace(defect.find, defect.replace)


def apply(defect: Defect, destination: Path) -> Path:
    """Copy the repository to a folder, make the edit there and return the edited file."""
    shutil.copytree(REPOSITORY, destination, dirs_exist_ok=True)
    edited = destination / defect.file
    edited.write_text(edit(defect), encoding="utf-8")
    return edited
