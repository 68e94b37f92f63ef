"""A server with something of everything: what operations are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.hosted_runner import describe_runner
from tests.hosted_runs import define
from tests.pushed_repository import CI, PushedRepository

from windlass.db.announcements import add_announcements
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.catalogue import find_operation
from windlass.operations.hosted.repositories import register_repository
from windlass.operations.hosted.runners import create_registration, register_runner
from windlass.operations.hosted.secrets import set_secret, set_variable
from windlass.operations.hosted.tokens import create_token
from windlass.protocol import events
from windlass.protocol.event_lines import write_event
from windlass.protocol.runner import RegisterRequest
from windlass.stores.logs import JobLogWriter

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.operations.hosted.site import Site

BOAT = {"owner": "octo", "name": "boat"}
DEPLOY = CI.replace("push", "workflow_dispatch").replace("CI", "Deploy")


class World:
    """What is there before anything is asked for."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder
        self.pushed = PushedRepository(folder)
        self.pushed.write(".github/workflows/deploy.yml", DEPLOY)
        self.pushed.push()
        row = register_repository(site, str(self.pushed.bare), "octo/boat")
        register_repository(site, str(self.pushed.bare), "octo/spare")
        self.going = start_run(site, row.id, define(CI))
        self.ended = start_run(site, row.id, define(CI))
        find_operation("runs.cancel").carry_out(site, _given("runs.cancel", run=self.ended))
        self._print(self.going)
        set_secret(site, row.id, "KEY", "s3cret")
        set_variable(site, row.id, "REGION", "eu")
        self.token = create_token(site, "laptop").row.id
        registration = create_registration(site).token
        request = RegisterRequest(**describe_runner(registration, "build-1"))
        self.runner = register_runner(site, request).row.id

    def _print(self, run: str) -> None:
        folder = self.site.data / "runs" / run / "1" / "jobs" / "1"
        folder.mkdir(parents=True)
        writer = JobLogWriter(folder / "log")
        writer.write("1", b"one\ntwo\n")
        writer.close()
        told = [
            events.JobStarted(job="build", name="build"),
            events.StepStarted(job="build", step="1", name="Run echo built"),
        ]
        with self.site.store.writing() as connection:
            add_announcements(connection, run, 1, [write_event(it, 5.5) for it in told])


def _given(name: str, **values: Any) -> Any:
    return find_operation(name).call.given(**values)
