"""An order to start a job arrives at a runner as it was given, whatever its workflow says."""

from __future__ import annotations

import json
import math
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.plan.planning import REPOSITORY

from windlass.errors import InputError
from windlass.lang.workflow.model import CallJob
from windlass.lang.workflow.reading import read_workflow
from windlass.model.action_sources import ActionSources
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.plan.orders import StartJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import JobFinished, RunStarted
from windlass.protocol.assignments import (
    Assignment,
    GitAccess,
    decode_assignment,
    decode_order,
    encode_assignment,
    encode_order,
    find_job_id,
)
from windlass.protocol.runner import JobId
from windlass.protocol.values import decode_value, encode_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.workflow.model import Workflow

PATH = ".github/workflows/ci.yml"
CALLED = ".github/workflows/called.yml"
REMOTE = "octo/shared/.github/workflows/remote.yml@v1"
CONTEXTS: dict[str, Any] = {
    "github": {"event_name": "push", "ref": "refs/heads/main", "event": {"n": 1.0, "é": [None]}},
    "inputs": {"level": 3.0, "dry": False},
    "vars": {"REGION": "eu"},
}
CALLED_TEXT = """
    on:
      workflow_call:
        inputs: {who: {type: string, required: true}}
        outputs: {told: {value: "${{ jobs.inner.outputs.told }}"}}
    env: {LEVEL: "2"}
    permissions: {contents: read}
    jobs:
      inner:
        runs-on: linux
        outputs: {told: "${{ steps.say.outputs.told }}"}
        steps:
          - id: say
            run: echo "told=${{ inputs.who }}" >> "$GITHUB_OUTPUT"
"""
WORKFLOWS = {
    "matrix": """
        on: push
        jobs:
          build:
            strategy: {matrix: {os: [linux, bsd], n: [1, .nan, -.inf, 2.5], flag: [true, false]}}
            runs-on: ["self-hosted", "${{ matrix.os }}"]
            timeout-minutes: ${{ fromJSON('7') }}
            continue-on-error: ${{ matrix.flag }}
            steps: [{run: make}]
        """,
    "needs": """
        on: push
        defaults: {run: {shell: bash, working-directory: src}}
        jobs:
          first:
            runs-on: linux
            outputs: {version: "${{ steps.a.outputs.v }}"}
            steps: [{id: a, run: "true"}]
          second:
            needs: first
            runs-on: linux
            env: {VERSION: "${{ needs.first.outputs.version }}"}
            steps:
              - uses: actions/checkout@v4
                with: {fetch-depth: 0}
              - if: always()
                run: echo "$VERSION"
                continue-on-error: true
        """,
    "calls": f"""
        on: push
        permissions: write-all
        jobs:
          call:
            strategy: {{matrix: {{who: [a, b]}}}}
            uses: ./{CALLED}
            secrets: inherit
            with: {{who: "${{{{ matrix.who }}}}"}}
          elsewhere:
            uses: {REMOTE}
            with: {{who: me}}
          after:
            needs: call
            runs-on: linux
            steps: [{{run: "echo ${{{{ needs.call.outputs.told }}}}"}}]
        """,
    "places": """
        on: push
        permissions: {id-token: write, contents: none}
        jobs:
          deploy:
            runs-on: {group: big, labels: [linux, x64]}
            environment: {name: "prod-${{ vars.REGION }}", url: "https://e.example"}
            container: {image: "debian:12", env: {A: b}, options: --cpus 1}
            services: {db: {image: "postgres:15", ports: ["5432:5432"]}}
            continue-on-error: true
            cancel-timeout-minutes: 2
            steps:
              - parallel:
                  - run: a
                  - run: b
              - uses: docker://alpine:3
                with: {args: "-c ${{ github.ref }}"}
        """,
}


def orders(text: str) -> Iterator[StartJob]:
    """Play a run in which every job succeeds, and yield what it starts."""
    files = {CALLED: dedent(CALLED_TEXT).encode(), REMOTE: dedent(CALLED_TEXT).encode()}
    reading = read_workflow(PATH, dedent(text).encode(), resolve=files.get)
    assert reading.workflow is not None, reading.diagnostics
    machine = RunMachine(reading.workflow, CONTEXTS)
    due = list(machine.receive(RunStarted()))
    while due:
        order = due.pop(0)
        if isinstance(order, StartJob):
            yield order
            end = JobFinished(order.key, Result.SUCCESS, {"version": "1 \N{SNOWMAN}", "told": ""})
            due += machine.receive(end)


def text_of(order: StartJob, text: str) -> str:
    return dedent(text if order.workflow.path == PATH else CALLED_TEXT)


def as_sent(workflow: Workflow) -> Workflow:
    """A workflow without those it calls, and with the permissions that its file gives."""
    jobs = (replace(it, called=None) if isinstance(it, CallJob) else it for it in workflow.jobs)
    return replace(workflow, jobs=tuple(jobs), permissions=None)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_an_order_arrives_as_it_was_given(name: str) -> None:
    """Everything of it but the handovers, which are the server's, through JSON and back."""
    given_orders = list(orders(WORKFLOWS[name]))
    assert given_orders
    for order in given_orders:
        data = json.loads(json.dumps(encode_order(order, text_of(order, WORKFLOWS[name]))))
        decoded, text = decode_order(data)

        assert text == text_of(order, WORKFLOWS[name])
        assert encode_value(dict(decoded.contexts)) == encode_value(dict(order.contexts))
        assert as_sent(decoded.workflow) == as_sent(order.workflow)
        assert replace(decoded, workflow=order.workflow, contexts={}) == replace(
            order, handovers=(), contexts={}
        )


def test_all_keys_of_the_workflows_were_met() -> None:
    """The table above has what it is there for."""
    started = {name: list(orders(text)) for name, text in WORKFLOWS.items()}
    keys = {name: [it.key for it in found] for name, found in started.items()}

    assert len(keys["matrix"]) == 16
    assert keys["needs"] == ["first", "second"]
    assert keys["calls"] == ["call (a) / inner", "call (b) / inner", "elsewhere / inner", "after"]
    assert started["needs"][1].contexts["needs"] == {
        "first": {"result": "success", "outputs": {"version": "1 \N{SNOWMAN}"}}
    }
    assert started["calls"][2].workflow.path == REMOTE
    assert started["calls"][0].handovers != ()
    (deploy,) = started["places"]
    assert (deploy.environment, deploy.labels) == ("prod-eu", ("linux", "x64"))
    assert (deploy.continue_on_error, deploy.cancel_timeout_minutes) == (True, 2)
    assert deploy.permissions["id-token"] == "write"
    numbers = [it.contexts["matrix"]["n"] for it in started["matrix"]]
    assert any(math.isnan(it) for it in numbers)
    assert -math.inf in numbers


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.just("\udcff"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["$number", "$object"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_any_value_arrives(value: Any) -> None:
    """NaN, infinities, lone surrogates, and members that are named as what stands for them."""
    decoded = decode_value(json.loads(json.dumps(encode_value(value), allow_nan=False)))

    assert repr(decoded) == repr(value)


def make_assignment() -> Assignment:
    order = next(orders(WORKFLOWS["needs"]))
    return Assignment(
        job=JobId("1700000000000000", 2, 3),
        order=order,
        text=dedent(WORKFLOWS["needs"]),
        repository=replace(
            REPOSITORY, root="", changed_files=None, added_files=(), removed_files=()
        ),
        sha="a" * 40,
        ref="refs/heads/main",
        git=GitAccess(repository="7", url="/git/7.git", token="wlj_abc"),
        secrets={"TOKEN": "s3cret"},
        env={"CI": "yes"},
        sources=ActionSources(urls=("https://example.org/",), pins={"a/b@v1": "c" * 40}),
        places={"*": "sandbox"},
        asks_api=True,
        allow_host=True,
    )


def test_an_assignment_arrives_whole() -> None:
    """What surrounds the order, too."""
    data = json.loads(json.dumps(encode_assignment(make_assignment())))

    assert decode_assignment(data) == make_assignment()


def test_what_is_shown_of_an_assignment_has_no_secrets() -> None:
    """Neither the job's secrets nor its tokens are in what a traceback would show."""
    shown = repr(make_assignment())

    assert "s3cret" not in shown
    assert "wlj_" not in shown


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": 2}, "version 2 of the runner protocol is spoken, and this Windlass knows 1"),
        ({"protocol": None}, "'protocol' of the assignment is null; a whole number"),
        ({"job": "../../etc"}, "'../../etc' is not the id of a job"),
        ({"order": []}, "'order' of the assignment is an array; an object was expected"),
        ({"git": {"url": "/git"}}, "'git' of the assignment has no 'repository'"),
        (
            {"secrets": {"A": 5}},
            "'A' in 'secrets' of the assignment is a number; a string was expected",
        ),
        ({"repository": {}}, "'repository' of the assignment has no 'owner'"),
        ({"allow_host": "yes"}, "'allow_host' of the assignment is a string; true or false"),
        ({"sources": {"urls": "x"}}, "'urls' of 'sources' of the assignment is a string; an array"),
    ],
)
def test_an_assignment_that_is_none(change: dict[str, Any], message: str) -> None:
    """The error names the member, says what it is and what it should be."""
    data = {**encode_assignment(make_assignment()), **change}

    with pytest.raises(InputError) as refused:
        decode_assignment(data)

    assert refused.value.message.startswith(message)
    assert refused.value.hint


@pytest.mark.parametrize("member", ["job", "order", "repository", "sha", "ref", "git", "protocol"])
def test_what_an_assignment_must_have(member: str) -> None:
    """Without it nothing can be run."""
    data = encode_assignment(make_assignment())
    del data[member]

    with pytest.raises(InputError, match=f"the assignment has no '{member}'"):
        decode_assignment(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"job": "nowhere"}, "has no job 'nowhere' with steps"),
        ({"workflow": {"path": PATH, "text": "on: ["}}, f"the workflow {PATH} cannot be read here"),
        ({"workflow": {"path": PATH}}, "the workflow of the order has no 'text'"),
        ({"permissions": {"contents": "all"}}, "'contents' in 'permissions' of the order is 'all'"),
        ({"timeout_minutes": -1}, "'timeout_minutes' of the order is -1; a whole number from 0"),
        ({"timeout_minutes": 1.5}, "'timeout_minutes' of the order is 1.5; a whole number"),
        ({"contexts": {"a": {"$number": "x"}}}, "are not values of expressions"),
        ({"contexts": {"a": {"$object": 5}}}, "are not values of expressions"),
    ],
)
def test_an_order_that_is_none(change: dict[str, Any], message: str) -> None:
    """An order that names what is not there is refused before anything runs."""
    data = encode_assignment(make_assignment())
    data["order"] |= change

    with pytest.raises(InputError) as refused:
        decode_assignment(data)

    assert message in refused.value.message
    assert find_job_id(data) == JobId("1700000000000000", 2, 3)


def test_members_of_a_newer_version_are_left_out() -> None:
    """A server that is one version ahead may say more."""
    data = {**encode_assignment(make_assignment()), "colour": "green"}
    data["order"]["shade"] = {"dark": True}

    assert decode_assignment(data) == make_assignment()


def test_an_older_server_says_less() -> None:
    """What has a default need not be there."""
    data = encode_assignment(make_assignment())
    for member in ("env", "secrets", "sources", "places", "asks_api", "allow_host"):
        del data[member]

    decoded = decode_assignment(data)

    assert (decoded.allow_host, decoded.secrets, decoded.places) == (False, {}, {})
