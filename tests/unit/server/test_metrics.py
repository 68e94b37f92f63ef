"""Figures for Prometheus: named and typed as it wants them, and right."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.hosted_site import ask, make_site
from tests.live_server import GrowingRun

from windlass.db.effects import post_effect
from windlass.db.figures import count_queued
from windlass.db.server_database import ServerDatabase
from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def site(tmp_path: Path, database_address: str) -> Iterator[Site]:
    made = make_site(tmp_path, ServerDatabase(database_address))
    yield made
    made.store.close()


def read_text(site: Site) -> str:
    answer = ask(site).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.text


def read(site: Site) -> Figures:
    families = text_string_to_metric_families(read_text(site))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def add_runner(site: Site, name: str, *, state: str = "active", seen: float) -> None:
    values = {
        "id": name, "name": name, "labels": "[]", "capacity": 2, "ephemeral": 0,
        "credential": name, "version": "1", "protocol": 1, "state": state, "patience": 30.0,
        "created": 0.0, "seen": seen,
    }  # fmt: skip
    with site.store.writing() as connection:
        connection.execute(
            f"INSERT INTO runners ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
            tuple(values.values()),
        )


@pytest.mark.requirement("K01")
@pytest.mark.requirement("P10")
def test_what_waits_and_who_works(site: Site) -> None:
    """The queue by labels, the runners by state, what is still to be done."""
    run = GrowingRun(site)
    for job in ("a", "b", "c"):
        run.add_job(job)
    now = site.now()
    for name, state, seen in (
        ("idle", "active", now),
        ("busy", "active", now),
        ("away", "active", now - 60),
        ("leaving", "draining", now),
        ("out", "revoked", now),
    ):
        add_runner(site, name, state=state, seen=seen)
    with site.store.writing() as connection:
        connection.execute("UPDATE jobs SET state = 'running', runner = 'busy' WHERE job = 'c'")
        post_effect(connection, "1", "delivery", {}, due=now - 100)
    found = read(site)

    assert found["windlass_jobs_queued", (("labels", "x"),)] == 2
    assert 0 <= found["windlass_jobs_queued_oldest_age_seconds", (("labels", "x"),)] < 60
    assert found["windlass_jobs_running", ()] == 1
    states = {it[1][0][1]: value for it, value in found.items() if it[0] == "windlass_runners"}
    assert states == {"idle": 1, "busy": 1, "lost": 1, "draining": 1}
    assert (found["windlass_runner_slots", ()], found["windlass_runner_slots_used", ()]) == (4, 1)
    assert found["windlass_runs_unfinished", ()] == 1
    assert found["windlass_effects_waiting", (("kind", "delivery"),)] == 1
    assert 100 <= found["windlass_effects_overdue_seconds", (("kind", "delivery"),)] < 160
    assert found["windlass_database_up", ()] == 1
    assert isinstance(site.store, ServerDatabase)
    limit = site.store.count_connections().limit
    assert found["windlass_database_connections_limit", ()] == limit >= 40
    assert found["windlass_data_free_bytes", ()] > 0
    assert found["process_resident_memory_bytes", ()] > 1 << 20


def test_the_age_of_the_queue(site: Site) -> None:
    """It is that of the job which has waited longest."""
    before = site.now()
    run = GrowingRun(site)
    run.add_job("a")
    between = site.now()
    run.add_job("b")

    (figures,) = count_queued(site.store)
    assert (figures.count, figures.labels) == (2, ("x",))
    assert before - 0.001 <= figures.oldest <= between + 0.001


@pytest.mark.requirement("K06")
def test_workflows_that_invent_labels(tmp_path: Path) -> None:
    """They do not fill Prometheus: the rarest are taken together."""
    site = make_site(tmp_path)
    GrowingRun(site)
    rows = [
        ("1", 1, f"j{n}", n, f"{n:024x}", json.dumps([f"l{n}"]), "queued", 5.0) for n in range(150)
    ]
    with site.store.writing() as connection:
        connection.executemany(
            "INSERT INTO jobs (run, attempt, job, number, ticket, labels, state, queued) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    found = {it[1]: value for it, value in read(site).items() if it[0] == "windlass_jobs_queued"}

    assert len(found) == 101
    assert found[(("labels", "others"),)] == 50
    site.store.close()


def test_a_database_that_cannot_be_read(tmp_path: Path) -> None:
    """That is a figure too, and the others of the process are told all the same."""

    class Broken:
        def ask(self, *_: object) -> object:
            raise PlatformError("gone")

    site = make_site(tmp_path, Broken())  # type: ignore[arg-type]
    found = read(site)

    assert found["windlass_database_up", ()] == 0
    assert not [it for it in found if it[0].startswith("windlass_jobs_queued")]
    assert found["process_open_fds", ()] > 0


@pytest.mark.requirement("K06")
def test_requests_by_the_template_of_their_route(site: Site) -> None:
    """No run has figures of its own, and neither has an address that nobody has."""
    client = ask(site)
    for path in ("/api/v1/runs/1/events", "/api/v1/runs/2/events", "/no/such/9"):
        assert client.get(path).status_code == 404
    name = "windlass_http_request_duration_seconds_count"
    labels = [dict(it[1]) for it in read(site) if it[0] == name]
    routes = {it["route"] for it in labels}

    assert {"/api/v1/runs/{run}/events", "unmatched"} <= routes
    assert not [route for route in routes if "9" in route]
    assert {"method": "GET", "route": "unmatched", "status": "404"} in labels


def test_who_may_read_them(site: Site) -> None:
    """Whoever has an access token: Prometheus can show one."""
    assert ask(site, token=None).get("/metrics").status_code == 401


@pytest.mark.requirement("K01")
def test_the_names_are_good(site: Site) -> None:
    """Every figure is explained, has a type, and is named as Prometheus wants it."""
    GrowingRun(site).add_job()
    text = read_text(site)
    if (promtool := shutil.which("promtool")) is not None:
        done = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    for family in text_string_to_metric_families(text):
        assert family.type in ("counter", "gauge", "histogram"), family.name
        assert family.documentation, family.name
        assert family.name.startswith(("windlass_", "process_")), family.name
        if family.type == "counter":
            assert all(it.name.endswith(("_total", "_created")) for it in family.samples)
        for unit in ("milliseconds", "minutes", "kilobytes", "megabytes"):
            assert unit not in family.name
