"""While Windlass writes to a job's folder, no process of the job can get in the way."""

from __future__ import annotations

import contextlib
import select
from typing import TYPE_CHECKING

import pytest
from tests.integration.jobs.conftest import make_executor
from tests.sandboxes import need_sandbox
from tests.waiting import wait_until

from windlass.jobs.actions.published import PublishedActions
from windlass.jobs.executors.interface import JobRequest
from windlass.model.action_sources import ActionSources
from windlass.plan.places import SANDBOX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench
    from tests.remotes import Remotes

    from windlass.jobs.executors.interface import Executor, Session
    from windlass.jobs.folders import JobFolders

COUNT = "i=0; while :; do i=$((i + 1)); echo $i > {}; sh -c :; done"
VARIABLES = {"PATH": "/usr/bin:/bin"}
MILLISECONDS = 10


@pytest.fixture(params=[SANDBOX, "docker"])
def executor(request: pytest.FixtureRequest) -> Executor:
    """A place whose processes have fewer rights than Windlass."""
    if request.param == SANDBOX:
        need_sandbox()
    executor = make_executor(request, request.param)
    assert executor is not None
    return executor


@pytest.fixture
def session(executor: Executor, folders: JobFolders) -> Iterator[Session]:
    with contextlib.closing(executor.open(JobRequest(key="still", folders=folders))) as session:
        yield session


def start(session: Session, folders: JobFolders, script: str) -> None:
    inside = session.folders or folders
    session.spawn(["/bin/sh", "-c", script], variables=VARIABLES, folder=str(inside.workspace))


def wait_for_change(file: Path, before: str = "") -> str:
    """Return what is in a file as soon as that is something else."""
    text = ""

    def has_changed() -> bool:
        nonlocal text
        text = file.read_text() if file.exists() else ""
        return text not in ("", before)

    assert wait_until(has_changed, pause_milliseconds=MILLISECONDS), f"{file} does not change"
    return text


def test_nothing_moves_and_then_goes_on(session: Session, folders: JobFolders) -> None:
    """Neither a process, nor what it starts all the time, nor one that has left its session."""
    start(session, folders, COUNT.format("one"))
    start(session, folders, f"({COUNT.format('two')}) & exit")
    files = [folders.workspace / name for name in ("one", "two")]
    for file in files:
        wait_for_change(file)

    with session.keep_still():
        before = [file.read_text() for file in files]
        select.poll().poll(20 * MILLISECONDS)
        assert before == [file.read_text() for file in files]

    for file, text in zip(files, before, strict=True):
        wait_for_change(file, text)


def test_they_go_on_after_an_error(session: Session, folders: JobFolders) -> None:
    """Whatever goes wrong while they are still."""
    start(session, folders, COUNT.format("one"))
    before = wait_for_change(folders.workspace / "one")

    with pytest.raises(ValueError, match="wrong"), session.keep_still():
        raise ValueError("wrong")

    wait_for_change(folders.workspace / "one", before)


def test_a_job_that_does_nothing_is_still(session: Session) -> None:
    """Before its first step there is nothing to stop."""
    with session.keep_still():
        pass


def test_a_checkout_is_not_led_astray(
    bench: Bench, remotes: Remotes, tmp_path: Path, executor: Executor
) -> None:
    """A process that exchanges a folder for a link all the time gets nothing written elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    remotes.publish("acme/lib", {f"{n}.txt": "text\n" for n in range(50)})
    published = PublishedActions(ActionSources(urls=(remotes.url,)), "https://github.com")
    bench.published = lambda: published
    bench.executor = executor
    swap = f"while :; do rm -rf sub; mkdir sub; rm -rf sub; ln -s {elsewhere} sub; done"
    inputs = "{repository: acme/lib, path: sub/lib}"
    again = f"- {{uses: actions/checkout@v4, continue-on-error: true, with: {inputs}}}\n"

    bench.run(f"- {{run: '({swap}) 2> /dev/null &', shell: sh}}\n{again * 8}")

    assert [end for _, end in bench.ends()] == ["success"] * 9
    assert list(elsewhere.iterdir()) == []
