"""Kills Windlass, supervisors and steps at random moments, looks at what is left, and goes on.

    ./dev kills [--runs N] [--seed S] [--workers N]

Run number R of seed S does the same each time, as far as the machine lets it. Prints what was found
wrong, and ends with 1 if something was.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.processes import Command, Done, list_descendants, prepare, send_signal
from tests.chaos.workload import (
    Undisturbed,
    Workload,
    find_differences,
    find_faults_at_rest,
    outline,
    read_logs,
    states_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

VICTIMS: Final = ("windlass", "supervisor", "step", "both")
ODDS: Final = (5, 2, 2, 3)
MOST_KILLS: Final = 3
TRIES: Final = 100
PAUSE_MILLISECONDS: Final = 2
SUPERVISOR: Final = b"windlass.jobs.supervisor.server"


@dataclass(frozen=True, slots=True)
class Kill:
    """Who is killed, how many seconds after the start of a command."""

    victim: str
    seconds: float


class Killer:
    """Carries out what one number of a seed stands for."""

    def __init__(self, workload: Workload, chance: random.Random, seconds: float) -> None:
        """`seconds` is how long a run takes that nobody disturbs."""
        self._workload = workload
        self._chance = chance
        self._seconds = seconds
        self.kills: list[Kill] = []
        self.hits: Counter[str] = Counter()

    def run(self, undisturbed: Undisturbed) -> Iterator[str]:
        """Run, kill, resume, kill again perhaps, and run again what failed; yield what is wrong."""
        workload = self._workload
        words = workload.run_words
        for number in range(MOST_KILLS):
            victim = self._strike(words) if number == 0 or self._chance.random() < 0.4 else None
            if victim is None:
                break
            shown = workload.show()
            yield from self._judge(shown, victim)
            if shown is None:
                continue
            if shown["state"] != "interrupted":
                break
            words = ("resume", shown["run"])
        yield from self._finish(words, undisturbed)

    def _strike(self, words: tuple[str, ...]) -> str | None:
        """Start a command and kill somebody; return whom, None where it was too late."""
        victim = self._chance.choices(VICTIMS, ODDS)[0]
        kill = Kill(victim, self._chance.uniform(0, self._seconds * 1.1))
        self.kills.append(kill)
        command = self._workload.start(*words)
        select.poll().poll(int(kill.seconds * 1000))
        hit = self._hit(command, victim)
        done = command.wait()
        self.hits[victim] += hit
        self._check_end(done, victim)
        return victim if hit else None

    def _hit(self, command: Command, victim: str) -> bool:
        """Kill; False where there was nobody to kill."""
        targets = self._find_targets(command, victim)
        if victim in ("supervisor", "step"):
            targets = targets and [self._chance.choice(targets)]
        # Whoever is killed first leaves the others a moment to notice, or to tidy up half of it.
        self._chance.shuffle(targets)
        pause = self._chance.choice((0, 0, 5, 20, 60))
        for pid in targets:
            send_signal(pid, signal.SIGKILL)
            select.poll().poll(pause)
        return bool(targets)

    def _find_targets(self, command: Command, victim: str) -> list[int]:
        """Return who may be killed; who is not there yet is waited for."""
        pause = select.poll()
        for _ in range(TRIES):
            supervisors = [pid for pid in list_descendants(command.pid) if _is_supervisor(pid)]
            targets = {
                "windlass": [command.pid],
                "both": [command.pid, *supervisors],
                "supervisor": supervisors,
                "step": [
                    pid
                    for it in supervisors
                    for pid in list_descendants(it)
                    if pid not in supervisors
                ],
            }[victim]
            if targets or command.is_over:
                return targets
            pause.poll(PAUSE_MILLISECONDS)
        return []

    def _check_end(self, done: Done, victim: str) -> None:
        # The run may be over before it is Windlass's turn: with a failure, if others were killed.
        ends = (0, 1, 3) if self._may_fail else (0,)
        expected = ends if victim in ("supervisor", "step") else (-9, *ends)
        said = done.output + done.errors
        assert done.code in expected, done
        assert "Traceback" not in said, done
        assert "unexpected" not in said, done

    def _judge(self, shown: dict[str, Any] | None, victim: str) -> Iterator[str]:
        # Where both were killed, steps live until a command that resumes or prunes has begun.
        settle = all(kill.victim != "both" for kill in self.kills)
        outlived = victim in ("supervisor", "step")
        faults = find_faults_at_rest(self._workload, shown, settle=settle, may_fail=self._may_fail)
        yield from faults
        if outlived and shown is not None and shown["state"] == "interrupted":
            yield "Windlass was not killed, and the run is interrupted"

    @property
    def _may_fail(self) -> bool:
        return any(kill.victim != "windlass" for kill in self.kills)

    def _finish(self, words: tuple[str, ...], undisturbed: Undisturbed) -> Iterator[str]:
        """Bring the run to its end, again if something of it failed; compare."""
        workload = self._workload
        shown = workload.show()
        if shown is None or shown["state"] == "interrupted":
            done = workload.run(*(words if shown is None else ("resume", shown["run"])))
            if done.code not in ((0, 1) if self._may_fail else (0,)):
                yield f"going on ended with {done}"
            shown = workload.show()
        yield from find_faults_at_rest(workload, shown, may_fail=self._may_fail)
        if shown is None:
            return
        if not self._may_fail:
            yield from find_differences(workload, shown, undisturbed)
            return
        if shown["state"] != "success":
            done = workload.run("rerun", "--failed", shown["run"])
            if done.code != 0:
                yield f"running again ended with {done}"
            shown = workload.show()
        yield from find_faults_at_rest(workload, shown, may_fail=True)
        if shown is None or states_of(shown) != states_of(undisturbed[0]):
            yield f"at the end: {shown and states_of(shown)}"


def _is_supervisor(pid: int) -> bool:
    try:
        return SUPERVISOR in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def work(seed: int, runs: range) -> int:
    """Carry out some numbers of a seed; return how many went wrong."""
    wrong = 0
    hits: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="windlass-kills-") as scratch:
        workload = Workload(Path(scratch))
        workload.run(*workload.run_words)
        workload.forget()
        began = time.monotonic()
        done = workload.run(*workload.run_words)
        seconds = time.monotonic() - began
        shown = workload.show()
        assert done.code == 0, done
        assert shown is not None
        undisturbed = outline(shown), read_logs(workload)
        for run in runs:
            workload.forget()
            killer = Killer(workload, random.Random(f"{seed}/{run}"), seconds)
            try:
                faults = list(killer.run(undisturbed))
            except AssertionError as error:
                faults = [f"{error}"]
            hits += killer.hits
            if faults:
                wrong += 1
                print(f"seed {seed} run {run}: {killer.kills}", *faults, sep="\n  ", flush=True)
    counts = ", ".join(f"{it} {hits[it]}" for it in VICTIMS)
    print(f"{len(runs)} runs, killed: {counts}; {wrong} wrong", flush=True)
    return wrong


def main() -> int:
    """Share the runs out among workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.first + arguments.runs)
    workers = []
    for worker in range(arguments.workers):
        pid = os.fork()
        if pid == 0:
            # Each is the parent of its own orphans.
            prepare()
            os._exit(int(work(arguments.seed, numbers[worker :: arguments.workers]) > 0))
        workers.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
