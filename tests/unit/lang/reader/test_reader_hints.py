"""What a wrong value is told: GitHub's message, its whole stretch, and what may stand there.

The messages are those of GitHub's package; the hints name what its schema allows in the place.
"""

from __future__ import annotations

import pytest

from windlass.lang.diagnostics import Diagnostic
from windlass.lang.positions import Position, Span
from windlass.lang.workflow import read_workflow

REST = "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: x}]\n"
DISPATCH = "on: {{workflow_dispatch: {{inputs: {{a: {{type: {}}}}}}}}}\n"
JOBS = REST.removeprefix("on: push\n")


def read_one(text: str) -> Diagnostic:
    (found,) = read_workflow("w.yml", text.encode()).diagnostics
    return found


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n"])
def test_an_empty_file(text: str) -> None:
    """There is nothing to point at but the start, which takes no room."""
    keys = "'on', 'name', 'description', 'run-name', 'defaults', 'env', 'permissions'"

    assert read_one(text) == Diagnostic(
        code="empty-file",
        message="Expected a scalar value, a sequence, or a mapping",
        span=Span("w.yml", Position(1, 1), Position(1, 1)),
        hint=f"The file is empty; it may hold {keys}, 'concurrency', 'jobs'.",
    )


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("- a\n", "A sequence was not expected", "a mapping"),
        ("text", "Unexpected value 'text'", "a mapping"),
        ("name: [a]\n" + REST, "A sequence was not expected", "a text"),
        ("run-name: {a: b}\n" + REST, "A mapping was not expected", "a text"),
        ("on: {push: 5}\n" + JOBS, "Unexpected value '5'", "null, a mapping"),
        ("on: push\njobs: 5\n", "Unexpected value '5'", "a mapping"),
        (REST + "    timeout-minutes: abc\n", "Unexpected value 'abc'", "number"),
        (REST + "    continue-on-error: 5\n", "Unexpected value '5'", "boolean"),
        (
            REST + "    needs: {}\n",
            "A mapping was not expected",
            "a text that is not empty, a sequence",
        ),
        (REST + "    if: [a]\n", "A sequence was not expected", "a text"),
        (REST + "    container: [x]\n", "A sequence was not expected", "a text, a mapping"),
        (REST.replace("[{run: x}]", "x"), "Unexpected value 'x'", "a sequence"),
        (
            REST + "permissions: maybe\n",
            "Unexpected value 'maybe'",
            "'read-all', 'write-all', a mapping",
        ),
        (
            REST + "defaults: {run: {shell: ''}}\n",
            "Unexpected value ''",
            "a text that is not empty",
        ),
        (
            DISPATCH.format("strin") + JOBS,
            "Unexpected value 'strin'",
            "'string', 'boolean', 'number', 'environment', 'choice'",
        ),
    ],
)
def test_a_wrong_value(text: str, message: str, expected: str) -> None:
    """The hint lists what may stand in the place, each kind once."""
    found = read_one(text)

    code = {"A": "unexpected-" + message.split()[1], "U": "unexpected-value"}[message[0]]
    assert (found.code, found.message) == (code, message)
    assert found.hint == f"Expected here: {expected}."


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        (
            REST + "    Runs-On: y\n",
            "duplicate-key",
            "'Runs-On' is already defined",
            "It was first defined in line 4; keep one of them.",
        ),
        (
            REST.replace("steps:", "stepz:"),
            "unexpected-key",
            "Unexpected value 'stepz'",
            "Did you mean 'steps'?",
        ),
        (
            REST + "defaults: {qqqqq: 1}\n",
            "unexpected-key",
            "Unexpected value 'qqqqq'",
            "Known here: run.",
        ),
        (
            REST + "env: {? [a] : b}\n",
            "mapping-key",
            "A mapping key must be a scalar",
            "Write a plain text.",
        ),
    ],
)
def test_a_wrong_key(text: str, code: str, message: str, hint: str) -> None:
    """A key that is twice there, unknown or no text is told apart, each with what to do."""
    found = read_one(text)

    assert (found.code, found.message, found.hint) == (code, message, hint)
