"""What the jobs of a server's run have printed, or print."""

from __future__ import annotations

import queue
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from windlass.cli.hosted.opening import find_run, open_client
from windlass.cli.hosted.show import list_jobs, view_job
from windlass.cli.logs import LogLayout, lay_out_json
from windlass.cli.terminal import open_terminal
from windlass.errors import InputError, WindlassError
from windlass.operations.run_logs import choose_jobs, choose_steps
from windlass.stores.logs import LogLine

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from windlass.client.client import Client
    from windlass.client.logins import Login
    from windlass.operations.run_logs import LogChoice
    from windlass.operations.run_views import JobView
    from windlass.protocol.api.jobs import Job
    from windlass.protocol.api.runs import Run

_LINES_AT_ONCE: Final = 10_000


def print_logs(server: Login, arguments: argparse.Namespace, choice: LogChoice) -> int:
    """Print the lines that are wanted."""
    with open_client(server) as client:
        run = find_run(client, arguments.run, arguments.attempt)
        if arguments.follow:
            lines = _Following(client, run, choice).lines()
            several = choice.job is None
        else:
            chosen = _choose(list_jobs(client, run.run, run.attempt), choice)
            lines = _read_all(client, run, chosen, choice)
            several = len(chosen) > 1
        _print(lines, several=several, as_json=arguments.json)
    return 0


def _print(lines: Iterable[tuple[JobView, LogLine]], *, several: bool, as_json: bool) -> None:
    terminal = open_terminal(sys.stdout)
    layout = LogLayout(terminal, several=several)
    for view, line in lines:
        if as_json:
            terminal.write(f"{lay_out_json(view, line)}\n")
        else:
            layout.write(view, line.step, line.text)


def _choose(jobs: list[Job], choice: LogChoice) -> list[tuple[Job, tuple[str, ...] | None]]:
    """Return the jobs that are wanted and have a log, with their steps; None is all of them."""
    views = {job.job: view_job(job) for job in jobs}
    wanted = {view.key for view in choose_jobs(list(views.values()), choice)}
    found = [
        (job, choose_steps(views[job.job], choice))
        for job in jobs
        if job.job in wanted and job.number is not None
    ]
    return [(job, steps) for job, steps in found if steps != ()]


def _read_all(
    client: Client,
    run: Run,
    jobs: list[tuple[Job, tuple[str, ...] | None]],
    choice: LogChoice,
) -> Iterator[tuple[JobView, LogLine]]:
    if choice.step is not None and not jobs:
        raise InputError(f"no step '{choice.step}' has a log")
    for job, steps in jobs:
        lines: Iterable[LogLine] = _read_job(client, run, job, steps)
        if choice.tail is not None:
            lines = deque(lines, choice.tail)
        view = view_job(job)
        yield from ((view, line) for line in lines)


def _read_job(
    client: Client, run: Run, job: Job, steps: tuple[str, ...] | None
) -> Iterator[LogLine]:
    """Yield the lines that there are; those of a job that goes on have no end."""
    from windlass.protocol.api import logs

    given = logs.ReadLog(
        run=run.run, attempt=run.attempt, number=job.number or 0, limit=_LINES_AT_ONCE
    )
    while True:
        page = client.ask(logs.READ, given)
        for line in page.items:
            if steps is None or line.step in steps:
                yield LogLine(line.line - 1, line.step, line.time, line.text)
        if page.next is None or not page.items:
            return
        given = given.model_copy(update={"cursor": page.next})


class _Following:
    """Follows the logs of all jobs that are wanted, each in a thread of its own."""

    def __init__(self, client: Client, run: Run, choice: LogChoice) -> None:
        self._client = client
        self._run = run
        self._choice = choice
        self._news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._followed: set[int] = set()
        self._open = 0
        self._is_told = threading.Event()
        """Set while it is told, and not yet heard, that jobs may be new."""

    def lines(self) -> Iterator[tuple[JobView, LogLine]]:
        """Yield lines as they come until the run has ended and all was told.

        Raises:
            WindlassError: the server cannot be asked.
        """
        self._begin(self._follow_events)
        self._look()
        while self._open:
            kind, value = self._news.get()
            if kind == "line":
                yield value
            elif kind == "job":
                self._is_told.clear()
                self._look()
            elif kind == "error":
                raise value
            else:
                self._open -= 1

    def _look(self) -> None:
        """Follow the jobs that are not followed yet."""
        jobs = list_jobs(self._client, self._run.run, self._run.attempt)
        try:
            chosen = _choose(jobs, self._choice)
        except InputError:
            return  # the job or the step may still come
        for job, _ in chosen:
            if job.number is not None and job.number not in self._followed:
                self._followed.add(job.number)
                self._begin(self._follow_job, job)

    def _begin(self, follow: Any, *values: Any) -> None:
        self._open += 1

        def work() -> None:
            try:
                follow(*values)
            except WindlassError as error:
                self._news.put(("error", error))
            self._news.put(("end", None))

        threading.Thread(target=work, daemon=True).start()

    def _follow_events(self) -> None:
        """Tell of jobs that may be new: whenever one begins, and at the end."""
        from windlass.client.streams import follow_events

        for line in follow_events(self._client, self._run.run, self._run.attempt):
            if '"event": "job-' in line and not self._is_told.is_set():
                self._is_told.set()
                self._news.put(("job", None))
        self._news.put(("job", None))

    def _follow_job(self, job: Job) -> None:
        from windlass.client.streams import follow_log

        view = view_job(job)
        waiting: Iterable[dict[str, Any]] = follow_log(
            self._client, self._run.run, self._run.attempt, job.number or 0
        )
        for told in waiting:
            if self._is_wanted(job, told["step"]):
                for number, text in enumerate(told["lines"], told["first"]):
                    line = LogLine(number, told["step"], told["time"], text)
                    self._news.put(("line", (view, line)))

    def _is_wanted(self, job: Job, step: str) -> bool:
        """Tell whether a step is; its name may have come after the job was looked at."""
        if self._choice.step is None or self._choice.step == step:
            return True
        jobs = list_jobs(self._client, self._run.run, self._run.attempt)
        views = [view_job(it) for it in jobs if it.job == job.job]
        return any(step in (choose_steps(view, self._choice) or ()) for view in views)
