"""A server that is backed up while it runs, and put back elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.asking import Asking, make_repository

from windlass.cli.main import main
from windlass.db.server_database import ServerDatabase
from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = """
name: Boat
on: workflow_dispatch
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo "the key has ${#KEY} letters"
        env:
          KEY: ${{ secrets.KEY }}
"""


@pytest.mark.parametrize("keys", [True, False])
def test_a_restored_server_goes_on(
    database_address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: bool
) -> None:
    """It knows its runs, logs, tokens and secrets; without its keys it says what is missing."""
    repository, path = make_repository(tmp_path / "boat", WORKFLOW), tmp_path / "boat.tar.zst"
    with run_server(tmp_path / "old", "--allow-host") as old:
        ask = Asking(old)
        ask.add_repository(repository)
        ask("PUT", "/repositories/octo/boat/secrets/KEY", json={"value": "hunter2"})
        run = ask.dispatch()
        before = ask("GET", f"/runs/{run}")
        words = ["backup", str(path), "--data", str(old.data), *(["--with-keys"] * keys)]
        assert main(words) == 0

    place = ["--data", str(tmp_path / "new"), "--database", database_address]
    assert main(["restore", str(path), *place]) == 0
    assert ("put the key file" in capsys.readouterr().err) is not keys
    let_time_pass(database_address)
    options = ("--allow-host", "--database", database_address)
    with run_server(tmp_path / "new", *options) as new:
        ask = Asking(new)
        assert ask("GET", f"/runs/{run}") == before
        ask("GET", f"/runs/{run}/jobs/1/log")
        assert "the key has 7 letters" in ask.answers
        again = ask.dispatch() if keys else ""
        if keys:
            assert ask("GET", f"/runs/{again}")["result"] == "success"
            assert ask("GET", f"/runs/{again}")["number"] == before["number"] + 1


def let_time_pass(database_address: str) -> None:
    """Have a backup be old: nobody waits then for the runner of the server that it was made of."""
    store = ServerDatabase(database_address)
    with store.writing() as connection:
        connection.execute("UPDATE runners SET seen = 0")
    store.close()
