"""The schema is applied to YAML: tokens and errors; expectations are those of GitHub's package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.lang.tokens import (
    BooleanToken,
    ExpressionToken,
    InsertToken,
    MappingToken,
    NumberToken,
    StringToken,
    Token,
)
from windlass.lang.workflow import read_workflow

if TYPE_CHECKING:
    from windlass.lang.workflow.result import Reading

HEAD = "on: push\njobs:\n  a:\n    runs-on: x\n"


def read(text: str) -> Reading:
    return read_workflow("w.yml", text.encode())


def errors(text: str) -> list[str]:
    return [f"{one.span.start} {one.message}" for one in read(text).diagnostics if one.span]


def job_part(text: str, key: str) -> Token:
    """The token under a key of the job `a`."""
    reading = read(HEAD + text)
    assert reading.diagnostics == ()
    assert reading.tokens is not None
    jobs = reading.tokens.find("jobs")
    assert isinstance(jobs, MappingToken)
    job = jobs.find("a")
    assert isinstance(job, MappingToken)
    found = job.find(key)
    assert found is not None
    return found


def env_value(value: str) -> Token:
    env = job_part(f"    env:\n      k: {value}\n", "env")
    assert isinstance(env, MappingToken)
    return env.entries[0][1]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text", "text"),
        ("1.10", "1.1"),
        ("3.0", "3"),
        ("0x1F", "31"),
        ("0o17", "15"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("true", "true"),
        ("yes", "yes"),
        ("on", "on"),
        ("", ""),
        ("~", ""),
        ("2001-01-01", "2001-01-01"),
        (".inf", "Infinity"),
        ("'1.10'", "1.10"),
    ],
)
def test_a_place_for_text_takes_any_scalar(written: str, expected: str) -> None:
    """Where a text is needed, numbers, booleans and nothing become text as GitHub writes it."""
    token = env_value(written)
    assert isinstance(token, StringToken)
    assert token.value == expected


def test_a_place_for_a_number_takes_no_text() -> None:
    """A quoted number is a text and no number."""
    assert errors(HEAD + "    timeout-minutes: '5'\n") == ["5:22 Unexpected value '5'"]
    token = job_part("    timeout-minutes: 0x10\n", "timeout-minutes")
    assert isinstance(token, NumberToken)
    assert (token.value, token.text) == (16.0, "0x10")


def test_a_place_for_a_boolean_takes_no_text() -> None:
    """`yes` is a text in YAML 1.2."""
    assert errors(HEAD + "    continue-on-error: yes\n") == ["5:24 Unexpected value 'yes'"]
    assert isinstance(job_part("    continue-on-error: True\n", "continue-on-error"), BooleanToken)


@pytest.mark.parametrize(
    ("written", "expression"),
    [
        ("${{ github.ref }}", "github.ref"),
        ("${{github.ref}}", "github.ref"),
        ("a ${{ github.ref }}", "format('a {0}', github.ref)"),
        ("${{ github.ref }}${{ vars.x }}", "format('{0}{1}', github.ref, vars.x)"),
        ("it's {x} ${{ vars.x }}", "format('it''s {{x}} {0}', vars.x)"),
        ("${{ '}}' == vars.x }}", "'}}' == vars.x"),
        ("${{ 'it''s' == vars.x }}", "'it''s' == vars.x"),
        ("|\n        echo ${{ vars.x }}\n        end\n", "format('echo {0}\nend\n', vars.x)"),
        (">-\n        echo ${{ vars.x }}\n        end\n", "format('echo {0} end', vars.x)"),
        ('"\\t${{ vars.x }}"', "format('\t{0}', vars.x)"),
    ],
)
def test_expression_is_built_as_github_builds_it(written: str, expression: str) -> None:
    """One expression stays itself; text around it makes a format call."""
    token = env_value(written)
    assert isinstance(token, ExpressionToken)
    assert token.expression == expression


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("${{ '${{ literal }}' }}", "${{ literal }}"),
        ("${{ 'it''s' }}", "it's"),
        ("${{ '' }}", ""),
    ],
)
def test_expression_that_is_a_literal_text_is_that_text(written: str, expected: str) -> None:
    """The way to write `${{` itself."""
    token = env_value(written)
    assert isinstance(token, StringToken)
    assert token.value == expected


@pytest.mark.parametrize(
    ("written", "places"),
    [
        ("${{ github.ref }}", ["6:14"]),
        ("a ${{  vars.x}} ${{ vars.y }}", ["6:17", "6:30"]),
        ('"${{ vars.x }}"', ["6:15"]),
        ("|\n        one\n        two ${{ vars.x }}\n", ["8:17"]),
    ],
)
def test_each_expression_knows_its_place(written: str, places: list[str]) -> None:
    """The parts of a scalar point at the very characters in the file."""
    token = env_value(written)
    assert isinstance(token, ExpressionToken)
    assert [str(one.start) for one in token.embedded] == places


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "${{ github.ref",
            (
                "The expression is not closed. An unescaped ${{ sequence was found, but the "
                "closing }} "
                "sequence was not found."
            ),
        ),
        ("${{ }}", "An expression was expected"),
        (
            "${{ 'a }}",
            (
                "The expression is not closed. An unescaped ${{ sequence was found, but the "
                "closing }} sequence was not found."
            ),
        ),
        ("${{ steps.x }}", "Unrecognized named-value: 'steps'"),
        ("${{ nope(1) }}", "Unrecognized function: 'nope'"),
        (
            '${{ "x" }}',
            'Unexpected symbol: \'"x"\'. Located at position 1 within expression: "x"',
        ),
        (
            "a ${{ insert }}",
            (
                "The directive 'insert' is not allowed in this context. Directives are not "
                "supported "
                "for expressions that are embedded within a string. Directives are only "
                "supported when "
                "the entire value is an expression."
            ),
        ),
        (
            "${{ insert x }}",
            (
                "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual "
                "parameter count: 1"
            ),
        ),
        ("${{ insert }}", "Unexpected value '${{ insert }}'"),
    ],
)
def test_wrong_expression(written: str, message: str) -> None:
    """A wrong expression is reported where its scalar starts."""
    assert errors(HEAD + f"    env:\n      k: {written}\n") == [f"6:10 {message}"]


def test_all_wrong_expressions_of_a_scalar_are_reported() -> None:
    """Reading goes on after the first one."""
    found = errors(HEAD + "    env:\n      k: ${{ steps.x }} ${{ runner.x }}\n")
    assert found == [
        "6:10 Unrecognized named-value: 'steps'",
        "6:10 Unrecognized named-value: 'runner'",
    ]


def test_what_is_available_is_named() -> None:
    """The hint says which contexts the place knows."""
    (problem,) = read(HEAD + "    env:\n      k: ${{ steps.x }}\n").diagnostics
    assert problem.hint == (
        "Available here: github, inputs, vars, needs, strategy, matrix, secrets."
    )


def test_expression_where_none_is_allowed() -> None:
    """Some places take no expression at all, not even a constant one."""
    assert errors("on: push\nname: ${{ 1 }}\njobs: {}\n")[0] == (
        "2:7 A template expression is not allowed in this context"
    )


def test_insert_merges_a_mapping() -> None:
    """The key `${{ insert }}` stays a directive until the mapping is evaluated."""
    env = job_part("    env:\n      ${{ insert }}: ${{ vars.x }}\n", "env")
    assert isinstance(env, MappingToken)
    assert isinstance(env.entries[0][0], InsertToken)


def test_expression_longer_than_the_limit() -> None:
    """Text around an expression counts, as the runner's parser counts it."""
    long = "x" * 21_000
    assert errors(HEAD + f"    env:\n      k: {long} ${{{{ vars.x }}}}\n") == [
        "6:10 Exceeded max expression length 21000"
    ]
    assert errors(HEAD + f"    env:\n      k: {long}\n") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            HEAD + "    runs-on: y\n", ["5:5 'runs-on' is already defined"], id="duplicate"
        ),
        pytest.param(
            HEAD + "    Runs-On: y\n",
            ["5:5 'Runs-On' is already defined"],
            id="duplicate in another case",
        ),
        pytest.param(HEAD + "    stepz: []\n", ["5:5 Unexpected value 'stepz'"], id="unknown key"),
        pytest.param(HEAD + "    Env: {}\n", ["5:5 Unexpected value 'Env'"], id="keys have a case"),
        pytest.param(HEAD + "    <<: {}\n", ["5:5 Unexpected value '<<'"], id="no merge key"),
        pytest.param(HEAD + "    env: []\n", ["5:10 A sequence was not expected"], id="sequence"),
        pytest.param(HEAD + "    if: {}\n", ["5:9 A mapping was not expected"], id="mapping"),
        pytest.param("jobs: {}\n", ["1:1 Required property is missing: on"], id="missing key"),
        pytest.param(
            "on: push\njobs:\n  a:\n    name: x\n",
            [
                (
                    "4:5 There's not enough info to determine what you meant. Add one of these "
                    "properties: cancel-timeout-minutes, container, continue-on-error, "
                    "defaults, env, "
                    "environment, outputs, runs-on, secrets, services, snapshot, steps, "
                    "timeout-minutes, "
                    "uses, with"
                )
            ],
            id="ambiguous",
        ),
        pytest.param(
            HEAD + "    uses: ./x\n", ["5:5 Unexpected value 'uses'"], id="two kinds at once"
        ),
        pytest.param(
            HEAD + "    env:\n      [a]: b\n", ["6:7 A mapping key must be a scalar"], id="key"
        ),
        pytest.param(
            HEAD + "    env:\n      ? 1\n      : b\n      true: c\n", [], id="keys become text"
        ),
        pytest.param("", ["1:1 Expected a scalar value, a sequence, or a mapping"], id="empty"),
        pytest.param("~", ["1:1 Unexpected value ''"], id="null"),
        pytest.param("[]", ["1:1 A sequence was not expected"], id="list"),
        pytest.param(
            HEAD + "    steps:\n      - run: x\n        if: !cancelled()\n",
            ["7:13 Unexpected tag '!cancelled()'"],
            id="a condition that is a tag",
        ),
    ],
)
def test_structure(text: str, expected: list[str]) -> None:
    """Errors of structure have GitHub's words and places."""
    assert errors(text) == expected


def test_near_key_is_suggested() -> None:
    """A key that is nearly right gets a suggestion, any other the list of keys."""
    (near,) = read(HEAD + "    step: []\n").diagnostics
    assert near.hint == "Did you mean 'steps'?"


def test_all_errors_are_reported_in_the_order_of_the_file() -> None:
    """One reading finds everything."""
    found = errors("name: []\non: pusch\njobs:\n  a:\n    runs-on:\n    foo: 1\n")
    assert [line.split(" ")[0] for line in found] == ["1:7", "2:5", "5:13", "6:5"]


@pytest.mark.parametrize(("depth", "is_refused"), [(46, False), (47, True), (60, True)])
def test_nesting_is_limited(depth: int, is_refused: bool) -> None:
    """The runner reads 50 nested sequences and mappings (ParseOptions.MaxDepth)."""
    matrix = "[" * (depth - 2) + "]" * (depth - 2)
    text = HEAD + f"    strategy:\n      matrix:\n        a: [1, {matrix}]\n"
    found = [line for line in errors(text) if "depth" in line]
    assert bool(found) is is_refused
    assert all("Maximum object depth exceeded" in line for line in found)


def test_alias_bomb_is_refused() -> None:
    """Nested aliases are read at most 50,000 times (YamlObjectReader.cs)."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
    text = HEAD + "    strategy:\n      matrix:\n" + "".join(f"        {one}\n" for one in lines)
    assert [line.split(" ", 1)[1] for line in errors(text)] == ["Maximum YAML nodes exceeded"]


def test_result_size_is_limited() -> None:
    """Repeated large texts are read up to 10 MiB (TemplateMemory.cs)."""
    text = HEAD + "    env:\n      a: &a " + "x" * 100_000 + "\n"
    text += "".join(f"      k{n}: *a\n" for n in range(100))
    assert [line.split(" ", 1)[1] for line in errors(text)] == ["Maximum object size exceeded"]


SAMPLE = (
    HEAD + "    env: {a: '${{ vars.x }}'}\n    steps:\n      - run: |\n          x\n"
).encode()


@settings(max_examples=300)
@given(st.integers(0, len(SAMPLE)), st.integers(0, 12), st.binary(max_size=12))
def test_no_changed_file_makes_the_reader_raise(start: int, length: int, new: bytes) -> None:
    """A workflow with any stretch replaced is read, or refused with a place."""
    changed = SAMPLE[:start] + new + SAMPLE[start + length :]
    reading = read_workflow("w.yml", changed)
    assert (reading.workflow is None) == bool(reading.diagnostics)
    assert all(one.span is not None and one.message for one in reading.diagnostics)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    """Random bytes are never a workflow."""
    assert read_workflow("w.yml", data).diagnostics


def test_names_are_compared_character_by_character() -> None:
    """No name is another one that is longer: the runner compares ordinally, `ß` is not `SS`."""
    reading = read(HEAD + "    env: {maß: 1, MASS: 2}\n")
    assert reading.diagnostics == ()
    assert reading.tokens is not None

    jobs = reading.tokens.find("JOBS")
    assert isinstance(jobs, MappingToken)
    job = jobs.find("A")
    assert isinstance(job, MappingToken)
    env = job.find("Env")
    assert isinstance(env, MappingToken)
    assert env.find("mass") == env.entries[1][1]
    assert env.find("MAß") == env.entries[0][1]
    assert errors(HEAD + "    env: {straße: 1, STRAßE: 2}\n") == [
        "5:22 'STRAßE' is already defined"
    ]
