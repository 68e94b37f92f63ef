"""What a job hands on when it ends, and the token that inputs default to.

Source: actions/runner src/Runner.Worker/JobExtension.cs (FinalizeJob)
"""

from __future__ import annotations

import pytest
from tests.unit.plan.job_play import FAILURE, SUCCESS, JobPlay

from windlass.lang.action.reading import read_action
from windlass.plan.actions import Inputs, complete_inputs
from windlass.plan.handover import LOCAL_TOKEN
from windlass.plan.keys import Scope
from windlass.plan.steps import FinishJob

ACTION = "inputs: {{token: {{default: {default}}}}}\nruns: {{using: node20, main: main.js}}"
TOKEN = "${{ github.token }}"


def finish(job: str, steps: str = "- {id: a, run: 'true'}", **ends: object) -> FinishJob:
    play = JobPlay(steps, job=job)
    play.run(ends)  # type: ignore[arg-type]
    (found,) = [order for order in play.orders if isinstance(order, FinishJob)]
    return found


def test_url_of_an_environment() -> None:
    """It is evaluated when the steps are over, also where the job has failed."""
    job = "environment: {name: e, url: 'https://x/${{ job.status }}'}"

    assert finish(job).environment_url == "https://x/success"
    ended = finish(job, a=FAILURE)
    assert (ended.environment_url, ended.result) == ("https://x/failure", FAILURE)


@pytest.mark.parametrize("environment", ["e", "{name: e}", "{name: e, url: }"])
def test_no_url(environment: str) -> None:
    """An environment need not say where it is."""
    assert finish(f"environment: {environment}") == FinishJob(SUCCESS)


def test_url_at_fault() -> None:
    """A URL that cannot be evaluated fails the job; its outputs are kept."""
    ended = finish("environment: {name: e, url: \"${{ fromJSON('{') }}\"}\noutputs: {o: v}")

    assert ended.result is FAILURE
    assert ended.outputs == {"o": "v"}
    assert ended.environment_url == ""
    assert ended.problems[0] == "Failed to evaluate environment url"
    assert ended.problems[1].startswith("w.yml (Line: 5, Col: 33): ")


def play_action(default: str, given: str = "", **options: object) -> list[str]:
    action = ACTION.format(default=default)
    steps = f"- {{id: x, uses: ./act, with: {{{given}}}}}"
    return JobPlay(steps, {"./act": action}, **options).run()  # type: ignore[arg-type]


def test_action_that_needs_a_token() -> None:
    """Where the job has no token, an action whose input is the token by default is not run."""
    assert play_action(f'"{TOKEN}"')[1].endswith(
        ": The input 'token' of the action is `github.token` where a step does not give it, and "
        "this run has no token: give one with --secret GITHUB_TOKEN, or that of `gh` with "
        "--github-token"
    )
    assert play_action('"${{ GitHub.Token }}"')[1].startswith("reject x: ")


@pytest.mark.parametrize(
    ("default", "given"),
    [
        pytest.param(f'"{TOKEN}"', "token: ''", id="given"),
        pytest.param("\"${{ github.token || 'none' }}\"", "", id="has-another-way"),
        pytest.param('"${{ github.head_ref }}"', "", id="empty-for-another-reason"),
    ],
)
def test_action_that_can_do_without(default: str, given: str) -> None:
    """What is said of the token is said of no other input."""
    assert play_action(default, given)[1] == "start x"


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        pytest.param(TOKEN, "ghs_windlass0", id="the token itself"),
        pytest.param("${{ github.server_url && github.token || 'none' }}", "none", id="spare"),
    ],
)
def test_inputs_with_a_local_token(default: str, expected: str) -> None:
    """The token that only Windlass takes is left out of defaults that can do without one."""
    text = f'inputs: {{t: {{default: "{default}"}}}}\nruns: {{using: node20, main: main.js}}'
    action = read_action("action.yml", text.encode()).action
    assert action is not None
    scope = Scope({"github": {"token": f"{LOCAL_TOKEN}0", "server_url": "https://github.com"}})
    inputs = complete_inputs(action, {}, scope)
    assert isinstance(inputs, Inputs)
    assert inputs.values == {"t": expected}
