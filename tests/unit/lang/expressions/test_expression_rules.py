"""Every rule of the language, as tables whose expected values GitHub's package gave.

The tables are in tests/golden/expressions; the differential suite asks the package again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.differential.expressions.deviations import DEVIATIONS, Deviation

from windlass.operations.expressions import evaluate_lines

GOLDEN = Path(__file__).parents[3] / "golden" / "expressions"
CONTEXTS = json.loads((GOLDEN / "contexts.json").read_text(encoding="utf-8"))
COMPARISONS = json.loads((GOLDEN / "comparisons.json").read_text(encoding="utf-8"))
TABLES = sorted(
    path.stem for path in GOLDEN.glob("*.json") if path.stem not in ("contexts", "comparisons")
)


def evaluate(text: str, contexts: dict[str, Any]) -> Any:
    line = json.dumps({"expr": text, "contexts": contexts}).encode()
    (answer,) = evaluate_lines([line])
    return json.loads(answer.line)


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{table}-{number}")
        for table in TABLES
        for number, case in enumerate(json.loads((GOLDEN / f"{table}.json").read_text("utf-8")))
    ]


@pytest.mark.requirement("A27")
@pytest.mark.parametrize("case", _cases())
def test_rule(case: dict[str, Any]) -> None:
    """An expression has the value, or the fault, that GitHub's package gives it."""
    contexts = {name: CONTEXTS[name] for name in case.get("contexts", ())}

    expected = {key: case[key] for key in ("result", "err") if key in case}
    assert expected == evaluate(case["expr"], contexts)


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("left", COMPARISONS["operands"])
def test_comparison_of_any_two_kinds(operator: str, left: str) -> None:
    """Each operator compares each kind of value with each other as GitHub's package does."""
    answers = [
        evaluate(f"{left} {operator} {right}", CONTEXTS)["result"]["value"]
        for right in COMPARISONS["operands"]
    ]

    assert COMPARISONS[operator][left] == "".join("T" if answer else "." for answer in answers)


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation.name)
def test_where_the_runner_decides(deviation: Deviation) -> None:
    """Where the package would give a job another result, the answer is the runner's."""
    assert deviation.expected == evaluate(
        text=deviation.example["expr"], contexts=deviation.example["contexts"]
    )
