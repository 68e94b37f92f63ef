"""What a job's log says of a step before its output: what is run, with what, in one group.

Source: actions/runner src/Runner.Worker/Handlers/Handler.cs and ScriptHandler.cs,
`PrintActionDetails`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from windlass.jobs.shells import Shell
    from windlass.plan.steps import OpenStep, StartStep

_BLANKS = " \t\r\n"
_SCRIPT_COLOUR = "\x1b[36;1m{}\x1b[0m"


def describe_script(order: StartStep, shell: Shell) -> Iterator[str]:
    """Yield the lines about a `run` step."""
    script = order.script or ""
    first = script.lstrip(_BLANKS).replace("\r", "\n").partition("\n")[0]
    yield f"##[group]Run {first}"
    for line in script.replace("\r\n", "\n").rstrip("\n").split("\n"):
        yield _SCRIPT_COLOUR.format(line)
    yield f"shell: {shell.program} {shell.arguments}"
    yield from _describe_values("env:", order.variables)
    yield "##[endgroup]"


def describe_action(
    uses: str,
    inputs: Mapping[str, str],
    variables: Mapping[str, str],
    *,
    is_post: bool = False,
) -> Iterator[str]:
    """Yield the lines about a step with `uses`; `variables` is its `env` with its state."""
    if is_post:
        yield "Post job cleanup."
        return
    yield f"##[group]Run {uses}"
    if inputs:
        yield "with:"
        yield from (f"  {name}: {value}" for name, value in inputs.items() if value)
    yield from _describe_values("env:", variables)
    yield "##[endgroup]"


def describe_open_step(order: OpenStep) -> Iterator[str]:
    """Yield the lines about a composite action; waits and cancellations say nothing."""
    if order.uses:
        yield from describe_action(
            order.uses, order.inputs, order.variables, is_post=order.stage == "post"
        )


def _describe_values(title: str, values: Mapping[str, str]) -> Iterator[str]:
    if values:
        yield title
        yield from (f"  {name}: {value}" for name, value in values.items())
