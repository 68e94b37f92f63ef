"""Actions in containers in the job machine: what their containers are run with.

Source: actions/runner src/Runner.Worker/Handlers/ContainerActionHandler.cs, ActionRunner.cs,
Container/DockerUtil.cs; dotnet/runtime Process.Unix.cs (ParseArgumentsIntoList)
"""

from __future__ import annotations

import pytest
from tests.unit.plan.job_play import JobPlay

from windlass.plan.container_actions import ContainerRun, is_dockerfile

GREET = """
inputs:
  who: {default: world}
runs:
  using: docker
  image: docker://greeter:1
  entrypoint: /greet
  args: ["${{ inputs.who }}", "two words", "", "${{ inputs.who == 'you' }}"]
  env:
    NAME: "${{ inputs.who }}"
    COLOUR: red
"""
BARE = "runs: {using: docker, image: Dockerfile}"
STAGED = """
runs:
  using: docker
  image: docker://a
  pre-entrypoint: /pre
  entrypoint: /main
  post-entrypoint: /post
  args: [x]
"""


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("Dockerfile", True),
        ("dockerfile", True),
        ("build/Dockerfile", True),
        ("Dockerfile.alpine", True),
        ("my.Dockerfile", True),
        ("alpine", False),
        ("docker://alpine", False),
        ("docker://example.org/Dockerfile", False),
        ("Dockerfile/x", False),
    ],
)
def test_which_images_are_dockerfiles(image: str, expected: bool) -> None:
    """By the last part of the name."""
    assert is_dockerfile(image) is expected


def test_arguments_and_variables_see_the_inputs() -> None:
    """What is empty stays an argument."""
    play = JobPlay("- {id: x, uses: ./greet, with: {who: you}}", {"./greet": GREET})
    play.run()

    assert play.started("x").container == ContainerRun(
        image="docker://greeter:1",
        entrypoint="/greet",
        arguments=("you", "two words", "", "true"),
        variables={"NAME": "you", "COLOUR": "red"},
    )


def test_a_step_may_give_entrypoint_and_arguments_where_the_action_has_none() -> None:
    """Their names are taken in any case, and nothing is said of them."""
    play = JobPlay(
        "- {id: x, uses: ./bare, with: {entryPoint: /bin/sh, ARGS: '-c \"echo hi\"'}}",
        {"./bare": BARE},
    )
    play.run()

    order = play.started("x")
    assert order.container == ContainerRun(
        image="Dockerfile", entrypoint="/bin/sh", arguments=("-c", "echo hi")
    )
    assert order.inputs == {"entryPoint": "/bin/sh", "ARGS": '-c "echo hi"'}
    assert order.warnings == ()


def test_what_the_action_says_is_stronger_than_the_step() -> None:
    """The inputs are there all the same."""
    play = JobPlay(
        "- {id: x, uses: ./greet, with: {entrypoint: /other, args: one}}", {"./greet": GREET}
    )
    play.run()

    container = play.started("x").container
    assert container is not None
    assert container.entrypoint == "/greet"
    assert container.arguments[0] == "world"


def test_an_unknown_input_is_told_with_those_that_every_container_has() -> None:
    """As the runner lists them."""
    play = JobPlay("- {id: x, uses: ./greet, with: {how: loud}}", {"./greet": GREET})
    play.run()

    assert play.started("x").warnings == (
        "Unexpected input(s) 'how', valid inputs are ['entryPoint', 'args', 'who']",
    )


def test_an_image_is_a_step() -> None:
    """It may be given any inputs; without an entrypoint that of the image counts."""
    play = JobPlay("- {id: x, uses: 'docker://alpine:3', with: {args: a b, other: 1}, env: {A: b}}")

    assert play.run() == ["start x", "end x success", "finish success"]
    order = play.started("x")
    assert order.container == ContainerRun(image="docker://alpine:3", arguments=("a", "b"))
    assert order.variables["A"] == "b"
    assert order.warnings == ()


def test_an_image_may_be_used_within_a_composite_action() -> None:
    """It needs nothing to be read."""
    composite = "runs: {using: composite, steps: [{id: in, uses: 'docker://alpine'}]}"
    play = JobPlay("- {id: x, uses: ./c}", {"./c": composite})
    play.run()

    assert play.started("x.in").container == ContainerRun(image="docker://alpine")


def test_stages_have_entrypoints_of_their_own() -> None:
    """All stages get the arguments; one of the workspace has no pre stage."""
    play = JobPlay("- {id: x, uses: ./staged}", {"./staged": STAGED})

    assert [line for line in play.run() if line.startswith("start")] == ["start x", "start post:x"]
    assert play.started("x").container == ContainerRun(
        image="docker://a", entrypoint="/main", arguments=("x",)
    )
    assert play.started("post:x").container == ContainerRun(
        image="docker://a", entrypoint="/post", arguments=("x",)
    )


def test_an_argument_that_cannot_be_evaluated_fails_the_step() -> None:
    """The place of it is named."""
    action = "runs: {using: docker, image: 'docker://a', args: ['${{ fromJSON(inputs.x) }}']}"
    play = JobPlay("- {id: x, uses: ./bad, with: {x: '{'}}", {"./bad": action})

    assert any(line.startswith("reject x: ") and "Line: 1" in line for line in play.run())
