"""An action file becomes a typed action, read as the runner reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.lang.action import read_action
from windlass.lang.action.model import Action, CompositeRuns, DockerRuns, NodeRuns
from windlass.lang.tokens import ExpressionToken, StringToken
from windlass.lang.workflow.model import ActionStep, RunStep


def action(text: str) -> Action:
    reading = read_action("action.yml", text.encode())
    assert reading.diagnostics == ()
    assert reading.action is not None
    return reading.action


def errors(text: str) -> list[str]:
    found = read_action("action.yml", text.encode()).diagnostics
    return [f"{one.span.start} {one.message}" for one in found if one.span]


def test_javascript_action() -> None:
    """Scripts for the start of the job, the step and the end of the job, with conditions."""
    found = action(
        "name: n\ndescription: d\nruns:\n  using: Node24\n  main: m.js\n  pre: p.js\n"
        "  post: q.js\n  post-if: failure()\n"
    )
    runs = found.runs
    assert found.is_javascript
    assert (found.name, found.description) == ("n", "d")
    assert isinstance(runs, NodeRuns)
    assert (runs.using, runs.main.value) == ("node24", "m.js")
    assert runs.pre is not None
    assert runs.pre_if.expression == "always()"
    assert runs.post_if.expression == "failure()"


def test_docker_action() -> None:
    """An image, arguments and variables that may use the inputs."""
    found = action(
        "runs:\n  using: docker\n  image: Dockerfile\n  args: [a, '${{ inputs.x }}']\n"
        "  env: {K: v}\n  entrypoint: e\n  pre-entrypoint: p\n"
    )
    runs = found.runs
    assert found.is_docker
    assert isinstance(runs, DockerRuns)
    assert [type(one) for one in runs.args] == [StringToken, ExpressionToken]
    assert runs.env is not None
    assert runs.entrypoint is not None
    assert runs.pre_entrypoint is not None
    assert runs.post_entrypoint is None


def test_composite_action() -> None:
    """Steps with ids, conditions and outputs that come from them."""
    found = action(
        "outputs:\n  o: {description: d, value: '${{ steps.s.outputs.x }}'}\n"
        "runs:\n  using: composite\n  steps:\n"
        "    - {id: s, run: x, shell: bash, if: inputs.debug}\n    - uses: ./other\n"
    )
    runs = found.runs
    assert isinstance(runs, CompositeRuns)
    run, uses = runs.steps
    assert isinstance(run, RunStep)
    assert run.condition.expression == "success() && (inputs.debug)"
    assert isinstance(uses, ActionStep)
    assert uses.id == "__self"
    assert found.outputs["o"].value is not None


def test_inputs() -> None:
    """Inputs keep their order; a default may use the context of the job."""
    found = action(
        "inputs:\n  token: {default: '${{ github.token }}'}\n"
        "  Level: {description: d, required: true, default: 1.10, deprecationMessage: old}\n"
        "  text: {required: 'true', other: x}\nruns: {using: node20, main: m.js}\n"
    )
    level = found.inputs["Level"]
    assert list(found.inputs) == ["token", "Level", "text"]
    assert isinstance(found.inputs["token"].default, ExpressionToken)
    assert level.required
    assert isinstance(level.default, StringToken)
    assert level.default.value == "1.1"
    assert level.deprecation_message == "old"
    assert found.inputs["text"].required


def test_unknown_keys_at_the_top_are_let_pass() -> None:
    """The runner ignores what it does not know there."""
    assert action("branding: {icon: x}\nfoo: [1]\nruns: {using: node20, main: m.js}\n").runs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\n", ["1:1 Top level 'runs:' section is required"]),
        (
            "runs: {main: m.js}\n",
            [
                (
                    "1:7 Missing 'using' value. 'using' requires 'composite', 'docker', 'node12', "
                    "'node16', 'node20' or 'node24'."
                )
            ],
        ),
        (
            "runs: {using: node8, main: m.js}\n",
            [
                (
                    "1:15 'using: node8' is not supported, use 'composite', 'docker', 'node12', "
                    "'node16', 'node20' or 'node24' instead."
                )
            ],
        ),
        (
            "runs: {using: node20, pre: p.js}\n",
            [
                (
                    "1:7 You are using a JavaScript Action but there is not an entry "
                    "JavaScript file "
                    "provided."
                )
            ],
        ),
        (
            "runs: {using: docker, entrypoint: e}\n",
            ["1:7 You are using a Container Action but an image is not provided."],
        ),
        (
            "runs: {using: composite, steps: [{run: x}]}\n",
            ["1:34 Required property is missing: shell"],
        ),
        (
            "runs: {using: node20, main: m.js, post-if: secrets.x}\n",
            ["1:44 Unrecognized named-value: 'secrets'"],
        ),
        (
            "inputs: {x: {default: '${{ secrets.x }}'}}\nruns: {using: node20, main: m.js}\n",
            ["1:23 Unrecognized named-value: 'secrets'"],
        ),
        ("", ["1:1 Expected a scalar value, a sequence, or a mapping"]),
    ],
)
def test_wrong_action(text: str, expected: list[str]) -> None:
    """What the runner would refuse at the start of the job is refused with its place."""
    assert errors(text) == expected


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    """An action file is read, or refused with a place."""
    reading = read_action("action.yml", data)
    assert (reading.action is None) == bool(reading.diagnostics)
