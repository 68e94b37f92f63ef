"""Runs the `console` blocks of a document in a scratch repository.

    <!-- repository: examples/hello -->   what the scratch repository holds at first, committed
    <!-- file: path/of/a/file -->         the next block is written to that file
    <!-- place: sandbox -->               jobs run where they do by default without Docker

A line `$ command` is run by bash in the repository; the lines below it, up to the next command, are
what it prints: stdout and stderr together, `...` for any lines; seconds, dates, sizes, commits, the
numbers of runs, and that the first one was waited for, aside. Without such lines only the exit code
counts: 0, or N where the block opens with "console exit=N". A command that ends with ` &` goes on
in the background: it has printed those lines before the next one begins, and is ended with the
document. Jobs run at the same time, so "console any-order" compares the lines without regard to
their order. A server listens at another port than the usual one, which may be somebody's.

Jobs run on this machine itself, but where a document names the sandbox: there they do so where no
sandbox can be made, and then the lines are not expected that tell of it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.waiting import wait_until

from windlass.errors import ExecutorError
from windlass.jobs.executors.bubblewrap import require_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
_PART = re.compile(
    r"<!-- (?P<directive>repository|file|place): (?P<path>\S+) -->"
    r"|^```(?P<language>\w*)(?P<order> any-order)?(?: exit=(?P<code>\d+))?\n(?P<text>.*?)^```$",
    flags=re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", flags=re.MULTILINE)
_VARIES = (
    (re.compile(r" *\b(?:\d+h \d\dm|\d+m \d\ds|\d+\.\ds)(?=\W|$)"), " 0.0s"),
    (re.compile(r"\b[0-9a-f]{40}\b|(?:(?<= at )|(?<=  ))[0-9a-f]{7}\b"), "0000000"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b"), "2000-01-01 00:00"),
    (re.compile(r"\b\d+(?:\.\d)?[KMG]\b"), "1K"),
    (re.compile(r"\b\d{16}\b"), "1700000000000000"),
    (re.compile(r"\(unix:///\S+\)"), "(unix:///socket)"),
    # Said only where the command is sooner than the server.
    (re.compile(r"^there are no runs yet; the first one is waited for\n", re.MULTILINE), ""),
)


_ADDRESS = "127.0.0.1:8484"
"""Where a server listens that is not told where."""

_TOLD_OF_SANDBOX = re.compile(
    r"^(?:jobs run in the sandbox: .*|[\w() ]+ │ runs in sandbox)\n| in the sandbox(?=$)",
    flags=re.MULTILINE,
)


@dataclass(frozen=True)
class Command:
    """One `$` line, with what it should print (None: anything) and where that stands."""

    text: str
    expected: str | None
    start: int
    end: int
    exit_code: int
    any_order: bool

    @property
    def goes_on(self) -> bool:
        """Whether it goes on in the background."""
        return self.text.endswith(" &")

    def allows(self, output: str) -> bool:
        """Tell whether the output is what the document says."""
        if self.expected is None:
            return True
        if self.any_order:
            return has_lines(self.expected, output)
        return matches(self.expected, output)


@dataclass(frozen=True)
class File:
    path: str
    text: str


def parse(document: str) -> tuple[str | None, list[Command | File]]:
    """The folder of the repository, and what to do in it, in the order of the document."""
    repository = path = None
    steps: list[Command | File] = []
    for part in _PART.finditer(document):
        if part["directive"] == "repository":
            repository = part["path"]
        elif part["directive"] == "file":
            path = part["path"]
        elif path is not None:
            steps.append(File(path, part["text"]))
            path = None
        elif part["language"] == "console":
            steps += commands(part)
    return repository, steps


def find_place(document: str) -> str:
    """Return where the jobs of a document run."""
    named = [part["path"] for part in _PART.finditer(document) if part["directive"] == "place"]
    return named[0] if named and has_sandbox() else "host"


def on_host(document: str) -> str:
    """Return a document without the lines that are not printed on this machine itself."""
    return _TOLD_OF_SANDBOX.sub("", document)


def at_port(document: str, port: int) -> str:
    """Return a document whose server listens at this port of the machine."""
    address = f"{_ADDRESS.rpartition(':')[0]}:{port}"
    return document.replace("$ windlass up ", f"$ windlass up --listen {_ADDRESS} ").replace(
        _ADDRESS, address
    )


@functools.cache
def has_sandbox() -> bool:
    """Tell whether this machine can make one."""
    try:
        require_sandbox(offline=False)
    except ExecutorError:
        return False
    return True


def commands(block: re.Match[str]) -> list[Command]:
    """Split one block; only its last command may end with another code than 0."""
    pieces = list(_COMMAND.finditer(block["text"]))
    offset = block.start("text")
    return [
        Command(
            text=piece[1],
            expected=piece[2] or None,
            start=offset + piece.start(2),
            end=offset + piece.end(2),
            exit_code=int(block["code"] or 0) if piece is pieces[-1] else 0,
            any_order=bool(block["order"]),
        )
        for piece in pieces
    ]


def make_repository(folder: Path, source: str | None) -> None:
    """A repository with one commit; an empty commit where the document names no example.

    Windlass has run in it before: what it says once only is not in the documents.
    """
    if source:
        shutil.copytree(CHECKOUT / source, folder, dirs_exist_ok=True)
    identity = ["-c", "user.name=Reader", "-c", "user.email=reader@example.org"]
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "--allow-empty", "--message", "Begin"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    state = folder / ".windlass"
    state.mkdir(mode=0o700)
    (state / ".gitignore").write_text("*\n", encoding="utf-8")
    (state / "host-notice").touch()


def run(command: Command, folder: Path, home: Path, place: str = "host") -> tuple[int, str]:
    """The exit code and everything the command prints."""
    done = subprocess.run(
        ["bash", "-c", command.text],
        cwd=folder,
        env=make_environment(home, place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
    )
    return done.returncode, done.stdout.decode()


@contextlib.contextmanager
def going_on(command: Command, folder: Path, home: Path, place: str = "host") -> Iterator[str]:
    """Everything a command has printed when it has printed what it is to; ended at the end."""
    # Beside the home: a reader sees it on another terminal.
    printed = home.with_name(f"printed-{command.start}")

    def read() -> str:
        # What has been written so far may end within a letter.
        return printed.read_text(encoding="utf-8", errors="replace")

    with printed.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", command.text.removesuffix(" &")],
            cwd=folder,
            env=make_environment(home, place),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    try:
        wait_until(lambda: command.allows(read()) or process.poll() is not None)
        yield read()
    finally:
        # It may have ended by itself: what it has printed says why.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def make_environment(home: Path, place: str) -> dict[str, str]:
    """The variables of a reader's shell."""
    settings = {"WINDLASS_CONFIG": str(CHECKOUT / "tests/host.toml")}
    if place != "host":
        settings = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT / "src"),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        **settings,
    }


def matches(expected: str, actual: str) -> bool:
    """Compare without what varies; a line `...` stands for any lines."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "...\n" else re.escape(line)
        for line in settle(expected).splitlines(keepends=True)
    )
    return re.fullmatch(pattern, settle(actual)) is not None


def has_lines(expected: str, actual: str) -> bool:
    """Compare regardless of order; with a line `...` there may be more lines than expected."""
    missing, surplus = lines_of(expected), lines_of(actual)
    may_have_more = bool(missing.pop("...", 0))
    return missing <= surplus and (may_have_more or missing == surplus)


def lines_of(text: str) -> Counter[str]:
    """Count the lines, with columns that depend on the order drawn together."""
    return Counter(re.sub(r" {2,}", " ", line) for line in settle(text).splitlines())


def settle(text: str) -> str:
    """Replace what varies, and drop blanks at the ends of lines."""
    for pattern, replacement in _VARIES:
        text = pattern.sub(replacement, text)
    return re.sub(r" +$", "", text, flags=re.MULTILINE)
