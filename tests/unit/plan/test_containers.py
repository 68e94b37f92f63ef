"""`container:` and `services:` → what is to be started.

Expected values and messages: actions/runner
src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter.cs (ConvertToJobContainer),
src/Sdk/WorkflowParser/workflow-v1.0.json, ObjectTemplating/{TemplateEvaluator,TemplateStrings}.cs.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import read, read_job

from windlass.plan.containers import (
    Container,
    JobContainers,
    evaluate_container,
    evaluate_containers,
    evaluate_services,
    registry_of,
)
from windlass.plan.faults import PlanFault
from windlass.plan.keys import Scope
from windlass.plan.orders import StartJob
from windlass.plan.steps import JobOpened

CONTEXTS: dict[str, Any] = {
    "github": {"actor": "mona", "token": "gho_1", "workspace": "/w"},
    "inputs": {"image": "docker://node:22"},
    "vars": {
        "none": "",
        "ports": '["80", 53]',
        "whole": '{"image": "a"}',
        "port": '{"image": "a", "port": 1}',
        "command": '{"image": "a", "command": "x"}',
        "nameless": '{"": "a"}',
    },
    "needs": {},
    "strategy": {},
    "matrix": {"image": "postgres:15", "service": {"image": "redis", "ports": [6379]}},
    "secrets": {"PASSWORD": "hunter2"},
    "runner": {"temp": "/t"},
    "job": {"status": "success"},
    "env": {"LEVEL": "high"},
    "steps": {},
}
SCOPE = Scope(CONTEXTS)


def container_of(text: str) -> Container | PlanFault | None:
    return evaluate_container(read_job(f"container: {text}").container, SCOPE)


def services_of(text: str) -> dict[str, Container | None] | PlanFault:
    return evaluate_services(read_job(f"services: {text}").services, SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpine", Container(image="alpine")),
        ("docker://alpine", Container(image="alpine")),
        ("${{ inputs.image }}", Container(image="node:22")),
        ("''", None),
        ("${{ vars.none }}", None),
        ("${{ vars.missing }}", None),
        ("{image: '${{ vars.none }}'}", None),
        ("{image: '${{ vars.none }}', options: --init}", None),
        ("{image: 'docker://${{ matrix.image }}'}", Container(image="postgres:15")),
        ("{image: 1.5}", Container(image="1.5")),
        ("${{ fromJSON(vars.whole) }}", Container(image="a")),
        (
            (
                "{image: a, env: {A: 1, B: true, C: '', D: '${{ env.LEVEL }}', "
                "E: '${{ secrets.PASSWORD }}', F: '${{ runner.temp }}'}}"
            ),
            Container(
                image="a",
                env={"A": "1", "B": "true", "C": "", "D": "high", "E": "hunter2", "F": "/t"},
            ),
        ),
        ("{image: a, ports: [80, '8080:80', 53/udp]}",
         Container(image="a", ports=("80", "8080:80", "53/udp"))),
        ("{image: a, ports: '${{ fromJSON(vars.ports) }}'}",
         Container(image="a", ports=("80", "53"))),
        ("{image: a, ports: ['${{ fromJSON(vars.ports) }}', 1]}",
         Container(image="a", ports=("80", "53", "1"))),
        ("{image: a, volumes: ['${{ github.workspace }}:/src:ro', data:/data, /tmp]}",
         Container(image="a", volumes=("/w:/src:ro", "data:/data", "/tmp"))),
        ("{image: a, options: '--cpus 1'}", Container(image="a", options="--cpus 1")),
        ("{image: a, credentials: {username: u, password: '${{ secrets.PASSWORD }}'}}",
         Container(image="a", username="u", password="hunter2")),
        ("ghcr.io/o/i", Container(image="ghcr.io/o/i", username="mona", password="gho_1")),
        ("{image: ghcr.io/o/i, credentials: {username: u, password: p}}",
         Container(image="ghcr.io/o/i", username="u", password="p")),
        ("quay.io/o/i", Container(image="quay.io/o/i")),
    ],
)  # fmt: skip
def test_container(text: str, expected: Container | None) -> None:
    """A container is an image's name or a mapping; one with an empty image is none."""
    assert container_of(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${{ fromJSON('[1]') }}", "A sequence was not expected"),
        ("{image: '${{ fromJSON(''[1]'') }}'}", "A sequence was not expected"),
        ("{image: '${{ matrix.service }}'}", "A mapping was not expected"),
        ("${{ fromJSON(vars.port) }}", "Unexpected value 'port'"),
        ("${{ fromJSON(vars.command) }}", "Unexpected value 'command'"),
        ("{image: a, ports: ['${{ vars.none }}']}", "Unexpected value ''"),
        ("{image: a, ports: '${{ matrix.image }}'}", "Unexpected value 'postgres:15'"),
        ("{image: a, volumes: '${{ matrix.service }}'}", "A mapping was not expected"),
        ("{image: a, env: '${{ vars.none }}'}", "Unexpected value ''"),
        ("{image: a, env: {A: '${{ matrix.service }}'}}", "A mapping was not expected"),
        ("{image: a, credentials: {username: u, password: '${{ secrets.MISSING }}'}}",
         "Unexpected value ''"),
        ("{image: a, credentials: '${{ matrix.service }}'}", "Unexpected value 'image'"),
        ("{image: a, options: '${{ fromJSON(''nonsense'') }}'}", None),
    ],
)  # fmt: skip
def test_container_at_fault(text: str, message: str | None) -> None:
    """What does not fit its key is GitHub's error, at the place where it was written."""
    fault = container_of(text)

    assert isinstance(fault, PlanFault)
    assert fault.span is not None
    assert message is None or fault.message == message


def test_fault_is_where_the_value_was_written() -> None:
    """An empty password is told at the line of the password, not at that of the container."""
    job = read_job(
        "container:\n      image: a\n      credentials:\n        username: u\n"
        "        password: ${{ secrets.MISSING }}"
    )

    fault = evaluate_container(job.container, SCOPE)

    assert isinstance(fault, PlanFault)
    assert job.container is not None
    assert fault.span is not None
    assert fault.span.start.line == job.container.span.start.line + 3


def test_services() -> None:
    """Services keep their order; an empty image leaves one out, an entry point is theirs alone."""
    services = services_of(
        "{db: '${{ matrix.image }}', cache: '${{ matrix.service }}', off: '${{ vars.none }}',"
        " web: {image: w, entrypoint: /run, command: '-v \"a b\"'}}"
    )

    assert services == {
        "db": Container(image="postgres:15"),
        "cache": Container(image="redis", ports=("6379",)),
        "off": None,
        "web": Container(image="w", entrypoint="/run", command='-v "a b"'),
    }
    assert list(services) == ["db", "cache", "off", "web"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${{ vars.none }}", "Unexpected value ''"),
        ("${{ fromJSON('[1]') }}", "A sequence was not expected"),
        ("{db: '${{ fromJSON(''[1]'') }}'}", "A sequence was not expected"),
        ("${{ fromJSON(vars.nameless) }}", "Unexpected value ''"),
    ],
)
def test_services_at_fault(text: str, message: str) -> None:
    """`services` is a mapping of names to containers."""
    fault = services_of(text)

    assert isinstance(fault, PlanFault)
    assert fault.message == message


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("alpine", ""),
        ("library/alpine", ""),
        ("ghcr.io/alpine", "ghcr.io"),
        ("localhost:5000/a", "localhost:5000"),
        ("registry/team/a", "registry"),
        ("ghcr.io/o/r/a:1", "ghcr.io"),
    ],
)
def test_registry(image: str, registry: str) -> None:
    """The registry is the first part of a name, where that cannot be an account of Docker Hub."""
    assert registry_of(image) == registry


def evaluate(keys: str, secrets: dict[str, str]) -> JobContainers | PlanFault:
    workflow = read(
        "on: push\nenv: {A: '1', B: '${{ secrets.S }}'}\njobs:\n  a:\n    runs-on: x\n"
        f"    env: {{A: '2'}}\n{keys}\n    steps: [{{run: 'true'}}]\n"
    )
    order = StartJob(
        key="a", name="a", job=workflow.jobs[0], workflow=workflow,
        contexts={"github": {"actor": "mona"}, "vars": {}}, labels=(), environment=None,
        timeout_minutes=1, continue_on_error=False,
    )  # fmt: skip
    opened = JobOpened(runner={"temp": "/t"}, github={"workspace": "/w"})
    return evaluate_containers(order, secrets, opened)


def test_containers_of_a_job() -> None:
    """Containers see the job's variables, its secrets and the machine's paths."""
    found = evaluate(
        "    container: {image: i, env: {X: '${{ env.A }}${{ env.B }}${{ github.workspace }}'}}\n"
        "    services: {db: '${{ vars.none }}', cache: redis}",
        {"S": "s"},
    )

    assert found == JobContainers(
        container=Container(image="i", env={"X": "2s/w"}),
        services={"cache": Container(image="redis")},
        without_image=("db",),
    )


def test_a_job_without_containers_evaluates_nothing() -> None:
    """A fault in the job's variables is told when the job opens, not before."""
    assert evaluate("", {}) == JobContainers()
