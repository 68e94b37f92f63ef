"""`/metrics`: what a server counts, for Prometheus.

Counters are those of the process that is asked, and a sum over processes is right; gauges of what
the database holds are the same whichever process is asked.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.routing import Route

from windlass import __version__
from windlass.db import figures
from windlass.db.server_database import ServerDatabase
from windlass.errors import PlatformError
from windlass.server.figures import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from windlass.db.figures import RunnerFigures
    from windlass.operations.hosted.site import Site

MOST_LABEL_SETS: Final = 100
"""Workflows choose their labels: of so many sets each is told, the others are taken together."""

OTHERS: Final = "others"


def routes(site: Site) -> list[BaseRoute]:
    """Return the route of the figures."""
    registry = CollectorRegistry()
    registry.register(SiteFigures(site))

    def tell(_request: Request) -> Response:
        text = generate_latest(REGISTRY) + generate_latest(registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    return [Route("/metrics", tell)]


class SiteFigures(Collector):
    """What the database and the folder of a server hold at the moment."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def describe(self) -> list[Metric]:
        """Return nothing: that would ask the database before anybody wants to know."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; of a database that cannot be read only that."""
        yield _gauge("windlass_build_info", "Which version this is.", {__version__: 1}, "version")
        yield self._free_bytes()
        found: list[Metric] = []
        try:
            found = [*self._queue(), *self._runners(), *self._rest()]
        except PlatformError:
            found = []
        is_up = "Whether the database can be read: 1 or 0."
        yield _gauge("windlass_database_up", is_up, float(bool(found)))
        yield from found

    def _queue(self) -> Iterator[Metric]:
        queued = figures.count_queued(self._site.store)
        now = self._site.now()
        counts: dict[str, float] = {}
        ages: dict[str, float] = {}
        for number, it in enumerate(queued):
            name = ",".join(it.labels) if number < MOST_LABEL_SETS else OTHERS
            counts[name] = counts.get(name, 0) + it.count
            ages[name] = max(ages.get(name, 0.0), now - it.oldest)
        help_text = "Jobs that wait for a runner, by their labels."
        yield _gauge("windlass_jobs_queued", help_text, counts, "labels")
        help_text = "How long the first of the jobs that wait has done so, by their labels."
        yield _gauge("windlass_jobs_queued_oldest_age_seconds", help_text, ages, "labels")
        running = figures.count_running(self._site.store)
        yield _gauge("windlass_jobs_running", "Jobs that a runner has taken.", running)

    def _runners(self) -> Iterator[Metric]:
        found = figures.list_runner_figures(self._site.store)
        now = self._site.now()
        counts: dict[str, float] = dict.fromkeys(("idle", "busy", "draining", "lost"), 0.0)
        for it in found:
            counts[_describe(it, now)] += 1
        yield _gauge(
            "windlass_runners",
            "Runners, by state: idle, busy, draining (takes no more jobs), or lost (was not seen "
            "for as long as it may be away).",
            counts,
            "state",
        )
        live = [it for it in found if _describe(it, now) in ("idle", "busy")]
        yield _gauge(
            "windlass_runner_slots",
            "Jobs that idle and busy runners can run at once.",
            sum(it.capacity for it in live),
        )
        yield _gauge(
            "windlass_runner_slots_used",
            "Jobs that idle and busy runners have.",
            sum(it.running for it in live),
        )

    def _rest(self) -> Iterator[Metric]:
        store, now = self._site.store, self._site.now()
        help_text = "Attempts of runs that have not ended."
        yield _gauge("windlass_runs_unfinished", help_text, figures.count_unfinished(store))
        effects = figures.count_effects(store)
        counts = {kind: float(count) for kind, (count, _) in effects.items()}
        help_text = "Effects of transactions that are still to be carried out, by kind."
        yield _gauge("windlass_effects_waiting", help_text, counts, "kind")
        overdue = {kind: max(0.0, now - due) for kind, (_, due) in effects.items()}
        help_text = "How long the first of these has been due."
        yield _gauge("windlass_effects_overdue_seconds", help_text, overdue, "kind")
        help_text = "Signals that runs have not been told yet."
        yield _gauge("windlass_inbox_signals", help_text, figures.count_letters(store))
        if isinstance(store, ServerDatabase):
            connections = store.count_connections()
            help_text = "Connections to the database of this process, by state: in_use or idle."
            states = {"in_use": float(connections.in_use), "idle": float(connections.idle)}
            yield _gauge("windlass_database_connections", help_text, states, "state")
            help_text = "Connections to the database that this process may have."
            yield _gauge("windlass_database_connections_limit", help_text, connections.limit)

    def _free_bytes(self) -> Metric:
        try:
            free = float(shutil.disk_usage(self._site.data).free)
        except OSError:
            free = float("nan")
        return _gauge(
            "windlass_data_free_bytes", "Room left where the server keeps its data.", free
        )


def _describe(runner: RunnerFigures, now: float) -> str:
    if now - runner.seen > runner.patience:
        return "lost"
    if runner.state == "draining":
        return "draining"
    return "busy" if runner.running else "idle"


def _gauge(
    name: str, help_text: str, values: float | dict[str, float], label: str = ""
) -> GaugeMetricFamily:
    """Return a gauge with one value, or with one for each value of a label."""
    if not isinstance(values, dict):
        return GaugeMetricFamily(name, help_text, value=values)
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
