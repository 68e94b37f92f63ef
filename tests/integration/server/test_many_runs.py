"""Thousands of runs are queued at once: all are done, each once, and the server stays small."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from tests.hosted_runner import StandIn, register
from tests.hosted_runs import REPOSITORY, define, open_site
from tests.hosted_site import ask

from windlass.db.jobs import list_queued
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.runners import create_registration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.testclient import TestClient

    from windlass.operations.hosted.site import Site

COUNT: Final = 10_000 if "WINDLASS_LONG" in os.environ else 600
"""`./dev nightly` queues ten thousand, continuous integration fewer."""

WRITERS: Final = 8
RUNNERS: Final = 4
AT_ONCE: Final = 50
MOST_BYTES_EACH: Final = 20_000
"""What a run may take of a server's memory while it waits: a few pages."""

FIXED_BYTES: Final = 64 << 20
JOB: Final = "on: push\njobs:\n  a: {runs-on: x, steps: [{run: echo}]}\n"


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    with open_site(database_address, tmp_path) as made:
        yield made


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with ask(site, token=None) as made:
        yield made


def measure_memory() -> int:
    """The memory of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(it.split()[1]) << 10 for it in lines if it.startswith("VmRSS"))


def work(runner: StandIn, done: list[str], lock: threading.Lock) -> None:
    """Take jobs and end them until there are none."""
    while len(done) < COUNT:
        answer = runner.poll(free=AT_ONCE)
        assert answer.status_code == 200, answer.text
        for job in [it["job"] for it in answer.json()["assignments"]]:
            assert runner.end(job).status_code == 204
            with lock:
                done.append(job)


def test_thousands_of_runs_at_once(site: Site, client: TestClient) -> None:
    """They wait as rows, and the runners take one after the other, each once."""
    runners = [
        register(client, create_registration(site, patience=2).token, f"boat {n}", capacity=AT_ONCE)
        for n in range(RUNNERS)
    ]
    before = measure_memory()
    with ThreadPoolExecutor(WRITERS) as pool:
        definition = define(JOB)
        runs = list(pool.map(lambda _: start_run(site, REPOSITORY, definition), range(COUNT)))
    grown = measure_memory() - before
    assert len(set(runs)) == COUNT
    assert len(list_queued(site.store, 2 * COUNT)) == COUNT
    assert grown < FIXED_BYTES + COUNT * MOST_BYTES_EACH, f"{grown >> 20} MiB more"
    done, lock = list[str](), threading.Lock()
    with ThreadPoolExecutor(RUNNERS) as pool:
        for ended in [pool.submit(work, it, done, lock) for it in runners]:
            ended.result()
    assert sorted(done) == sorted(f"{run}/1/1" for run in runs)
    ((count,),) = site.store.ask("SELECT count(*) FROM attempts WHERE result = 'success'")
    assert count == COUNT
    assert list_queued(site.store, 1) == []
