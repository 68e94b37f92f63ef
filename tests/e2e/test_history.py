"""The commands about earlier runs, as a user drives them."""

from __future__ import annotations

import json
import signal
import sqlite3
from typing import TYPE_CHECKING

import pytest
from tests.e2e.histories import runs, show, start_waiting, states
from tests.e2e.repositories import SECONDS, assert_is_for_people, read_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository

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
        # What lies beside a database comes and goes while it is written.
        file.unlink(missing_ok=True)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 130, output + errors
    assert [run["result"] for run in runs(repository)] == ["cancelled"]
