"""How long the run machine takes for large runs: a layered random graph, a chain and a fan.

    python bench/machine.py            1,000, 10,000 and 100,000 jobs
    python bench/machine.py 1000       other sizes

The time is the machine's own processor time: jobs are built before and end at once. More than one
second for 10,000 jobs is a failure, and so is a time per job and edge that grows with the size: it
may be three times as high for the largest graph of a shape as for the smallest, for the caches'
sake.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections import deque

from windlass.lang.positions import Position, Span
from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import Job, RunStep, Triggers, Workflow
from windlass.model.status import Result
from windlass.plan.orders import FinishRun, StartJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import JobFinished, RunStarted

SPAN = Span("bench.yml", Position(1, 1), Position(1, 1))
SIZES = (1_000, 10_000, 100_000)
NEEDS_PER_JOB = 3
LAYERS = 50
MOST_MICROSECONDS = 100
"""For each job, with its edges."""

MOST_GROWTH = 3


def make_job(number: int, needs: list[int]) -> Job:
    script = StringToken("true", SPAN)
    return Job(
        id=f"job{number}",
        span=SPAN,
        runs_on=StringToken("ubuntu-latest", SPAN),
        needs=tuple(StringToken(f"job{need}", SPAN) for need in needs),
        steps=(RunStep(id="__run", id_given=False, span=SPAN, run=script),),
    )


def layered(size: int) -> list[Job]:
    """Every job needs a few random jobs of the layer before its own."""
    choice = random.Random(size)
    width = max(1, size // LAYERS)
    jobs = []
    for number in range(size):
        start = (number // width - 1) * width
        needs = [choice.randrange(start, start + width) for _ in range(NEEDS_PER_JOB)]
        jobs.append(make_job(number, sorted(set(needs)) if start >= 0 else []))
    return jobs


def chain(size: int) -> list[Job]:
    return [make_job(number, [number - 1] if number else []) for number in range(size)]


def fan(size: int) -> list[Job]:
    """One job, then all but one at once, then one that needs them all."""
    middle = [make_job(number, [0]) for number in range(1, size - 1)]
    return [make_job(0, []), *middle, make_job(size - 1, list(range(1, size - 1)))]


def play(jobs: list[Job]) -> float:
    """Return the seconds the machine needs from the first signal to the last order."""
    workflow = Workflow(
        path="bench.yml", span=SPAN, triggers=Triggers(span=SPAN, events={}), jobs=tuple(jobs)
    )
    github = {f"key{number}": "value" for number in range(40)}
    machine = RunMachine(workflow, {"github": github, "inputs": {}, "vars": {}})
    gc.collect()
    started = time.process_time()
    running = deque(machine.receive(RunStarted()))
    finished = 0
    while not isinstance(running[0], FinishRun):
        order = running.popleft()
        assert isinstance(order, StartJob)
        running.extend(machine.receive(JobFinished(order.key, Result.SUCCESS)))
        finished += 1
    seconds = time.process_time() - started
    assert finished == len(jobs)
    assert running[0].result is Result.SUCCESS
    return seconds


def main() -> int:
    sizes = [int(argument) for argument in sys.argv[1:]] or list(SIZES)
    print(f"{'graph':10}{'jobs':>9}{'edges':>9}{'seconds':>10}{'µs per job and edge':>22}")
    is_good = True
    for shape in (layered, chain, fan):
        costs = []
        for size in sizes:
            jobs = shape(size)
            edges = sum(len(job.needs) for job in jobs)
            seconds = play(jobs)
            costs.append(seconds / (size + edges) * 1e6)
            is_slow = seconds / size * 1e6 > MOST_MICROSECONDS
            is_good &= not is_slow
            verdict = "  TOO SLOW" if is_slow else ""
            print(
                f"{shape.__name__:10}{size:>9,}{edges:>9,}{seconds:>10.3f}{costs[-1]:>22.2f}{verdict}"
            )
        if costs[-1] > MOST_GROWTH * costs[0]:
            print(f"{shape.__name__:10}NOT LINEAR")
            is_good = False
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
