"""Matrices: legs, their order, their names.

Expected values: the examples of
https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
and of actions/runner src/Sdk/WorkflowParser/Conversion/{MatrixBuilder,JobNameBuilder}.cs.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.plan.planning import read_job

from windlass.lang.expressions import UNKNOWN
from windlass.plan.faults import PlanFault
from windlass.plan.matrix import Strategy, expand

CONTEXTS: dict[str, Any] = {"github": {}, "inputs": {}, "vars": {}, "needs": {}}


def expand_text(text: str, **contexts: Any) -> Strategy:
    strategy = expand(read_job(text), {**CONTEXTS, **contexts})
    assert isinstance(strategy, Strategy), strategy
    return strategy


def matrices(text: str, **contexts: Any) -> list[Any]:
    return [leg.matrix for leg in expand_text(text, **contexts).legs]


def names(text: str, **contexts: Any) -> list[str]:
    return [leg.name for leg in expand_text(text, **contexts).legs]


CROSS = """
strategy:
  matrix:
    arch: [x64, x86]
    os: [linux, windows]
"""


@pytest.mark.requirement("A10")
def test_bug_matrix_order_is_that_of_the_file() -> None:
    """Legs come in definition order, the last key varying fastest, never in a random order."""
    assert matrices(CROSS) == [
        {"arch": "x64", "os": "linux"},
        {"arch": "x64", "os": "windows"},
        {"arch": "x86", "os": "linux"},
        {"arch": "x86", "os": "windows"},
    ]


@pytest.mark.requirement("A10")
def test_bug_matrix_names_are_the_values() -> None:
    """Legs are named after their values, `build (x64, linux)`, not numbered."""
    assert names(CROSS) == [
        "build (x64, linux)",
        "build (x64, windows)",
        "build (x86, linux)",
        "build (x86, windows)",
    ]


@pytest.mark.requirement("A10")
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            "exclude: [{arch: x86, os: linux}]",
            [
                {"arch": "x64", "os": "linux"},
                {"arch": "x64", "os": "windows"},
                {"arch": "x86", "os": "windows"},
            ],
            id="exclude-one",
        ),
        pytest.param(
            "exclude: [{arch: x86}]",
            [{"arch": "x64", "os": "linux"}, {"arch": "x64", "os": "windows"}],
            id="exclude-by-part-of-the-keys",
        ),
        pytest.param(
            "exclude: [{ARCH: X86}]",
            [{"arch": "x64", "os": "linux"}, {"arch": "x64", "os": "windows"}],
            id="exclude-without-regard-to-case",
        ),
        pytest.param(
            "include: [{arch: x64, os: linux, publish: true}]",
            [
                {"arch": "x64", "os": "linux", "publish": True},
                {"arch": "x64", "os": "windows"},
                {"arch": "x86", "os": "linux"},
                {"arch": "x86", "os": "windows"},
            ],
            id="include-adds-a-value",
        ),
        pytest.param(
            "include: [{arch: x64, os: macos}]",
            [
                {"arch": "x64", "os": "linux"},
                {"arch": "x64", "os": "windows"},
                {"arch": "x86", "os": "linux"},
                {"arch": "x86", "os": "windows"},
                {"arch": "x64", "os": "macos"},
            ],
            id="include-adds-a-leg",
        ),
        pytest.param(
            "exclude: [{arch: x86}]\n    include: [{arch: x86, os: linux}]",
            [
                {"arch": "x64", "os": "linux"},
                {"arch": "x64", "os": "windows"},
                {"arch": "x86", "os": "linux"},
            ],
            id="include-brings-an-excluded-leg-back",
        ),
    ],
)
def test_include_and_exclude(more: str, expected: list[Any]) -> None:
    """`exclude` takes legs away, then `include` adds values to those it matches, or legs."""
    assert expected == matrices(f"{CROSS.rstrip()}\n    {more}")


@pytest.mark.requirement("A10")
def test_the_example_of_the_documentation() -> None:
    """GitHub's own example of `include`: original values stay, added ones may be overwritten."""
    text = """
    strategy:
      matrix:
        fruit: [apple, pear]
        animal: [cat, dog]
        include:
          - color: green
          - color: pink
            animal: cat
          - fruit: apple
            shape: circle
          - fruit: banana
          - fruit: banana
            animal: cat
    """
    assert matrices(text) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert names(text) == [
        "build (apple, cat)",
        "build (apple, dog)",
        "build (pear, cat)",
        "build (pear, dog)",
        "build (banana)",
        "build (banana, cat)",
    ]


def test_include_alone_makes_the_legs() -> None:
    """Without vectors every `include` entry is a leg, named after all its values."""
    text = """
    strategy:
      matrix:
        include:
          - {site: production, datacenter: site-a}
          - {site: staging, datacenter: site-b}
    """
    assert names(text) == ["build (production, site-a)", "build (staging, site-b)"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param("[1, 2.50, 0x1F]", ["1", "2.5", "31"], id="numbers"),
        pytest.param("[true, false]", ["true", "false"], id="booleans"),
        pytest.param("['1.10']", ["1.10"], id="strings-as-written"),
        pytest.param("[{version: 10, env: staging}]", ["10, staging"], id="leaves-of-objects"),
        pytest.param("[[a, b]]", ["a, b"], id="leaves-of-lists"),
    ],
)
def test_names_of_values(values: str, expected: list[str]) -> None:
    """Every leaf of a value is in the name, as an expression would print it."""
    text = f"strategy:\n  matrix:\n    key: {values}"

    assert [f"build ({value})" for value in expected] == names(text)


def test_values_without_text_are_left_out_of_names() -> None:
    """Null and the empty string have no place in a name, but the leg is there."""
    strategy = expand_text("strategy:\n  matrix:\n    a: [null, '', x]")

    assert [leg.name for leg in strategy.legs] == ["build", "build", "build (x)"]


def test_keys_are_unique() -> None:
    """Legs of the same name have keys of their own."""
    strategy = expand_text("strategy:\n  matrix:\n    a: [x, x, y, x]")

    assert [leg.key for leg in strategy.legs] == [
        "build (x)",
        "build (x) #2",
        "build (y)",
        "build (x) #3",
    ]


def test_long_names_are_cut_but_not_keys() -> None:
    """A name is at most 100 characters, the last three of which say that it was cut."""
    (leg,) = expand_text(f"strategy:\n  matrix:\n    a: [{'x' * 200}]").legs

    assert f"build ({'x' * 90}..." == leg.name
    assert f"build ({'x' * 200})" == leg.key


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Test", ["Test (a)", "Test (b)"]),
        ("${{ matrix.x }} test", ["build (a)", "build (b)"]),
    ],
)
def test_literal_names_have_the_values_after_them(name: str, expected: list[str]) -> None:
    """A literal `name:` takes the id's place; one with expressions is evaluated by the caller."""
    assert expected == names(f"name: {name}\nstrategy:\n  matrix:\n    x: [a, b]")


def test_objects_are_compared_by_their_leaves() -> None:
    """`exclude` compares the leaves it names, however deep, and nothing else of an object."""
    text = """
    strategy:
      matrix:
        node:
          - {version: 14, env: old}
          - {version: 20, env: new}
        exclude:
          - node: {version: 14}
    """
    assert matrices(text) == [{"node": {"version": 20, "env": "new"}}]


@pytest.mark.parametrize(
    ("value", "filter_value", "is_excluded"),
    [
        ("3.10", "'3.10'", True),
        ("3.10", "3.1", True),
        ("'12'", "12", True),
        ("Linux", "LINUX", True),
        ("true", "1", True),
        ("null", "''", True),
        ("a", "b", False),
    ],
)
def test_filters_compare_as_expressions_do(
    value: str, filter_value: str, is_excluded: bool
) -> None:
    """`exclude` and `include` compare with `==`: without case, and numbers with strings."""
    text = f"strategy:\n  matrix:\n    a: [{value}, z]\n    exclude: [{{a: {filter_value}}}]"

    assert is_excluded == (len(matrices(text)) == 1)


def test_strategy_context() -> None:
    """`strategy` tells each leg its index, their number and the settings."""
    strategy = expand_text(
        "strategy:\n  fail-fast: false\n  max-parallel: 2\n  matrix:\n    a: [x, y, z]"
    )

    assert [
        {"fail-fast": False, "job-index": index, "job-total": 3, "max-parallel": 2}
        for index in range(3)
    ] == [leg.strategy for leg in strategy.legs]
    assert (strategy.fail_fast, strategy.max_parallel) == (False, 2)


def test_without_max_parallel_all_legs_may_run() -> None:
    """`strategy.max-parallel` is then the number of legs."""
    strategy = expand_text("strategy:\n  matrix:\n    a: [x, y, z]")

    assert (strategy.fail_fast, strategy.max_parallel) == (True, None)
    assert strategy.legs[0].strategy["max-parallel"] == 3


def test_a_job_without_matrix_is_one_leg() -> None:
    """Its `matrix` is null, its `strategy` that of a single job."""
    (leg,) = expand_text("timeout-minutes: 5").legs

    assert (leg.key, leg.name, leg.matrix) == ("build", "build", None)
    assert leg.strategy == {"fail-fast": True, "job-index": 0, "job-total": 1, "max-parallel": 1}


def test_when_everything_is_excluded_one_job_is_left() -> None:
    """As on GitHub, a matrix without any leg gives one job without matrix values."""
    (leg,) = expand_text("strategy:\n  matrix:\n    a: [x]\n    exclude: [{a: x}]").legs

    assert leg.matrix is None


@pytest.mark.requirement("A10")
def test_expressions_make_vectors_and_settings() -> None:
    """Whole vectors, single values and settings may come from expressions."""
    text = """
    strategy:
      fail-fast: ${{ github.event_name == 'push' }}
      max-parallel: ${{ fromJSON('1') }}
      matrix:
        version: ${{ fromJSON(needs.list.outputs.versions) }}
        os: [linux, '${{ inputs.os }}']
    """
    strategy = expand_text(
        text,
        github={"event_name": "pull_request"},
        inputs={"os": "macos"},
        needs={"list": {"outputs": {"versions": "[1, 2]"}}},
    )

    assert [{"version": v, "os": os} for v in (1, 2) for os in ("linux", "macos")] == [
        leg.matrix for leg in strategy.legs
    ]
    assert (strategy.fail_fast, strategy.max_parallel) == (False, 1)


@pytest.mark.requirement("A10")
@pytest.mark.parametrize(
    "matrix",
    [
        "${{ fromJSON(needs.list.outputs.matrix) }}",
        "{version: '${{ fromJSON(needs.list.outputs.versions) }}'}",
        "{include: '${{ fromJSON(needs.list.outputs.legs) }}'}",
        "{version: [1, '${{ needs.list.outputs.version }}']}",
    ],
)
def test_a_matrix_of_results_is_unknown(matrix: str) -> None:
    """Before the needed job has run nobody can say which legs there are."""
    job = read_job(f"strategy:\n  matrix: {matrix}")

    assert expand(job, {**CONTEXTS, "needs": {"list": UNKNOWN}}) is UNKNOWN


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("{a: '${{ fromJSON(vars.none) }}'}", "Matrix vector 'a' does not contain any values"),
        ("{a: [x], exclude: [{b: y}]}", "Matrix exclude key 'b' does not match any key within"),
        ("{a: [x], exclude: [{}]}", "Matrix exclude filter must not be empty"),
        (
            "{a: [x], include: '${{ fromJSON(vars.empty) }}'}",
            "Matrix include mapping does not contain any values",
        ),
        ("{include: '${{ fromJSON(vars.none) }}'}", "Matrix must define at least one vector"),
        ("${{ fromJSON('{}') }}", "Matrix must define at least one vector"),
        ("${{ github.ref }}", "Unexpected value 'refs/heads/main'"),
        ("${{ fromJSON('[]') }}", "A sequence was not expected"),
        ("{a: '${{ github.ref }}'}", "Unexpected value 'refs/heads/main'"),
        ("{a: '${{ fromJSON(vars.broken) }}'}", "Error"),
    ],
)
def test_wrong_matrices_are_faults(matrix: str, message: str) -> None:
    """What GitHub refuses is a fault in its words, with its place; never a matrix without legs."""
    fault = expand(
        read_job(f"strategy:\n  matrix: {matrix}"),
        {
            **CONTEXTS,
            "github": {"ref": "refs/heads/main"},
            "vars": {"none": "[]", "empty": "[{}]", "broken": "{"},
        },
    )

    assert isinstance(fault, PlanFault)
    assert fault.message.startswith("Error when evaluating 'strategy' for job 'build'. ")
    assert message in fault.message
    assert fault.span is not None


@pytest.mark.parametrize(("count", "is_allowed"), [(256, True), (257, False)])
def test_a_matrix_has_at_most_256_legs(count: int, is_allowed: bool) -> None:
    """The 257th leg is refused."""
    values = ", ".join(map(str, range(count)))
    strategy = expand(read_job(f"strategy:\n  matrix:\n    a: [{values}]"), CONTEXTS)

    assert is_allowed == isinstance(strategy, Strategy)
    if isinstance(strategy, PlanFault):
        assert "more than 256 combinations" in strategy.message


def test_a_huge_product_is_refused_at_once() -> None:
    """A matrix that multiplies into millions costs no time, even if all of it is excluded."""
    vector = f"[{', '.join(map(str, range(100)))}]"
    keys = "\n".join(f"    k{index}: {vector}" for index in range(6))
    fault = expand(read_job(f"strategy:\n  matrix:\n{keys}"), CONTEXTS)

    assert isinstance(fault, PlanFault)
    assert "1000000000000 combinations" in fault.message


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.lists(st.sampled_from("xyz"), min_size=1, max_size=3),
        min_size=1,
    )
)
def test_the_cross_product_is_whole(vectors: dict[str, list[str]]) -> None:
    """Without filters every combination is there once for each way to choose it, keys in order."""
    body = "\n".join(f"    {key}: [{', '.join(values)}]" for key, values in vectors.items())
    found = matrices(f"strategy:\n  matrix:\n{body}")
    size = 1
    for values in vectors.values():
        size *= len(values)

    assert size == len(found)
    assert all(list(vectors) == list(matrix) for matrix in found)
    assert all(matrix[key] in vectors[key] for matrix in found for key in vectors)


def test_keys_are_compared_character_by_character() -> None:
    """`ß` is not `SS` (StringComparer.OrdinalIgnoreCase): such a key of `include` is a new one."""
    text = """
    strategy:
      matrix:
        ß: [1]
        include: [{SS: 2}]
    """
    assert matrices(text) == [{"ß": 1, "SS": 2}]

    excluded = text.replace("include: [{SS: 2}]", "exclude: [{SS: 1}]")
    fault = expand(read_job(excluded), CONTEXTS)
    assert isinstance(fault, PlanFault)
    assert fault.message.endswith("key 'SS' does not match any key within the matrix")
