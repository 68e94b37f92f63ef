"""Reports to GitHub: what a stand-in for its API is told of runs, and what it may answer."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runs import SHA, Values, define, open_site
from tests.serving import serve

from windlass.db.announcements import add_announcements
from windlass.db.effects import list_waiting
from windlass.db.reports import REPORT
from windlass.db.repositories import RepositoryRow, add_repository
from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.reports import report_attempt
from windlass.operations.hosted.secrets import set_secret
from windlass.plan.signals import JobFinished
from windlass.protocol import events
from windlass.protocol.event_lines import write_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

TOKEN = "ghp_hunter2"
TEXT = "name: CI\non: push\njobs: {a: {runs-on: x, steps: [{run: echo}]}}\n"
STATUSES = f"/api/v3/repos/octo/boat/statuses/{SHA}"
CHECKS = "/api/v3/repos/octo/boat/check-runs"


class StandIn:
    """What GitHub was asked, and what it answers: by the beginning of method and path."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: dict[str, tuple[int, dict[str, str]]] = {}
        self.checks: dict[int, dict[str, Any]] = {}
        self.refusal: Any = {"message": "no"}
        self.url = ""

    def answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        self.asked.append((method, path.partition("?")[0], body))
        for beginning, (status, headers) in self.answers.items():
            if f"{method} {path}".startswith(beginning):
                return status, headers, self.refusal
        if method == "GET":
            assert re.fullmatch(
                r"/api/v3/repos/octo/boat/commits/[0-9a-f]{40}/check-runs\?.*", path
            )
            found = [{"id": key, **it} for key, it in self.checks.items()]
            return 200, {}, {"total_count": len(found), "check_runs": found}
        if path.startswith(CHECKS):
            key = int(path.rpartition("/")[2]) if method == "PATCH" else len(self.checks) + 1
            known = self.checks.setdefault(key, {"annotations": []})
            known["annotations"] += body["output"]["annotations"]
            known.update({name: it for name, it in body.items() if name != "output"})
            assert len(body["output"]["annotations"]) <= 50
            return 201, {}, {"id": key}
        assert path == STATUSES
        assert set(body) == {"state", "context", "description", "target_url"}
        assert len(body["description"]) <= 140
        return 201, {}, {"id": 1}


@pytest.fixture
def github() -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            assert self.headers["Authorization"] == f"Bearer {TOKEN}"
            assert self.headers["Host"] == stand_in.url.partition("//")[2]
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            status, headers, said = stand_in.answer(self.command, self.path, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serve(Handler) as url:
        stand_in.url = url
        yield stand_in


@pytest.fixture
def site(database_address: str, tmp_path: Path, github: StandIn) -> Iterator[Site]:
    values = Values({}, {"WINDLASS_GITHUB_TOKEN": TOKEN})
    data = tmp_path / "data"
    data.mkdir()
    with open_site(database_address, data, values=values) as opened:
        row = RepositoryRow(
            id="r1",
            name="mine/boat",
            location=f"{github.url}/octo/boat.git",
            default_branch="main",
            created=1.0,
        )
        with opened.store.writing() as connection:
            add_repository(connection, row)
        set_secret(opened, "r1", "WINDLASS_GITHUB_TOKEN", TOKEN)
        yield replace(opened, allowed_hosts=("127.0.0.1",))


def carry_out(site: Site) -> int:
    """Make the reports that are due, as the effects do; return how many those are."""
    waiting = [it for it in list_waiting(site.store, 99) if it.kind == REPORT]
    for effect in waiting:
        report_attempt(site, effect.payload["run"], effect.payload["attempt"])
        with site.store.writing() as connection:
            connection.execute("UPDATE effects SET done = 1.0 WHERE id = ?", (effect.id,))
    return len(waiting)


def annotate(site: Site, run: str, count: int) -> None:
    said = [
        events.Annotation(
            job="a",
            step="1",
            level="error",
            message=f"wrong {number}",
            properties={"file": "a.py", "line": str(number), "title": "Mistake"},
        )
        for number in range(1, count + 1)
    ]
    aside = events.Annotation(job="a", step="1", level="warning", message="no file")
    with site.store.writing() as connection:
        lines = [write_event(it, 1.0) for it in (*said, aside)]
        add_announcements(connection, run, 1, lines)


@pytest.mark.requirement("A28")
@pytest.mark.parametrize(
    ("result", "state", "conclusion"),
    [(Result.SUCCESS, "success", "success"), (Result.FAILURE, "failure", "failure")],
)
def test_a_run_from_its_start_to_its_end(
    site: Site, github: StandIn, result: Result, state: str, conclusion: str
) -> None:
    """The commit is pending, then as the run ended, with a check that has its annotations."""
    run = start_run(site, "r1", define(TEXT))
    assert carry_out(site) == 1
    ((method, path, status),) = github.asked
    assert (method, path, status["state"]) == ("POST", STATUSES, "pending")
    assert status["context"] == "CI (push)"
    assert status["target_url"] == f"{site.address}/api/v1/runs/{run}"

    annotate(site, run, 120)
    site.runs.tell(run, 1, JobFinished("a", result))
    assert carry_out(site) == 1
    states = [body["state"] for _, path, body in github.asked if path == STATUSES]
    assert states == ["pending", state]
    (check,) = github.checks.values()
    assert (check["status"], check["conclusion"]) == ("completed", conclusion)
    assert check["head_sha"] == SHA
    assert check["external_id"] == f"{run}/1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", check["completed_at"])
    assert [it["message"] for it in check["annotations"]] == [
        f"wrong {number}" for number in range(1, 121)
    ]
    assert check["annotations"][4] == {
        "path": "a.py",
        "start_line": 5,
        "end_line": 5,
        "annotation_level": "failure",
        "message": "wrong 5",
        "title": "Mistake",
    }


def test_a_line_of_thousands_of_digits(site: Site, github: StandIn) -> None:
    """A job may say what it wants: the check of its run is made all the same."""
    run = start_run(site, "r1", define(TEXT))
    said = events.Annotation(
        job="a",
        step="1",
        level="error",
        message="wrong",
        properties={"file": "a.py", "line": "9" * 5000, "endLine": "0"},
    )
    with site.store.writing() as connection:
        add_announcements(connection, run, 1, [write_event(said, 1.0)])
    site.runs.tell(run, 1, JobFinished("a", Result.SUCCESS))
    report_attempt(site, run, 1)
    (check,) = github.checks.values()
    (annotation,) = check["annotations"]
    assert (annotation["start_line"], annotation["end_line"]) == (1, 1)


def test_a_report_that_is_made_again(site: Site, github: StandIn) -> None:
    """A server that died before it knew the answer makes no second check and no second note."""
    run = start_run(site, "r1", define(TEXT))
    annotate(site, run, 3)
    site.runs.tell(run, 1, JobFinished("a", Result.SUCCESS))
    for _ in range(2):
        report_attempt(site, run, 1)
    (check,) = github.checks.values()
    assert len(check["annotations"]) == 3


def test_a_late_report_of_the_start(site: Site, github: StandIn) -> None:
    """It tells how the run is by then."""
    run = start_run(site, "r1", define(TEXT))
    site.runs.tell(run, 1, JobFinished("a", Result.FAILURE))
    assert carry_out(site) == 2
    assert {body["state"] for _, path, body in github.asked if path == STATUSES} == {"failure"}


def test_the_head_of_a_pull_request(site: Site, github: StandIn) -> None:
    """Nobody sees the merge that was run; its head is what people look at."""
    definition = define(TEXT)
    payload = {"pull_request": {"head": {"sha": SHA}}}
    event = replace(definition.event, name="pull_request", sha="e" * 40, payload=payload)
    start_run(site, "r1", replace(definition, event=event))
    carry_out(site)
    ((_, path, body),) = github.asked
    assert (path, body["context"]) == (STATUSES, "CI (pull_request)")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (500, {}),
        (503, {}),
        (429, {"Retry-After": "1"}),
        (403, {"x-ratelimit-remaining": "0"}),
        (403, {"Retry-After": "60"}),
    ],
)
def test_answers_after_which_it_is_tried_again(
    site: Site, github: StandIn, status: int, headers: dict[str, str]
) -> None:
    """A fault of GitHub's, or its limits."""
    run = start_run(site, "r1", define(TEXT))
    github.answers["POST"] = (status, headers)
    with pytest.raises(PlatformError) as caught:
        report_attempt(site, run, 1)
    assert TOKEN not in str(caught.value)
    github.answers.clear()
    report_attempt(site, run, 1)
    assert github.asked[-1][2]["state"] == "pending"


@pytest.mark.parametrize("status", [401, 403, 404, 422, 302])
def test_answers_after_which_it_is_left(site: Site, github: StandIn, status: int) -> None:
    """A token that may not, or a commit that GitHub does not have; no redirect is followed."""
    run = start_run(site, "r1", define(TEXT))
    github.answers["POST"] = (status, {"Location": "http://127.0.0.1:9/"})
    report_attempt(site, run, 1)
    assert len(github.asked) == 1


def test_an_answer_that_repeats_the_token(
    site: Site, github: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """A server may quote what it was asked; what it says goes into the log without the token."""
    run = start_run(site, "r1", define(TEXT))
    github.answers["POST"] = (404, {})
    github.refusal = {"message": f"no such thing for Bearer {TOKEN}"}
    report_attempt(site, run, 1)
    assert "no such thing for Bearer ***" in caplog.text
    assert TOKEN not in caplog.text


def test_an_answer_without_an_end(
    site: Site, github: StandIn, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not read to its end, and not asked for again."""
    monkeypatch.setattr("windlass.events.github.MOST_BYTES", 1000)
    run = start_run(site, "r1", define(TEXT))
    github.answers["POST"] = (200, {})
    github.refusal = {"message": "a" * 2000}
    report_attempt(site, run, 1)
    assert "answers more than 1000 bytes" in caplog.text


def test_a_token_that_is_no_apps(site: Site, github: StandIn) -> None:
    """The commit has its status, and no check."""
    run = start_run(site, "r1", define(TEXT))
    site.runs.tell(run, 1, JobFinished("a", Result.SUCCESS))
    github.answers[f"POST {CHECKS}"] = (403, {})
    report_attempt(site, run, 1)
    assert [body["state"] for _, path, body in github.asked if path == STATUSES] == ["success"]
    assert github.checks == {}


def test_github_that_is_not_there(site: Site, github: StandIn) -> None:
    """It is tried again."""
    run = start_run(site, "r1", define(TEXT))
    with site.store.writing() as connection:
        connection.execute(
            "UPDATE repositories SET location = ? WHERE id = 'r1'",
            ("http://127.0.0.1:9/octo/boat.git",),
        )
    with pytest.raises(PlatformError, match="does not answer"):
        report_attempt(site, run, 1)


def test_a_host_inside(site: Site, github: StandIn) -> None:
    """A token is shown to nobody whom the server does not ask."""
    run = start_run(site, "r1", define(TEXT))
    report_attempt(replace(site, allowed_hosts=()), run, 1)
    assert github.asked == []


def test_repositories_without_a_token(site: Site, github: StandIn) -> None:
    """Nothing is to be done for their runs."""
    run = start_run(site, "7", define(TEXT))
    site.runs.tell(run, 1, JobFinished("a", Result.SUCCESS))
    assert carry_out(site) == 0
    assert github.asked == []
