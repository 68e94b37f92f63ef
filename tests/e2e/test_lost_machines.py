"""A runner's machine is gone and does not come back: what becomes of the jobs that it had."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from typing import TYPE_CHECKING

import pytest
from tests.e2e.servers import Api, make_repository, runner
from tests.waiting import wait_until

from windlass.jobs.supervisor.tree import list_descendants
from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS = 5
WORKFLOW = """
on: workflow_dispatch
jobs:
  once:
    runs-on: ubuntu-latest
    steps: [{run: "echo once >> FOLDER/ledger; test -e FOLDER/calm || sleep 600"}]
  again:
    runs-on: ubuntu-latest
    env: {WINDLASS_REPEATABLE: 'true'}
    steps: [{run: "echo again >> FOLDER/ledger; test -e FOLDER/calm || sleep 600"}]
  after:
    needs: again
    runs-on: ubuntu-latest
    steps: [{run: "echo after >> FOLDER/ledger"}]
"""


def shorten_patience(data: Path) -> None:
    """Have the runners that there are count as lost after a few seconds."""
    database = sqlite3.connect(data / "windlass.db", timeout=60)
    with contextlib.closing(database), database:
        database.execute("UPDATE runners SET patience = ?", (PATIENCE_SECONDS,))


def lose(process: int) -> None:
    """End a process and all that it has started, with nothing said by anybody."""
    for pid in [process, *list_descendants(process)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.requirement("A13")
def test_a_machine_that_never_comes_back(tmp_path: Path) -> None:
    """Its jobs fail after its patience and say whose they were; repeatable ones go elsewhere."""
    ledger = tmp_path / "ledger"
    ledger.touch()
    root = make_repository(tmp_path / "boat", WORKFLOW.replace("FOLDER", str(tmp_path)))

    def said() -> list[str]:
        return sorted(ledger.read_text().splitlines())

    with run_server(tmp_path / "data", "--no-runner") as server:
        api = Api(server)
        api.register_boat(root)
        tokens = [api.post("/runner-registrations")["token"] for _ in range(2)]
        words = ("--allow-host", "--capacity", "2", "--name")
        with runner(server.url, tokens[0], tmp_path / "north", *words, "north") as north:
            run = api.start()
            assert wait_until(lambda: len(said()) == 2), said()
            lose(north.pid)
        # Not before: one that is only slow must not count as lost.
        shorten_patience(server.data)
        (tmp_path / "calm").touch()
        with runner(server.url, tokens[1], tmp_path / "south", *words, "south"):
            assert api.wait_for_end(run) == "failure"
            jobs = {it["job"]: it for it in api.get(f"/runs/{run}/jobs")["items"]}
            assert {name: it["state"] for name, it in jobs.items()} == {
                "once": "failure",
                "again": "success",
                "after": "success",
            }
            told = [it["message"] for it in jobs["once"]["annotations"]]
            assert any("'north'" in it and "lost" in it for it in told), told
            assert said() == ["after", "again", "again", "once"]
            api.post(f"/runs/{run}/rerun", failed=True)
            assert wait_until(lambda: api.get(f"/runs/{run}")["result"] == "success")
    assert said() == ["after", "again", "again", "once", "once"]
