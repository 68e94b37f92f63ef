"""`windlass runner` as a process: its credential, its signals, and what it leaves when killed."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.runner.conftest import assign
from tests.integration.runner.test_jobs import JOB, SCRIPT, lines_of
from tests.runner_server import CREDENTIAL, TOKEN, served
from tests.waiting import wait_until

from windlass.listings import find_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.runner_server import RunnerServer

NAME = "north"


def make_endless(mark: Path) -> str:
    """A job that leaves its process id in a file, and goes on."""
    return SCRIPT.format(run=f'"echo $$ > {mark}; exec sleep 1000"')


def command(url: str, state: Path, *words: str) -> list[str]:
    options = ["--url", url, "--name", NAME, "--state", str(state), "--allow-host", *words]
    return [sys.executable, "-m", "windlass", "runner", *options]


@contextmanager
def running(
    url: str, state: Path, *words: str, token: str = TOKEN, stays: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Start a runner, and kill it at the end, also its jobs unless that `stays`.

    What it says is in `runner.log` beside its state folder.
    """
    with state.with_name("runner.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command(url, state, *words),
            env={**os.environ, "WINDLASS_RUNNER_TOKEN": token},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)
        if not stays:
            kill_job_processes(state)


def kill_job_processes(state: Path) -> None:
    """Kill what there still is of the jobs of a runner."""
    for pid in find_job_processes(state):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def find_job_processes(state: Path, name: str = "windlass-job") -> list[int]:
    """Return the processes of jobs of a runner, by its state folder; or others of its forks."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            is_named = (folder / "comm").read_text(encoding="utf-8").strip() == name
            if is_named and os.fsencode(state) in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def said(state: Path) -> str:
    return state.with_name("runner.log").read_text(encoding="utf-8")


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2]
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_mark(mark: Path) -> int:
    assert wait_until(lambda: mark.exists() and mark.read_text(encoding="utf-8").strip() != "")
    return int(mark.read_text(encoding="utf-8"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_it_registers_once(played: RunnerServer, url: str, state: Path) -> None:
    """The credential is kept for its user alone, and is enough the next time."""
    with running(url, state, "--labels", "linux, gpu", "--capacity", "3") as process:
        played.wait_for(lambda: played.polls != [])
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, said(state)
    request = played.registered
    assert request is not None
    assert (request.name, request.labels, request.capacity) == (NAME, ("linux", "gpu"), 3)
    kept = state / "runner.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_bytes())["credential"] == CREDENTIAL
    assert played.has_left

    played.registered, before = None, len(played.polls)
    with running(url, state, token="") as process:
        played.wait_for(lambda: len(played.polls) > before)
    assert played.registered is None
    assert CREDENTIAL not in said(state)
    assert TOKEN not in said(state)


def test_no_process_of_a_job_has_a_token(
    played: RunnerServer, url: str, state: Path, tmp_path: Path
) -> None:
    """Neither in its variables nor in the arguments of the runner."""
    found = tmp_path / "found"
    look = "cat /proc/self/environ /proc/$PPID/environ /proc/*/cmdline 2>&1"
    played.assign(assign(SCRIPT.format(run=f'"{look} | tr \\\\\\\\0 \\\\\\\\n > {found}"')))
    with running(url, state):
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "success", held.told
    text = found.read_text(encoding="utf-8", errors="replace")
    assert "\nrunner\n--url\n" in text
    assert TOKEN not in text
    assert CREDENTIAL not in text


def test_a_token_that_is_not_good(url: str, state: Path) -> None:
    """Exit code 2, and what to do; nothing is kept."""
    done = subprocess.run(
        command(url, state, "--token", "wlg_wrong"), capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "the token is not good" in done.stderr
    assert "Traceback" not in done.stderr
    assert "wlg_wrong" not in done.stderr
    assert not (state / "runner.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--url", "ftp://host"], "'ftp://host' is not the URL of a server"),
        (["--url", "http://me:secret@host"], "is not the URL of a server"),
        (["--url", "http://host:port"], "is not the URL of a server"),
        (["--capacity", "0"], "--capacity: 0 jobs are none"),
        (["--labels", " , "], "--labels names none"),
        (["--name", "../x"], "--name: '../x' is no name"),
    ],
)
def test_what_it_cannot_be_told(state: Path, words: list[str], said: str) -> None:
    """Exit code 2, and one message."""
    done = subprocess.run(
        command("http://127.0.0.1:1", state, "--token", "t", *words),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_revoked_credential(played: RunnerServer, url: str, state: Path, tmp_path: Path) -> None:
    """Its jobs are ended, the credential is forgotten, and the message says what to do."""
    mark = tmp_path / "mark"
    played.assign(assign(make_endless(mark)))
    with running(url, state) as process:
        pid = wait_for_mark(mark)
        played.is_revoked = True
        played.take_away("1/1/1")
        assert process.wait(60) == 2
    assert not is_running(pid)
    assert not (state / "runner.json").exists()
    assert "the server no longer knows this runner" in said(state)


def test_a_state_folder_has_one_runner(played: RunnerServer, url: str, state: Path) -> None:
    """A second one is refused."""
    with running(url, state):
        played.wait_for(lambda: played.polls != [])
        done = subprocess.run(command(url, state), capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "another runner runs with the state folder" in done.stderr


def test_a_server_that_is_away_for_a_while(
    played: RunnerServer, state: Path, tmp_path: Path, port: int
) -> None:
    """The job goes on, and in the end the server has every line once."""
    go, begun = tmp_path / "go", tmp_path / "begun"
    wait = f"until test -e {go}; do sleep 0.01; done"
    run = f'"echo one; touch {begun}; {wait}; echo two; echo three"'
    played.assign(assign(SCRIPT.format(run=run)))
    with ExitStack() as stack:
        with served(played, port) as url:
            stack.enter_context(running(url, state))
            assert wait_until(begun.exists)
        go.touch()
        assert wait_until(lambda: any(find_paths(state / "runs", "*/*/jobs/*/end.json")))
        with served(played, port):
            held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "success"
    lines = [it for it in lines_of(held, tmp_path / "there") if it in ("one", "two", "three")]
    assert lines == ["one", "two", "three"]


@pytest.mark.parametrize("signals", [1, 2])
def test_signals(signals: int, played: RunnerServer, url: str, state: Path, tmp_path: Path) -> None:
    """The first lets it drain: the job goes on to its end. The second ends the job."""
    mark, go = tmp_path / "mark", tmp_path / "go"
    run = f'"echo $$ > {mark}; until test -e {go}; do sleep 0.01; done"'
    played.assign(assign(SCRIPT.format(run=run)))
    with running(url, state, "--capacity", "2") as process:
        wait_for_mark(mark)
        process.send_signal(signal.SIGTERM)
        played.wait_for(lambda: played.polls[-1].draining)
        if signals == 2:
            process.send_signal(signal.SIGTERM)
        else:
            go.touch()
        assert process.wait(60) == 0, said(state)

    held = played.jobs[JOB]
    assert held.end is not None
    assert held.end.result == ("cancelled" if signals == 2 else "success")
    assert played.has_left


def test_it_waits_for_a_server_that_is_not_up_yet(
    played: RunnerServer, state: Path, port: int
) -> None:
    """Which of them is started first does not matter."""
    with running(f"http://127.0.0.1:{port}", state):
        assert wait_until(lambda: "it is asked again" in said(state))
        with served(played, port):
            played.wait_for(lambda: played.polls != [])


def test_an_ephemeral_runner_forgets_who_it_was(
    played: RunnerServer, url: str, state: Path
) -> None:
    """Its credential is good for nothing afterwards."""
    played.assign(assign(SCRIPT.format(run="'true'")))
    with running(url, state, "--ephemeral", "--capacity", "5") as process:
        assert process.wait(60) == 0, said(state)

    assert played.registered is not None
    assert (played.registered.ephemeral, played.registered.capacity) == (True, 1)
    assert played.has_left
    assert not (state / "runner.json").exists()
