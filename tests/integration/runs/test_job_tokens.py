"""The token of a job: given by the user for GitHub, or Windlass's own for what is known here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.integration.runs.test_runs import Checkout

from windlass.model.status import Result
from windlass.plan.handover import LOCAL_TOKEN
from windlass.protocol import events

if TYPE_CHECKING:
    from pathlib import Path

JOB = """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
"""
SCRIPT = """
      - run: |
          echo "$GITHUB_API_URL $GITHUB_GRAPHQL_URL"
          echo '${{ github.api_url }}' "${#TOKEN}" "${TOKEN:0:12}"
        env: {TOKEN: '${{ secrets.GITHUB_TOKEN }}', SAME: '${{ github.token }}'}
"""
ASK = """
      - run: >
          curl --silent --show-error --header "Authorization: Bearer $TOKEN"
          "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/jobs" > jobs.json;
          cat jobs.json; echo; echo "$TOKEN"
        env: {TOKEN: '${{ github.token }}'}
"""
ACTION = """
inputs:
  needed: {default: '${{ github.token }}'}
  spare: {default: "${{ github.server_url == 'https://github.com' && github.token || '' }}"}
runs:
  using: composite
  steps:
    - run: echo "needed ${#NEEDED} spare ${#SPARE}"
      shell: bash
      env: {NEEDED: '${{ inputs.needed }}', SPARE: '${{ inputs.spare }}'}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def run(checkout: Checkout, steps: str, **secrets: str) -> list[str]:
    """Run a job with these steps and return the lines of its output."""
    checkout.workflow(JOB + steps)
    checkout.commit()
    report = checkout.run(secrets=secrets)
    assert [it.result for it in report.runs] == [Result.SUCCESS], checkout.messages()
    return checkout.output().splitlines()


def test_a_token_of_windlass(checkout: Checkout) -> None:
    """Without a token the job gets one with which the API tells of this very job; it is hidden."""
    answer, token = run(checkout, ASK)
    (job,) = json.loads(answer)["jobs"]
    assert (job["name"], job["status"], len(job["steps"])) == ("build", "in_progress", 1)
    assert token == "***"
    assert not any(LOCAL_TOKEN in str(event) for event in checkout.seen)


def test_addresses_of_the_api(checkout: Checkout) -> None:
    """With the token of Windlass's own both APIs are here, in variables and in the context."""
    variables, context = run(checkout, SCRIPT)
    rest, graphql = variables.split(" ")
    address, _length, start = context.split(" ")
    assert rest == address
    assert rest.startswith("http://127.0.0.1:")
    assert rest.endswith("/api/v3")
    assert graphql == rest.replace("/api/v3", "/api/graphql")
    assert start == LOCAL_TOKEN


@pytest.mark.parametrize("token", ["ghp_0123456789", ""])
def test_a_token_that_is_given(checkout: Checkout, token: str) -> None:
    """A token that is given, even an empty one, is the job's, and the API is GitHub's."""
    variables, context = run(checkout, SCRIPT, GITHUB_TOKEN=token)
    assert variables == "https://api.github.com https://api.github.com/graphql"
    assert context == f"https://api.github.com {len(token)} {token[:12]}"


def test_no_token_where_nobody_asks(checkout: Checkout) -> None:
    """A job that names neither a token nor the API runs without services."""
    steps = '\n      - run: env | grep -c "^GITHUB_A[P]I_URL=https://api.github.com"\n'
    assert run(checkout, steps) == ["1"]
    assert not list(checkout.root.glob(".windlass/blobs/*"))


@pytest.mark.parametrize(
    ("secrets", "said"),
    [({}, r"needed [1-9]\d+ spare 0"), ({"GITHUB_TOKEN": "ghp1"}, "needed 4 spare 4")],
    ids=["none", "given"],
)
def test_inputs_of_actions(checkout: Checkout, secrets: dict[str, str], said: str) -> None:
    """An input that is the token by default has it; one that can do without is empty."""
    checkout.write("act/action.yml", ACTION)
    steps = "\n      - uses: actions/checkout@v4\n      - uses: ./act\n"
    assert any(re.fullmatch(said, line) for line in run(checkout, steps, **secrets))


def test_a_token_ends_with_its_job(checkout: Checkout) -> None:
    """What a job has written down is no token any more when the next one begins."""
    later = """
  later:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: >
          curl --silent --header "Authorization: Bearer $(cat $FILE)"
          "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY"
        env: {FILE: '${{ vars.FILE }}', ASKS: '${{ github.token }}'}
"""
    file = checkout.root / "token"
    keep = f"\n      - run: printf '%s' '${{{{ github.token }}}}' > {file}\n"
    checkout.write(".gitignore", "token\n")
    lines = run(checkout, keep + later.replace("${{ vars.FILE }}", str(file)))
    assert json.loads(lines[-1])["message"] == "Bad credentials. The job of this token has ended."


def test_outputs_do_not_carry_it(checkout: Checkout) -> None:
    """An output with the token in it is dropped, as one with any secret."""
    checkout.workflow(
        JOB.replace("    steps:", "    outputs: {a: '${{ github.token }}'}\n    steps:")
        + "\n      - run: echo\n"
    )
    checkout.commit()
    checkout.run()
    (finished,) = [it for it in checkout.seen if isinstance(it, events.JobFinished)]
    assert finished.outputs == {}
