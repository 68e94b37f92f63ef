"""Whole plans as `windlass plan --json` prints them: `NN_name.yml` is planned, `.json` expected.

Each workflow's first line is a comment with the event it is planned for. It may call those in
`called`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.plan.planning import happen, plan

if TYPE_CHECKING:
    from tests.conftest import Golden

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.yml"))
CALLED = {
    f".github/workflows/{file.name}": file.read_text(encoding="utf-8")
    for file in FOLDER.glob("called/*.yml")
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_plan(file: Path, golden: Golden) -> None:
    """The plan says the same, in the same shape and order, as it did when it was reviewed."""
    text = file.read_text(encoding="utf-8")
    event, _, branch = text.splitlines()[0].removeprefix("# ").partition(" on ")
    found = plan(
        text,
        happen(event, branch=branch),
        called=CALLED,
        variables={"REGION": "eu"},
        runner={"os": "Linux", "arch": "X64"},
        places={"*": "host"},
    )

    golden(file.with_suffix(".json"), json.dumps(found.to_json(), indent=2) + "\n")
