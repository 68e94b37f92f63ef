"""The commands about earlier runs, as a user drives them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.repositories import (
    SECONDS,
    assert_is_for_people,
    processes_below,
    read_until,
    wait_until_gone,
)

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.e2e.repositories import Repository

CHAIN = """\
name: Chain
on: [push, workflow_dispatch]
jobs:
  first:
    runs-on: ubuntu-latest
    outputs:
      word: ${{ steps.say.outputs.word }}
    steps:
      - id: say
        run: |
          echo "word=attempt-$GITHUB_RUN_ATTEMPT" >> "$GITHUB_OUTPUT"
          echo "::notice::first of attempt $GITHUB_RUN_ATTEMPT"
  second:
    needs: first
    runs-on: ubuntu-latest
    steps:
      - name: Be told
        run: echo "heard ${{ needs.first.outputs.word }}"
      - name: Succeed later
        run: test -f "$SIGN"
  third:
    needs: second
    runs-on: ubuntu-latest
    steps:
      - run: echo "number $GITHUB_RUN_NUMBER, run $GITHUB_RUN_ID"
  aside:
    runs-on: ubuntu-latest
    steps:
      - run: echo "aside in attempt $GITHUB_RUN_ATTEMPT"
"""
WAITING = """\
name: Waiting
on: push
jobs:
  done:
    runs-on: ubuntu-latest
    outputs:
      word: ${{ steps.say.outputs.word }}
    steps:
      - id: say
        run: echo "word=kept" >> "$GITHUB_OUTPUT"; echo "done in $$" >> "$RECORD"
  open:
    needs: done
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "open in $$" >> "$RECORD"
          test -f "$SIGN" || { echo ready; sleep 600; }
          echo "got ${{ needs.done.outputs.word }}"
      - if: always()
        run: echo tidied
"""
SECRETIVE = """\
name: Secretive
on:
  workflow_dispatch:
    inputs:
      word:
        type: string
jobs:
  leg:
    name: Leg ${{ matrix.value }}
    strategy:
      matrix:
        value: ["${{ inputs.word }}", other]
    runs-on: ubuntu-latest
    env:
      PASSWORD: ${{ secrets.PASSWORD }}
    outputs:
      loud: ${{ steps.tell.outputs.loud }}
    steps:
      - id: tell
        name: Tell ${{ secrets.PASSWORD }}
        run: |
          echo "loud=$PASSWORD" >> "$GITHUB_OUTPUT"
          echo "$PASSWORD"; echo -n "$PASSWORD" | base64; echo "::error::$PASSWORD"
          echo "# $PASSWORD" >> "$GITHUB_STEP_SUMMARY"
          echo "MORE=$PASSWORD" >> "$GITHUB_ENV"
      - run: echo "$MORE"; exit 1
"""


def runs(repository: Repository) -> list[dict[str, Any]]:
    """What `windlass runs --json` says."""
    done = repository.windlass("runs", "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def show(repository: Repository, *words: str) -> dict[str, Any]:
    done = repository.windlass("show", "--json", *words)
    assert done.returncode == 0, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def states(repository: Repository, *words: str) -> dict[str, str]:
    return {job["job"]: job["state"] for job in show(repository, *words)["jobs"]}


@pytest.fixture
def chain(repository: Repository, tmp_path: Path) -> Repository:
    """A repository whose run has failed in its second job."""
    repository.workflow(CHAIN)
    repository.commit()
    done = repository.windlass("run", "--env", f"SIGN={tmp_path / 'sign'}")
    assert done.returncode == 1, done.stdout + done.stderr
    return repository


def test_before_the_first_run(repository: Repository) -> None:
    """An empty list is no error; to show a run that is not there is, and nothing is made."""
    before = sorted((repository.path / ".windlass").iterdir())

    listed = repository.windlass("runs")
    assert (listed.returncode, listed.stdout) == (0, "")
    assert listed.stderr == "there are no runs yet; `windlass run` starts one\n"
    assert "nothing to remove" in repository.windlass("prune").stdout
    for command in ("show", "logs", "rerun", "resume", "cancel"):
        done = repository.windlass(command)
        assert done.returncode == 2, command
        assert "there are no runs" in done.stderr
        assert_is_for_people(done)
    assert sorted((repository.path / ".windlass").iterdir()) == before


@pytest.mark.requirement("A24")
def test_a_run_is_listed_and_shown(chain: Repository) -> None:
    """What ran can be read afterwards: jobs, steps, annotations, outputs, reasons."""
    (listed,) = runs(chain)
    shown = show(chain)

    assert (listed["workflow"], listed["event"], listed["number"]) == ("Chain", "push", 1)
    assert (listed["state"], listed["result"]) == ("failure", "failure")
    assert shown["run"] == listed["run"]
    jobs = {job["job"]: job for job in shown["jobs"]}
    assert jobs["first"]["outputs"] == {"word": "attempt-1"}
    assert jobs["first"]["annotations"][0]["message"] == "first of attempt 1"
    assert [(it["name"], it["state"], it["exit_code"]) for it in jobs["second"]["steps"]] == [
        ("Be told", "success", 0),
        ("Succeed later", "failure", 1),
    ]
    assert jobs["third"]["state"] == "skipped"
    assert "second" in jobs["third"]["reason"]
    text = chain.windlass("show")
    assert "✗ Succeed later  exit code 1" in text.stdout
    assert "failure" in chain.windlass("runs").stdout


@pytest.mark.parametrize("part", ["all", "beginning", "end"])
def test_a_run_is_named_by_a_part_of_its_id(chain: Repository, part: str) -> None:
    """An id may be shortened at either end, as long as it means one run."""
    (listed,) = runs(chain)
    run = listed["run"]
    name = {"all": run, "beginning": run[:6], "end": run[-5:]}[part]

    assert show(chain, name)["run"] == run


def test_a_run_that_is_not_there(chain: Repository) -> None:
    """The error names what was asked for; several possible runs are an error too."""
    assert chain.windlass("show", "77").returncode == 2
    chain.windlass("run", "-j", "aside")
    done = chain.windlass("show", "1")

    assert done.returncode == 2
    assert "may be any of 2 runs" in done.stderr


@pytest.mark.requirement("A20")
def test_logs_of_jobs_and_steps(chain: Repository) -> None:
    """Lines of one job or step come alone; the last ones, or those of failed steps only."""
    assert "second │ heard attempt-1" in chain.windlass("logs").stdout
    alone = chain.windlass("logs", "--job", "second", "--step", "be told").stdout.splitlines()
    assert alone[-1] == "heard attempt-1"
    assert chain.windlass("logs", "-j", "aside", "--tail", "1").stdout == "aside in attempt 1\n"
    assert "heard" not in chain.windlass("logs", "--failed").stdout
    assert "exit code 1" in chain.windlass("logs", "--failed").stdout
    line = json.loads(chain.windlass("logs", "-j", "aside", "--tail", "1", "--json").stdout)
    assert (line["job"], line["text"]) == ("aside", "aside in attempt 1")
    unknown = chain.windlass("logs", "--job", "nobody")
    assert unknown.returncode == 2
    assert "second" in unknown.stderr
    assert "\x1b" not in chain.windlass("logs").stdout
    assert "no attempt 0" in chain.windlass("logs", "--attempt", "0").stderr


def test_what_is_proposed_can_be_typed(chain: Repository) -> None:
    """The commands at the end of a failed run work from the folder in which it was started."""
    done = chain.windlass("run", "-C", str(chain.path), folder=chain.home)
    proposed = [line.split("#")[0].split() for line in done.stdout.splitlines()[-2:]]

    assert [words[:2] for words in proposed] == [["windlass", "logs"], ["windlass", "rerun"]]
    logs, rerun = (chain.windlass(*words[1:], folder=chain.home) for words in proposed)
    assert logs.returncode == 0, logs.stderr
    assert "heard attempt-1" in logs.stdout
    assert rerun.returncode == 1, rerun.stderr
    assert done.stdout.splitlines()[-1] == rerun.stdout.splitlines()[-1]


def test_failed_jobs_run_again_with_what_needs_them(chain: Repository, tmp_path: Path) -> None:
    """Jobs that succeeded count as they did, with their outputs; the attempt grows, the id stays.

    Source: https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs
    """
    (tmp_path / "sign").touch()

    done = chain.windlass("rerun", "--failed")

    assert done.returncode == 0, done.stdout + done.stderr
    (listed,) = runs(chain)
    assert (listed["attempt"], listed["number"], listed["result"]) == (2, 1, "success")
    assert "heard attempt-1" in done.stdout
    assert f"number 1, run {listed['run']}" in done.stdout
    assert "aside in attempt" not in done.stdout
    assert set(states(chain).values()) == {"success"}
    assert states(chain, "--attempt", "1")["second"] == "failure"
    # The log of a job that was kept is that of the attempt that ran it.
    assert "aside in attempt 1" in chain.windlass("logs").stdout
    again = chain.windlass("rerun", "--failed")
    assert again.returncode == 2
    assert "nothing failed" in again.stderr


def test_one_job_runs_again_with_what_needs_it(chain: Repository, tmp_path: Path) -> None:
    """`--job` runs a job and its dependents, and no other one."""
    (tmp_path / "sign").touch()

    done = chain.windlass("rerun", "--job", "first")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "heard attempt-2" in done.stdout
    assert "aside in attempt" not in done.stdout
    assert "aside │ ✓ succeeded in an earlier attempt\n" in done.stdout
    assert "\n✓ aside  in an earlier attempt\n" in chain.windlass("show").stdout
    unknown = chain.windlass("rerun", "--job", "nobody")
    assert unknown.returncode == 2
    assert "first" in unknown.stderr


def test_all_runs_again_from_the_same_files(chain: Repository, tmp_path: Path) -> None:
    """A rerun takes the workflow as it was, whatever has become of the file."""
    (tmp_path / "sign").touch()
    chain.workflow("on: push\njobs: {}\n")

    done = chain.windlass("rerun")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "heard attempt-2" in done.stdout
    assert "aside in attempt 2" in done.stdout


def test_jobs_run_again_on_the_same_tree(repository: Repository) -> None:
    """Uncommitted changes are those of the first attempt, though they have changed since."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: cat note.txt\n"
    )
    repository.commit()
    repository.write("note.txt", "as it was\n")
    assert "as it was" in repository.windlass("run").stdout
    repository.write("note.txt", "changed\n")

    done = repository.windlass("rerun")

    assert "as it was" in done.stdout, done.stdout + done.stderr
    assert "changed" not in done.stdout


def test_what_is_not_kept_has_to_be_given_again(repository: Repository) -> None:
    """Secrets are known by name only: which are missing is said before anything starts."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: test '${{ secrets.A }}${{ secrets.B }}${{ vars.C }}' = onetwothree\n"
    )
    repository.commit()
    variables = {"A": "one", "B": "two"}
    words = ("--secret", "A", "--secret", "B")
    first = repository.windlass("run", *words, "--var", "C=three", variables=variables)
    assert first.returncode == 0, first.stdout + first.stderr

    missing = repository.windlass("rerun", "--secret", "A", variables=variables)

    assert missing.returncode == 2
    assert "secrets.B" in missing.stderr
    assert "secrets.A" not in missing.stderr
    assert runs(repository)[0]["attempt"] == 1
    assert repository.windlass("rerun", *words, variables=variables).returncode == 0
    repository.write(".windlass/local/secrets.env", "B=two\n")
    assert repository.windlass("rerun", "--secret", "A", variables=variables).returncode == 0


def start_waiting(repository: Repository, tmp_path: Path) -> subprocess.Popen[bytes]:
    """Start a run and return when its second job waits."""
    repository.workflow(WAITING)
    repository.commit()
    record, sign = tmp_path / "record", tmp_path / "sign"
    process = repository.start("run", "--env", f"RECORD={record}", "--env", f"SIGN={sign}")
    read_until(process, b"ready\n")
    return process


@pytest.mark.requirement("A24")
def test_an_interrupted_run_goes_on(repository: Repository, tmp_path: Path) -> None:
    """`kill -9` is shown truthfully; `resume` keeps what had ended and starts the rest again."""
    process = start_waiting(repository, tmp_path)
    assert runs(repository)[0]["state"] == "running"
    assert repository.windlass("resume").returncode == 2
    assert repository.windlass("rerun").returncode == 2
    process.kill()
    process.communicate(timeout=SECONDS)
    wait_until_gone(processes_below(repository.path))

    assert runs(repository)[0]["state"] == "interrupted"
    assert states(repository) == {"done": "success", "open": "interrupted"}
    assert "windlass resume" in repository.windlass("show").stdout
    (tmp_path / "sign").touch()
    done = repository.windlass("resume")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "got kept" in done.stdout
    assert states(repository) == {"done": "success", "open": "success"}
    assert runs(repository)[0]["attempt"] == 1
    record = (tmp_path / "record").read_text()
    assert record.count("done in") == 1
    assert record.count("open in") == 2
    again = repository.windlass("resume")
    assert again.returncode == 2
    assert "has ended" in again.stderr
    assert "rerun" in again.stderr


def test_folders_of_a_killed_run(repository: Repository, tmp_path: Path) -> None:
    """They go with the next run; the killed one can be resumed all the same."""
    process = start_waiting(repository, tmp_path)
    process.kill()
    process.communicate(timeout=SECONDS)
    wait_until_gone(processes_below(repository.path))
    work = repository.path / ".windlass" / "work"
    killed = runs(repository)[0]["run"]
    assert [it.name for it in work.iterdir()] == [killed]

    (tmp_path / "sign").touch()
    words = ("--env", f"RECORD={tmp_path / 'record'}", "--env", f"SIGN={tmp_path / 'sign'}")
    assert repository.windlass("run", *words).returncode == 0

    assert list(work.iterdir()) == []
    assert repository.windlass("resume", killed).returncode == 0


@pytest.mark.parametrize("force", [False, True], ids=["politely", "at once"])
def test_a_run_is_cancelled_from_elsewhere(
    repository: Repository, tmp_path: Path, *, force: bool
) -> None:
    """`cancel` does what Ctrl-C does where the run goes on; `--force` kills."""
    process = start_waiting(repository, tmp_path)

    asked = repository.windlass("cancel", *(["--force"] if force else []))

    assert asked.returncode == 0, asked.stderr
    output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, output + errors
    assert (b"tidied\n" in output) is not force
    assert runs(repository)[0]["result"] == "cancelled"
    late = repository.windlass("cancel")
    assert late.returncode == 2
    assert "does not go on: it has ended (cancelled)" in late.stderr


def test_logs_are_followed(repository: Repository, tmp_path: Path) -> None:
    """`logs -f` prints what is there and what comes, and ends with the run."""
    process = start_waiting(repository, tmp_path)
    follower = repository.start("logs", "--follow", "--job", "open")
    read_until(follower, b"ready\n")

    process.send_signal(signal.SIGINT)

    process.communicate(timeout=SECONDS)
    output, errors = follower.communicate(timeout=SECONDS)
    assert follower.returncode == 0, errors
    assert b"tidied\n" in output


def test_runs_of_a_group_wait_for_each_other(repository: Repository, tmp_path: Path) -> None:
    """One runs, the newest waits, who waited before is cancelled, in three processes at once."""
    record = tmp_path / "record"
    repository.workflow(
        "name: Grouped\non: push\nconcurrency: Deploy\njobs:\n  a:\n    runs-on: ubuntu-latest\n"
        "    steps:\n      - run: |\n"
        '          echo "start $GITHUB_RUN_NUMBER" >> "$RECORD"; echo ready\n'
        '          until test -e "$SIGN"; do sleep 0.05; done\n'
        '          echo "end $GITHUB_RUN_NUMBER" >> "$RECORD"\n'
    )
    repository.commit()
    words = ("run", "--json", "--env", f"RECORD={record}", "--env", f"SIGN={tmp_path / 'sign'}")
    first = repository.start(*words)
    read_until(first, b'"ready\\n')
    second = repository.start(*words)
    read_until(second, b'"waiting"')
    third = repository.start(*words)
    holder = min(run["run"] for run in runs(repository))
    read_until(third, f'"holder_run": "{holder}", "holder_job": ""'.encode())
    displaced, _ = second.communicate(timeout=SECONDS)
    (tmp_path / "sign").touch()

    assert second.returncode == 1
    assert b"Canceling since a higher priority waiting request for 'Deploy' exists" in displaced
    for process in (first, third):
        process.communicate(timeout=SECONDS)
        assert process.returncode == 0
    assert record.read_text() == "start 1\nend 1\nstart 3\nend 3\n"
    assert [run["result"] for run in runs(repository)] == ["success", "cancelled", "success"]


@pytest.mark.requirement("A18")
def test_a_newer_run_ends_the_one_in_progress(repository: Repository, tmp_path: Path) -> None:
    """`cancel-in-progress` reaches the process of the older run, which then makes room."""
    repository.workflow(
        "on: push\nconcurrency: {group: g, cancel-in-progress: true}\njobs:\n  a:\n"
        "    runs-on: ubuntu-latest\n    steps:\n"
        '      - run: test -e "$SIGN" || { echo ready; sleep 600; }\n'
    )
    repository.commit()
    words = ("run", "--env", f"SIGN={tmp_path / 'sign'}")
    first = repository.start(*words)
    read_until(first, b"ready\n")
    (tmp_path / "sign").touch()

    second = repository.windlass(*words)

    first.communicate(timeout=SECONDS)
    assert second.returncode == 0, second.stdout + second.stderr
    assert [run["result"] for run in runs(repository)] == ["success", "cancelled"]


def test_a_group_is_left_by_whoever_is_killed(repository: Repository, tmp_path: Path) -> None:
    """Nobody waits for a run whose process is gone."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    concurrency: g\n    runs-on: ubuntu-latest\n    steps:\n"
        '      - run: test -e "$SIGN" || { echo ready; sleep 600; }\n'
    )
    repository.commit()
    words = ("run", "--env", f"SIGN={tmp_path / 'sign'}")
    first = repository.start(*words)
    read_until(first, b"ready\n")
    (tmp_path / "sign").touch()
    first.kill()
    first.communicate(timeout=SECONDS)

    assert repository.windlass(*words).returncode == 0


def test_secrets_are_nowhere_on_the_disk(repository: Repository) -> None:
    """A secret that is an input, a name, a matrix, an output and a summary is never written."""
    password = 'p4ss\u00e9 w"rd/123'
    forms = [password.encode(), json.dumps(password).encode(), b'w\\"rd/123', b"w%22rd%2F123"]
    repository.workflow(SECRETIVE)
    repository.commit()
    words = ("--secret", "PASSWORD", "--input", f"word={password}", "--keep")
    variables = {"PASSWORD": password}

    done = repository.windlass("run", "workflow_dispatch", *words, variables=variables)

    assert done.returncode == 1, done.stdout + done.stderr
    state = repository.path / ".windlass"
    history = [it for it in state.rglob("*") if it.is_file() and "work" not in it.parts]
    assert len(history) > 5
    for file in history:
        content = file.read_bytes()
        assert not any(form in content for form in forms), file
    assert "***" in repository.windlass("logs").stdout
    again = repository.windlass("rerun", "--failed", *words[:2], variables=variables)
    assert again.returncode == 1, again.stderr
    assert "Leg ***" in again.stdout


def test_kept_files(repository: Repository, tmp_path: Path) -> None:
    """What a job left in its workspace is listed, printed and copied; only with `--keep`."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: mkdir out && printf 'one\\0two' > out/made && ln -s made out/link\n"
    )
    repository.commit()
    repository.windlass("run")
    refused = repository.windlass("files", "latest", "a")
    assert refused.returncode == 2
    assert "--keep" in refused.stderr
    repository.windlass("run", "--keep")

    assert repository.windlass("files", "latest", "a").stdout == "out/link\nout/made\n"
    assert repository.windlass("files", "latest", "a", "out/made").stdout == "one\0two"
    copied = repository.windlass("files", "latest", "a", "out", "-o", str(tmp_path / "copy"))
    assert copied.returncode == 0, copied.stderr
    assert (tmp_path / "copy" / "link").readlink().name == "made"
    for wrong in (("b",), ("a", "nothing"), ("a", "../.."), ("a", "out", "-o", str(tmp_path))):
        done = repository.windlass("files", "latest", *wrong)
        if wrong[-1] != str(tmp_path):
            assert done.returncode == 2, wrong
            assert_is_for_people(done)


def test_pruning(repository: Repository) -> None:
    """Old runs go with their folders, the latest stays; a dry run changes nothing."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo hi\n"
    )
    repository.commit()
    for _ in range(3):
        repository.windlass("run", "--keep")
    all_runs = [run["run"] for run in runs(repository)]

    dry = repository.windlass("prune", "--runs", "1", "--dry-run", "--json")
    assert [json.loads(line)["name"] for line in dry.stdout.splitlines()] == all_runs[1:]
    assert len(runs(repository)) == 3
    done = repository.windlass("prune", "--runs", "1")

    assert done.returncode == 0, done.stderr
    assert [run["run"] for run in runs(repository)] == all_runs[:1]
    for folder in ("runs", "work"):
        names = [it.name for it in (repository.path / ".windlass" / folder).iterdir()]
        assert names == all_runs[:1]
    repository.windlass("prune", "--runs", "0", "--days", "0", "--size", "0")
    assert len(runs(repository)) == 1
    assert repository.windlass("prune", "--size", "lots").returncode == 2


def test_pruning_what_repositories_share(repository: Repository) -> None:
    """What was fetched of others goes when that is asked for; it needs no history."""
    kept = repository.home / ".cache/windlass/repositories/acme/tools.git"
    kept.mkdir(parents=True)
    (kept / "HEAD").write_text("ref: refs/heads/main\n")

    assert "nothing to remove" in repository.windlass("prune").stdout
    dry = repository.windlass("prune", "--actions", "--dry-run", "--json")
    (told,) = map(json.loads, dry.stdout.splitlines())
    assert (told["kind"], told["name"], told["reason"]) == ("actions", "acme/tools", "asked for")
    assert kept.exists()
    assert "freed" in repository.windlass("prune", "--actions").stdout
    assert list(kept.parent.iterdir()) == []


def test_pruning_images_without_a_daemon(repository: Repository) -> None:
    """Nothing can be said of the images then: the command fails and says what to start."""
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = repository.windlass("prune", "--images", variables=nowhere)

    assert done.returncode == 3
    assert "cannot be reached at unix:///nowhere" in done.stderr
    assert repository.windlass("prune", variables=nowhere).returncode == 0


def test_uncommitted_changes_are_pruned(repository: Repository) -> None:
    """What runs that went had needed goes; those that stay can be run again."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: cat note.txt\n"
    )
    repository.commit()
    for number in range(3):
        repository.write("note.txt", f"number {number}\n")
        assert repository.windlass("run").returncode == 0
    kept = runs(repository)[0]["run"]
    objects = [it for it in repository.path.glob(".windlass/shadow/objects/??/*") if it.is_file()]
    for path in objects:
        os.utime(path, (0, 0))

    done = repository.windlass("prune", "--runs", "1", "--bases", "0", "--json")

    removed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [it["kind"] for it in removed].count("objects") == 1, removed
    assert 0 < sum(it.exists() for it in objects) < len(objects)
    again = repository.windlass("rerun", kept)
    assert "number 2" in again.stdout, again.stdout + again.stderr


def test_a_running_run_is_not_pruned(repository: Repository, tmp_path: Path) -> None:
    """Neither its folder nor its jobs' folders go, though newer runs are kept."""
    process = start_waiting(repository, tmp_path)
    (tmp_path / "sign").touch()
    words = ("--env", f"RECORD={tmp_path / 'record'}", "--env", f"SIGN={tmp_path / 'sign'}")
    assert repository.windlass("run", *words).returncode == 0

    assert repository.windlass("prune", "--runs", "0", "--tools").returncode == 0

    assert [run["state"] for run in runs(repository)] == ["success", "running"]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, errors
    assert b"tidied\n" in output


def test_a_database_of_a_newer_version(chain: Repository) -> None:
    """It is refused in one sentence by every command, and left as it is."""
    database = chain.path / ".windlass" / "history.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    for command in ("runs", "show", "run"):
        done = chain.windlass(command)
        assert done.returncode == 3, command
        assert "newer Windlass" in done.stderr
        assert_is_for_people(done)


@pytest.mark.parametrize("fate", ["damaged", "removed"])
def test_a_database_that_is_lost(chain: Repository, fate: str) -> None:
    """The list is made again from the runs' folders; a damaged file is moved aside and named."""
    before = runs(chain)
    for file in chain.path.glob(".windlass/history.db*"):
        file.unlink()
    if fate == "damaged":
        chain.write(".windlass/history.db", b"nonsense" * 1000)

    done = chain.windlass("runs", "--json")

    assert done.returncode == 0, done.stderr
    assert_is_for_people(done)
    assert ("moved to" in done.stderr) is (fate == "damaged")
    (after,) = [json.loads(line) for line in done.stdout.splitlines()]
    for key in ("run", "number", "result", "workflow", "sha"):
        assert after[key] == before[0][key]
    assert states(chain)["second"] == "failure"


def test_the_list_is_made_again_while_a_run_goes_on(repository: Repository, tmp_path: Path) -> None:
    """A database that is deleted in a run has the run, and its end, afterwards."""
    process = start_waiting(repository, tmp_path)
    for file in repository.path.glob(".windlass/history.db*"):
        file.unlink()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 130, output + errors
    assert [run["result"] for run in runs(repository)] == ["cancelled"]
