"""A runner as a server sees it: what it says, without running anything."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from windlass.model.status import Result
from windlass.protocol import events
from windlass.protocol.event_lines import write_event
from windlass.protocol.runner import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from httpx import Response
    from starlette.testclient import TestClient

    from windlass.protocol.events import RunEvent

LABELS = ("x", "linux")


def describe_runner(token: Any, name: str = "boat", **more: Any) -> dict[str, Any]:
    said = {
        "token": token,
        "name": name,
        "labels": LABELS,
        "capacity": 2,
        "ephemeral": False,
        "version": "1.2.3",
        "protocol": 1,
    }
    return {**said, **more}


class StandIn:
    """A registered runner; what it asks goes through the client of an application."""

    def __init__(self, client: TestClient, credential: str, runner: str = "") -> None:
        self.client = client
        self.credential = credential
        self.id = runner

    def post(self, path: str, message: Mapping[str, Any] | None = None) -> Response:
        return self._ask("POST", path, content=json.dumps(message or {}))

    def poll(self, *running: str, free: int = 2, draining: bool = False) -> Response:
        asked = {"running": running, "free": free, "draining": draining}
        return self.post("poll", asked)

    def take(self, *running: str, free: int = 2) -> list[dict[str, Any]]:
        """The assignments of an answer to a poll, which has to have some."""
        answer = self.poll(*running, free=free)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["assignments"]
        return found

    def tell(self, job: str, first: int, told: Sequence[RunEvent]) -> Response:
        lines = [write_event(event, time.time()) for event in told]
        return self.post(f"jobs/{job}/events", {"first": first, "lines": lines})

    def write(self, job: str, name: str, offset: int, data: bytes) -> Response:
        return self._ask("PUT", f"jobs/{job}/log/{name}?offset={offset}", content=data)

    def end(
        self,
        job: str,
        received: int = 0,
        result: Result = Result.SUCCESS,
        outputs: Mapping[str, str] | None = None,
    ) -> Response:
        said = {
            "received": received,
            "result": result.value,
            "outputs": outputs or {},
            "started": True,
        }
        return self.post(f"jobs/{job}/end", said)

    def _ask(self, method: str, path: str, **options: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.credential}"}
        found: Response = self.client.request(
            method, f"{PREFIX}/{path}", headers=headers, **options
        )
        return found


def register(client: TestClient, token: str, name: str = "boat", **more: Any) -> StandIn:
    """A runner that has used a registration token."""
    answer = client.post(f"{PREFIX}/register", json=describe_runner(token, name, **more))
    assert answer.status_code == 200, answer.text
    return StandIn(client, answer.json()["credential"], answer.json()["runner"])


def job_started(job: str) -> RunEvent:
    return events.JobStarted(job=job, name=job, place="sandbox")


def job_finished(job: str, result: Result = Result.SUCCESS) -> RunEvent:
    return events.JobFinished(job=job, name=job, result=result, seconds=1.0)
