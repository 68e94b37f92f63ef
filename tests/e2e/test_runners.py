"""A server and runners as their users start them: processes, real Git, real HTTP."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.servers import Api, log_of, make_repository, runner
from tests.ports import hold_port, port_of
from tests.sandboxes import need_sandbox
from tests.waiting import wait_until

from windlass.listings import find_paths
from windlass.operations.hosted.runners import PATIENCE_SECONDS
from windlass.stores.locks import is_locked
from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.testing.servers import RunningServer

CACHE = Path(__file__).resolve().parents[2] / ".cache"
"""Git ignores it, and it is not below /tmp, which is hidden from every job in a sandbox."""


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody else is given, whatever server listens there or none."""
    with hold_port() as held:
        yield port_of(held)


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
def test_a_job_outlives_its_server(tmp_path: Path, port: int, number: signal.Signals) -> None:
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
    options = ("--no-runner", "--listen", f"127.0.0.1:{port}")
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
        assert wait_until(lambda: any(find_paths(tmp_path / "far/runs", "*/*/jobs/*/end.json")))
        with run_server(tmp_path / "data", *options) as server:
            assert Api(server).wait_for_end(run) == "success"
            lines = [it for it in log_of(server, run) if it.startswith(("before ", "after "))]
    expected = [f"{word} {number}" for word in ("before", "after") for number in range(1, 1001)]
    assert lines == expected


LEDGER = """
on: workflow_dispatch
jobs:
  job:
    runs-on: [{labels}]
    steps:
      - run: |
          for n in $(seq 1000); do echo "before $n"; done
          echo first >> {folder}/ledger
          touch {folder}/begun
          until test -e {folder}/go; do sleep 0.01; done
          for n in $(seq 1000); do echo "after $n"; done
      - run: echo second >> {folder}/ledger
"""
"""A job that waits in its first step; each step writes into a ledger."""


def check_ledger(server: RunningServer, run: str, folder: Path) -> None:
    """Each step was run once, and each line is there once."""
    assert (folder / "ledger").read_text(encoding="utf-8") == "first\nsecond\n"
    lines = [it for it in log_of(server, run) if it.startswith(("before ", "after "))]
    words = ("before", "after")
    assert lines == [f"{word} {number}" for word in words for number in range(1, 1001)]


def find_jobs(folder: Path) -> list[int]:
    """Return the processes of jobs of runners whose state is in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_job = (process / "comm").read_text(encoding="utf-8") == "windlass-job\n"
            if is_job and os.fsencode(folder) in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_a_killed_runner_comes_back(tmp_path: Path) -> None:
    """Its job went on without it, and it looks after that, and takes the next one."""
    workflow = LEDGER.format(labels="linux, far", folder=tmp_path)
    root = make_repository(tmp_path / "boat", workflow)
    words = ("--name", "far", "--labels", "linux,far", "--allow-host")
    with run_server(tmp_path / "data", "--no-runner") as server:
        api = Api(server)
        api.register_boat(root)
        token = api.post("/runner-registrations")["token"]
        with runner(server.url, token, tmp_path / "far", *words):
            run = api.start()
            assert wait_until((tmp_path / "begun").exists)
        with runner(server.url, "", tmp_path / "far", *words):
            (tmp_path / "go").touch()
            assert api.wait_for_end(run) == "success"
            check_ledger(server, run, tmp_path)
            assert api.wait_for_end(api.start()) == "success"


def age_runners(data: Path, seconds: float) -> None:
    """Have nothing been heard of the runners of a server for so much longer."""
    database = sqlite3.connect(data / "windlass.db", timeout=60)
    with contextlib.closing(database), database:
        database.execute("UPDATE runners SET seen = seen - ?", (seconds,))


@pytest.mark.parametrize("is_late", [False, True], ids=["at-once", "after-its-patience"])
def test_the_own_runner_of_a_killed_server(tmp_path: Path, port: int, *, is_late: bool) -> None:
    """Its job goes on; the next server's runner looks after it, though that is on another port."""
    root = make_repository(tmp_path / "boat", LEDGER.format(labels="linux", folder=tmp_path))
    listen = ("--listen", f"127.0.0.1:{port}")
    with run_server(tmp_path / "data", "--allow-host", *listen) as server:
        api = Api(server)
        api.register_boat(root)
        run = api.start()
        assert wait_until((tmp_path / "begun").exists)
        server.process.kill()
        server.process.wait(30)
    lock = tmp_path / "data" / "runner" / "lock"
    assert wait_until(lambda: not is_locked(lock))
    if is_late:
        age_runners(tmp_path / "data", 2 * PATIENCE_SECONDS)
    with run_server(tmp_path / "data", "--allow-host") as server:
        api = Api(server)
        api.wait_for_runner("embedded")
        (tmp_path / "go").touch()
        assert api.wait_for_end(run) == "success"
        check_ledger(server, run, tmp_path)
        assert api.wait_for_end(api.start()) == "success"
    assert wait_until(lambda: not find_jobs(tmp_path))


def test_the_own_runner_of_a_server_that_is_ended(tmp_path: Path) -> None:
    """Its jobs end with it, as whoever presses Ctrl-C expects; the next server is told so."""
    root = make_repository(tmp_path / "boat", LEDGER.format(labels="linux", folder=tmp_path))
    with run_server(tmp_path / "data", "--allow-host") as server:
        api = Api(server)
        api.register_boat(root)
        run = api.start()
        assert wait_until((tmp_path / "begun").exists)
    assert wait_until(lambda: not find_jobs(tmp_path))
    with run_server(tmp_path / "data", "--allow-host") as server:
        assert Api(server).wait_for_end(run) == "cancelled"
