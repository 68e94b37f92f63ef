"""Shows that each behaviour guards a rule: with the rule taken away, it fails.

    guards.py [--jobs N] [NAME...]     all of guards.yml, or those whose names hold one of the texts

For each behaviour guards.yml names a change of the sources. It is made in a copy of them, and the
behaviour is played there. Before it goes a control: a behaviour about something else, which still
succeeds, so that what the change takes away is a rule and not everything.
"""

from __future__ import annotations

import argparse
import compileall
import json
import multiprocessing
import os
import select
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml

FOLDER = Path(__file__).resolve().parent
CHECKOUT = FOLDER.parents[1]
SOURCES = CHECKOUT / "src"
CONTROLS = ("secrets/an_unknown_secret_is_empty", "matrix/strategy_is_a_context")
"""The first is played before every behaviour but itself, for which the second is."""

PRELOADED = (hypothesis, sqlite3)
"""What every trial imports: loaded once, before the processes part. Windlass itself is not."""

OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore:Module already imported")
PATIENCE_SECONDS = 150
LONGEST_SAID = 3000
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True, slots=True)
class Guard:
    """A behaviour and what is changed in one file to take its rule away: pairs of old and new."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]

    def apply(self, text: str) -> str:
        """Return the text of the file without the rule.

        Raises:
            ValueError: what is to be replaced does not stand there exactly once.
            SyntaxError: what is left is no Python.
        """
        for old, new in self.changes:
            count = text.count(old)
            if count != 1:
                raise ValueError(f"{old!r} stands {count} times in {self.file}")
            text = text.replace(old, new)
        compile(text, self.file, "exec")
        return text


def read_guards() -> list[Guard]:
    """Return all guards in the order of the file."""
    listed = yaml.safe_load((FOLDER / "guards.yml").read_text(encoding="utf-8"))
    return [_read(name, told) for name, told in listed.items()]


def _read(name: str, told: dict[str, Any]) -> Guard:
    changes = [told, *told.get("then", [])]
    return Guard(name, told["file"], tuple((it["old"], it["new"]) for it in changes))


class Witness:
    """A plugin of pytest that writes down at once how each test ended, and what it said."""

    def __init__(self, answer: Path) -> None:
        self._answer = answer

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.when == "call":
            name = report.nodeid.partition("[")[2].removesuffix("]")
            told = (name, report.passed, report.longreprtext)
            with self._answer.open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")


class Laboratory:
    """A copy of the sources in which one rule at a time is missing."""

    def __init__(self, folder: Path, original: Path) -> None:
        self._folder = folder
        self._sources = folder / "src"
        self._log = folder / "log"
        shutil.copytree(original, self._sources)

    def try_guard(self, guard: Guard) -> str:
        """Return what is wrong with a guard; nothing if the behaviour fails, and only it."""
        path = self._sources / "windlass" / guard.file
        original, facts = path.read_text(encoding="utf-8"), path.stat()
        try:
            changed = guard.apply(original)
        except (ValueError, SyntaxError) as error:
            return str(error)
        try:
            path.write_text(changed, encoding="utf-8")
            # Another time than that for which it was compiled.
            os.utime(path, (facts.st_atime, facts.st_mtime + 2))
            return self._judge(guard)
        finally:
            path.write_text(original, encoding="utf-8")
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    def _judge(self, guard: Guard) -> str:
        control = CONTROLS[guard.name == CONTROLS[0]]
        failures = self._play(control, guard.name)
        if failures.get(control, "it was not played"):
            said = self._log.read_text(encoding="utf-8", errors="replace")
            return f"{control} fails too without the rule:\n{said[-LONGEST_SAID:]}"
        return "succeeds without the rule" if failures.get(guard.name) == "" else ""

    def _play(self, *names: str) -> dict[str, str]:
        """Play behaviours; return those that came to an end, with what failed."""
        answer = self._folder / "answer"
        answer.unlink(missing_ok=True)
        pid = os.fork()
        if pid == 0:
            self._play_here(names, answer)
        _wait(pid)
        lines = answer.read_text(encoding="utf-8").splitlines() if answer.exists() else []
        told = [json.loads(line) for line in lines]
        return {name: "" if passed else said or "failed" for name, passed, said in told}

    def _play_here(self, names: tuple[str, ...], answer: Path) -> None:
        """Play behaviours and write how each ended; this process does not come back."""
        try:
            silence, log = os.open(os.devnull, os.O_RDONLY), os.open(self._log, _NEW, 0o600)
            for descriptor, file in enumerate((silence, log, log)):
                os.dup2(file, descriptor)
            os.chdir(CHECKOUT)
            sys.path.insert(0, str(self._sources))
            sys.dont_write_bytecode = True
            tests = [f"tests/behaviour/test_behaviour.py::test_behaviour[{name}]" for name in names]
            place = f"--basetemp={self._folder}/played"
            pytest.main([*OPTIONS, place, *tests], plugins=[Witness(answer)])
        finally:
            sys.stdout.flush()
            os._exit(0)


def _wait(pid: int) -> None:
    """Wait for a process, and end it when that takes too long."""
    descriptor = os.pidfd_open(pid)
    try:
        ended, _, _ = select.select([descriptor], [], [], PATIENCE_SECONDS)
        if not ended:
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    finally:
        os.close(descriptor)


def work(guards: list[Guard], places: Any, answers: Any, original: Path) -> None:
    """Try one guard after the other until all are taken."""
    with tempfile.TemporaryDirectory(prefix="windlass-guards-") as folder:
        laboratory = Laboratory(Path(folder), original)
        while True:
            with places.get_lock():
                place = places.value
                places.value += 1
            if place >= len(guards):
                return
            started = time.monotonic()
            problem = laboratory.try_guard(guards[place])
            answers.put((place, problem, time.monotonic() - started))


def try_guards(guards: list[Guard], jobs: int) -> dict[str, str]:
    """Try guards side by side; return those that do not hold, by name, with the reason."""
    context = multiprocessing.get_context("fork")
    places, answers = context.Value("i", 0), context.SimpleQueue()
    bad: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="windlass-guards-") as folder:
        original = Path(folder, "src")
        shutil.copytree(SOURCES, original, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(original, quiet=2)
        workers = [
            context.Process(target=work, args=(guards, places, answers, original))
            for _ in range(jobs)
        ]
        for worker in workers:
            worker.start()
        for _ in guards:
            place, problem, seconds = answers.get()
            name = guards[place].name
            print(f"{'BAD ' if problem else 'ok  '} {seconds:5.1f} s  {name}", flush=True)
            if problem:
                bad[name] = problem
        for worker in workers:
            worker.join()
    return bad


def main() -> int:
    """Try the guards that were asked for; 1 if one does not hold."""
    parser = argparse.ArgumentParser(description="show that each behaviour guards a rule")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    texts = arguments.names or [""]
    chosen = [guard for guard in read_guards() if any(text in guard.name for text in texts)]
    bad = try_guards(chosen, arguments.jobs)
    for name, problem in sorted(bad.items()):
        print(f"\n{name}: {problem}")
    print(f"\n{len(chosen) - len(bad)} of {len(chosen)} behaviours fail without their rule")
    return 1 if bad or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
