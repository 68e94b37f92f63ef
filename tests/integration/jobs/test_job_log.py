"""What a job's log says besides the output: what each step runs, with what, and what went wrong.

Source: actions/runner src/Runner.Worker/Handlers/Handler.cs and ScriptHandler.cs
(`PrintActionDetails`)
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench


@pytest.fixture
def log(bench: Bench) -> Path:
    """The log of the job that runs next."""
    bench.record = bench.root / "record"
    return bench.record / "log"


def test_run_step(bench: Bench, log: Path) -> None:
    """The script, line by line, the shell and the step's variables, in one group; no secret."""
    bench.secrets["S"] = "made-up"
    bench.run(
        """
- run: |

    echo one
    exit 2
  env: {A: "a made-up value", B: ''}
"""
    )
    bash = shutil.which("bash")

    assert log.read_text() == (
        "##[group]Run echo one\n"
        "\x1b[36;1m\x1b[0m\n\x1b[36;1mecho one\x1b[0m\n\x1b[36;1mexit 2\x1b[0m\n"
        f"shell: {bash} -e {{0}}\n"
        "env:\n  A: a *** value\n  B: \n"
        "##[endgroup]\n"
        "one\n"
        "##[error]Process completed with exit code 2.\n"
    )
    assert bench.output() == "one\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")
def test_actions(bench: Bench, log: Path) -> None:
    """Inputs that are not empty and variables, with the state; a clean-up says that it is one."""
    files = {
        "in/action.yml": (
            "inputs: {a: {default: x}, b: {}}\nruns: {using: node20, main: main.js, post: post.js}"
        ),
        "in/main.js": "require('fs').appendFileSync(process.env.GITHUB_STATE, 'k=v\\n')",
        "in/post.js": "console.log('done')",
        "out/action.yml": (
            "inputs: {c: {default: '3'}}\nruns: {using: composite, steps: [{uses: ./in}]}"
        ),
    }
    for name, text in files.items():
        path = bench.root / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    bench.run(f"- run: cp -r {bench.root}/files/. .\n- uses: ./out\n  env: {{E: e}}\n")

    _, _, text = log.read_text().partition("##[endgroup]\n")
    assert text == (
        "##[group]Run ./out\nwith:\n  c: 3\nenv:\n  E: e\n##[endgroup]\n"
        "##[group]Run ./in\nwith:\n  a: x\nenv:\n  E: e\n##[endgroup]\n"
        "Post job cleanup.\nPost job cleanup.\ndone\n"
    )


def test_matched_line(bench: Bench, log: Path) -> None:
    """A line that a problem matcher knows is marked; the message is not repeated."""
    (bench.root / "m.json").write_text(
        '{"problemMatcher": [{"owner": "o", "pattern": [{"regexp": "^bad (.+)$", "message": 1}]}]}'
    )
    bench.run(f"- run: echo ::add-matcher::{bench.root}/m.json; echo bad thing; echo good\n")

    assert log.read_text().endswith("##[endgroup]\n##[error]bad thing\ngood\n")
    assert bench.output() == "bad thing\ngood\n"
    assert bench.errors() == ["thing"]
