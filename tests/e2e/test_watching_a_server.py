"""A server that is watched from outside while it runs a job: live, by figures, traces and log."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.collector import collecting
from tests.waiting import wait_until

from windlass.observe.traces import format_trace_id
from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.testing.servers import RunningServer

SECRET = "hunter2-and-more"
WORKFLOW = """
name: Boat
on: workflow_dispatch
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: say ${{ secrets.KEY }}
        run: |
          echo one
          echo "::error::found ${{ secrets.KEY }}"
          echo "last ${{ secrets.KEY }}"
          exit 3
"""


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def make_repository(folder: Path) -> Path:
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "boat.yml").write_text(WORKFLOW)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Start")
    return folder


def ask(server: RunningServer, method: str, path: str, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {server.token}"}
    url = f"{server.url}/api/v1{path}"
    answer = httpx.request(method, url, headers=headers, timeout=60, **options)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def dispatch(server: RunningServer, repository: Path) -> str:
    known = {"location": str(repository), "name": "octo/boat", "host": True, "poll_seconds": 0}
    ask(server, "POST", "/repositories", json=known)
    ask(server, "PUT", "/repositories/octo/boat/secrets/KEY", json={"value": SECRET})
    wish = {"workflow": "boat.yml"}
    run: str = ask(server, "POST", "/repositories/octo/boat/dispatches", json=wish)["run"]
    return run


def follow(server: RunningServer, path: str) -> list[dict[str, Any]]:
    """All that an event stream tells until its end."""
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.stream("GET", f"{server.url}/api/v1{path}", headers=headers, timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        data = [line for line in answer.iter_lines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in data]


def read_figures(server: RunningServer) -> dict[tuple[str, str], float]:
    headers = {"Authorization": f"Bearer {server.token}"}
    text = httpx.get(f"{server.url}/metrics", headers=headers, timeout=60).text
    return {
        (sample.name, sample.labels.get("result", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.requirement("K01")
@pytest.mark.requirement("K08")
def test_a_run_is_seen_from_every_side(tmp_path: Path) -> None:
    """As it happens, in the figures, as a trace and in the log; its secret in none of them."""
    repository = make_repository(tmp_path / "boat")
    with collecting() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        with run_server(tmp_path / "data", "--allow-host", variables=variables) as server:
            run = dispatch(server, repository)
            events = follow(server, f"/runs/{run}/events")
            lines = follow(server, f"/runs/{run}/jobs/1/log")
            assert wait_until(lambda: bool(collector.spans))
            # How long jobs have waited is counted last.
            waits = ("windlass_job_wait_seconds_count", "")
            assert wait_until(lambda: read_figures(server)[waits] > 0)
            figures = read_figures(server)
        log = server.log.read_text()

    assert events[-1] == {"result": "failure"}
    assert events[0]["event"] == "run-started"
    printed = [line for part in lines[:-1] for line in part["lines"]]
    assert {"one", "last ***"} <= set(printed)
    assert lines[-1] == {"lines": len(printed)}
    assert figures["windlass_runs_finished_total", "failure"] == 1
    assert figures["windlass_jobs_finished_total", "failure"] == 1
    assert figures["windlass_job_wait_seconds_count", ""] == 1
    assert figures["windlass_log_received_bytes_total", ""] > 0
    assert {span.name for span in collector.spans} >= {"Boat", "build", "say ***"}
    assert {span.trace_id.hex() for span in collector.spans} == {format_trace_id(run, 1)}
    ours = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    requests = [line for line in ours if line["event"] == "request"]
    assert {line.get("trace") for line in requests if "/jobs/{" in line["route"]} >= {
        format_trace_id(run, 1)
    }
    assert not [line for line in ours if line["level"] in ("error", "critical")]
    told = json.dumps([events, lines]) + log + str(collector.bodies)
    assert SECRET not in told
    assert server.token not in log
