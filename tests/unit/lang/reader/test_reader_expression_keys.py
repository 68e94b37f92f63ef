"""Keys that are expressions, and what a mapping with one may hold; as GitHub's package has it."""

from __future__ import annotations

import pytest

from windlass.lang.diagnostics import Severity
from windlass.lang.workflow import read_workflow

JOB = "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: x}]\n"


def errors(text: str) -> list[str]:
    found = read_workflow("w.yml", text.encode()).diagnostics
    return [f"{one.span.start} {one.code}: {one.message}" for one in found if one.span]


@pytest.mark.parametrize(
    "key",
    [
        "    container:\n      ${{ insert }}: ${{ github.x }}\n",
        "    container:\n      ${{ github.x }}: y\n",
        "    env:\n      ${{ github.x }}: a\n",
        "    strategy:\n      matrix:\n        ${{ github.x }}: {a: [b]}\n",
        "    strategy:\n      ${{ insert }}: {a: [1]}\n",
    ],
    ids=["insert", "container", "env", "matrix", "strategy"],
)
def test_a_key_may_be_computed_where_contexts_can_be_used(key: str) -> None:
    """Nothing is missing from a mapping whose keys are not known yet."""
    assert errors(JOB + key) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            JOB + "    env:\n      ${{ github.x }}: [a]\n",
            ["7:24 unexpected-sequence: A sequence was not expected"],
        ),
        (
            JOB + "    env:\n      ${{ insert }}: ${{ github.x }}\n      b: [c]\n",
            ["8:10 unexpected-sequence: A sequence was not expected"],
        ),
        (
            JOB + "env: {? [a] : b, c: [x]}\n",
            [
                "6:9 mapping-key: A mapping key must be a scalar",
                "6:21 unexpected-sequence: A sequence was not expected",
            ],
        ),
    ],
    ids=["value-of-a-computed-key", "value-after-insert", "value-after-a-wrong-key"],
)
def test_values_beside_such_keys_are_read_all_the_same(text: str, expected: list[str]) -> None:
    """What a computed key holds, and what follows it, is held to the schema."""
    assert errors(text) == expected


def test_a_computed_key_may_be_the_required_one() -> None:
    """What `insert` brings is not known yet, so nothing is said to be missing beside it."""
    group = JOB + "    concurrency:\n"

    assert errors(group + "      cancel-in-progress: true\n") == [
        "7:7 missing-key: Required property is missing: group"
    ]
    assert [
        error.partition(":")[2]
        for error in errors(group + "      ${{ insert }}: ${{ vars.x }}\n      queue: max\n")
        if "missing" in error
    ] == []


def test_a_key_may_not_be_computed_where_no_context_can_be_used() -> None:
    """The key itself is named, before what its absence leads to."""
    first, second = errors(JOB.replace("{run: x}", '{"${{ insert }}": x}'))

    assert first == (
        "5:14 expression-not-allowed: A template expression is not allowed in this context"
    )
    assert second.startswith("5:13 ambiguous-mapping: There's not enough info to determine")


def test_an_unknown_key_of_a_manual_start_is_a_warning() -> None:
    """The server lets it pass, unlike an unknown key anywhere else."""
    manual = JOB.replace("push", "{workflow_dispatch: {inputz: {}}}")
    (lenient,) = read_workflow("w.yml", manual.encode()).diagnostics
    (strict,) = read_workflow("w.yml", (JOB + "colour: red\n").encode()).diagnostics

    assert (lenient.severity, lenient.message) == (Severity.WARNING, "Unexpected value 'inputz'")
    assert (strict.severity, strict.message) == (Severity.ERROR, "Unexpected value 'colour'")
