"""The queue of a server: which job comes next, for whom, and how often."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import REPOSITORY, define, open_site

from windlass.db.jobs import list_label_sets, list_queued, list_running
from windlass.db.runs import list_attempts
from windlass.errors import ConflictError, DatabaseError
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.operations.hosted.attempts import cancel_run, start_run
from windlass.operations.hosted.job_reports import end_job
from windlass.operations.hosted.jobs import answer_poll
from windlass.operations.hosted.runners import (
    check_runner,
    create_registration,
    find_credential,
    register_runner,
)
from windlass.protocol.runner import EndRequest, PollRequest, RegisterRequest, read_job_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.db.runners import RunnerRow
    from windlass.operations.hosted.site import Site

JOB = "on: push\njobs:\n  a: {runs-on: LABELS, steps: [{run: echo}]}\n"


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    with open_site(database_address, tmp_path) as made:
        yield made


def join(site: Site, name: str, *labels: str, capacity: int = 1) -> RunnerRow:
    request = RegisterRequest(
        token=create_registration(site).token, name=name, labels=labels, capacity=capacity
    )
    return check_runner(site, register_runner(site, request).credential)


def start(site: Site, labels: str = "x") -> str:
    return start_run(site, REPOSITORY, define(JOB.replace("LABELS", labels)))


def take(site: Site, runner: RunnerRow, *running: str, free: int = 1) -> list[str]:
    answer = answer_poll(site, runner, PollRequest(running=running, free=free))
    return [str(given["job"]) for given in answer.assignments]


def end(site: Site, runner: RunnerRow, job: str) -> None:
    request = EndRequest(received=0, result=Result.SUCCESS, outputs={})
    end_job(site, runner, read_job_id(job), request)


def test_each_set_of_labels_is_found_once(site: Site) -> None:
    """In any number of jobs; as they were written, since runners compare them by themselves."""
    assert list_label_sets(site.store) == []
    for labels in ("x", "[x, gpu]", "x", "y", "[gpu, x]", "X"):
        start(site, labels)
    found = ['["X"]', '["gpu", "x"]', '["x", "gpu"]', '["x"]', '["y"]']
    assert sorted(list_label_sets(site.store)) == sorted(found)


def test_a_runner_takes_no_job_that_needs_more(site: Site) -> None:
    """A job needs all of its labels; a runner may have others besides."""
    plain, strong = join(site, "plain", "x"), join(site, "strong", "X", "GPU", "linux")
    run = start(site, "[x, gpu]")
    assert take(site, plain) == []
    assert take(site, strong) == [f"{run}/1/1"]


@pytest.mark.requirement("A23")
def test_many_runners_at_once_take_each_job_once(site: Site) -> None:
    """Whoever is faster: no job is given to two, and none is left."""
    runs = [start(site) for _ in range(40)]
    runners = [join(site, f"boat {number}", "x") for number in range(6)]
    taken: list[str] = []

    def work(runner: RunnerRow) -> None:
        # One that finds all others looking at what is left looks again.
        while list_queued(site.store, 1):
            for job in take(site, runner):
                taken.append(job)
                end(site, runner, job)

    threads = [threading.Thread(target=work, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(taken) == Counter(f"{run}/1/1" for run in runs)
    results = {list_attempts(site.store, run)[0].result for run in runs}
    assert results == {Result.SUCCESS}


def test_a_job_that_cannot_be_handed_over_fails(
    site: Site,
) -> None:
    """Its run says why, and the runner is given the next one."""
    runner = join(site, "boat", "x")
    text = JOB.replace("LABELS", "x") + "  b: {uses: ./.github/workflows/c.yml, secrets: {A: x}}\n"
    called = text.split("  b:")[0].replace("on: push", "on: {workflow_call: {secrets: {A: {}}}}")
    broken = text.replace("secrets: {A: x}", "secrets: {A: '${{ fromJSON(secrets.NONE) }}'}")
    definition = define(broken)
    texts = {**definition.texts, ".github/workflows/c.yml": called}
    run = start_run(site, REPOSITORY, replace(definition, texts=texts))
    assert take(site, runner) == [f"{run}/1/1"]
    assert take(site, runner, f"{run}/1/1") == []
    end(site, runner, f"{run}/1/1")
    assert take(site, runner) == []
    assert list_attempts(site.store, run)[0].result is Result.FAILURE
    (said,) = read_annotations(site)
    assert said.startswith(".github/workflows/ci.yml (Line: 4, Col: 53)")


def test_a_fault_over_one_job_keeps_its_runner_from_no_other(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job fails, and its run says why."""
    runner = join(site, "boat", "x")
    run, other = start(site), start(site)

    def fail(_repository: str) -> dict[str, str]:
        raise KeyError("hunter2")

    with monkeypatch.context() as patch:
        patch.setattr(site.values, "find_secrets", fail, raising=True)
        assert take(site, runner) == []
    assert list_attempts(site.store, run)[0].result is Result.FAILURE
    (said,) = read_annotations(site)
    assert said == ("The server could not hand the job over: it met a fault of its own: KeyError")
    assert take(site, runner) == [f"{other}/1/1"]


def test_a_run_that_cannot_be_taken_up_keeps_its_runner_from_no_other(
    site: Site, database_address: str, tmp_path: Path
) -> None:
    """It fails with the first job that is to be handed over."""
    runner = join(site, "boat", "x")
    run, other = strand(site, start(site)), start(site)
    with open_site(database_address, tmp_path) as later:
        assert take(later, runner) == []
        assert list_attempts(site.store, run)[0].result is Result.FAILURE
        assert take(later, runner) == [f"{other}/1/1"]
    (said,) = read_annotations(site)
    assert said.startswith("The server could not hand the job over: the run cannot be taken up")


def test_a_run_that_cannot_be_taken_up_can_be_cancelled(
    site: Site, database_address: str, tmp_path: Path
) -> None:
    """A job of it that runs is its runner's no more."""
    runner = join(site, "boat", "x")
    run = start(site)
    assert take(site, runner) == [f"{run}/1/1"]
    strand(site, run)
    with open_site(database_address, tmp_path) as later:
        assert cancel_run(later, run) == 1
        assert list_attempts(site.store, run)[0].result is Result.CANCELLED
        answer = answer_poll(later, runner, PollRequest(running=(f"{run}/1/1",), free=0))
        assert answer.gone == (f"{run}/1/1",)
        with pytest.raises(ConflictError):
            cancel_run(later, run)


def strand(site: Site, run: str) -> str:
    """Have another version of Windlass decide otherwise than the one that began a run."""
    with site.store.writing() as connection:
        connection.execute("UPDATE run_events SET orders = '[]' WHERE run = ?", (run,))
    return run


def read_annotations(site: Site) -> list[str]:
    lines = [str(line) for (line,) in site.store.ask("SELECT line FROM announcements")]
    return [json.loads(line)["message"] for line in lines if "annotation" in line]


def test_a_job_whose_database_is_away_is_sent_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the runner's, who gets it with the next answer."""
    runner = join(site, "boat", "x")
    run = start(site)

    def fail(_repository: str) -> dict[str, str]:
        raise DatabaseError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(site.values, "find_secrets", fail, raising=True)
        with pytest.raises(DatabaseError):
            take(site, runner)
    assert len(list_running(site.store, runner.id)) == 1
    assert take(site, runner) == [f"{run}/1/1"]


def test_a_credential_is_written_nowhere(site: Site) -> None:
    """The database knows digests of what runners, jobs and new machines show."""
    token = create_registration(site).token
    made = register_runner(
        site, RegisterRequest(token=token, name="boat", labels=("x",), capacity=1)
    )
    start(site)
    (given,) = answer_poll(site, made.row, PollRequest(free=1)).assignments
    shown = [token, made.credential, given["git"]["token"]]
    tables = ("runners", "registrations", "jobs", "announcements", "run_events", "definitions")
    dump = "".join(str(site.store.ask(f"SELECT * FROM {name}")) for name in tables)
    assert not [text for text in shown if text in dump]
    assert find_credential(site, made.credential) is not None
    assert not [text for text in shown if text in repr((made, create_registration(site)))]
