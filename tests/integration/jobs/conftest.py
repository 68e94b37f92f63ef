"""Runs one job of a workflow on this machine, with real shells, in a temporary folder."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.daemon_images import client_image
from tests.images import JOB_IMAGE, provide_job_image
from tests.remotes import Remotes

from windlass.git.commands import make_environment
from windlass.jobs.cancellation import Cancellation
from windlass.jobs.executors.docker import DockerExecutor
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.sandbox import SandboxExecutor
from windlass.jobs.folders import JobFolders
from windlass.jobs.job import run_job
from windlass.jobs.place import JobPlace
from windlass.jobs.source import Source
from windlass.lang.workflow import read_workflow
from windlass.model.repository import Repository
from windlass.plan.orders import StartJob
from windlass.plan.places import HOST, SANDBOX
from windlass.protocol import events
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.jobs.actions.published import PublishedActions
    from windlass.jobs.docker_needs import DockerNeeds
    from windlass.jobs.executors.interface import Executor
    from windlass.plan.signals import JobFinished

__all__ = ["client_image"]

EMPTY_SHA = "0" * 40


@dataclass
class Bench:
    """A place to run jobs in. What is set here holds for the next job."""

    root: Path
    repository: Repository
    clock: ManualClock = field(default_factory=ManualClock)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    committed_only: bool = False
    layered: bool = False
    keep: bool = False
    cancellation: Cancellation = field(default_factory=Cancellation)
    seen: list[events.RunEvent] = field(default_factory=list)
    on_event: Callable[[events.RunEvent], None] | None = None
    timeout_minutes: int = 360
    cancel_timeout_minutes: int = 5
    record: Path | None = None
    published: Callable[[], PublishedActions] | None = None
    executor: Executor | None = None
    machine: dict[str, str] = field(default_factory=dict)
    docker: DockerNeeds | None = None
    key: str = "build"

    def run(self, steps: str, *, job: str = "", ref: str = "") -> JobFinished:
        """Run a job with these steps (YAML, indented as under `steps:`)."""
        indented = "\n".join(f"      {line}" for line in steps.strip("\n").splitlines())
        text = (
            f"on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n{job}    steps:\n{indented}\n"
        )
        reading = read_workflow(".github/workflows/w.yml", text.encode())
        assert reading.workflow is not None, reading.diagnostics
        order = StartJob(
            key=self.key,
            name="build",
            job=reading.workflow.jobs[0],
            workflow=reading.workflow,
            contexts={
                "github": {
                    "event": {"number": 7},
                    "sha": self.repository.head_sha,
                    "ref": ref or self.repository.ref,
                    "repository": self.repository.full_name,
                },
                "needs": {},
                "strategy": {},
                "matrix": {},
                "inputs": {},
                "vars": dict(self.variables),
            },
            labels=("ubuntu-latest",),
            environment=None,
            timeout_minutes=self.timeout_minutes,
            cancel_timeout_minutes=self.cancel_timeout_minutes,
            continue_on_error=False,
        )
        self.seen.clear()
        return run_job(
            order,
            executor=self.executor or HostExecutor(),
            place=self.place(ref),
            secrets=self.secrets,
            emit=self._see,
            cancellation=self.cancellation,
        )

    def place(self, ref: str = "") -> JobPlace:
        return JobPlace(
            folder=self.root / "job",
            tools=self.root / "tools",
            source=Source(
                repository=self.repository,
                sha=self.repository.head_sha,
                ref=ref or self.repository.ref,
                state=self.root / "state",
                committed_only=self.committed_only,
                layered=self.layered,
            ),
            machine={"PATH": os.environ["PATH"], "SECRET_OF_USER": "x", **self.machine},
            keep=self.keep,
            clock=self.clock,
            record=self.record,
            published=self.published,
            docker=self.docker,
        )

    def _see(self, event: events.RunEvent) -> None:
        self.seen.append(event)
        if self.on_event is not None:
            self.on_event(event)

    def output(self) -> str:
        """Return what was printed, without what is told of every job with `--place docker`."""
        text = "".join(event.text for event in self.seen if isinstance(event, events.Output))
        return text.removeprefix(f"The image {JOB_IMAGE} is on this machine.\n")

    def errors(self) -> list[str]:
        return [
            event.message
            for event in self.seen
            if isinstance(event, events.Annotation) and event.level == "error"
        ]

    def ends(self) -> list[tuple[str, str]]:
        """Return outcome and conclusion of each step that ran."""
        return [
            (event.outcome.value, event.conclusion.value)
            for event in self.seen
            if isinstance(event, events.StepFinished)
        ]


def git(folder: Path, *arguments: str) -> str:
    """Run git in a test's repository."""
    identity = {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=make_environment(identity),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def folders(tmp_path: Path) -> JobFolders:
    """The folders of a job, made."""
    folders = JobFolders(tmp_path / "job", "boat", tmp_path / "tools")
    folders.make()
    return folders


@pytest.fixture
def remotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remotes:
    """An empty folder of remotes; what is fetched is kept in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    return Remotes(tmp_path)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """A place without a repository: for jobs that check nothing out; `--place` says where."""
    return make_bench(tmp_path, make_executor(request, request.config.getoption("--place")))


def make_bench(tmp_path: Path, executor: Executor | None = None) -> Bench:
    """Make such a place below a folder, on this machine unless something else is said."""
    repository = Repository(
        root=str(tmp_path / "nothing"),
        owner="octo",
        name="cat",
        head_sha=EMPTY_SHA,
        base_sha=None,
        branch="main",
        tag=None,
        default_branch="main",
    )
    return Bench(tmp_path, repository, executor=executor)


def make_executor(request: pytest.FixtureRequest, place: str) -> Executor | None:
    """Return what runs jobs in a place, None for this machine; skip where there is no daemon."""
    if place == HOST:
        return None
    if place == SANDBOX:
        return SandboxExecutor()
    engine = request.getfixturevalue("docker")
    image = provide_job_image(engine)
    return DockerExecutor({"DOCKER_HOST": engine.address.text}, image=image)
