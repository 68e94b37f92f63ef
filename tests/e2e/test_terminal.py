"""`windlass run` on a real terminal, and what signals and vanishing terminals do to it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pyte
import pytest
from tests.e2e.repositories import SECONDS, WINDLASS, processes_below, read_until, wait_until_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.repositories import Repository

FLOW = """\
name: Flow
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo "# Built **it**" >> "$GITHUB_STEP_SUMMARY"
      - name: Wait
        run: |
          echo "a line that is followed"
          while [ ! -e "$GO" ]; do sleep 0.05; done
      - run: exit 3
"""
GROUPS = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "::group::Preparing"
          echo one
          echo "::endgroup::"
          echo "::warning::old"
          echo two
"""
STUBBORN = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          trap '' INT TERM
          echo rea''dy
          while :; do sleep 0.1; done
"""
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""Makes Python speak ASCII."""


class TerminalProcess:
    """A process on a terminal of its own, and what a person would see there."""

    def __init__(self, repository: Repository, *words: str, **variables: str) -> None:
        self._master, end = pty.openpty()
        self.resize(80, 24)
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        environment = repository.environment({"TERM": "xterm-256color", **variables})
        self.process = subprocess.Popen(
            [*WINDLASS, *words],
            cwd=repository.path,
            env=environment,
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
        )
        os.close(end)

    def resize(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def wait_for(self, is_there: Callable[[str], bool]) -> str:
        """Read until the screen shows something; return the screen."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            shown = "\n".join(self.screen.display)
            if is_there(shown):
                return shown
            if not self._read():
                break
        raise AssertionError("\n".join(line.rstrip() for line in self.screen.display))

    def finish(self) -> str:
        """Read to the end; return the screen."""
        deadline = time.monotonic() + SECONDS
        while self._read():
            assert time.monotonic() < deadline, self.screen.display
        assert self.process.wait(SECONDS) is not None
        return "\n".join(line.rstrip() for line in self.screen.display)

    def _read(self) -> bool:
        if not select.select([self._master], [], [], SECONDS)[0]:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # Linux's way to say that the other end is closed
            return False
        self.output += data
        self._stream.feed(data)
        return bool(data)

    def hang_up(self) -> None:
        """Close the terminal, as a window that is closed does."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        if self._master >= 0:
            os.close(self._master)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)


@pytest.fixture
def flow(repository: Repository) -> Repository:
    repository.workflow(FLOW)
    repository.commit()
    return repository


@pytest.fixture
def started(
    flow: Repository, request: pytest.FixtureRequest
) -> Iterator[Callable[..., TerminalProcess]]:
    """Starts `windlass run` on a terminal; `GO` is the file that lets the second step end."""

    def start(**variables: str) -> TerminalProcess:
        process = TerminalProcess(flow, "run", "--env", f"GO={flow.home}/go", **variables)
        request.addfinalizer(process.close)
        return process

    return start


def let_go(repository: Repository) -> None:
    (repository.home / "go").touch()


def test_the_tree_and_its_end(flow: Repository, started: Callable[..., TerminalProcess]) -> None:
    """While it runs, the steps and the last lines; afterwards the summary and the reason."""
    process = started()
    seen = process.wait_for(lambda shown: "a line that is followed" in shown)
    assert "✓ Run echo" in seen
    assert " Wait " in seen

    let_go(flow)
    seen = process.finish()
    assert process.process.returncode == 1
    assert "Summary of build\n  Built it\n" in seen
    assert "    ✗ Run exit 3 " in seen
    assert "build › Run exit 3 failed with exit code 3" in seen
    assert "✗ Flow failed in" in seen
    assert "⠋" not in seen


@pytest.mark.parametrize(
    ("variables", "has_codes", "has_colour"),
    [
        pytest.param({}, True, True, id="terminal"),
        pytest.param({"NO_COLOR": "1"}, True, False, id="NO_COLOR"),
        pytest.param({"TERM": "dumb"}, False, False, id="dumb"),
        pytest.param(
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, True, True, id="C"
        ),
    ],
)
def test_what_a_terminal_gets(
    flow: Repository,
    started: Callable[..., TerminalProcess],
    variables: dict[str, str],
    has_codes: bool,
    has_colour: bool,
) -> None:
    """Colour and movements only where they are understood and wanted; no other letters in ASCII."""
    let_go(flow)
    process = started(**variables)
    process.finish()

    assert process.process.returncode == 1
    assert (b"\x1b[J" in process.output) is has_codes
    assert (b"\x1b[1;31m" in process.output) is has_colour
    assert process.output.isascii() is ("LC_ALL" in variables)


@pytest.mark.parametrize("tail", [(), ("--tail", "5")], ids=["all", "tail"])
def test_a_log_is_read(repository: Repository, tail: tuple[str, ...]) -> None:
    """What a run has renders, its log renders too; piped it is the log as it was written."""
    repository.workflow(GROUPS)
    repository.commit()
    assert repository.windlass("run").returncode == 0
    process = TerminalProcess(repository, "logs", *tail)
    seen = process.finish()
    process.close()

    assert "▾ Preparing\n  one\nwarning: old\ntwo" in seen
    assert "##[" not in seen
    assert "##[group]Preparing\none\n" in repository.windlass("logs", *tail).stdout


def test_a_long_summary_is_read(repository: Repository) -> None:
    """The end of a run shows its beginning and names the command that has all of it."""
    lines = 'for n in $(seq 60); do echo; echo "line **$n**"; done'
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - run: ({lines}) >> $GITHUB_STEP_SUMMARY\n      - run: 'true'\n"
    )
    repository.commit()
    shown = repository.windlass("run").stdout
    command = shown.partition("… the whole of it: windlass ")[2].splitlines()[0].split()
    process = TerminalProcess(repository, *command)
    seen = process.finish()
    process.close()

    assert "line **60**" not in shown
    assert seen.rstrip().endswith("line 59\n\nline 60")
    assert repository.windlass(*command).stdout.startswith("## a summary\n\nline **1**\n")
    assert repository.windlass("show", "--summary", "--json").returncode == 2


def test_a_run_without_a_summary(repository: Repository) -> None:
    """Nothing is printed, and it is said why."""
    repository.workflow(GROUPS)
    repository.commit()
    assert repository.windlass("run").returncode == 0

    done = repository.windlass("show", "--summary")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no step has written a summary\n"


def test_a_terminal_that_shrinks(flow: Repository, started: Callable[..., TerminalProcess]) -> None:
    """The tree follows the size of the window while it runs."""
    process = started()
    process.wait_for(lambda shown: "a line that is followed" in shown)
    process.resize(40, 10)
    process.screen.resize(10, 40)
    process.wait_for(lambda shown: "Wait" in shown)
    let_go(flow)

    assert "✗ Flow failed in" in process.finish()


def test_a_window_that_is_closed(repository: Repository) -> None:
    """The run is cancelled politely: nothing stays behind, and there is nobody to complain to."""
    repository.workflow(
        FLOW + f"      - if: always()\n        run: touch {repository.home}/tidied\n"
    )
    repository.commit()
    process = TerminalProcess(repository, "run", "--env", f"GO={repository.home}/go")
    process.wait_for(lambda shown: "a line that is followed" in shown)
    process.process.send_signal(signal.SIGHUP)
    process.hang_up()

    assert process.process.wait(SECONDS) == 130
    assert (repository.home / "tidied").exists()
    assert not processes_below(repository.path)


def test_ctrl_c_twice_kills(repository: Repository) -> None:
    """A step that ignores the first polite signal is killed at once, and not sent the next."""
    terminated = repository.home / "terminated"
    trap = f"trap '' INT; trap 'touch {terminated}' TERM"
    repository.workflow(STUBBORN.replace("trap '' INT TERM", trap))
    repository.commit()
    process = repository.start("run")
    read_until(process, b"ready\n")
    process.send_signal(signal.SIGINT)
    read_until(process, b"cancelling; Ctrl-C again kills what is left\n")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)

    assert process.returncode == 130
    # GitHub's runner would send it after 7.5 seconds.
    assert not terminated.exists()
    assert not processes_below(repository.path)


def test_ctrl_c_three_times_leaves_at_once(repository: Repository) -> None:
    """Windlass is gone without waiting; the supervisor of the job ends what is left.

    It is stopped while the signals come: none of them is lost.
    """
    repository.workflow(STUBBORN)
    repository.commit()
    process = TerminalProcess(repository, "run")
    process.wait_for(lambda shown: "ready" in shown)
    os.kill(process.process.pid, signal.SIGSTOP)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process.process.pid, number)
    os.kill(process.process.pid, signal.SIGCONT)
    process.process.send_signal(signal.SIGINT)
    process.finish()

    assert process.process.returncode == 130
    wait_until_gone(processes_below(repository.path))
    assert not processes_below(repository.path)
