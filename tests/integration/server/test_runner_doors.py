"""What runners and a server say to each other."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runner import StandIn, describe_runner, job_finished, job_started, register
from tests.hosted_runs import REPOSITORY, Values, add_repository, define, open_site
from tests.hosted_site import ask
from tests.waiting import wait_until

from windlass.db.announcements import read_announcements
from windlass.db.jobs import is_anything_due, list_queued, list_running
from windlass.db.runs import list_attempts
from windlass.errors import MissingError
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.operations.hosted.attempts import cancel_run, start_run
from windlass.operations.hosted.credentials import digest_credential
from windlass.operations.hosted.jobs import answer_poll
from windlass.operations.hosted.runners import (
    create_registration,
    drain_runner,
    list_runners,
    read_runner,
    remove_runner,
    revoke_runner,
)
from windlass.protocol import events
from windlass.protocol.assignments import decode_assignment
from windlass.protocol.event_lines import read_event
from windlass.protocol.runner import HOLD_SECONDS, PREFIX, PollAnswer
from windlass.server.runners import lobby

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from windlass.db.connections import Store
    from windlass.operations.hosted.site import Site

JOB = "on: push\njobs:\n  a: {runs-on: x, steps: [{run: echo}]}\n"
OTHER = JOB.replace("runs-on: x", "runs-on: [x, gpu]")
SECRETS = """
on: push
jobs:
  a: {runs-on: x, steps: [{run: 'echo ${{ secrets.KEY }}'}]}
  b: {uses: ./.github/workflows/called.yml, secrets: {PART: '${{ secrets.KEY }}'}}
"""
CALLED = """
on: {workflow_call: {secrets: {PART: {required: true}}}}
jobs:
  c: {runs-on: x, steps: [{run: echo}]}
"""


@pytest.fixture
def values() -> Values:
    return Values({}, {"KEY": "hunter2", "OTHER": "hunter3"})


@pytest.fixture
def site(database_address: str, tmp_path: Path, values: Values) -> Iterator[Site]:
    with open_site(database_address, tmp_path, values=values) as made:
        yield made


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with ask(site, token=None) as made:
        yield made


def join(
    site: Site, client: TestClient, name: str = "boat", *, patience: float = 4.0, **more: Any
) -> StandIn:
    # Polls are held for half of it.
    return register(client, create_registration(site, patience=patience).token, name, **more)


@pytest.fixture
def runner(site: Site, client: TestClient) -> StandIn:
    return join(site, client)


@pytest.fixture
def waiting_runner(site: Site, client: TestClient) -> StandIn:
    """One whose polls are held until there is something to say."""
    return join(site, client, patience=2 * HOLD_SECONDS)


def told(site: Site, run: str, attempt: int = 1) -> list[events.RunEvent]:
    lines = read_announcements(site.store, run, attempt, 0)
    return [found[0] for found in map(read_event, lines) if found]


def test_a_job_from_the_queue_to_its_end(site: Site, runner: StandIn) -> None:
    """A runner takes it, tells of it, ships its log and its end: the run has ended with it."""
    run = start_run(site, REPOSITORY, define(JOB))
    (given,) = runner.take()
    assignment = decode_assignment(given)
    job = str(assignment.job)
    assert job == f"{run}/1/1"
    assert assignment.order.key == "a"
    assert assignment.git.url == f"/git/{REPOSITORY}.git"
    assert (assignment.sha, assignment.allow_host) == ("f" * 40, False)
    answer = {"received": 1, "cancel": None, "force": False}
    assert runner.tell(job, 0, [job_started("a")]).json() == answer
    assert runner.write(job, "log", 0, b"hello\n").json() == {"size": 6}
    assert runner.tell(job, 1, [job_finished("a")]).json()["received"] == 2
    assert runner.end(job, 2).status_code == 204
    assert list_attempts(site.store, run)[0].result is Result.SUCCESS
    kinds = [event.event for event in told(site, run)]
    assert kinds == ["run-started", "job-started", "job-finished", "run-finished"]
    folder = site.data / "runs" / run / "1" / "jobs" / "1"
    assert (folder / "log").read_bytes() == b"hello\n"
    assert (folder / "key").read_text() == "a"


def test_everything_may_be_said_twice(site: Site, runner: StandIn) -> None:
    """A runner that does not know whether it was heard says it again, and nothing is doubled."""
    run = start_run(site, REPOSITORY, define(JOB))
    (given,) = runner.take()
    job = given["job"]
    (again,) = runner.take()
    assert again["job"] == job
    assert again["git"]["token"] != given["git"]["token"]
    begin, end = job_started("a"), job_finished("a")
    for _ in range(2):
        assert runner.tell(job, 0, [begin, end]).json()["received"] == 2
        assert runner.write(job, "log", 0, b"hello\n").json() == {"size": 6}
    for _ in range(2):
        assert runner.end(job, 2).status_code == 204
    assert [event.event for event in told(site, run)].count("job-finished") == 1
    assert runner.poll(job).json()["gone"] == [job]


def test_a_gap_is_refused(site: Site, runner: StandIn) -> None:
    """The answer says what is expected; what overlaps is skipped, and written bytes stay."""
    start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    answer = runner.tell(job, 1, [job_finished("a")])
    assert (answer.status_code, answer.json()["received"]) == (409, 0)
    answer = runner.write(job, "log", 5, b"x")
    assert (answer.status_code, answer.json()["size"]) == (409, 0)
    assert runner.write(job, "log", 0, b"abc").json() == {"size": 3}
    assert runner.write(job, "log", 1, b"XYZ").json() == {"size": 4}
    assert runner.write(job, "log", 4, b"").json() == {"size": 4}
    assert runner.tell(job, 0, [job_started("a")]).json()["received"] == 1
    assert runner.tell(job, 0, [job_started("a"), job_finished("a")]).json()["received"] == 2
    answer = runner.end(job, 1)
    assert (answer.status_code, answer.json()["received"]) == (409, 2)
    (log,) = site.data.glob("runs/*/1/jobs/1/log")
    assert log.read_bytes() == b"abcZ"


def test_secrets_are_handed_over_to_each_job(site: Site, runner: StandIn) -> None:
    """A job has those of its repository, one of a called workflow those that it is given."""
    definition = define(SECRETS)
    called = {".github/workflows/called.yml": CALLED}
    definition = replace(definition, texts={**definition.texts, **called})
    run = start_run(site, REPOSITORY, definition)
    found = {it["order"]["key"]: it for it in runner.take()}
    assert found["a"]["secrets"] == {"KEY": "hunter2", "OTHER": "hunter3"}
    assert found["b / c"]["secrets"] == {"PART": "hunter2"}
    rows = site.store.ask("SELECT definition FROM definitions WHERE run = ?", (run,))
    assert "hunter" not in str(rows)


def test_code_of_a_fork_has_no_secrets(site: Site, runner: StandIn) -> None:
    """Whatever its workflow names."""
    start_run(site, REPOSITORY, replace(define(JOB), from_fork=True))
    (given,) = runner.take()
    assert given["secrets"] == {}


def test_a_runner_takes_what_it_has_labels_for(site: Site, client: TestClient) -> None:
    """Its labels are compared without regard to case; the oldest job comes first."""
    plain = join(site, client, "plain")
    strong = join(site, client, "strong", labels=["X", "GPU"], capacity=9)
    runs = [start_run(site, REPOSITORY, define(text)) for text in (OTHER, JOB, OTHER, JOB)]
    assert [it["job"].split("/")[0] for it in plain.take(free=1)] == [runs[1]]
    assert [it["job"].split("/")[0] for it in strong.take(free=9)] == [runs[0], runs[2], runs[3]]


def test_a_runner_gets_no_more_than_it_can_run(site: Site, runner: StandIn) -> None:
    """Whatever it says to have free."""
    for _ in range(4):
        start_run(site, REPOSITORY, define(JOB))
    first = runner.take(free=9)
    assert len(first) == 2
    jobs = [it["job"] for it in first]
    assert runner.poll(*jobs, free=9).json()["assignments"] == []


def test_a_poll_is_answered_when_a_job_comes(site: Site, waiting_runner: StandIn) -> None:
    """It is held until then, and no longer."""
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: answers.extend(waiting_runner.take()))
    waiting.start()
    assert wait_until(lambda: list_runners(site)[0].online)
    run = start_run(site, REPOSITORY, define(JOB))
    waiting.join(HOLD_SECONDS - 5)
    assert not waiting.is_alive()
    assert [it["job"] for it in answers] == [f"{run}/1/1"]


def test_a_poll_is_answered_when_a_job_is_to_end(site: Site, waiting_runner: StandIn) -> None:
    """Every way of asking says so: a poll at once, and each message about the job."""
    runner = waiting_runner
    run = start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(runner.poll(job).json()))
    waiting.start()
    cancel_run(site, run, "enough")
    waiting.join(60)
    assert answers[0]["cancel"] == [{"job": job, "reason": "enough", "force": False}]
    assert runner.tell(job, 0, [job_started("a")]).json()["cancel"] == "enough"
    assert runner.end(job, 1, Result.CANCELLED).status_code == 204
    assert list_attempts(site.store, run)[0].result is Result.CANCELLED


def test_a_poll_is_answered_when_a_job_is_to_end_at_once(
    site: Site, waiting_runner: StandIn
) -> None:
    """It is news, though the runner has heard that the job is to end; the reason stays."""
    runner = waiting_runner
    run = start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    cancel_run(site, run, "enough")
    runner.poll(job)
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(runner.poll(job).json()))
    waiting.start()
    cancel_run(site, run, "now", force=True)
    waiting.join(60)
    assert answers[0]["cancel"] == [{"job": job, "reason": "enough", "force": True}]
    answer = {"received": 1, "cancel": "enough", "force": True}
    assert runner.tell(job, 0, [job_started("a")]).json() == answer


@pytest.mark.parametrize("end", [revoke_runner, remove_runner], ids=["revoked", "removed"])
def test_a_runner_that_waits_when_it_is_shut_out(
    site: Site, waiting_runner: StandIn, end: Any
) -> None:
    """It is told at once, and no job is given to it."""
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(waiting_runner.poll().status_code))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    end(site, waiting_runner.id)
    start_run(site, REPOSITORY, define(JOB))
    waiting.join(HOLD_SECONDS - 5)
    assert answers == [401]
    assert [row.state for row in list_queued(site.store, 9)] == ["queued"]


@pytest.mark.parametrize("asks_anew", [False, True], ids=["held-for-long", "asked-anew"])
def test_a_poll_that_nobody_waits_for_any_more(
    site: Site, client: TestClient, monkeypatch: pytest.MonkeyPatch, *, asks_anew: bool
) -> None:
    """What is found for it too late spoils no token of what the runner was given meanwhile."""
    runner = join(site, client, patience=2 * HOLD_SECONDS)
    looked, begun, go_on, is_over = (threading.Event() for _ in range(4))

    def look(store: Store) -> bool:
        looked.set()
        return is_anything_due(store)

    def answer_late(*values: Any) -> PollAnswer:
        begun.set()
        assert go_on.wait(60)
        try:
            return answer_poll(*values)
        finally:
            is_over.set()

    monkeypatch.setattr(lobby, "is_anything_due", look)
    monkeypatch.setattr(lobby, "answer_poll", answer_late)
    if not asks_anew:
        monkeypatch.setattr(lobby.Lobby, "wait", hold_until(begun))
    given: list[dict[str, Any]] = []

    def ask_on() -> None:
        while not given:
            answer = runner.poll(free=1)
            # A server whose database is slow is asked again.
            given.extend(answer.json()["assignments"] if answer.is_success else [])

    polls = [threading.Thread(target=runner.poll if asks_anew else ask_on)]
    polls[0].start()
    assert looked.wait(60)
    start_run(site, REPOSITORY, define(JOB))
    assert begun.wait(60)
    if asks_anew:
        polls.append(threading.Thread(target=ask_on))
        polls[1].start()
    # It is given the job before the other one looks, unless one waits for the other.
    wait_until(lambda: bool(given), 3)
    go_on.set()
    assert wait_until(lambda: bool(given))
    assert is_over.wait(60)

    ((digest,),) = site.store.ask("SELECT token FROM jobs")
    assert digest == digest_credential(given[0]["git"]["token"])
    assert runner.end(given[0]["job"]).status_code == 204
    for poll in polls:
        poll.join(60)


def hold_until(moment: threading.Event) -> Any:
    """Have polls held until something has happened, and no longer."""
    wait = lobby.Lobby.wait

    async def wait_on(self: lobby.Lobby, waiter: lobby.Waiter, _seconds: float) -> PollAnswer:
        waiting = asyncio.ensure_future(wait(self, waiter, 60))
        while not moment.is_set():
            await asyncio.sleep(0.01)
        waiting.cancel()
        return PollAnswer()

    return wait_on


def test_two_polls_of_one_runner(site: Site, runner: StandIn) -> None:
    """It gets no more than it can run, although each of them has not heard of the other."""
    for _ in range(8):
        start_run(site, REPOSITORY, define(JOB))
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(it["job"] for it in runner.take()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == len(list_running(site.store, runner.id)) == 2


def test_an_ephemeral_runner_has_one_job(site: Site, client: TestClient) -> None:
    """It gets no other one, is asked to leave, and its credential ends with it."""
    runner = join(site, client, ephemeral=True, capacity=5)
    for _ in range(2):
        start_run(site, REPOSITORY, define(JOB))
    job = runner.take(free=5)[0]["job"]
    answer = runner.poll(job, free=4).json()
    assert (answer["assignments"], answer["drain"]) == ([], True)
    assert runner.end(job).status_code == 204
    assert runner.poll(free=5).json()["assignments"] == []
    assert runner.post("leave").status_code == 204
    assert runner.poll().status_code == 401
    assert list_runners(site) == []


def test_draining_a_runner(site: Site, runner: StandIn) -> None:
    """It takes nothing more and is told so; when it has left and comes back it takes jobs again."""
    drain_runner(site, "boat")
    start_run(site, REPOSITORY, define(JOB))
    answer = runner.poll().json()
    assert (answer["assignments"], answer["drain"]) == ([], True)
    assert runner.post("leave").status_code == 204
    assert not read_runner(site, "boat").online
    assert len(runner.take()) == 1
    assert read_runner(site, runner.id).running == 1


def test_a_runner_that_drains_by_itself(site: Site, runner: StandIn) -> None:
    """It says so, and is given nothing."""
    start_run(site, REPOSITORY, define(JOB))
    job = runner.take(free=1)[0]["job"]
    start_run(site, REPOSITORY, define(JOB))
    assert runner.end(job).status_code == 204
    answer = runner.poll("1/1/1", draining=True).json()
    assert answer["assignments"] == []


@pytest.mark.parametrize("end", [revoke_runner, remove_runner], ids=["revoked", "removed"])
def test_a_runner_that_is_not_wanted_any_more(site: Site, runner: StandIn, end: Any) -> None:
    """Its credential is refused from then on, and what it had ends as lost."""
    run = start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    end(site, "boat")
    assert list_attempts(site.store, run)[0].result is Result.FAILURE
    messages = [it.message for it in told(site, run) if isinstance(it, events.Annotation)]
    assert len(messages) == 1
    assert "'boat' was" in messages[0]
    for answer in (runner.poll(), runner.end(job), runner.write(job, "log", 0, b"x")):
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    with pytest.raises(MissingError):
        end(site, "nobody")


def test_a_runner_that_leaves_a_job_behind(site: Site, runner: StandIn) -> None:
    """The job is lost; a repeatable one waits for another runner, under another number."""
    text = JOB.replace("runs-on: x,", "runs-on: x, env: {WINDLASS_REPEATABLE: 'true'},")
    run, other = start_run(site, REPOSITORY, define(text)), start_run(site, REPOSITORY, define(JOB))
    jobs = [it["job"] for it in runner.take()]
    assert runner.tell(jobs[0], 0, [job_started("a")]).status_code == 200
    assert runner.post("leave").status_code == 204
    assert list_attempts(site.store, other)[0].result is Result.FAILURE
    assert [(row.run, row.number, row.received) for row in list_queued(site.store, 9)] == [
        (run, 2, 0)
    ]
    # What the first try still says is refused, and does not end the second.
    assert runner.end(jobs[0], 1).status_code == 410
    assert runner.tell(jobs[0], 1, [job_finished("a")]).status_code == 410
    (again,) = runner.take(free=1)
    assert again["job"] == f"{run}/1/2"
    assert runner.end(jobs[0], 1).status_code == 410
    assert runner.end(again["job"]).status_code == 204
    assert list_attempts(site.store, run)[0].result is Result.SUCCESS


# Hostile


def test_a_registration_token_is_good_once(site: Site, client: TestClient) -> None:
    """Neither a replay, nor one that has expired or was made up, makes a runner."""
    token = create_registration(site).token
    register(client, token)
    late = create_registration(site, seconds=1e-9).token
    for bad in (token, late, "wlg_made_up", "", "wlg_\udcff"):
        answer = client.post(
            f"{PREFIX}/register", content=json.dumps(describe_runner(bad, "other"))
        )
        assert answer.status_code == 401, answer.text
    assert [it.row.name for it in list_runners(site)] == ["boat"]


def test_a_name_that_is_taken_does_not_use_the_token_up(
    site: Site, client: TestClient, runner: StandIn
) -> None:
    """The machine tries again with another name."""
    token = create_registration(site).token
    answer = client.post(f"{PREFIX}/register", json=describe_runner(token, "boat"))
    assert answer.status_code == 422
    assert "already" in answer.json()["detail"]
    assert register(client, token, "other").id != runner.id


@pytest.mark.parametrize(
    "said",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 101},
        {"labels": ["x"] * 51},
        {"labels": ["a\x00"]},
        {"labels": "x"},
        {"capacity": 0},
        {"capacity": 10**9},
        {"capacity": "1"},
        {"protocol": 0},
        {"version": "a\x00"},
        {"token": 7},
    ],
    ids=str,
)
def test_what_no_runner_is(site: Site, client: TestClient, said: dict[str, Any]) -> None:
    """It is refused with what is wrong, and the token is still good."""
    token = create_registration(site).token
    answer = client.post(f"{PREFIX}/register", json={**describe_runner(token), **said})
    assert answer.status_code in (400, 422), answer.text
    register(client, token)


def test_messages_of_the_future(site: Site, client: TestClient) -> None:
    """A newer runner speaks this version here; members that are not known are left out."""
    runner = join(site, client, protocol=7, colour="red")
    assert list_runners(site)[0].row.protocol == 1
    run = start_run(site, REPOSITORY, define(JOB))
    asked = {"running": [], "free": 1, "draining": False, "mood": {"good": True}}
    job = runner.post("poll", asked).json()["assignments"][0]["job"]
    line = '{"event": "job-danced", "time": 5.0, "job": "a", "steps": 3}'
    said = {"first": 0, "lines": [line], "signature": "x"}
    assert runner.post(f"jobs/{job}/events", said).json()["received"] == 1
    assert line in read_announcements(site.store, run, 1, 0)
    assert client.post("/runner/v2/poll").status_code == 404


def test_jobs_of_another_runner(site: Site, client: TestClient, runner: StandIn) -> None:
    """Nothing of it can be told, written or ended, and it is not handed over."""
    run = start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    thief = join(site, client, "thief")
    answers = [
        thief.tell(job, 0, [job_started("a")]),
        thief.write(job, "log", 0, b"x"),
        thief.end(job),
        thief.write(f"{run}/1/99", "log", 0, b"x"),
        thief.end("999/1/1"),
    ]
    assert [it.status_code for it in answers] == [410] * 5
    assert thief.poll(job, draining=True).json()["gone"] == [job]
    assert not list(site.data.glob("runs/*/*/jobs/*"))
    assert [row.state for row in list_running(site.store, runner.id)] == ["running"]


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "job-started", "time": 1, "job": "other"}',
        '{"event": "run-finished", "time": 1, "job": "a", "result": "success"}',
        '{"event": "output", "time": 1, "job": "a"}',
        '{"event": "job-started", "time": "now", "job": "a"}',
        '{"event": "job-started", "time": NaN, "job": "a"}',
        f'{{"event": "job-started", "time": {10**400}, "job": "a"}}',
        '{"event": "job-started"}',
        "[1]",
        "{",
        "x" * (5 << 20),
        '{"event": "job-started",\n "time": 1, "job": "a"}',
        '{"event": "job-started", "time": 1, "job": "a", "name": "\x00"}',
        '{"event": "job-started", "time": 1, "job": "a", "name": "\udcff"}',
    ],
    ids=range(13),
)
def test_events_that_are_not_the_jobs_own(site: Site, runner: StandIn, line: str) -> None:
    """None of a message is kept where one of its lines cannot be."""
    run = start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    good = '{"event": "job-started", "time": 1, "job": "a", "name": "a"}'
    answer = runner.post(f"jobs/{job}/events", {"first": 0, "lines": [good, line]})
    assert answer.status_code == 422, answer.text
    assert len(told(site, run)) == 1


@pytest.mark.parametrize(
    "path",
    [
        "jobs/{}/log/..%2Fkey?offset=0",
        "jobs/{}/log/key?offset=0",
        "jobs/{}/log/%2e%2e%2fkey?offset=0",
        "jobs/..%2F..%2Fetc/1/1/log/log?offset=0",
        "jobs/1/1/../../log/log?offset=0",
        "jobs/{}/log/log%00?offset=0",
        "jobs/1/1/99999999999999999999999/log/log?offset=0",
    ],
)
def test_paths_that_lead_elsewhere(site: Site, runner: StandIn, path: str) -> None:
    """Only the three files of a log can be named."""
    start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    answer = runner._ask("PUT", path.format(job), content=b"x")
    assert answer.status_code in (400, 404, 410, 422), answer.text
    assert not [
        it
        for it in site.data.rglob("*")
        if it.is_file() and it.name != "server.db" and not it.name.startswith("server.db-")
    ]


@pytest.mark.parametrize("offset", ["-1", "x", "1e3", "9" * 30, "٣"])
def test_offsets_that_are_none(site: Site, runner: StandIn, offset: str) -> None:
    start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    answer = runner._ask("PUT", f"jobs/{job}/log/log?offset={offset}", content=b"x")
    assert answer.status_code == 422


def test_what_is_too_large(site: Site, runner: StandIn) -> None:
    """Messages, logs and outputs have a limit each."""
    start_run(site, REPOSITORY, define(JOB))
    job = runner.take()[0]["job"]
    assert runner.end(job, outputs={"a": "x" * (2 << 20)}).status_code == 422
    assert runner.end(job, outputs={"a": "x" * (9 << 20)}).status_code in (413, 422)
    assert runner.write(job, "log", 6 << 30, b"x").status_code == 422
    assert runner.write(job, "log", 0, b"x" * (33 << 20)).status_code == 413


def test_what_is_no_message(runner: StandIn, client: TestClient) -> None:
    """Each is refused with a problem that says what is wrong."""
    head = {"Authorization": f"Bearer {runner.credential}"}
    for body in (b"", b"{", b"[]", b"\xff", b'{"running": 7}', b"[" * 100_000, b'{"free": -1}'):
        answer = client.post(f"{PREFIX}/poll", content=body, headers=head)
        assert answer.status_code in (400, 422), (body[:20], answer.text)
        assert answer.json()["detail"]


def test_who_shows_nothing_good(site: Site, client: TestClient, runner: StandIn) -> None:
    """A credential of another kind, part of one, or none at all."""
    start_run(site, REPOSITORY, define(JOB))
    token = runner.take()[0]["git"]["token"]
    for bad in ("", token, runner.credential[:-1], "wlr_", "wlt_x", runner.id):
        assert StandIn(client, bad).poll().status_code == 401


def test_repositories_that_are_not_the_runners(site: Site, runner: StandIn) -> None:
    """Only a repository whose settings say so may have its jobs on the host."""
    add_repository(site.store, "8")
    with site.store.writing() as connection:
        connection.execute(
            "UPDATE repositories SET settings = ? WHERE id = '8'", ('{"host": true}',)
        )
    for repository in (REPOSITORY, "8"):
        start_run(site, repository, define(JOB))
    assert [it["allow_host"] for it in runner.take()] == [False, True]
