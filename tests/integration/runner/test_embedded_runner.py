"""The runner of a server: it waits for its folder, and follows the address of its server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import open_site
from tests.integration.runner.test_process import find_job_processes
from tests.runner_server import CREDENTIAL, TOKEN
from tests.waiting import wait_until

from windlass.cmd import embedded_runner
from windlass.cmd.embedded_runner import NAME, EmbeddedRunner
from windlass.model.values import replace
from windlass.runner.identity import Identity, RunnerState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.runner_server import RunnerServer

    from windlass.operations.hosted.site import Site


@pytest.fixture
def site(tmp_path: Path, url: str) -> Iterator[Site]:
    """A server's folder; who answers at its address is played."""
    with open_site(f"sqlite:///{tmp_path / 'windlass.db'}", tmp_path) as site:
        yield replace(site, address=url)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def runner(site: Site, said: list[str]) -> Iterator[EmbeddedRunner]:
    runner = EmbeddedRunner(site, capacity=1, allow_host=True, tell=said.append)
    yield runner
    runner.stop()
    assert wait_until(lambda: not find_job_processes(site.data, "windlass-start"))


@pytest.mark.usefixtures("stand_in_for_registrations")
def test_it_waits_for_another_server(
    site: Site, runner: EmbeddedRunner, said: list[str], played: RunnerServer
) -> None:
    """That the runner of another one has the folder is told, and is no fault; it may end."""
    other = RunnerState(runner.state)
    other.claim()
    runner.start()
    assert wait_until(lambda: said != [])
    assert said[0].startswith(f"another server's runner serves {site.data / 'runner'}")
    assert played.polls == []

    other.release()
    played.wait_for(lambda: played.polls != [])
    assert len(said) == 1


def test_a_server_that_ends_while_it_waits(site: Site, said: list[str]) -> None:
    """It does not wait for the other one."""
    runner = EmbeddedRunner(site, capacity=1, allow_host=True, tell=said.append)
    other = RunnerState(runner.state)
    other.claim()
    runner.start()
    assert wait_until(lambda: said != [])
    runner.stop()
    other.release()


@pytest.mark.usefixtures("stand_in_for_registrations")
def test_it_is_started_again(runner: EmbeddedRunner, played: RunnerServer, said: list[str]) -> None:
    """A process that ends by itself is told of, and another one takes its place."""
    runner.start()
    played.wait_for(lambda: played.polls != [])
    process = runner._process
    assert process is not None
    before = len(played.polls)
    process.kill()
    played.wait_for(lambda: len(played.polls) > before)
    assert "the runner of this server has ended with -9, and is started again" in said


def test_it_follows_the_address_of_its_server(
    site: Site, played: RunnerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its credential is for that server, wherever it is: no other registration is made."""
    known = Identity(url="http://127.0.0.1:1", runner="r1", name=NAME, credential=CREDENTIAL)
    runner = EmbeddedRunner(site, capacity=1, allow_host=True, tell=str)
    state = RunnerState(runner.state)
    state.claim()
    state.write(known)
    state.release()
    row = type("Listed", (), {"row": type("Row", (), {"name": NAME})})
    monkeypatch.setattr(embedded_runner, "list_runners", lambda _: [row])
    runner.start()
    played.wait_for(lambda: played.polls != [])
    runner.stop()

    assert json.loads((runner.state / "runner.json").read_bytes())["url"] == site.address
    assert played.registered is None


@pytest.fixture
def stand_in_for_registrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers is played, and takes one token alone."""
    made = type("Made", (), {"token": TOKEN})
    monkeypatch.setattr(embedded_runner, "create_registration", lambda _site, **_: made)
