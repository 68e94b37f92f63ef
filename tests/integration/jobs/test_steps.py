"""Steps on this machine, the good ones and the bad ones."""

from __future__ import annotations

import hashlib
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from windlass.errors import WorkspaceError
from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from tests.integration.jobs.conftest import Bench


def test_outputs_and_variables_flow(bench: Bench) -> None:
    """What a step sets is there for the steps after it, and for the job's outputs."""
    finished = bench.run(
        r"""
- id: one
  run: |
    echo "x=1" >> "$GITHUB_OUTPUT"
    echo "A<<E" >> "$GITHUB_ENV"; printf 'b\nc\nE\n' >> "$GITHUB_ENV"
    mkdir tool; printf '#!/bin/sh\necho tool' > tool/mine; chmod +x tool/mine
    echo "$PWD/tool" >> "$GITHUB_PATH"
- run: echo "$A ${{ steps.one.outputs.x }} $(mine)"
""",
        job="    outputs:\n      y: ${{ steps.one.outputs.x }}${{ env.A }}\n",
    )

    assert bench.output() == "b\nc 1 tool\n"
    assert finished.result is Result.SUCCESS
    assert finished.outputs == {"y": "1b\nc"}


def test_environment_of_a_step(bench: Bench) -> None:
    """HOME is the job's own and empty; the user's variables and the token are not there."""
    bench.secrets["GITHUB_TOKEN"] = "ghs_123456"
    bench.run(
        """
- run: |
    ls -A "$HOME"; test "${HOME#"$RUNNER_TEMP/.."}" != /root
    echo "[$SECRET_OF_USER][$GITHUB_TOKEN]$CI $GITHUB_ACTIONS $GITHUB_REPOSITORY $GITHUB_JOB"
    cat "$GITHUB_EVENT_PATH" | tr -d ' \\n'; echo
    test -d "$RUNNER_TEMP" && test -d "$RUNNER_TOOL_CACHE" && test "$PWD" = "$GITHUB_WORKSPACE"
    echo "${{ github.workspace == env.W }} ${{ runner.os }} ${{ github.token }}"
  env:
    W: x
"""
    )

    assert bench.output() == ('[][]true true octo/cat build\n{"number":7}\nfalse Linux ***\n')
    assert bench.ends() == [("success", "success")]


def test_folder_is_removed(bench: Bench) -> None:
    """Nothing of the job is left, folders without permissions included."""
    finished = bench.run("- run: mkdir -p a/b && touch a/b/c && chmod 0 a/b && chmod 500 a")

    assert finished.result is Result.SUCCESS
    assert not (bench.root / "job").exists()


def test_folder_that_cannot_be_removed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left behind is a warning; the job's result stays as it was."""

    def refuse(_: object) -> None:
        raise WorkspaceError("The job's folder cannot be removed", hint="Remove it by hand.")

    monkeypatch.setattr("windlass.jobs.folders.JobFolders.remove", refuse)
    finished = bench.run("- run: 'true'")

    assert finished.result is Result.SUCCESS
    assert "The job's folder cannot be removed. Remove it by hand." in repr(bench.seen)


def test_folder_is_kept(bench: Bench) -> None:
    """With `keep` the workspace stays."""
    bench.keep = True
    bench.run("- run: echo x > made")

    assert (bench.root / "job/cat/cat/made").read_text() == "x\n"


@pytest.mark.requirement("A30")
@pytest.mark.parametrize(
    ("step", "error"),
    [
        pytest.param("run: exit 3", "Process completed with exit code 3.", id="exit-code"),
        pytest.param("run: kill -9 $$", "Process completed with exit code 137.", id="killed"),
        pytest.param(
            "run: x\n  shell: no-such-shell", "no-such-shell: command not found", id="no-shell"
        ),
        pytest.param(
            "run: x\n  shell: bash -c", "Invalid shell option. Shell must be", id="no-place"
        ),
        pytest.param(
            "run: x\n  working-directory: nope",
            "An error occurred trying to start process '",
            id="no-folder",
        ),
        pytest.param("run: 'true'\n  env: {'A=B': x}", "An error occurred trying", id="bad-name"),
        pytest.param(
            "run: echo hello >> $GITHUB_ENV", "Unable to process file command 'env'", id="bad-env"
        ),
        pytest.param(
            "run: rm $GITHUB_OUTPUT; mkdir $GITHUB_OUTPUT",
            "Unable to process file command 'output'",
            id="output-is-folder",
        ),
        pytest.param(
            "run: rm $GITHUB_OUTPUT; mkfifo $GITHUB_OUTPUT",
            "Unable to process file command 'output'",
            id="output-is-fifo",
        ),
        pytest.param(
            "run: rm $GITHUB_PATH; mkfifo $GITHUB_PATH",
            "Unable to process file command 'path'",
            id="path-is-fifo",
        ),
        pytest.param("run: echo ::set-output::x", "Unable to process command", id="bad-command"),
        pytest.param(
            "run: rm -r $RUNNER_TEMP\n- run: echo x\n  if: always()",
            "No such file or directory: '",
            id="temp-is-gone",
        ),
    ],
)
def test_failing_step(bench: Bench, step: str, error: str) -> None:
    """A step fails with an error that says why; nothing else breaks."""
    finished = bench.run(f"- {step}")

    assert finished.result is Result.FAILURE
    assert any(message.startswith(error) for message in bench.errors()), bench.errors()
    assert ("failure", "failure") in bench.ends()


@pytest.mark.parametrize(
    ("script", "output"),
    [
        pytest.param(r"printf 'a\0b\n'", "a\0b\n", id="nul"),
        pytest.param(r"printf '\377\n'", "\ufffd\n", id="not-utf-8"),
        pytest.param(r"printf '\033[31mred\033[0m\n'", "\033[31mred\033[0m\n", id="escape-codes"),
        pytest.param("printf 'no end'", "no end", id="no-line-end"),
        pytest.param("exec >&- 2>&-; true", "", id="closes-output"),
        pytest.param("rm $GITHUB_ENV $GITHUB_OUTPUT $GITHUB_STATE", "", id="files-removed"),
        pytest.param("rm $GITHUB_PATH; mkdir $GITHUB_PATH", "", id="path-is-folder"),
        pytest.param("sleep 1000 & echo x", "x\n", id="child-left"),
        pytest.param("setsid sleep 1000 > /dev/null 2>&1 & echo x", "x\n", id="daemon-left"),
        pytest.param("read x || echo none", "none\n", id="no-input"),
        pytest.param("echo ${{ 'a\u0000b' }}", None, id="nul-in-script"),
    ],
)
def test_odd_step(bench: Bench, script: str, output: str | None) -> None:
    """Whatever a step prints or leaves behind, the job goes on and says what there was."""
    quoted = script.replace("\u0000", "\\0")
    finished = bench.run(f"- run: |\n    {quoted}\n- run: echo next")

    assert finished.result is Result.SUCCESS
    assert bench.output().endswith("next\n")
    if output is not None:
        assert bench.output() == f"{output}next\n"


def test_large_output_value(bench: Bench) -> None:
    """An output of 3 MB reaches the next step's expressions; a job's outputs are limited."""
    finished = bench.run(
        """
- id: one
  run: |
    echo "x<<E" >> $GITHUB_OUTPUT; head -c 3000000 /dev/zero | tr '\\0' x >> $GITHUB_OUTPUT
    printf '\\nE\\n' >> $GITHUB_OUTPUT
- run: echo ${{ endsWith(steps.one.outputs.x, 'xxx') }}
""",
        job="    outputs:\n      x: ${{ steps.one.outputs.x }}\n",
    )

    assert bench.output() == "true\n"
    assert finished.outputs == {}
    assert finished.result is Result.FAILURE
    assert bench.errors()[0].startswith("The outputs of a job may measure 1024 KiB")


def test_output_with_secret_stays(bench: Bench) -> None:
    """An output that holds a secret, in any form, does not leave the job."""
    bench.secrets["TOKEN"] = "s3cret-s3cret"
    finished = bench.run(
        """
- id: one
  run: |
    echo "a=x-s3cret-s3cret" >> $GITHUB_OUTPUT
    echo "b=$(printf s3cret-s3cret | base64)" >> $GITHUB_OUTPUT
    echo "c=fine" >> $GITHUB_OUTPUT
""",
        job="    outputs:\n"
        + "".join(f"      {name}: ${{{{ steps.one.outputs.{name} }}}}\n" for name in "abc"),
    )

    assert finished.outputs == {"c": "fine"}
    assert [event.message for event in bench.seen if isinstance(event, events.Annotation)] == [
        "Skip output 'a' since it may contain secret.",
        "Skip output 'b' since it may contain secret.",
    ]


@pytest.mark.requirement("A27")
def test_no_event_holds_a_secret(bench: Bench) -> None:
    """Output, annotations, summaries, names and errors are masked."""
    bench.secrets["TOKEN"] = "s3cret-s3cret"
    bench.run(
        """
- name: Use ${{ secrets.TOKEN }}
  run: |
    echo "::error file=${{ secrets.TOKEN }}::${{ secrets.TOKEN }}"
    echo "# ${{ secrets.TOKEN }}" >> $GITHUB_STEP_SUMMARY
    echo "${{ secrets.TOKEN }}"
    echo "no format ${{ secrets.TOKEN }}" >> $GITHUB_ENV
- run: x
  if: always()
  working-directory: ${{ secrets.TOKEN }}
"""
    )

    assert "s3cret" not in repr(bench.seen)
    assert repr(bench.seen).count("***") >= 6


def test_summary(bench: Bench) -> None:
    """A step's summary is kept although the step fails; one that is too large is refused."""
    finished = bench.run(
        """
- run: echo '# hi' >> $GITHUB_STEP_SUMMARY; exit 1
  continue-on-error: true
- run: head -c 1048577 /dev/zero >> $GITHUB_STEP_SUMMARY
"""
    )

    assert [e.markdown for e in bench.seen if isinstance(e, events.Summary)] == ["# hi\n"]
    assert bench.errors()[1].startswith(
        "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got 1024k."
    )
    assert finished.result is Result.SUCCESS


def test_blocked_variable(bench: Bench) -> None:
    """NODE_OPTIONS cannot be set for later steps; what stands beside it can."""
    finished = bench.run(
        """
- run: printf 'NODE_OPTIONS=x\\nA=1\\n' >> $GITHUB_ENV
- run: echo "[$NODE_OPTIONS][$A]"
"""
    )

    assert bench.output() == "[][1]\n"
    assert bench.errors() == [
        "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command."
    ]
    assert finished.result is Result.SUCCESS


@pytest.mark.skipif(shutil.which("python3") is None, reason="python3 is not installed")
def test_other_shells(bench: Bench) -> None:
    """A script may be for sh, for a template, for bash with pipefail."""
    bench.run(
        """
- run: print('py')
  shell: python3 {0}
- run: echo $0 | sed 's/.*[.]/./'
  shell: sh
- run: 'false | true; echo unreached'
  shell: bash
  continue-on-error: true
- run: 'false | true; echo reached'
"""
    )

    assert bench.output() == "py\n.sh\nreached\n"


def test_debug(bench: Bench) -> None:
    """ACTIONS_STEP_DEBUG shows debug messages, the command first, and sets RUNNER_DEBUG."""
    bench.variables["ACTIONS_STEP_DEBUG"] = "true"
    bench.run('- run: echo "::debug::d"; echo $RUNNER_DEBUG; echo "x=1" >> $GITHUB_OUTPUT')

    command, _, rest = bench.output().partition("\n")
    assert re.fullmatch(r"##\[debug\]/\S*/bash -e /\S+\.sh", command)
    assert rest == "##[debug]d\n1\n##[debug]Set output x = 1\n"


def test_hash_files(bench: Bench) -> None:
    """`hashFiles` looks at the workspace as it is when the step starts."""
    bench.run(
        """
- run: echo "[${{ hashFiles('*.txt') }}]"; printf a > b.txt; printf b > a.txt
- run: echo "${{ hashFiles('*.txt') }}"
"""
    )
    digests = [hashlib.sha256(data).digest() for data in (b"b", b"a")]

    assert bench.output() == f"[]\n{hashlib.sha256(b''.join(digests)).hexdigest()}\n"
