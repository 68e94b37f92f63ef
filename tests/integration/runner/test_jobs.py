"""A runner takes jobs, runs them, and the server has everything of them in the end."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.runner.conftest import assign, git

from windlass.runner import mirrors
from windlass.stores.logs import JobLogReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.runner_server import Held, RunnerServer

JOB = "1700000000000000/1/1"
SECOND = "1700000000000000/1/2"
CHECKOUT = """
    on: push
    jobs:
      build:
        runs-on: ubuntu-latest
        outputs: {colour: "${{ steps.look.outputs.colour }}"}
        steps:
          - uses: actions/checkout@v4
          - id: look
            run: |
              cat sail.txt
              git log --oneline --decorate
              echo "colour=$(cat sail.txt)" >> "$GITHUB_OUTPUT"
              echo "on $RUNNER_NAME"
          - run: echo "::warning file=sail.txt::torn, ${{ secrets.WORD }}"
"""
SCRIPT = """
    on: push
    jobs: {{build: {{runs-on: ubuntu-latest, steps: [{{run: {run}}}]}}}}
"""


def lines_of(held: Held, folder: Path) -> list[str]:
    with JobLogReader(held.write_to(folder)) as reader:
        return [line.text for line in reader.lines(0, 100_000)]


def names(held: Held) -> list[str]:
    return [it["event"] for it in held.told]


def test_a_job_from_its_assignment_to_its_end(
    played: RunnerServer, start: Callable[..., Any], repository: Path, tmp_path: Path
) -> None:
    """The repository is fetched, steps run, and events, log, outputs and result arrive."""
    played.assign(assign(CHECKOUT, root=repository, secrets={"WORD": "open sesame"}))
    with start():
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert (held.end.result, held.end.outputs) == ("success", {"colour": "white"})
    assert held.end.started
    assert names(held)[0] == "job-started"
    assert names(held)[-1] == "job-finished"
    assert names(held).count("step-finished") == 3
    lines = lines_of(held, tmp_path / "there")
    assert "white" in lines
    assert "on north" in lines
    assert any("Set sail" in line for line in lines)
    (warning,) = (it for it in held.told if it["event"] == "annotation")
    assert warning["message"] == "torn, ***"
    assert "open sesame" not in "\n".join((*held.events, *lines))
    assert not (tmp_path / "state" / "runs" / "1700000000000000").exists()
    assert list((tmp_path / "state").glob("repositories/7/work/*/*")) == []


def test_a_later_commit_is_fetched(
    played: RunnerServer, start: Callable[..., Any], repository: Path, tmp_path: Path
) -> None:
    """The mirror is brought up to date, also for a commit that no branch leads to any more."""
    with start():
        played.assign(assign(CHECKOUT, root=repository))
        played.wait_for_end(JOB)
        (repository / "sail.txt").write_text("red\n", encoding="utf-8")
        git(repository, "commit", "-q", "-a", "-m", "Another sail")
        later = assign(CHECKOUT, 2, root=repository)
        git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(repository, "reset", "-q", "--hard", "HEAD~1")
        played.assign(later)
        held = played.wait_for_end(SECOND)

    assert held.end is not None
    assert held.end.outputs == {"colour": "red"}
    assert lines_of(held, tmp_path / "there")


TAGS = """
    on: push
    jobs:
      list:
        runs-on: x
        outputs: {tags: "${{ steps.it.outputs.tags }}"}
        steps:
          - uses: actions/checkout@v4
          - {id: it, run: 'echo "tags=$(git tag | xargs)" >> "$GITHUB_OUTPUT"'}
"""


@pytest.mark.parametrize(
    ("seconds", "tags"),
    [
        pytest.param(1, "v1", id="begun-together"),
        pytest.param(1001, "v1 v2", id="later"),
        pytest.param(-60, "v1 v2", id="clock-set-back"),
    ],
)
def test_a_mirror_is_fresh_for_a_moment(
    seconds: int,
    tags: str,
    played: RunnerServer,
    start: Callable[..., Any],
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Jobs that begin together fetch once; later ones, or after a clock has jumped, fetch again."""
    # The processes of jobs are forks of this one. On a slow machine they take their time.
    monkeypatch.setattr(mirrors, "FRESH_SECONDS", 1000.0)
    with start():
        played.assign(assign(TAGS, root=repository))
        assert played.wait_for_end(JOB).end is not None
        git(repository, "tag", "v2")
        (mark,) = (tmp_path / "state").glob("repositories/7/repository/.git/windlass-fetched")
        then = time.time() - seconds
        os.utime(mark, (then, then))
        played.assign(assign(TAGS, 2, root=repository))
        end = played.wait_for_end(SECOND).end

    assert end is not None
    assert end.outputs == {"tags": tags}


def test_a_commit_that_is_nowhere(
    played: RunnerServer, start: Callable[..., Any], repository: Path
) -> None:
    """The checkout fails and says that the server does not have it."""
    played.assign(assign(CHECKOUT, root=repository, sha="e" * 40))
    with start():
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "failure"
    messages = [it["message"] for it in held.told if it["event"] == "annotation"]
    assert any(f"the commit {'e' * 40} cannot be fetched" in it for it in messages)


def test_a_job_without_a_checkout_fetches_nothing(
    played: RunnerServer, start: Callable[..., Any], tmp_path: Path
) -> None:
    """Where its repository is does not matter to it."""
    played.assign(assign(SCRIPT.format(run="'true'"), root=None))
    with start():
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "success"


def test_as_many_jobs_as_there_is_room(
    played: RunnerServer, start: Callable[..., Any], tmp_path: Path
) -> None:
    """Two at a time; the others wait at the server, and come as soon as there is room."""
    ready = tmp_path / "ready"
    ready.mkdir()
    wait = f"touch {ready}/$$; until test $(ls {ready} | wc -l) -ge 2; do sleep 0.01; done"
    for number in range(1, 5):
        played.assign(assign(SCRIPT.format(run=f'"{wait}"'), number))
    with start(capacity=2):
        for number in range(1, 5):
            played.wait_for_end(f"1700000000000000/1/{number}")

    assert max(len(it.running) for it in played.polls) == 2
    assert max(it.free for it in played.polls) == 2


def test_a_job_is_cancelled(
    played: RunnerServer, start: Callable[..., Any], tmp_path: Path
) -> None:
    """Its steps are asked to end, and it ends as cancelled."""
    mark = tmp_path / "begun"
    played.assign(assign(SCRIPT.format(run=f'"touch {mark}; exec sleep 100"')))
    with start():
        played.wait_for(lambda: "step-started" in names(played.jobs[JOB]) if played.jobs else False)
        played.cancel(JOB, "somebody asked")
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "cancelled"


def test_a_job_is_ended_at_once(
    played: RunnerServer, start: Callable[..., Any], tmp_path: Path
) -> None:
    """With force, a step that does not want to end is killed, and no other one runs."""
    mark = tmp_path / "ran"
    steps = f"""
    on: push
    jobs:
      build:
        runs-on: ubuntu-latest
        steps:
          - run: trap '' INT TERM; while true; do sleep 0.05; done
          - if: always()
            run: touch {mark}
    """
    played.assign(assign(steps))
    with start():
        played.wait_for(lambda: "step-started" in names(played.jobs[JOB]) if played.jobs else False)
        played.cancel(JOB, "somebody insists", force=True)
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "cancelled"
    assert not mark.exists()


def test_a_job_that_is_no_longer_ours(
    played: RunnerServer, start: Callable[..., Any], tmp_path: Path, told: list[str]
) -> None:
    """It is ended at once, and nothing more is said of it."""
    played.assign(assign(SCRIPT.format(run='"exec sleep 100"')))
    with start():
        played.wait_for(lambda: "step-started" in names(played.jobs[JOB]) if played.jobs else False)
        played.take_away(JOB)
        played.wait_for(lambda: played.polls[-1].running == ())

    assert played.jobs[JOB].end is None
    assert list((tmp_path / "state" / "runs").iterdir()) == []
    assert any("is ended" in line for line in told)


def test_an_assignment_that_cannot_be_understood(
    played: RunnerServer, start: Callable[..., Any]
) -> None:
    """The job fails and says why; the runner goes on."""
    values = assign(SCRIPT.format(run="'true'"))
    values["order"]["workflow"]["text"] = "on: ["
    played.assign(values)
    with start():
        held = played.wait_for_end(JOB)
        played.assign(assign(SCRIPT.format(run="'true'"), 2))
        played.wait_for_end(SECOND)

    assert held.end is not None
    assert (held.end.result, held.end.started) == ("failure", False)
    assert "cannot be read here" in held.told[0]["message"]
    assert held.told[1]["job"] == "build"


def test_the_host_has_to_be_allowed_by_both(
    played: RunnerServer, start: Callable[..., Any]
) -> None:
    """A job that is to run there fails where the runner does not let it."""
    played.assign(assign(SCRIPT.format(run="'true'"), places={"*": "host"}))
    with start(allow_host=False):
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert (held.end.result, held.end.started) == ("failure", False)
    assert "--allow-host" in held.told[0]["message"]


@pytest.mark.parametrize("refused", ["events", "log", "end"])
def test_a_server_that_does_not_take_everything(
    refused: str,
    played: RunnerServer,
    start: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The job is ended as failed, and not let go before: it would be given out and run again."""
    count = tmp_path / "count"
    answer = played.answer

    def refuse(method: str, url: str, body: bytes) -> tuple[int, str]:
        kind = url.partition("?")[0].split("/")[7:8]
        is_good = b"was refused" in body or (kind == ["end"] and b'"failure"' in body)
        is_bad = refused != "events" or b"step-" in body
        if kind == [refused] and is_bad and not is_good:
            return 422, '{"detail": "too long for me"}'
        return answer(method, url, body)

    monkeypatch.setattr(played, "answer", refuse)
    played.assign(assign(SCRIPT.format(run=f'"echo once | tee -a {count}"')))
    with start():
        held = played.wait_for_end(JOB)
        before = len(played.polls)
        played.wait_for(lambda: len(played.polls) > before)

    assert held.end is not None
    assert (held.end.result, held.end.outputs) == ("failure", {})
    # It may have been ended before its step began, or wrote.
    assert not count.exists() or count.read_text(encoding="utf-8") in ("", "once\n")
    messages = [it["message"] for it in held.told if it["event"] == "annotation"]
    assert any("What this job says was refused" in it for it in messages)
    assert names(held)[-1] == "job-finished"


@pytest.mark.parametrize(
    "answer",
    [(200, "<html>log in here</html>"), (200, '{"cancel": 5}'), (404, "{}"), (500, "")],
    ids=["page", "nonsense", "nowhere", "broken"],
)
def test_answers_that_make_no_sense(
    answer: tuple[int, str],
    played: RunnerServer,
    start: Callable[..., Any],
    tmp_path: Path,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Something between the two may answer for a while: no job is ended for it."""
    go = tmp_path / "go"
    understood = played.answer
    strange: list[str] = []

    def reply(method: str, url: str, body: bytes) -> tuple[int, str]:
        if url.endswith("/poll") and played.jobs and len(strange) < 3:
            strange.append(url)
            return answer
        return understood(method, url, body)

    monkeypatch.setattr(played, "answer", reply)
    played.assign(assign(SCRIPT.format(run=f'"until test -e {go}; do sleep 0.01; done"')))
    with start():
        played.wait_for(lambda: len(played.polls) > 1)
        go.touch()
        held = played.wait_for_end(JOB)

    assert len(strange) == 3
    assert held.end is not None
    assert held.end.result == "success"
    assert "the server is there again" in told


def test_a_summary_that_is_too_long(
    played: RunnerServer, start: Callable[..., Any], tmp_path: Path
) -> None:
    """It is left out and the step says so; the job goes on."""
    run = "head -c 1000000 /dev/zero | tr '\\\\0' '\\\\1' > $GITHUB_STEP_SUMMARY"
    played.assign(assign(SCRIPT.format(run=f'"{run}"')))
    with start():
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "success"
    assert "summary" not in names(held)
    messages = [it["message"] for it in held.told if it["event"] == "annotation"]
    assert any(it.startswith("The summary of this step is left out") for it in messages)


def test_an_ephemeral_runner(played: RunnerServer, start: Callable[..., Any]) -> None:
    """It runs one job, and leaves."""
    for number in (1, 2):
        played.assign(assign(SCRIPT.format(run="'true'"), number))
    with start(ephemeral=True):
        played.wait_for_end(JOB)
        played.wait_for(lambda: played.has_left)

    assert SECOND not in played.jobs


def test_draining(played: RunnerServer, start: Callable[..., Any], tmp_path: Path) -> None:
    """The jobs that there are go on, others are not taken, and then the runner leaves."""
    mark = tmp_path / "go"
    played.assign(assign(SCRIPT.format(run=f'"until test -e {mark}; do sleep 0.01; done"')))
    with start(capacity=2) as runner:
        played.wait_for(lambda: JOB in played.jobs)
        runner.drain()
        played.wait_for(lambda: played.polls[-1].draining)
        played.assign(assign(SCRIPT.format(run="'true'"), 2))
        mark.touch()
        played.wait_for(lambda: played.has_left)

    end = played.jobs[JOB].end
    assert end is not None
    assert end.result == "success"
    assert SECOND not in played.jobs


def test_stopping(played: RunnerServer, start: Callable[..., Any]) -> None:
    """The jobs are ended, and the server is told so."""
    played.assign(assign(SCRIPT.format(run='"exec sleep 100"')))
    with start() as runner:
        played.wait_for(lambda: "step-started" in names(played.jobs[JOB]) if played.jobs else False)
        runner.stop()
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "cancelled"
