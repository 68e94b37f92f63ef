"""The figures that this process counts itself: Prometheus' counters, gauges and histograms.

What the database knows is asked of it when somebody looks: see `windlass.server.metrics`.

Source of the names: https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from windlass.protocol.events import JobFinished

if TYPE_CHECKING:
    from windlass.observe.ended_attempts import EndedAttempt

REGISTRY: Final = CollectorRegistry()
"""Of our own: what libraries count for themselves is not told."""

ProcessCollector(registry=REGISTRY)

# When each series began is one more series for each, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]

_MINUTES: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)

RUNS: Final = Counter(
    "windlass_runs_finished",
    "Attempts of runs that have ended, by result.",
    ["result"],
    registry=REGISTRY,
)
RUN_SECONDS: Final = Histogram(
    "windlass_run_duration_seconds",
    "Time from the start of an attempt to its end, by result.",
    ["result"],
    buckets=_MINUTES,
    registry=REGISTRY,
)
JOBS: Final = Counter(
    "windlass_jobs_finished",
    "Jobs that have ended, by result; counted when their attempt has ended.",
    ["result"],
    registry=REGISTRY,
)
JOB_SECONDS: Final = Histogram(
    "windlass_job_duration_seconds",
    "Time that jobs ran, by result; without those that never began.",
    ["result"],
    buckets=_MINUTES,
    registry=REGISTRY,
)
JOB_WAIT_SECONDS: Final = Histogram(
    "windlass_job_wait_seconds",
    "Time that jobs waited for a runner.",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200),
    registry=REGISTRY,
)
TRACES: Final = Counter(
    "windlass_traces_exported",
    "Traces of attempts, by what became of them: sent, refused, or dropped (too many waited).",
    ["outcome"],
    registry=REGISTRY,
)
LOG_BYTES: Final = Counter(
    "windlass_log_received_bytes",
    "Bytes of jobs' logs that runners have sent.",
    registry=REGISTRY,
)
WATCHERS: Final = Gauge(
    "windlass_watchers",
    "Who is told live what is new, by what they watch: events of an attempt, or the log of a job.",
    ["watches"],
    registry=REGISTRY,
)
LIVE_BYTES: Final = Counter(
    "windlass_live_sent_bytes",
    "Bytes that were told live, by what is watched.",
    ["watches"],
    registry=REGISTRY,
)
REQUEST_SECONDS: Final = Histogram(
    "windlass_http_request_duration_seconds",
    "Time from a request's head to the end of its answer, by the template of its route; to the "
    "beginning of it where it is an event stream.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
    registry=REGISTRY,
)


def count_attempt(ended: EndedAttempt) -> None:
    """Count an attempt that has ended, and its jobs."""
    row = ended.row
    if row.result is None or row.finished is None:
        return
    RUNS.labels(row.result.value).inc()
    RUN_SECONDS.labels(row.result.value).observe(max(0.0, row.finished - row.started))
    for event, _ in ended.events:
        if isinstance(event, JobFinished) and not event.kept:
            JOBS.labels(event.result.value).inc()
            if event.started and not event.reason:
                JOB_SECONDS.labels(event.result.value).observe(event.seconds)
    for seconds in ended.waits:
        JOB_WAIT_SECONDS.observe(seconds)
