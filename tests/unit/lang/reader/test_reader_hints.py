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
            REST + "concurrency: {qqqqq: 1, group: a}\n",
            "unexpected-key",
            "Unexpected value 'qqqqq'",
            "Known here: group, cancel-in-progress, queue.",
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


@pytest.mark.parametrize(
    ("value", "code", "message", "hint"),
    [
        (
            "'${{ }}'",
            "expression-empty",
            "An expression was expected",
            "Write one between ${{ and }}, for instance ${{ github.ref }}.",
        ),
        (
            "'${{ github.ref'",
            "expression-not-closed",
            (
                "The expression is not closed. An unescaped ${{ sequence was found, but the "
                "closing }} sequence was not found."
            ),
            "Close it with }}, or write ${{ '${{' }} for the characters themselves.",
        ),
        (
            "'a${{ insert }}'",
            "directive-not-allowed",
            (
                "The directive 'insert' is not allowed in this context. Directives are not "
                "supported for expressions that are embedded within a string. Directives are only "
                "supported when the entire value is an expression."
            ),
            None,
        ),
        (
            "'${{ insert x y }}'",
            "directive-parameters",
            (
                "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual "
                "parameter count: 2"
            ),
            None,
        ),
        (
            "'${{ nope.x }}'",
            "expression",
            "Unrecognized named-value: 'nope'",
            "Available here: github, inputs, vars.",
        ),
        ("'${{ nope() }}'", "expression", "Unrecognized function: 'nope'", None),
        (
            "'${{ 1 + }}'",
            "expression",
            "Unexpected symbol: '+'. Located at position 3 within expression: 1 +",
            None,
        ),
        (
            "!x y",
            "yaml-tag",
            "Unexpected tag '!x'",
            "A value that starts with '!' needs quotes; a tag has to be removed.",
        ),
    ],
)
def test_a_wrong_text(value: str, code: str, message: str, hint: str | None) -> None:
    """A text whose expression or tag is wrong says which, in GitHub's words, and what to do."""
    found = read_one(f"run-name: {value}\n{REST}")

    assert (found.code, found.message, found.hint) == (code, message, hint)
    assert found.span == Span("w.yml", Position(1, 11), Position(1, 11 + len(value)))


@pytest.mark.parametrize(
    ("text", "code", "message", "place"),
    [
        (JOBS, "missing-key", "Required property is missing: on", "1:1"),
        ("on: push\n", "missing-key", "Required property is missing: jobs", "1:1"),
        (
            "on: {workflow_call: {inputs: {a: {}}}}\n" + JOBS,
            "missing-key",
            "Required property is missing: type",
            "1:34",
        ),
        (
            REST.replace("x}]", "x}, {name: y}]"),
            "ambiguous-mapping",
            (
                "There's not enough info to determine what you meant. Add one of these properties: "
                "run, shell, uses, with, working-directory"
            ),
            "5:23",
        ),
        (
            "name: ${{ insert }}\n" + REST,
            "unexpected-value",
            "Unexpected value '${{ insert }}'",
            "1:7",
        ),
    ],
)
def test_a_wrong_mapping(text: str, code: str, message: str, place: str) -> None:
    """What is missing is named at the mapping it is missing from."""
    found = read_one(text)

    assert (found.code, found.message) == (code, message)
    assert found.span is not None
    assert str(found.span.start) == place


def test_an_expression_that_grows_too_long() -> None:
    """The hint tells how long the expression became with the text around it."""
    script = "y" * 21_000
    found = read_one(REST.replace("{run: x}", f"{{run: '{script} ${{{{ github.x }}}}'}}"))

    length = len(f"format('{script} {{0}}', github.x)")
    assert (found.code, found.message) == (
        "expression-too-long",
        "Exceeded max expression length 21000",
    )
    assert found.hint == (
        f"With its text the expression has {length} characters; move the text to a file, or the "
        "expressions to `env`."
    )


def test_where_no_context_can_be_used() -> None:
    """The hint does not list what is not there."""
    assert read_one("name: ${{ github.ref }}\n" + REST).hint == "No context can be used here."


def test_many_mistakes_are_not_compared() -> None:
    """After a hundred problems unknown keys are listed with what is known, at no more cost."""
    steps = "".join(f"      - {{run: x, nam: {number}}}\n" for number in range(102))
    text = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n" + steps
    hints = [one.hint or "" for one in read_workflow("w.yml", text.encode()).diagnostics]

    assert hints[:101] == ["Did you mean 'name'?"] * 101
    assert hints[101].startswith("Known here: ")
