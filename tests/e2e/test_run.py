"""`windlass run` from outside: what it prints, how it ends, what it leaves behind."""

from __future__ import annotations

import signal
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import SECONDS, processes_below, read_until
from tests.event_schema import read_events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository

SECRET = "hunter2-and-more"
SPOKEN = "open-sesame-and-more"
FLOW = """\
name: Flow
on: [push, workflow_dispatch]
jobs:
  list:
    runs-on: ubuntu-latest
    outputs:
      names: ${{ steps.names.outputs.names }}
    steps:
      - id: names
        run: echo 'names=["one","two"]' >> "$GITHUB_OUTPUT"
  each:
    needs: list
    runs-on: ubuntu-latest
    strategy:
      matrix:
        name: ${{ fromJSON(needs.list.outputs.names) }}
    steps:
      - run: echo "this is ${{ matrix.name }}"
  last:
    needs: [list, each]
    runs-on: ubuntu-latest
    steps:
      - run: echo "all of ${{ needs.list.outputs.names }} ${{ needs.each.result }}"
"""
FAILING = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: exit 7
      - run: echo not reached
      - if: failure()
        run: echo tidying
  b:
    needs: a
    runs-on: ubuntu-latest
    steps:
      - run: echo never
"""
SLEEPING = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo rea''dy
          exec sleep 600
      - if: always()
        run: echo tidied
"""
SECRETIVE = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    outputs:
      leak: ${{ steps.s.outputs.leak }}
    steps:
      - id: s
        env:
          TOKEN: ${{ secrets.TOKEN }}
        run: |
          echo "the token is $TOKEN"
          echo "leak=$TOKEN" >> "$GITHUB_OUTPUT"
          echo "## $TOKEN" >> "$GITHUB_STEP_SUMMARY"
          echo "::error::no $TOKEN here"
          arguments=$(cat /proc/[0-9]*/cmdline | tr '\\0' ' ')
          if [[ $arguments == *"$TOKEN"* ]]; then echo "in the arguments of a process"; fi
"""


@pytest.mark.requirement("A01")
@pytest.mark.requirement("A08")
@pytest.mark.requirement("A10")
@pytest.mark.requirement("A23")
def test_needs_outputs_and_a_matrix(repository: Repository) -> None:
    """Jobs run when what they need has ended; outputs flow; every leg runs."""
    repository.workflow(FLOW)
    repository.commit()
    done = repository.windlass("run")

    assert (done.returncode, done.stderr) == (0, "")
    assert "each (one) │   this is one\n" in done.stdout
    assert "each (two) │   this is two\n" in done.stdout
    assert "│   all of [one,two] success\n" in done.stdout
    assert "✓ Flow succeeded in " in done.stdout.splitlines()[-1]


@pytest.mark.requirement("A09")
@pytest.mark.requirement("A20")
@pytest.mark.requirement("A30")
def test_a_failure(repository: Repository) -> None:
    """A step that fails ends its job, skips what needs it, and gives exit code 1."""
    repository.workflow(FAILING)
    repository.commit()
    done = repository.windlass("run")

    assert done.returncode == 1
    assert "│ ✗ Run exit 7 (exit code 7) " in done.stdout
    assert "│   tidying\n" in done.stdout
    assert "not reached\n" not in done.stdout.replace("Run echo not reached", "")
    assert "│   never\n" not in done.stdout
    assert "a › Run exit 7 failed with exit code 7" in done.stdout


def test_events_as_json(repository: Repository) -> None:
    """`--json` prints only JSON, from run-started to run-finished, in a sound order."""
    repository.workflow(FLOW)
    sha = repository.commit()
    events = read_events(repository.windlass("run", "--json").stdout)

    names = [event["event"] for event in events]
    assert (names[0], names[-1]) == ("run-started", "run-finished")
    assert events[0]["sha"] == sha
    assert events[-1]["result"] == "success"
    assert all(earlier["time"] <= later["time"] for earlier, later in pairwise(events))
    finished = {e["job"]: e for e in events if e["event"] == "job-finished"}
    assert set(finished) == {"list", "each (one)", "each (two)", "last"}
    assert finished["list"]["outputs"] == {"names": '["one","two"]'}
    started = [e["job"] for e in events if e["event"] == "job-started"]
    assert (started[0], started[-1]) == ("list", "last")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_cancelling(repository: Repository, number: signal.Signals) -> None:
    """One signal ends the running step, lets always() run, and gives 130; nothing stays behind."""
    repository.workflow(SLEEPING)
    repository.commit()
    process = repository.start("run")
    read_until(process, b"ready\n")
    process.send_signal(number)
    rest, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 130, rest + errors
    assert "│   tidied\n" in rest.decode()
    assert "cancelling; Ctrl-C again kills what is left" in rest.decode()
    assert b"Traceback" not in errors
    assert not processes_below(repository.path)


@pytest.mark.requirement("A27")
def test_secrets_are_seen_nowhere(repository: Repository) -> None:
    """A secret is in no output, event, argument or file that stays."""
    repository.workflow(SECRETIVE)
    repository.commit()
    for form in ([], ["--json"]):
        done = repository.windlass(
            "run", "--secret", "TOKEN", "--keep", *form, variables={"TOKEN": SECRET}
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the token is ***" in done.stdout
        assert "in the arguments of a process\n" not in done.stdout
        assert SECRET not in done.stdout + done.stderr
    assert files_with(SECRET.encode(), repository.path / ".windlass") == []


def test_nobody_else_reads_what_a_job_keeps(repository: Repository) -> None:
    """Scripts and command files may hold secrets: the state folder is its owner's alone."""
    repository.workflow(SECRETIVE)
    repository.commit()
    repository.windlass("run", "--secret", "TOKEN", variables={"TOKEN": SECRET})

    assert (repository.path / ".windlass").stat().st_mode & 0o077 == 0


def files_with(text: bytes, folder: Path) -> list[str]:
    """Files that hold a text, except those that steps wrote it to by themselves."""
    own = ("GITHUB_", "output", "summary", "set_output", "step_summary")
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and text in path.read_bytes() and not any(o in path.name for o in own)
    ]


def test_a_secret_in_the_arguments_warns(repository: Repository) -> None:
    """`--secret K=V` works, and the warning does not repeat the value."""
    repository.workflow(SECRETIVE)
    repository.commit()
    done = repository.windlass("run", "--secret", f"TOKEN={SPOKEN}")

    assert done.returncode == 0
    assert done.stderr.startswith("warning: --secret TOKEN=… shows the value")
    assert "in the arguments of a process\n" in done.stdout
    assert SPOKEN not in done.stdout + done.stderr


def test_a_secret_file(repository: Repository) -> None:
    """Each line of a secret of several lines is masked."""
    repository.workflow(SECRETIVE)
    repository.commit()
    file = repository.home / "secrets.env"
    file.write_text('TOKEN="first-line-of-it\nsecond-line-of-it"\n')
    done = repository.windlass("run", "--secret-file", str(file))

    assert "the token is ***" in done.stdout
    assert "line-of-it" not in done.stdout


def test_uncommitted_changes_and_committed(repository: Repository) -> None:
    """Checkout brings the user's changes; with --committed it does not."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: cat file new || true\n"
    )
    repository.write("file", "old\n")
    repository.commit()
    repository.write("file", "changed\n")
    repository.write("new", "untracked\n")

    with_changes = repository.windlass("run").stdout
    assert "│   changed\n" in with_changes
    assert "│   untracked\n" in with_changes
    assert "not committed" in with_changes
    committed = repository.windlass("run", "--committed").stdout
    assert "│   old\n" in committed
    assert "│   untracked\n" not in committed


def test_nothing_to_run(repository: Repository) -> None:
    """An event that starts nothing is a success that says so."""
    repository.workflow(FAILING.replace("on: push", "on: pull_request"))
    repository.commit()
    done = repository.windlass("run")

    assert done.returncode == 0
    assert "the event 'push' starts no workflow" in done.stderr


def test_what_is_not_supported_stops_before_any_job(repository: Repository) -> None:
    """What cannot be done is a diagnostic with its place; nothing has run."""
    repository.workflow(FLOW + "    snapshot: mine\n")
    repository.commit()
    done = repository.windlass("run")

    assert done.returncode == 1
    assert "this is" not in done.stdout
    assert ".github/workflows/ci.yml:24:15: error: `snapshot` of job `last`" in done.stderr
    assert "  24 |     snapshot: mine\n" in done.stderr


@pytest.mark.requirement("A16")
def test_an_environment_is_held(repository: Repository) -> None:
    """A job for an environment runs only when the user allows it."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    environment: production\n"
        "    steps:\n      - run: echo deployed\n"
    )
    repository.commit()
    held = repository.windlass("run")

    assert held.returncode == 1
    assert "--allow-environment production" in held.stdout + held.stderr
    assert "│   deployed\n" not in held.stdout
    assert repository.windlass("run", "--allow-environment", "production").returncode == 0


@pytest.mark.requirement("A05")
@pytest.mark.requirement("A13")
def test_options_of_a_run(repository: Repository) -> None:
    """Inputs, variables, a job, a leg and variables of steps reach the job."""
    repository.workflow(
        "on:\n  workflow_dispatch:\n    inputs:\n      who: {type: string}\n"
        "jobs:\n  a:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix: {n: [1, 2]}\n"
        "    steps:\n      - run: echo $X ${{ inputs.who }} ${{ vars.V }} ${{ matrix.n }}\n"
        "  b:\n    runs-on: ubuntu-latest\n    steps: [{run: echo other}]\n"
    )
    repository.commit()
    done = repository.windlass(
        *("run", "workflow_dispatch", "--input", "who=me", "--var", "V=v", "--env", "X=x"),
        *("-j", "a", "--matrix", "n=2"),
    )

    assert done.returncode == 0, done.stderr
    assert "│   x me v 2\n" in done.stdout
    assert "v 1\n" not in done.stdout
    assert "other\n" not in done.stdout


@pytest.mark.requirement("A03")
def test_an_event_file(repository: Repository) -> None:
    """The payload of a file is laid over the ready-made one."""
    repository.workflow(
        "on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - env: {TITLE: '${{ github.event.pull_request.title }}'}\n"
        '        run: echo "$TITLE, ${{ github.event.pull_request.number }}"\n'
    )
    repository.write("event.json", '{"pull_request": {"title": "Hi"}}')
    repository.commit()
    done = repository.windlass("run", "pull_request", "--event-file", "event.json")

    assert "│   Hi, 1\n" in done.stdout


def test_a_reader_that_goes_away(repository: Repository) -> None:
    """The run goes on to its end when nobody reads what it prints."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - run: |\n          seq 100000\n          touch {repository.home}/done\n"
    )
    repository.commit()
    process = repository.start("run")
    assert process.stdout is not None
    assert process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()

    assert (process.wait(SECONDS), errors) == (0, b"")
    assert (repository.home / "done").exists()


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--input", "where=nowhere"), "'nowhere' is no option of the input 'where'"),
        (("--input", "were=here"), "there is no input 'were'"),
        (("--matrix", "version=1"), "no matrix has a key 'version'"),
        (("--matrix", "v=3"), "No leg of the matrix has v=3"),
        (("-j", "b"), "no workflow has a job 'b'"),
    ],
)
def test_a_choice_that_fits_nothing_is_a_wrong_call(
    repository: Repository, command: str, words: tuple[str, ...], message: str
) -> None:
    """Exit code 2, and nothing has run: whoever called has to change the call, not a file."""
    repository.workflow(
        "on:\n"
        "  workflow_dispatch: {inputs: {where: {type: choice, options: [here, there]}}}\n"
        "jobs:\n"
        "  a: {runs-on: ubuntu-latest, strategy: {matrix: {v: [1, 2]}}, steps: [{run: echo ran}]}\n"
    )
    repository.commit()

    done = repository.windlass(command, "workflow_dispatch", *words)

    assert done.returncode == 2
    assert f"error: {message}" in done.stderr
    assert command == "plan" or not done.stdout


def test_the_summary_is_kept(repository: Repository) -> None:
    """What steps wrote to GITHUB_STEP_SUMMARY lies with the history of the run, as Markdown."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: echo '| a | b |' >> $GITHUB_STEP_SUMMARY\n"
        "      - run: echo '|---|---|' >> $GITHUB_STEP_SUMMARY\n"
    )
    repository.commit()
    repository.windlass("run")
    (kept,) = (repository.path / ".windlass").glob("runs/*/1/summary.md")

    assert kept.read_text() == "## a summary\n\n| a | b |\n|---|---|\n"


LOCAL = """\
on: [push, workflow_dispatch]
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - env: {TOKEN: "${{ secrets.TOKEN }}", KEY: "${{ secrets.KEY }}"}
        run: test "$TOKEN" = hunter2-and-more && test "$KEY" = other && echo "${{ vars.REGION }}"
"""


def test_local_settings(repository: Repository) -> None:
    """Secrets and variables come from `.windlass/local`, are named, and stay where they are."""
    repository.workflow(LOCAL)
    repository.commit()
    secrets = repository.write(".windlass/local/secrets.env", f"TOKEN={SECRET}\nKEY=from-file\n")
    secrets.chmod(0o600)
    repository.write(".windlass/local/vars.env", "REGION=far-north-and-more\n")
    repository.write(".windlass/local/inputs.env", "nobody-declares=this\n")
    for event in ("push", "workflow_dispatch"):
        done = repository.windlass("run", event, "--secret", "KEY", variables={"KEY": "other"})

        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == (
            "from .windlass/local: secrets TOKEN; variables REGION; inputs nobody-declares\n"
        )
        assert "far-north-and-more" in done.stdout
    assert repository.windlass("prune").returncode == 0
    assert secrets.read_text() == f"TOKEN={SECRET}\nKEY=from-file\n"
    history = repository.path / ".windlass" / "runs"
    kept = [it.read_bytes() for it in history.rglob("definition.json")]
    assert len(kept) == 2
    assert not any(b"far-north" in text or SECRET.encode() in text for text in kept)
    assert all(b"vars.REGION" in text for text in kept)


def test_the_host_notice(folder: Repository) -> None:
    """The first run of a repository says that jobs run on this machine; the second does not."""
    folder.git("init", "--quiet", "--initial-branch=main")
    folder.workflow(FAILING)
    folder.commit()

    assert "jobs run on this machine, as you" in folder.windlass("run").stderr
    assert folder.windlass("run", "--json").stderr == ""


def test_a_plan_knows_local_variables(repository: Repository) -> None:
    """A condition about a variable is decided by the repository's own value."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    if: vars.REGION == 'north'\n    runs-on: ubuntu-latest\n"
        "    steps: [{run: echo}]\n"
    )
    repository.commit()
    assert "SKIP     └─ a" in repository.windlass("plan").stdout

    repository.write(".windlass/local/vars.env", "region=north\n")
    assert "RUN      └─ a" in repository.windlass("plan").stdout
