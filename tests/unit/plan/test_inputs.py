"""The inputs of workflow_dispatch.

Expected values: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_dispatchinputs
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import happen, read

from windlass.plan.inputs import fill_event, find_undeclared, read_inputs
from windlass.plan.synthesis import EventWishes

WORKFLOW = read(
    """
    on:
      workflow_dispatch:
        inputs:
          architecture:
            type: choice
            options: [amd64, arm64, all]
            default: all
          force_rebuild: {type: boolean}
          verbose: {type: boolean, default: true}
          retries: {type: number, default: 3}
          target: {type: environment}
          note: {required: true}
    jobs: {a: {runs-on: x, steps: [{run: 'true'}]}}
    """
)
INPUTS = WORKFLOW.triggers.dispatch_inputs


def give(**inputs: str) -> dict[str, Any] | tuple[Any, ...]:
    return read_inputs(WORKFLOW, happen("workflow_dispatch", EventWishes(inputs=inputs)))


@pytest.mark.requirement("A05")
@pytest.mark.requirement("A13")
def test_inputs_are_typed() -> None:
    """Booleans and numbers are of those kinds, all else strings; defaults fill in."""
    assert give(note="hello", architecture="arm64", force_rebuild="true", retries="5") == {
        "architecture": "arm64",
        "force_rebuild": True,
        "verbose": True,
        "retries": 5,
        "target": "",
        "note": "hello",
    }


def test_a_boolean_that_is_given_as_nothing_is_false() -> None:
    """That holds for one that is required too: it always has a value."""
    found = read_inputs(
        read(
            """
            on: {workflow_dispatch: {inputs: {sure: {type: boolean, required: true}}}}
            jobs: {a: {runs-on: x, steps: [{run: 'true'}]}}
            """
        ),
        happen("workflow_dispatch", EventWishes(inputs={"sure": ""})),
    )

    assert found == {"sure": False}


def test_a_default_is_not_compared_with_the_options() -> None:
    """Only what somebody gives is: what the file says is the file's."""
    workflow = read(
        """
        on: {workflow_dispatch: {inputs: {size: {type: choice, options: [small], default: big}}}}
        jobs: {a: {runs-on: x, steps: [{run: 'true'}]}}
        """
    )

    assert read_inputs(workflow, happen("workflow_dispatch")) == {"size": "big"}


@pytest.mark.requirement("A13")
def test_event_inputs_are_strings() -> None:
    """`github.event.inputs` has all inputs too, each as a string."""
    event = happen("workflow_dispatch", EventWishes(inputs={"note": "x"}))

    assert fill_event(event, WORKFLOW).payload["inputs"] == {
        "architecture": "all",
        "force_rebuild": "false",
        "verbose": "true",
        "retries": "3",
        "target": "",
        "note": "x",
    }


def test_names_of_inputs_ignore_case() -> None:
    """An input may be given in any case."""
    found = give(NOTE="x")

    assert isinstance(found, dict)
    assert found["note"] == "x"


@pytest.mark.requirement("A05")
@pytest.mark.parametrize(
    ("inputs", "message", "hint"),
    [
        ({}, "the input 'note' is required", "give it as --input note=VALUE"),
        (
            {"note": "x", "architecture": "riscv"},
            "'riscv' is no option of the input 'architecture'",
            "choose amd64 or arm64 or all",
        ),
        (
            {"note": "x", "force_rebuild": "yes"},
            "the input 'force_rebuild' is a boolean, not 'yes'",
            "give true or false",
        ),
        (
            {"note": "x", "retries": "many"},
            "the input 'retries' is a number, not 'many'",
            "give it as --input retries=VALUE",
        ),
    ],
)
def test_wrong_inputs(inputs: dict[str, str], message: str, hint: str) -> None:
    """What does not fit is a diagnostic about the call that shows the input's definition."""
    found = give(**inputs)

    assert isinstance(found, tuple)
    assert [(finding.message, finding.hint) for finding in found] == [(message, hint)]
    assert found[0].span is None, "the call is wrong, not the file"
    (related,) = found[0].related
    assert related.message == "the input is declared here"
    place = next(item.span for name, item in INPUTS.items() if f"'{name}'" in message)
    assert related.span == place


def test_an_undeclared_input_is_found() -> None:
    """An input that no started workflow declares is a mistake; the declared ones are named."""
    event = happen("workflow_dispatch", EventWishes(inputs={"archtecture": "x"}))
    (finding,) = find_undeclared([WORKFLOW], event)

    assert finding.message == "there is no input 'archtecture'"
    assert "architecture, force_rebuild" in (finding.hint or "")


def test_other_events_have_no_inputs() -> None:
    """`inputs` is empty unless the workflow was dispatched or called."""
    assert read_inputs(WORKFLOW, happen("push")) == {}


@pytest.mark.requirement("A06")
def test_a_schedule_tells_its_cron() -> None:
    """`github.event.schedule` is the cron that was named, else the workflow's first."""
    workflow = read(
        "on: {schedule: [{cron: '0 3 * * *'}, {cron: '0 4 * * *'}]}\n"
        "jobs: {a: {runs-on: x, steps: [{run: 'true'}]}}"
    )
    named = happen("schedule", EventWishes(cron="0 4 * * *"))

    assert fill_event(happen("schedule"), workflow).payload["schedule"] == "0 3 * * *"
    assert fill_event(named, workflow).payload["schedule"] == "0 4 * * *"
    assert fill_event(happen("schedule"), WORKFLOW).payload["schedule"] == ""


def test_names_are_compared_character_by_character() -> None:
    """`ß` is not `SS`, as StringComparer.OrdinalIgnoreCase has it."""
    workflow = read(
        """
        on: {workflow_dispatch: {inputs: {maß: {type: string}}}}
        jobs: {a: {runs-on: x, steps: [{run: 'true'}]}}
        """
    )
    event = happen("workflow_dispatch", EventWishes(inputs={"MASS": "1"}))
    assert read_inputs(workflow, event) == {"maß": ""}
    assert [one.message for one in find_undeclared([workflow], event)] == [
        "there is no input 'MASS'"
    ]


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({}, "missing-input"),
        ({"note": "x", "architecture": "riscv"}, "wrong-input"),
        ({"note": "x", "force_rebuild": "yes"}, "wrong-input"),
        ({"note": "x", "retries": "many"}, "wrong-input"),
    ],
)
def test_codes_of_wrong_inputs(inputs: dict[str, str], code: str) -> None:
    """What is missing and what is wrong are told apart."""
    found = give(**inputs)

    assert isinstance(found, tuple)
    assert [finding.code for finding in found] == [code]


def test_inputs_that_nobody_declares() -> None:
    """Where there are no inputs at all, the hint says so."""
    workflow = read("on: workflow_dispatch\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}")
    event = happen("workflow_dispatch", EventWishes(inputs={"x": "1"}))
    (finding,) = find_undeclared([workflow], event)

    assert (finding.code, finding.hint) == ("undeclared-input", "the workflow declares no inputs")


def test_what_is_filled_in() -> None:
    """A choice without a default is its first option, as in GitHub's form; a boolean is false."""
    workflow = read(
        """
        on:
          workflow_dispatch:
            inputs:
              size: {type: choice, options: [small, large]}
              text: {type: string}
              sure: {type: boolean, required: true}
        jobs: {a: {runs-on: x, steps: [{run: 'true'}]}}
        """
    )
    event = happen("workflow_dispatch")
    assert read_inputs(workflow, event) == {"size": "small", "text": "", "sure": False}

    payload = fill_event(event, workflow).payload
    assert payload["inputs"] == {"size": "small", "text": "", "sure": "false"}
    assert payload["workflow"] == ".github/workflows/ci.yml"


def test_the_workflow_is_in_the_event_of_a_schedule_too() -> None:
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads has its path for both."""
    workflow = read(
        "on: {schedule: [{cron: '0 3 * * *'}]}\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}"
    )
    payload = fill_event(happen("schedule"), workflow).payload

    assert payload["workflow"] == ".github/workflows/ci.yml"
