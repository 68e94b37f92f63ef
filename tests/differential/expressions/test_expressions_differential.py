"""Our answers against those of @actions/expressions, for random expressions and contexts."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tests.differential.expressions.deviations import DEVIATIONS, Deviation
from tests.differential.expressions.generator import Generator
from tests.differential.oracle import Oracle

from windlass.operations.expressions import evaluate_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = {"quick": 3_000, "full": 120_000}
SEED = int(os.environ.get("WINDLASS_DIFFERENTIAL_SEED", "20251121"))
CONCEPTS = Path(__file__).parents[3] / "docs" / "concepts" / "expressions.md"


@pytest.fixture(scope="module")
def github() -> Iterator[Oracle]:
    with Oracle(Path(__file__).with_name("oracle.mjs")) as oracle:
        yield oracle


def _ask_us(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = (json.dumps(question).encode() for question in questions)
    return [json.loads(answer.line) for answer in evaluate_lines(lines)]


def _explanation(
    question: dict[str, Any], theirs: dict[str, Any], ours: dict[str, Any]
) -> str | None:
    if theirs == ours:
        return "same"
    found = (each.name for each in DEVIATIONS if each.explains(question, theirs, ours))
    return next(found, None)


@pytest.mark.requirement("A27")
def test_random_expressions_agree(github: Oracle, record_property: Any) -> None:
    """Kind, value and message are GitHub's for every expression, but for the named deviations."""
    size = SIZES[os.environ.get("WINDLASS_DIFFERENTIAL", "quick")]
    questions = list(Generator(Random(SEED)).cases(size))
    counts: Counter[str] = Counter()
    unexplained = []
    for question, theirs, ours in zip(
        questions, github.ask_all(questions), _ask_us(questions), strict=True
    ):
        name = _explanation(question, theirs, ours)
        counts[name or "unexplained"] += 1
        counts["value" if "result" in theirs else theirs["err"]["kind"]] += 1
        if name is None:
            unexplained.append({"question": question, "GitHub": theirs, "Windlass": ours})

    print(f"seed {SEED}: {dict(counts)}")
    record_property("counts", dict(counts))
    assert unexplained[:3] == []
    assert counts["value"] > size // 4, "the generator hardly makes expressions that have a value"


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation.name)
def test_deviation_is_still_one(github: Oracle, deviation: Deviation) -> None:
    """Each deviation's example is answered as the runner would, and otherwise by the package."""
    assert _ask_us([deviation.example]) == [deviation.expected]
    assert github.ask(deviation.example) != deviation.expected


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation.name)
def test_deviation_is_documented(deviation: Deviation) -> None:
    """The concepts page names every deviation and the source that decides."""
    page = CONCEPTS.read_text(encoding="utf-8")

    assert f"`{deviation.name}`" in page
    assert re.split("[,;]", deviation.source)[0] in page
