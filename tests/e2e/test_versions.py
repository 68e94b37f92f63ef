"""A runner and a server need not be of one version: one of them is an earlier build here.

docs/decisions/runners.md says when the commit is moved.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.e2e.servers import Api, log_of, make_repository, runner
from tests.earlier_version import build_earlier_version
from tests.service_actions import ACTIONS
from tests.waiting import wait_until

from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from pathlib import Path

EARLIER = "78e9e818a16d9b3deefb6322ead4b5bc9063270a"

WORKFLOW = """
    on:
      workflow_dispatch:
        inputs:
          mark: {type: string, required: true}
    jobs:
      keep:
        runs-on: [linux, far]
        permissions: {id-token: write}
        outputs: {colour: "${{ steps.look.outputs.colour }}"}
        steps:
          - uses: actions/checkout@v4
          - id: look
            run: |
              echo "colour=$(cat sail.txt)" >> "$GITHUB_OUTPUT"
              echo "::add-mask::treasure"
              echo "::warning file=sail.txt,line=1::a hole in the sail"
          - uses: ./keep
          - run: for n in $(seq 2000); do echo "line $n"; done; echo "a treasure"
          - run: exit 7
            continue-on-error: true
          - run: echo "wrecked is ${{ job.status }}"
      fetch:
        needs: keep
        runs-on: [linux, far]
        steps:
          - uses: actions/checkout@v4
          - uses: ./fetch
          - run: echo "a ${{ needs.keep.outputs.colour }} sail"
      sleep:
        needs: fetch
        runs-on: [linux, far]
        steps:
          - run: touch "${{ inputs.mark }}"; sleep 1000
          - if: always()
            run: echo "tidied up after ${{ job.status }}"
"""


@pytest.fixture(scope="session")
def earlier() -> str:
    """The interpreter of the earlier version."""
    if shutil.which("node") is None:
        pytest.skip("node is not on PATH: actions cannot run")
    return build_earlier_version(EARLIER)


def test_the_earlier_one_is_another(earlier: str) -> None:
    """Each interpreter imports the Windlass that it is asked for."""
    program = "import windlass; print(windlass.__file__)"

    found = {
        subprocess.run([it, "-c", program], capture_output=True, text=True, check=True).stdout
        for it in (earlier, sys.executable)
    }

    assert len(found) == 2


@pytest.mark.parametrize("older", ["runner", "server"])
def test_a_runner_and_a_server_of_two_versions(older: str, earlier: str, tmp_path: Path) -> None:
    """Steps, outputs, masks, the log, artifacts, caches, annotations and a cancelled job."""
    pythons = {"runner": sys.executable, "server": sys.executable, older: earlier}
    root = make_repository(tmp_path / "boat", WORKFLOW, ACTIONS)
    mark = tmp_path / "mark"
    with run_server(tmp_path / "data", "--no-runner", python=pythons["server"]) as server:
        api = Api(server)
        api.register_boat(root)
        token = api.post("/runner-registrations")["token"]
        words = ("--name", "far", "--labels", "linux,far", "--allow-host")
        with runner(server.url, token, tmp_path / "far", *words, python=pythons["runner"]):
            run = api.start(mark=str(mark))
            assert wait_until(lambda: mark.exists() or api.has_ended(run))
            assert mark.exists(), api.get(f"/runs/{run}/jobs")
            api.post(f"/runs/{run}/cancel")
            assert api.wait_for_end(run) == "cancelled"

        kept, fetched, ended = (log_of(server, run, number) for number in (1, 2, 3))
        assert [it for it in kept if it.startswith("line ")] == [
            f"line {n + 1}" for n in range(2000)
        ]
        assert "a ***" in kept
        assert "token for me" in kept
        assert "wrecked is success" in kept
        assert {"artifact true", "cache true", "a white sail"} <= set(fetched)
        assert "tidied up after cancelled" in ended
        jobs = {it["job"]: it["state"] for it in api.get(f"/runs/{run}/jobs")["items"]}
        assert jobs == {"keep": "success", "fetch": "success", "sleep": "cancelled"}
