"""The reading commands as programs use them: JSON, SARIF, completion, no colour."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import SECONDS, WINDLASS

if TYPE_CHECKING:
    from tests.e2e.repositories import Repository

WORKFLOW = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ matrix.x }}"
  b:
    needs: a
    if: github.ref == 'refs/heads/other'
    runs-on: ubuntu-latest
    steps:
      - run: echo b
"""


def test_plan_as_json(repository: Repository) -> None:
    """Verdicts, the deciding expression and its values; the same input has the same hash."""
    repository.workflow(WORKFLOW.replace('echo "${{ matrix.x }}"', "echo a"))
    sha = repository.commit()
    plan = json.loads(repository.windlass("plan", "--json").stdout)

    assert plan["event"]["sha"] == sha
    a, b = plan["workflows"][0]["jobs"]
    assert (a["verdict"], b["verdict"]) == ("RUN", "SKIP")
    assert "github.ref == 'refs/heads/other'" in b["expression"]
    assert {"expression": "github.ref", "value": "refs/heads/main"} in b["values"]
    assert plan["diagnostics"] == []
    assert json.loads(repository.windlass("plan", "--json").stdout)["hash"] == plan["hash"]


def test_lint_as_sarif(repository: Repository) -> None:
    """SARIF names rule, file and region of each finding."""
    repository.workflow(WORKFLOW)
    done = repository.windlass("lint", "--sarif", "--no-shellcheck")

    assert done.returncode == 1
    [run] = json.loads(done.stdout)["runs"]
    results = {result["ruleId"]: result for result in run["results"]}
    place = results["unknown-matrix-key"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == ".github/workflows/ci.yml"
    assert place["region"]["startLine"] == 6
    assert "unknown-matrix-key" in {rule["id"] for rule in run["tool"]["driver"]["rules"]}


@pytest.mark.parametrize("command", ["lint", "plan", "run", "compat"])
def test_no_colour_off_a_terminal(repository: Repository, command: str) -> None:
    """What goes into a pipe has no escape codes, even if the terminal type would allow them."""
    repository.workflow(WORKFLOW)
    repository.commit()
    done = repository.windlass(command, variables={"TERM": "xterm-256color", "CLICOLOR_FORCE": "1"})

    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("shell", "check"),
    [
        ("bash", ["bash", "-c", 'eval "$0"; complete -p windlass']),
        ("zsh", ["zsh", "-n", "-c"]),
        ("fish", ["fish", "--no-execute", "-c"]),
    ],
    ids=["bash", "zsh", "fish"],
)
def test_completion_scripts_load(repository: Repository, shell: str, check: list[str]) -> None:
    """The shell reads its script without complaint."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = repository.windlass("completion", shell).stdout
    # A shell complains where the user's locale is not on this machine.
    clean = repository.environment()
    done = subprocess.run([*check, script], env=clean, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["windlass", "pl"], ["plan"]),
        (["windlass", "run", "--allow-e"], ["--allow-environment"]),
        (["windlass", "expr", ""], ["eval"]),
    ],
    ids=["commands", "options", "groups"],
)
def test_bash_completes(repository: Repository, words: list[str], expected: list[str]) -> None:
    """The script completes commands, options and grouped commands."""
    script = repository.windlass("completion", "bash").stdout
    line = " ".join(f"'{word}'" for word in words)
    question = (
        f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
        f'_shtab_windlass windlass "{words[-1]}" "{words[-2]}"; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", question], capture_output=True, text=True)

    assert [reply.strip() for reply in done.stdout.splitlines()] == expected


@pytest.mark.parametrize("command", ["lint", "plan", "run"])
def test_a_full_disk(repository: Repository, command: str) -> None:
    """Output that cannot be written is a matter of the platform: 3, one line, no traceback."""
    repository.workflow(WORKFLOW.replace('echo "${{ matrix.x }}"', "echo a"))
    repository.commit()
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device
        done = subprocess.run(
            [*WINDLASS, command],
            cwd=repository.path,
            env=repository.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
        )

    assert done.returncode == 3
    assert done.stderr == "windlass: error: the system refused: No space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("command", "code"), [("run", 0), ("run -j nothing", 2), ("--version", 0)])
def test_closed_streams(repository: Repository, closed: str, command: str, code: int) -> None:
    """A stream that is closed is like one that goes nowhere: the exit code is what it always is."""
    repository.workflow(WORKFLOW.replace('echo "${{ matrix.x }}"', "echo a"))
    repository.commit()
    words = [*WINDLASS, *command.split()]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *words],
        cwd=repository.path,
        env=repository.environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert done.returncode == code, done.stderr
    assert not done.stdout or ">&-" not in closed.split()
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr
