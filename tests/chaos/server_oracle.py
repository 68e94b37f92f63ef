"""What must hold of a run of a server that has ended: in ledger, logs, database and folders."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from windlass.listings import find_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.server_workload import ServerWorkload

STEPS: Final = {
    "first": ("begin", "end"),
    "legs (1)": ("hello", "end"),
    "legs (2)": ("hello", "end"),
    "last": ("begin", "end"),
}
"""What each job writes into the ledger, by its key, in order."""

NUMBERS: Final = 100


def name_in_ledger(key: str) -> str:
    """Return what a job calls itself in the ledger."""
    return key.replace(" (", "-").removesuffix(")")


ALL: Final = Counter((name_in_ledger(key), step) for key in STEPS for step in STEPS[key])


def find_faults(
    workload: ServerWorkload, run: str, attempts: int, *, may_fail: bool
) -> Iterator[str]:
    """Yield what is wrong with a run of so many attempts, when server and runner have ended.

    Jobs `may_fail` where who ran them was killed.
    """
    said = workload.said()
    runs = {it.run for it in said}
    if runs != {run}:
        yield f"runs {runs} instead of {run}"
    for entry, count in Counter(said).items():
        if count != 1:
            yield f"{count} times: {entry}"
    if {(it.job, it.step) for it in said} != set(ALL):
        yield f"steps: {said}"
    entered = [name for (name,) in workload.databases.ask("SELECT id FROM runs")]
    if entered != [run]:
        yield f"the server has runs {entered} instead of {run}"
    if not may_fail and [it.attempt for it in said] != [1] * len(ALL):
        yield f"run again, and no job was killed: {said}"
    for attempt in range(1, attempts + 1):
        yield from find_faults_of_attempt(workload, run, attempt, attempts)
    yield from find_leftovers(workload)


def find_faults_of_attempt(
    workload: ServerWorkload, run: str, attempt: int, last: int
) -> Iterator[str]:
    """Yield what is wrong with the logs, the events and the journal of one attempt."""
    said = [it for it in workload.said() if it.attempt == attempt]
    results = read_results(workload, run, attempt)
    logs = workload.read_logs(run, attempt)
    for key, result in results.items():
        lines = [line for line in logs.get(key, []) if " says " in line or "number " in line]
        told = [f"{it.job} says {it.step}" for it in said if it.job == name_in_ledger(key)]
        if result == "success" or told:
            yield from _compare(key, lines, told, is_whole=result == "success")
        if result != "success" and attempt == last:
            yield f"{key} is {result} in the last attempt"
    for key in {it.job for it in said} - {name_in_ledger(it) for it in results}:
        yield f"{key} ran in attempt {attempt}, and the server does not know how it ended"


def read_results(workload: ServerWorkload, run: str, attempt: int) -> dict[str, str]:
    """Return how each job of an attempt has ended that was started in it, by its events.

    Raises:
        AssertionError: something is told twice, or not to its end.
    """
    rows = workload.databases.ask(
        "SELECT line FROM announcements WHERE run = ? AND attempt = ? ORDER BY seq",
        (run, attempt),
    )
    told = [json.loads(line) for (line,) in rows]
    counts = Counter((it["event"], it.get("job"), it.get("step")) for it in told)
    once = ("run-started", "run-finished", "job-started", "job-finished", "step-finished")
    twice = [name for name, count in counts.items() if count > 1 and name[0] in once]
    assert not twice, f"told more than once: {twice}"
    assert told[-1]["event"] == "run-finished", told[-1]
    ends = [it for it in told if it["event"] == "job-finished" and not it.get("kept")]
    journal = workload.databases.ask(
        "SELECT signal FROM run_events WHERE run = ? AND attempt = ?", (run, attempt)
    )
    signals = Counter(signal for (signal,) in journal)
    assert max(signals.values()) == 1, f"in the journal more than once: {signals}"
    return {it["job"]: it["result"] for it in ends}


def find_leftovers(workload: ServerWorkload) -> Iterator[str]:
    """Yield what is left that should not be, once server and runner have ended."""
    for question in (
        "SELECT run, signal FROM inbox",
        "SELECT run, job, state FROM jobs WHERE state <> 'ended'",
        "SELECT id, tries, message FROM effects WHERE done IS NULL OR message <> ''",
        "SELECT run, job FROM group_members",
    ):
        for row in workload.databases.ask(question):
            yield f"left: {question}: {row}"
    for path in (
        *find_paths(workload.state, "runs/*"),
        *find_paths(workload.state, "repositories/*/work/*"),
    ):
        yield f"left: {path}"


def _compare(key: str, lines: list[str], told: list[str], *, is_whole: bool) -> Iterator[str]:
    """Compare a log with the ledger: each line is there, in order, once."""
    said = [line for line in lines if " says " in line]
    numbers = [line for line in lines if line.startswith("number ")]
    # A step that was killed may have printed what it could not write down any more.
    if said != told and not (not is_whole and said[: len(told)] == told):
        yield f"log of {key}: {said} instead of {told}"
    if numbers != [f"number {it}" for it in range(1, len(numbers) + 1)]:
        yield f"log of {key}: {numbers}"
    if is_whole and key == "first" and len(numbers) != NUMBERS:
        yield f"log of {key}: {len(numbers)} numbers"
    if is_whole and len(told) != len(STEPS[key]):
        yield f"{key} is said to have ended well, and did {told}"
