"""The tables in tests/golden/expressions say what GitHub's package says; the package writes them.

A new case is a line `{"expr": …, "contexts": […]}`; `--update-golden` adds the package's answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.differential.oracle import Oracle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Golden

GOLDEN = Path(__file__).parents[2] / "golden" / "expressions"
CONTEXTS = json.loads((GOLDEN / "contexts.json").read_text(encoding="utf-8"))
OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
TABLES = sorted(
    path.name for path in GOLDEN.glob("*.json") if path.stem not in ("contexts", "comparisons")
)


@pytest.fixture(scope="module")
def github() -> Iterator[Oracle]:
    with Oracle(Path(__file__).with_name("oracle.mjs")) as oracle:
        yield oracle


@pytest.mark.parametrize("table", TABLES)
def test_rules_are_githubs(github: Oracle, golden: Golden, table: str) -> None:
    """Each case of a table has the package's answer."""
    cases = json.loads((GOLDEN / table).read_text(encoding="utf-8"))
    questions = [
        {"expr": case["expr"], "contexts": {key: CONTEXTS[key] for key in case.get("contexts", ())}}
        for case in cases
    ]
    rows = []
    for case, answer in zip(cases, github.ask_all(questions), strict=True):
        asked = {key: case[key] for key in ("expr", "contexts") if key in case}
        rows.append(f"  {json.dumps(asked | answer, ensure_ascii=False)}")

    golden(GOLDEN / table, "[\n" + ",\n".join(rows) + "\n]\n")


def test_comparisons_are_githubs(github: Oracle, golden: Golden) -> None:
    """Each row holds, for one left operand, the answers over all right operands."""
    operands = json.loads((GOLDEN / "comparisons.json").read_text(encoding="utf-8"))["operands"]
    lines = [f'  "operands": {json.dumps(operands)}']
    for operator in OPERATORS:
        rows = [
            f'    {json.dumps(left) + ":":10} "{_row(github, left, operator, operands)}"'
            for left in operands
        ]
        lines.append(f'  "{operator}": {{\n' + ",\n".join(rows) + "\n  }")

    golden(GOLDEN / "comparisons.json", "{\n" + ",\n".join(lines) + "\n}\n")


def _row(github: Oracle, left: str, operator: str, operands: list[str]) -> str:
    questions: list[Any] = [
        {"expr": f"{left} {operator} {right}", "contexts": CONTEXTS} for right in operands
    ]
    answers = github.ask_all(questions)
    return "".join("T" if answer["result"]["value"] else "." for answer in answers)
