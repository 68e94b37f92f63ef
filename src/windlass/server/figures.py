"""The figures that this process counts itself: Prometheus' counters, gauges and histograms.

What the database knows is asked of it when somebody looks: see `windlass.server.metrics`.

Source of the names: https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()
"""Of our own: what libraries count for themselves is not told."""

WATCHERS: Final = Gauge(
    "windlass_watchers",
    "Connections that are told live, by what they watch: events or log.",
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
    "Time from a request's head until its answer has ended; until the answer begins where it is "
    "an event stream.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
    registry=REGISTRY,
)
