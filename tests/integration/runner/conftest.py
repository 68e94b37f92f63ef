"""Runners against a server that is played: what they are given, and how they are started."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from tests.ports import hold_port, port_of
from tests.runner_server import CREDENTIAL, RunnerServer, served

from windlass.lang.workflow.reading import read_workflow
from windlass.model.repository import Repository
from windlass.plan.orders import StartJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import RunStarted
from windlass.protocol.assignments import Assignment, GitAccess, encode_assignment
from windlass.protocol.runner import JobId
from windlass.runner.connection import read_address
from windlass.runner.loop import Runner
from windlass.runner.starter import Starter
from windlass.runner.workshop import Means

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATH = ".github/workflows/ci.yml"
HEAD = "f" * 40


def assign(text: str, number: int = 1, *, root: Path | None = None, **changes: Any) -> Any:
    """Make the assignment of the first job of a workflow; `root` has the repository."""
    text = dedent(text)
    reading = read_workflow(PATH, text.encode())
    assert reading.workflow is not None, reading.diagnostics
    sha = HEAD if root is None else git(root, "rev-parse", "HEAD")
    github = {
        "event_name": "push", "ref": "refs/heads/main", "sha": sha, "repository": "octo/boat",
        "server_url": "https://github.com", "event": {},
    }  # fmt: skip
    machine = RunMachine(reading.workflow, {"github": github, "inputs": {}, "vars": {}})
    order = next(it for it in machine.receive(RunStarted()) if isinstance(it, StartJob))
    values: dict[str, Any] = {
        "job": JobId("1700000000000000", 1, number),
        "order": order,
        "text": text,
        "repository": Repository(
            root="", owner="octo", name="boat", head_sha=sha, base_sha=None, branch="main",
            tag=None, default_branch="main",
        ),
        "sha": sha,
        "ref": "refs/heads/main",
        "git": GitAccess(repository="7", url=f"file://{root}", token="wlj_of_the_job"),
        "allow_host": True,
    }  # fmt: skip
    return encode_assignment(Assignment(**{**values, **changes}))


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    root = tmp_path / "boat"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.email", "mona@example.com")
    git(root, "config", "user.name", "Mona")
    (root / "sail.txt").write_text("white\n", encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Set sail")
    git(root, "tag", "v1")
    return root


@pytest.fixture
def played() -> Iterator[RunnerServer]:
    played = RunnerServer()
    yield played
    assert played.complaints == []


@pytest.fixture
def url(played: RunnerServer) -> Iterator[str]:
    with served(played) as url:
        yield url


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody else is given, whatever server listens there or none."""
    with hold_port() as held:
        yield port_of(held)


@pytest.fixture
def told() -> list[str]:
    """What runners say to whoever looks after them."""
    return []


@pytest.fixture
def start(url: str, tmp_path: Path, told: list[str]) -> Callable[..., Any]:
    """Return a context in which a runner runs; it drains at the end."""

    @contextmanager
    def starting(*, capacity: int = 1, **options: Any) -> Iterator[Runner]:
        starter = Starter()
        state = tmp_path / "state"
        runner = make_runner(starter, url, state, told, capacity=capacity, **options)
        faults: list[BaseException] = []
        thread = threading.Thread(target=_run, args=(runner, faults))
        thread.start()
        try:
            yield runner
        finally:
            runner.drain()
            thread.join(60)
            starter.close()
            assert not thread.is_alive()
        assert faults == []

    return starting


def make_runner(
    starter: Starter,
    url: str,
    state: Path,
    told: list[str],
    *,
    capacity: int = 1,
    ephemeral: bool = False,
    allow_host: bool = True,
) -> Runner:
    address = read_address(url)
    state.mkdir(exist_ok=True)
    means = Means(
        name="north",
        server=address,
        credential=CREDENTIAL,
        repositories=state / "repositories",
        allow_host=allow_host,
        hidden=(state,),
    )
    return Runner(
        starter,
        means,
        state / "runs",
        capacity=capacity,
        ephemeral=ephemeral,
        tell=told.append,
    )


def _run(runner: Runner, faults: list[BaseException]) -> None:
    try:
        runner.run()
    except BaseException as error:  # noqa: BLE001 - told by the fixture
        faults.append(error)
