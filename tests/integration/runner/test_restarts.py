"""A runner that is killed, or a part of it: what becomes of its jobs, and who looks after them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest
from tests.integration.runner.conftest import assign
from tests.integration.runner.test_jobs import JOB, SCRIPT, SECOND, lines_of, names
from tests.integration.runner.test_process import (
    find_job_processes,
    is_running,
    kill_job_processes,
    make_endless,
    running,
    said,
    wait_for_mark,
)
from tests.runner_server import served
from tests.waiting import wait_until

from windlass.listings import find_paths
from windlass.runner.recovery import MESSAGE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.runner_server import Held, RunnerServer

STEPS = """
    on: push
    jobs:
      build:
        runs-on: ubuntu-latest
        outputs: {{word: "${{{{ steps.first.outputs.word }}}}"}}
        steps:
          - id: first
            run: |
              for n in $(seq 500); do echo line $n; done
              echo first >> {ledger}
              echo $$ > {mark}
              until test -e {go}; do sleep 0.01; done
              for n in $(seq 501 1000); do echo line $n; done
              echo word=hello >> $GITHUB_OUTPUT
          - run: echo second ${{{{ steps.first.outputs.word }}}} >> {ledger}
"""


class Job:
    """A job of two steps, the first of which waits; what they do is in a ledger."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.mark, self._go = (folder / it for it in ("ledger", "mark", "go"))
        self._there = folder / "there"
        self.workflow = STEPS.format(ledger=self.ledger, mark=self.mark, go=self._go)

    def go_on(self) -> None:
        self._go.touch()

    def check(self, held: Held) -> None:
        """It has ended well, each step was run once, and the server has each line once."""
        assert held.end is not None
        assert (held.end.result, held.end.outputs) == ("success", {"word": "hello"}), held.told
        assert self.ledger.read_text(encoding="utf-8") == "first\nsecond hello\n"
        lines = [it for it in lines_of(held, self._there) if it.startswith("line ")]
        assert lines == [f"line {number}" for number in range(1, 1001)]
        assert names(held).count("step-started") == names(held).count("step-finished")
        assert names(held)[-1] == "job-finished"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder; what may still run of its jobs is killed."""
    folder = tmp_path / "state"
    yield folder
    kill_job_processes(folder)


@pytest.fixture
def job(tmp_path: Path, played: RunnerServer) -> Job:
    job = Job(tmp_path)
    played.assign(assign(job.workflow))
    return job


def find_one(state: Path) -> int:
    (pid,) = find_job_processes(state)
    return pid


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(60)


def has_records(state: Path) -> bool:
    return any(find_paths(state / "runs", "*/*/jobs/*"))


def test_a_killed_runner(played: RunnerServer, url: str, state: Path, job: Job) -> None:
    """Its job goes on; the next runner looks after it, and it ends well."""
    with running(url, state, stays=True) as process:
        wait_for_mark(job.mark)
        kill(process)
    with running(url, state, token=""):
        assert wait_until(lambda: f"job {JOB} goes on" in said(state))
        job.go_on()
        held = played.wait_for_end(JOB)
        assert wait_until(lambda: not has_records(state))
        assert wait_until(lambda: not find_job_processes(state))
        # There is room again.
        played.assign(assign(SCRIPT.format(run="'true'"), 2))
        played.wait_for_end(SECOND)

    job.check(held)
    assert all(JOB in it.running for it in played.polls if not it.free and not it.draining)


@pytest.mark.parametrize("moves", [False, True], ids=["same-address", "another-address"])
def test_runner_and_server_are_killed(
    moves: bool, played: RunnerServer, state: Path, job: Job, port: int
) -> None:
    """The job goes on, and tells the next server what it has said meanwhile."""
    with served(played, port) as url, running(url, state, stays=True) as process:
        wait_for_mark(job.mark)
        kill(process)
    job.go_on()
    assert wait_until(lambda: job.ledger.read_text(encoding="utf-8").count("\n") == 2)
    with served(played, 0 if moves else port) as url:
        kept = state / "runner.json"
        kept.write_text(json.dumps(json.loads(kept.read_bytes()) | {"url": url}), encoding="utf-8")
        with running(url, state, token=""):
            held = played.wait_for_end(JOB)

    job.check(held)


def test_a_running_job_goes_on_with_another_address(
    played: RunnerServer, state: Path, job: Job
) -> None:
    """Its process is told where the server is now."""
    with served(played) as url, running(url, state, stays=True) as process:
        wait_for_mark(job.mark)
        kill(process)
    with served(played) as url:
        kept = state / "runner.json"
        kept.write_text(json.dumps(json.loads(kept.read_bytes()) | {"url": url}), encoding="utf-8")
        with running(url, state, token=""):
            assert wait_until(lambda: f"job {JOB} goes on" in said(state))
            played.wait_for(lambda: len(played.jobs[JOB].files["log"]) > 3_000)
            job.go_on()
            held = played.wait_for_end(JOB)

    job.check(held)


def test_nobody_comes_back(played: RunnerServer, url: str, state: Path, job: Job) -> None:
    """The job goes on by itself: it says that it is there, and how it ends."""
    with running(url, state, stays=True) as process:
        wait_for_mark(job.mark)
        kill(process)
    before = played.count_requests(JOB)
    played.wait_for(lambda: played.count_requests(JOB) > before + 1)
    job.go_on()
    held = played.wait_for_end(JOB)
    assert wait_until(lambda: not find_job_processes(state))

    job.check(held)
    assert not has_records(state)


def test_nobody_and_no_server_comes_back(
    played: RunnerServer, state: Path, job: Job, port: int
) -> None:
    """A job that has ended does not wait for ever; what it has said is kept for the next runner."""
    with served(played, port) as url, running(url, state, stays=True) as process:
        wait_for_mark(job.mark)
        kill(process)
    job.go_on()
    assert wait_until(lambda: not find_job_processes(state))
    assert has_records(state)
    with served(played, port) as url, running(url, state, token=""):
        held = played.wait_for_end(JOB)

    job.check(held)


@pytest.mark.parametrize("way", ["cancelled", "gone", "signals", "own-signal"])
def test_a_job_that_goes_on_can_be_ended(
    way: str, played: RunnerServer, url: str, state: Path, tmp_path: Path
) -> None:
    """The next runner passes on what server and user want."""
    mark = tmp_path / "mark"
    played.assign(assign(make_endless(mark)))
    with running(url, state, stays=True) as process:
        pid = wait_for_mark(mark)
        kill(process)
    with running(url, state, token="") as process:
        assert wait_until(lambda: f"job {JOB} goes on" in said(state))
        if way == "cancelled":
            played.cancel(JOB, "somebody asked")
        elif way == "gone":
            played.take_away(JOB)
        elif way == "own-signal":
            os.kill(find_one(state), signal.SIGTERM)
        else:
            process.send_signal(signal.SIGTERM)
            played.wait_for(lambda: played.polls[-1].draining)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, said(state)
        if way == "gone":
            assert wait_until(lambda: not has_records(state))
            assert played.jobs[JOB].end is None
        else:
            end = played.wait_for_end(JOB).end
            assert end is not None
            assert end.result == "cancelled"
        assert wait_until(lambda: not is_running(pid))
        assert wait_until(lambda: not find_job_processes(state))


def test_it_drains_with_a_job_that_went_on(
    played: RunnerServer, url: str, state: Path, job: Job
) -> None:
    """One SIGTERM: the job goes on to its end, and then the runner leaves."""
    with running(url, state, stays=True) as process:
        wait_for_mark(job.mark)
        kill(process)
    with running(url, state, token="") as process:
        assert wait_until(lambda: f"job {JOB} goes on" in said(state))
        process.send_signal(signal.SIGTERM)
        played.wait_for(lambda: played.polls[-1].draining)
        job.go_on()
        assert process.wait(60) == 0, said(state)

    job.check(played.jobs[JOB])
    assert played.has_left


@pytest.mark.parametrize("victims", ["job", "job-and-runner", "job-and-runner-server-away"])
def test_a_killed_process_of_a_job(
    victims: str, played: RunnerServer, state: Path, job: Job, port: int
) -> None:
    """The job is ended with it and says so; all it had printed is there; there is room again."""
    with served(played, port) as url, running(url, state, stays=True) as process:
        pid = wait_for_mark(job.mark)
        if victims != "job-and-runner-server-away":
            played.wait_for(lambda: len(played.jobs[JOB].files["log"]) > 3_000)
        if victims != "job":
            kill(process)
        os.kill(find_one(state), signal.SIGKILL)
        assert wait_until(lambda: not is_running(pid))
        if victims == "job":
            check_killed(played, job)
    if victims != "job":
        with served(played, port) as url, running(url, state, token=""):
            check_killed(played, job)
            assert wait_until(lambda: not has_records(state))


def check_killed(played: RunnerServer, job: Job) -> None:
    played.assign(assign(SCRIPT.format(run="'true'"), 2))
    held = played.wait_for_end(JOB)
    assert held.end is not None
    assert held.end.result == "failure"
    assert names(held)[-1] == "job-finished"
    assert names(held).count("step-started") == names(held).count("step-finished")
    assert MESSAGE in [it.get("message") for it in held.told]
    there = job.ledger.with_name("killed")
    lines = [it for it in lines_of(held, there) if it.startswith("line ")]
    assert lines == [f"line {number}" for number in range(1, 501)]
    assert job.ledger.read_text(encoding="utf-8") == "first\n"
    second = played.wait_for_end(SECOND)
    assert second.end is not None
    assert second.end.result == "success"


def test_a_killed_starter(played: RunnerServer, url: str, state: Path, job: Job) -> None:
    """The runner ends and says why; its job goes on, and the next runner looks after it."""
    with running(url, state, stays=True) as process:
        wait_for_mark(job.mark)
        (starter,) = find_job_processes(state, "windlass-start")
        os.kill(starter, signal.SIGKILL)
        assert process.wait(60) == 3
    assert "the process that starts jobs was killed" in said(state)
    assert "Traceback" not in said(state)
    with running(url, state, token=""):
        assert wait_until(lambda: f"job {JOB} goes on" in said(state))
        job.go_on()
        held = played.wait_for_end(JOB)

    job.check(held)


def test_a_starter_that_is_not_needed_any_more(
    played: RunnerServer, url: str, state: Path, job: Job
) -> None:
    """A runner that drains takes no more jobs, and ends well without one."""
    with running(url, state) as process:
        wait_for_mark(job.mark)
        process.send_signal(signal.SIGTERM)
        played.wait_for(lambda: played.polls[-1].draining)
        (starter,) = find_job_processes(state, "windlass-start")
        os.kill(starter, signal.SIGKILL)
        job.go_on()
        assert process.wait(60) == 0, said(state)

    job.check(played.jobs[JOB])


def test_it_leaves_with_its_standard_input(
    played: RunnerServer, url: str, state: Path, job: Job
) -> None:
    """With --until-eof whoever has started it may be killed; the next one goes on with its jobs."""
    with running(url, state, "--until-eof", stays=True) as process:
        wait_for_mark(job.mark)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0
        process.stdin = None
    with running(url, state, token=""):
        job.go_on()
        held = played.wait_for_end(JOB)

    job.check(held)


def test_a_folder_with_a_long_path(played: RunnerServer, url: str, tmp_path: Path) -> None:
    """It may be longer than the address of a socket."""
    state = tmp_path / ("long" * 40) / "state"
    state.parent.mkdir()
    played.assign(assign(SCRIPT.format(run="'true'")))
    with running(url, state):
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "success"


def test_nothing_secret_is_on_the_disk(
    played: RunnerServer, url: str, state: Path, tmp_path: Path
) -> None:
    """The process of a job has secrets in its memory; its record, its arguments have none."""
    mark = tmp_path / "mark"
    values = assign(make_endless(mark), secrets={"WORD": "open sesame"})
    played.assign(values)
    with running(url, state):
        wait_for_mark(mark)
        process = find_one(state)
        with open(f"/proc/{process}/cmdline", "rb") as arguments:  # noqa: PTH123
            told = [arguments.read()]
        found = [it for it in find_paths(state / "runs", "*/*/jobs/*/*") if it.is_file()]
        for file in found:
            # What is written anew has another name for a moment.
            with contextlib.suppress(FileNotFoundError):
                told.append(file.read_bytes())
        (link,) = find_paths(state / "runs", "*/*/jobs/*/socket")
        mode = link.stat().st_mode

    assert found
    assert not any(b"open sesame" in it for it in told)
    assert mode & 0o077 == 0


@pytest.mark.parametrize("is_stopped", [False, True], ids=["one-signal", "two-signals"])
def test_a_drain_without_a_server(
    is_stopped: bool, played: RunnerServer, state: Path, job: Job, port: int
) -> None:
    """It ends in bounded time; what could not be told is told by the next runner."""
    with served(played, port) as url, running(url, state) as process:
        wait_for_mark(job.mark)
        played.wait_for(lambda: played.jobs[JOB].told != [])
        played.is_deaf = True
        process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: "takes no more jobs" in said(state))
        if is_stopped:
            process.send_signal(signal.SIGTERM)
        else:
            job.go_on()
        assert process.wait(60) == 0, said(state)
        assert has_records(state)
        assert wait_until(lambda: not find_job_processes(state))
    played.is_deaf = False
    with served(played, port) as url, running(url, state, token=""):
        held = played.wait_for_end(JOB)

    assert held.end is not None
    if is_stopped:
        assert held.end.result == "cancelled"
    else:
        job.check(held)


def test_an_ephemeral_runner_that_was_killed(
    played: RunnerServer, url: str, state: Path, job: Job
) -> None:
    """The next one brings the job to its end, takes no other, and forgets who it was."""
    played.assign(assign(SCRIPT.format(run="'true'"), 2))
    with running(url, state, "--ephemeral", stays=True) as process:
        wait_for_mark(job.mark)
        kill(process)
    with running(url, state, "--ephemeral", token="") as process:
        assert wait_until(lambda: f"job {JOB} goes on" in said(state))
        job.go_on()
        assert process.wait(60) == 0, said(state)

    job.check(played.jobs[JOB])
    assert SECOND not in played.jobs
    assert not (state / "runner.json").exists()
