"""Attempts that have ended are counted and traced, each once, whatever the collector does."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.collector import Collector, attributes, collecting
from tests.hosted_site import make_site
from tests.live_server import GrowingRun
from tests.waiting import wait_until

from windlass.db.server_database import ServerDatabase
from windlass.errors import InputError
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.observe import trace_export
from windlass.observe.ended_attempts import EndedAttempt, EndedAttempts
from windlass.observe.trace_export import TraceExport, is_wanted
from windlass.observe.traces import build_trace, format_trace_id
from windlass.protocol import events
from windlass.server.figures import JOB_SECONDS, JOB_WAIT_SECONDS, JOBS, RUNS, count_attempt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

SECRET = "wlt_0123456789abcdef"


@pytest.fixture
def site(tmp_path: Path, database_address: str) -> Iterator[Site]:
    made = make_site(tmp_path, ServerDatabase(database_address))
    yield made
    made.store.close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.address)
        yield made


@contextmanager
def exporting(outcomes: list[str]) -> Iterator[TraceExport]:
    export = TraceExport(outcomes.append)
    export.start()
    yield export
    export.close()


def play(site: Site, run: str = "1", finished: float = 30.0) -> GrowingRun:
    """One job with a step in a step, one skipped, one that nobody has told the end of."""
    made = GrowingRun(site, run)
    job = {"job": "build"}
    made.say(events.JobStarted(**job, name="Build", place="sandbox"), time=10.0)
    made.say(events.StepStarted(**job, step="1", name="Outer"), time=11.0)
    made.say(events.StepStarted(**job, step="2", name="Inner", parent="1"), time=12.0)
    made.say(
        events.Annotation(**job, step="2", level="error", message=f"leaks {SECRET}"), time=12.5
    )
    failed = {"outcome": Result.FAILURE, "conclusion": Result.FAILURE, "seconds": 1.0}
    made.say(events.StepFinished(**job, step="2", name="Inner", exit_code=3, **failed), time=13.0)
    made.say(
        events.StepFinished(**job, step="1", name="Outer", exit_code=None, **failed), time=14.0
    )
    made.say(events.StepSkipped(**job, step="3", name="Post", reason="not asked for"), time=14.5)
    made.say(events.JobFinished(**job, name="Build", result=Result.FAILURE, seconds=5.0), time=15.0)
    made.say(events.JobSkipped(job="test", name="Test", reason="build failed"), time=15.5)
    made.say(events.JobStarted(job="lost", name="Lost"), time=16.0)
    with site.store.writing() as connection:
        connection.execute(
            "UPDATE attempts SET started = 9.0, finished = ?, result = 'failure' WHERE run = ?",
            (finished, run),
        )
    return made


def observe(site: Site, *observers: Any) -> EndedAttempts:
    return EndedAttempts(site.store, observers, lambda: 40.0)


@pytest.mark.requirement("K07")
@pytest.mark.requirement("K07")
def test_a_trace_over_otlp(site: Site, collector: Collector) -> None:
    """Run, jobs and steps lie within each other, with their times, results and annotations."""
    play(site)
    outcomes: list[str] = []
    with exporting(outcomes) as export:
        assert observe(site, export.observe).look() == 1
    assert outcomes == ["sent"]

    spans = {span.name: span for span in collector.spans}
    assert len(spans) == len(collector.spans) == 7
    names = {span.span_id: span.name for span in collector.spans}
    parents = {span.name: names.get(span.parent_span_id) for span in collector.spans}
    assert parents == {
        "CI": None, "Build": "CI", "Outer": "Build", "Inner": "Outer", "Post": "Build",
        "Test": "CI", "Lost": "CI",
    }  # fmt: skip
    assert {span.trace_id.hex() for span in collector.spans} == {format_trace_id("1", 1)}
    times = {
        it.name: (it.start_time_unix_nano / 1e9, it.end_time_unix_nano / 1e9)
        for it in collector.spans
    }
    assert times["CI"] == (9.0, 30.0)
    assert times["Build"] == (10.0, 15.0)
    assert times["Inner"] == (12.0, 13.0)
    assert times["Lost"] == (16.0, 30.0)
    assert attributes(spans["CI"])["cicd.pipeline.result"] == "failure"
    assert attributes(spans["Inner"])["process.exit.code"] == 3
    results = {
        name: attributes(it).get("cicd.pipeline.task.run.result") for name, it in spans.items()
    }
    assert results == {
        "CI": None, "Build": "failure", "Outer": "failure", "Inner": "failure", "Post": "skip",
        "Test": "skip", "Lost": "error",
    }  # fmt: skip
    failed, fine = 2, 1  # of the protocol's StatusCode
    assert (spans["Build"].status.code, spans["Test"].status.code) == (failed, fine)
    (note,) = spans["Inner"].events
    assert attributes(note) == {"level": "error", "message": "leaks ***"}
    assert collector.resources[0]["service.name"] == "windlass"


def test_any_process_makes_the_same_trace(site: Site) -> None:
    """Ids are made from what the run is, not drawn; another attempt is another trace."""
    play(site)
    found: list[EndedAttempt] = []
    observe(site, found.append).look()

    again = [[(it.id, it.parent, it.name) for it in build_trace(found[0])] for _ in range(2)]
    assert again[0] == again[1]
    assert format_trace_id("1", 1) != format_trace_id("1", 2) != format_trace_id("11", 2)


def test_each_attempt_is_observed_once(site: Site) -> None:
    """However many processes look, and at the same moment."""
    for number in range(20):
        play(site, str(number))
    seen: list[str] = []
    lookers = [observe(site, lambda it: seen.append(it.row.run.id)) for _ in range(4)]
    threads = [threading.Thread(target=it.look) for it in lookers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(seen, key=int) == [str(number) for number in range(20)]
    assert observe(site, seen.append).look() == 0


def test_what_is_counted(site: Site) -> None:
    """Runs and jobs by result, how long they took, how long jobs waited."""

    def read() -> list[float]:
        return [
            RUNS.labels("failure")._value.get(),
            JOBS.labels("failure")._value.get(),
            JOB_SECONDS.labels("failure")._sum.get(),
            JOB_WAIT_SECONDS._sum.get(),
        ]

    before = read()
    run = play(site)
    run.add_job()
    with site.store.writing() as connection:
        connection.execute("UPDATE jobs SET queued = 6, claimed = 8.5")
    observe(site, count_attempt).look()

    assert [now - then for now, then in zip(read(), before, strict=True)] == [1, 1, 5.0, 2.5]


def test_what_is_long_is_left_out(site: Site) -> None:
    """However much a run told, observing it takes little memory."""
    run = play(site)
    long = "x" * (3 << 20)
    for _ in range(10):
        run.say(events.Summary(job="lost", step="1", markdown=long))
        run.say(events.Annotation(job="lost", step="", level="error", message=long))
    run.say(events.StepStarted(job="lost", step="9", name="last", script=long), time=17.0)
    found: list[EndedAttempt] = []
    observe(site, found.append).look()

    assert len(str(found[0].events)) < 100_000
    assert build_trace(found[0])[-1].name == "last"


def test_old_history_is_no_news(site: Site) -> None:
    """What ended more than an hour ago was there before anybody looked."""
    play(site, finished=30.0)
    seen: list[EndedAttempt] = []

    assert EndedAttempts(site.store, [seen.append], lambda: 30.0 + 3601).look() == 0
    assert seen == []


def test_what_another_process_has_left(site: Site) -> None:
    """It is found at the start, and later on, though most looks are at the last minute alone."""
    seen: list[EndedAttempt] = []
    now = 30.0
    attempts = EndedAttempts(site.store, [seen.append], lambda: now)
    assert attempts.look() == 0
    play(site, finished=30.0)

    now = 30.0 + 120
    assert attempts.look() == 0
    now = 30.0 + 301
    assert attempts.look() == 1


def test_one_observer_that_fails(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The others see the attempt all the same."""
    play(site)
    seen: list[EndedAttempt] = []

    def fail(_: EndedAttempt) -> None:
        raise ZeroDivisionError

    assert observe(site, fail, seen.append).look() == 1
    assert len(seen) == 1
    assert "attempt 1 of run 1 could not be observed" in caplog.text


def test_it_looks_by_itself(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, and once more when it ends."""
    monkeypatch.setattr("windlass.observe.ended_attempts.LOOK_SECONDS", 0.01)
    seen: list[EndedAttempt] = []
    looking = observe(site, seen.append)
    looking.start()
    play(site, "1")
    assert wait_until(lambda: len(seen) == 1)
    monkeypatch.setattr("windlass.observe.ended_attempts.LOOK_SECONDS", 60)
    play(site, "2")
    looking.close()
    assert len(seen) == 2


def test_a_collector_that_hangs(
    site: Site, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it: what comes meanwhile is kept for a while, and then dropped."""
    monkeypatch.setattr(trace_export, "MOST_WAITING", 2)
    play(site)
    found: list[EndedAttempt] = []
    observe(site, found.append).look()
    collector.go_on.clear()
    outcomes: list[str] = []
    with exporting(outcomes) as export:
        export.observe(found[0])
        assert wait_until(lambda: collector.requests == 1)
        for _ in range(5):
            export.observe(found[0])
        assert outcomes == ["dropped"] * 3
        collector.go_on.set()
        assert wait_until(lambda: outcomes.count("sent") == 3)


def test_long_traces_while_a_collector_hangs(
    site: Site, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait have a limit together; one that has more by itself is sent all the same."""
    play(site)
    found: list[EndedAttempt] = []
    observe(site, found.append).look()
    monkeypatch.setattr(trace_export, "MOST_EVENTS_WAITING", 3 * len(found[0].events))
    long = replace(found[0], events=[*found[0].events] * 4)
    collector.go_on.clear()
    outcomes: list[str] = []
    with exporting(outcomes) as export:
        for _ in range(5):
            export.observe(found[0])
        assert outcomes == ["dropped"] * 2
        collector.go_on.set()
        assert wait_until(lambda: outcomes.count("sent") == 3)
        export.observe(long)
        assert wait_until(lambda: outcomes.count("sent") == 4)


def test_a_collector_that_refuses(site: Site, collector: Collector) -> None:
    """It is counted, and that is all."""
    play(site)
    collector.status = 400
    outcomes: list[str] = []
    with exporting(outcomes) as export:
        observe(site, export.observe).look()
        assert wait_until(lambda: outcomes == ["refused"])


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_who_wants_traces(variables: dict[str, str], wanted: bool) -> None:
    """Nothing is sent anywhere unless somebody says where."""
    assert is_wanted(variables) is wanted


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT is not"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "as http/protobuf only"),
    ],
    ids=["address", "protocol"],
)
def test_a_collector_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    """The server does not come up, and says why."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(InputError, match=said):
        TraceExport([].append)
