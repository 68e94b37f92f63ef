"""A server and runners as their users start them: processes, real Git, real HTTP."""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.e2e.servers import Api, log_of, make_repository, runner
from tests.sandboxes import need_sandbox
from tests.waiting import wait_until

from windlass.testing.servers import run_server

CACHE = Path(__file__).resolve().parents[2] / ".cache"
"""Git ignores it, and it is not below /tmp, which is hidden from every job in a sandbox."""


def test_jobs_go_where_their_labels_lead(tmp_path: Path) -> None:
    """Two runners share the jobs of a run, and what one gives out the other one gets."""
    root = make_repository(
        tmp_path / "boat",
        """
        on: workflow_dispatch
        jobs:
          build:
            runs-on: ubuntu-latest
            outputs: {colour: "${{ steps.look.outputs.colour }}"}
            steps:
              - uses: actions/checkout@v4
              - id: look
                run: echo "colour=$(cat sail.txt)" >> "$GITHUB_OUTPUT"
          print:
            needs: build
            runs-on: [linux, printer]
            steps:
              - uses: actions/checkout@v4
              - run: echo "${{ needs.build.outputs.colour }} $(git log --format=%s)"
        """,
    )
    with run_server(tmp_path / "data", "--allow-host") as server:
        api = Api(server)
        api.register_boat(root)
        token = api.post("/runner-registrations")["token"]
        words = ("--name", "printer", "--labels", "linux,printer", "--allow-host")
        with runner(server.url, token, tmp_path / "printer", *words) as process:
            run = api.start()
            assert api.wait_for_end(run) == "success"
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        assert "white Set sail" in log_of(server, run, 2)


def test_pushed_code_sees_nothing_of_the_server() -> None:
    """The first token, the database and keys are hidden in a sandbox, wherever the folder lies."""
    need_sandbox()
    CACHE.mkdir(exist_ok=True)
    base = Path(tempfile.mkdtemp(dir=CACHE))
    try:
        root = make_repository(
            base / "boat",
            f"""
            on: workflow_dispatch
            jobs:
              look:
                runs-on: ubuntu-latest
                steps:
                  - run: |
                      for file in control data/token data/windlass.db data/runner/runner.json; do
                        if test -r {base}/$file; then echo "seen $file"; else echo "no $file"; fi
                      done
            """,
        )
        (base / "control").touch()
        variables = {"WINDLASS_CONFIG": "", "DOCKER_HOST": "unix:///nowhere"}
        with run_server(base / "data", variables=variables) as server:
            api = Api(server)
            api.register_boat(root, host=False)
            run = api.start()
            assert api.wait_for_end(run) == "success"
            found = [it for it in log_of(server, run) if it.startswith(("seen ", "no "))]
        if "no control" in found:
            pytest.skip("this checkout lies in a home, of which a sandbox shows nothing anyway")
        assert found == [
            "seen control",
            "no data/token",
            "no data/windlass.db",
            "no data/runner/runner.json",
        ]
    finally:
        shutil.rmtree(base)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_outlives_its_server(tmp_path: Path, number: signal.Signals) -> None:
    """The server is ended, or killed, and started again; not one line is lost or doubled."""
    go, begun = tmp_path / "go", tmp_path / "begun"
    root = make_repository(
        tmp_path / "boat",
        f"""
        on: workflow_dispatch
        jobs:
          long:
            runs-on: [linux, far]
            steps:
              - run: |
                  for n in $(seq 1000); do echo "before $n"; done
                  touch {begun}
                  until test -e {go}; do sleep 0.01; done
                  for n in $(seq 1000); do echo "after $n"; done
        """,
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
    options = ("--no-runner", "--listen", listen)
    with ExitStack() as stack:
        with run_server(tmp_path / "data", *options) as server:
            api = Api(server)
            api.register_boat(root)
            token = api.post("/runner-registrations")["token"]
            words = ("--name", "far", "--labels", "linux,far", "--allow-host")
            stack.enter_context(runner(server.url, token, tmp_path / "far", *words))
            run = api.start()
            assert wait_until(begun.exists)
            server.process.send_signal(number)
            server.process.wait(60)
        go.touch()
        assert wait_until(lambda: any((tmp_path / "far" / "runs").glob("*/*/jobs/*/end.json")))
        with run_server(tmp_path / "data", *options) as server:
            assert Api(server).wait_for_end(run) == "success"
            lines = [it for it in log_of(server, run) if it.startswith(("before ", "after "))]
    expected = [f"{word} {number}" for word in ("before", "after") for number in range(1, 1001)]
    assert lines == expected


def test_a_killed_runner_comes_back(tmp_path: Path) -> None:
    """The job failed with it; the runner says so itself, and takes the next one."""
    mark = tmp_path / "mark"
    root = make_repository(
        tmp_path / "boat",
        f"""
        on: workflow_dispatch
        jobs:
          job:
            runs-on: [linux, far]
            steps: [{{run: "echo printed; if ! test -e {mark}; then touch {mark}; sleep 1000; fi"}}]
        """,
    )
    words = ("--name", "far", "--labels", "linux,far", "--allow-host")
    with run_server(tmp_path / "data", "--no-runner") as server:
        api = Api(server)
        api.register_boat(root)
        token = api.post("/runner-registrations")["token"]
        with runner(server.url, token, tmp_path / "far", *words):
            run = api.start()
            assert wait_until(mark.exists)
        with runner(server.url, "", tmp_path / "far", *words):
            assert api.wait_for_end(run) == "failure"
            assert log_of(server, run).count("printed") == 1
            assert api.wait_for_end(api.start()) == "success"
