"""Runs that are taken up, run again and cancelled from elsewhere, as a user does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.e2e.histories import runs, start_waiting, states
from tests.e2e.repositories import SECONDS, processes_below, wait_until_gone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository


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
