"""Every key of the workflow language, right in `ok/` and wrong in `err/`.

In `meaning/` are files of the right shape whose values do not fit; those in `calls/` call
`called.yml`. `NAME.out` holds one error a
line, with its hint below; `NAME.json` what the file is read as. That both agree with GitHub's
own package is checked by tests/differential/workflows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.lang.schema.definitions import MappingDefinition
from windlass.lang.schema.workflow import workflow_schema
from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.template import write_template

if TYPE_CHECKING:
    from tests.conftest import Golden

    from windlass.lang.diagnostics import Diagnostic

FOLDER = Path(__file__).parent
RIGHT = sorted((FOLDER / "ok").glob("*.yml"))
WRONG = sorted((FOLDER / "err").glob("*.yml"))
MEANINGLESS = sorted((FOLDER / "meaning").glob("*.yml"))
CALLS = sorted((FOLDER / "calls").glob("*.yml"))
CALLED = ".github/workflows/called.yml"


def describe(problem: Diagnostic) -> str:
    """All that is said about one mistake: from where to where, how bad, its code, what to do."""
    assert problem.span is not None
    place = f"{problem.span.start}-{problem.span.end}"
    hint = "" if problem.hint is None else f"    {problem.hint}\n"
    return f"{place} {problem.severity.value} {problem.code}: {problem.message}\n{hint}"


@pytest.mark.parametrize("path", [*WRONG, *MEANINGLESS], ids=lambda path: path.stem)
def test_wrong_file(path: Path, golden: Golden) -> None:
    """A wrong file gives these errors, in this order."""
    reading = read_workflow("w.yml", path.read_bytes())
    assert reading.diagnostics
    golden(path.with_suffix(".out"), "".join(map(describe, reading.diagnostics)))


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_right_file(path: Path, golden: Golden) -> None:
    """A right file gives this value and no error."""
    reading = read_workflow("w.yml", path.read_bytes())
    assert reading.diagnostics == ()
    golden(path.with_suffix(".json"), json.dumps(write_template(reading), indent=1) + "\n")


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_call(path: Path, golden: Golden) -> None:
    """A call holds what it gives, what the called workflow asks for, and that one's jobs."""
    files = {CALLED: (FOLDER / "called.yml").read_bytes()}
    reading = read_workflow("w.yml", path.read_bytes(), resolve=files.get)
    assert reading.diagnostics == ()
    golden(path.with_suffix(".json"), json.dumps(write_template(reading), indent=1) + "\n")


@pytest.mark.parametrize("paths", [RIGHT, WRONG], ids=["ok", "err"])
def test_every_key_has_a_file(paths: list[Path]) -> None:
    """No key that the schema knows is left out."""
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    keys = {
        key
        for definition in workflow_schema().definitions.values()
        if isinstance(definition, MappingDefinition)
        for key in definition.properties
    }
    assert {key for key in keys if f"{key}:" not in text} == set()
