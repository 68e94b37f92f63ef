"""An action file becomes a typed action, read as the runner reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.lang.action import read_action
from windlass.lang.action.model import Action, CompositeRuns, DockerRuns, NodeRuns
from windlass.lang.tokens import ExpressionToken, StringToken
from windlass.lang.workflow.model import ActionStep, Condition, RunStep


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


def value(token: object) -> str | None:
    return token.value if isinstance(token, StringToken) else None


def condition(found: Condition) -> tuple[str, str | None, str | None]:
    return found.expression, found.source, None if found.span is None else str(found.span)


def test_all_of_a_javascript_action() -> None:
    """Every key has its own place in the action."""
    runs = action(
        "runs:\n  using: node20\n  main: m.js\n  pre: p.js\n  pre-if: success()\n  post: q.js\n"
        "  post-if: failure()\n"
    ).runs
    assert isinstance(runs, NodeRuns)
    assert (value(runs.main), value(runs.pre), value(runs.post)) == ("m.js", "p.js", "q.js")
    assert condition(runs.pre_if) == ("success()", "success()", "action.yml:5:11")
    assert condition(runs.post_if) == ("failure()", "failure()", "action.yml:7:12")
    assert str(runs.span) == "action.yml:2:3"

    short = action("runs: {using: NODE12, main: m.js}\n").runs
    assert isinstance(short, NodeRuns)
    assert (short.using, short.pre, short.post) == ("node12", None, None)
    assert condition(short.pre_if) == condition(short.post_if) == ("always()", None, None)


def test_all_of_a_docker_action() -> None:
    """Every key has its own place in the action."""
    runs = action(
        "runs:\n  using: Docker\n  image: i\n  entrypoint: e\n  args: [a, b]\n  env: {K: v}\n"
        "  pre-entrypoint: p\n  pre-if: success()\n  post-entrypoint: q\n  post-if: failure()\n"
    ).runs
    assert isinstance(runs, DockerRuns)
    assert [value(one) for one in (runs.image, runs.entrypoint, *runs.args)] == [*"ieab"]
    assert [value(one) for one in (runs.pre_entrypoint, runs.post_entrypoint)] == ["p", "q"]
    assert runs.env is not None
    assert [(value(key), value(one)) for key, one in runs.env.entries] == [("K", "v")]
    assert condition(runs.pre_if) == ("success()", "success()", "action.yml:8:11")
    assert condition(runs.post_if) == ("failure()", "failure()", "action.yml:10:12")
    assert str(runs.span) == "action.yml:2:3"

    short = action("runs: {using: docker, image: i}\n").runs
    assert isinstance(short, DockerRuns)
    assert (short.args, short.env, short.entrypoint, short.pre_entrypoint) == ((), None, None, None)


def test_all_of_inputs_and_outputs() -> None:
    """Names, places and texts; what is not said is not there."""
    found = action(
        "name: n\ninputs:\n  one: {description: d, required: 'TRUE', default: x}\n  two: {}\n"
        "  three: {required: false}\n  four: {required: 'yes'}\n"
        "outputs:\n  out: {description: o, value: v}\n  bare: {}\n"
        "runs:\n  using: composite\n  steps: []\n"
    )
    inputs = [
        (one.name, str(one.span), one.description, one.required, value(one.default))
        for one in found.inputs.values()
    ]
    assert inputs == [
        ("one", "action.yml:3:3", "d", True, "x"),
        ("two", "action.yml:4:3", None, False, None),
        ("three", "action.yml:5:3", None, False, None),
        ("four", "action.yml:6:3", None, False, None),
    ]
    assert found.inputs["one"].deprecation_message is None
    outputs = [
        (one.name, str(one.span), one.description, value(one.value))
        for one in found.outputs.values()
    ]
    assert outputs == [
        ("out", "action.yml:8:3", "o", "v"),
        ("bare", "action.yml:9:3", None, None),
    ]
    assert (found.path, str(found.span), found.name) == ("action.yml", "action.yml:1:1", "n")
    assert isinstance(found.runs, CompositeRuns)
    assert str(found.runs.span) == "action.yml:11:3"
    assert not found.is_docker
    assert not found.is_javascript


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("name: x\n", "runs-missing", "Write 'runs:' with 'using:' in it."),
        ("runs: {main: m.js}\n", "using-missing", None),
        ("runs: {using: node8, main: m.js}\n", "using-unsupported", None),
        ("runs: {using: node20, pre: p}\n", "main-missing", "Write 'main: path/of/script.js'."),
        ("runs: {using: docker, args: []}\n", "image-missing", "Write 'image: Dockerfile'."),
        ("runs: {using: composite, main: m}\n", "steps-missing", "Write 'steps:' with a list."),
        ("runs: {using: node20, main: m.js, pre-if: gone.x}\n", "condition", None),
        ("runs: {using: docker, image: i, pre-if: gone.x}\n", "condition", None),
        ("runs: {using: docker, image: i, post-if: gone.x}\n", "condition", None),
        (
            "runs: {using: composite, steps: [{run: x, shell: sh, id: 1a}]}\n",
            "step-id",
            None,
        ),
        (
            f"runs: {{using: composite, steps: [{'{run: x, shell: sh}, ' * 1000}]}}\n",
            "unexpected-type",
            None,
        ),
    ],
)
def test_codes_and_hints(text: str, code: str, hint: str | None) -> None:
    """The codes are what a suppression names, the hints what to do."""
    reading = read_action("action.yml", text.encode())
    assert [(one.code, one.hint) for one in reading.diagnostics] == [(code, hint)]
    assert reading.action is None


def test_a_composite_action_without_steps() -> None:
    """It is told at `runs`."""
    assert errors("runs: {using: composite, main: m}\n") == [
        "1:7 You are using a composite action but there are no steps provided."
    ]


def test_what_the_schema_refuses_is_told_alone() -> None:
    """An action with a wrong key is not looked at any further."""
    text = "inputs: {x: {default: '${{ gone.x }}'}}\nruns: {main: m.js}\n"
    assert errors(text) == ["1:23 Unrecognized named-value: 'gone'"]
