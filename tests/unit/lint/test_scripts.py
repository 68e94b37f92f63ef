"""What lint knows of scripts: their text, the outputs they set, and what ShellCheck is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.lint.subjects import HEAD, job, subject

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.checkout import has_checkout_before, is_checked_out
from windlass.lang.lint.known_actions import (
    Outdated,
    find_known_action,
    find_known_outputs,
    find_outdated,
)
from windlass.lang.lint.scripts import script_text, sets_output
from windlass.lang.lint.shellcheck import Remark, scripts_of, to_diagnostic
from windlass.lang.positions import Position, Span
from windlass.lang.tokens import NullToken

if TYPE_CHECKING:
    from windlass.lang.workflow.model import RunStep


def step(script: str) -> RunStep:
    lines = "".join(f"          {line}\n" for line in script.split("\n"))
    ((_, found),) = subject(job(f"      - run: |\n{lines}")).run_steps
    return found


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("echo a", "echo a\n"),
        ("echo ${{ github.ref }} b", "echo _________________ b\n"),
        ("${{ a }}${{ b }}".replace("a", "env.a").replace("b", "env.b"), "_" * 24 + "\n"),
        ("echo ${{ env.a ||\n env.b }} c", "echo ____________\n_________ c\n"),
    ],
)
def test_text_of_a_script(script: str, text: str) -> None:
    """The characters of expressions become underscores, so that places stay."""
    found = script_text(step(script).run)
    assert found.split() == text.split()
    assert [len(line) for line in found.split("\n")][:1] == [len(text.split("\n")[0])]


def test_what_is_no_text_is_no_script() -> None:
    """A value of another kind has nothing to search."""
    assert script_text(NullToken(Span("f.yml", Position(1, 1), Position(1, 2)))) == ""


@pytest.mark.parametrize(
    ("script", "is_set"),
    [
        ('echo "version=1" >> $GITHUB_OUTPUT', True),
        ('echo "VERSION=1" >> $GITHUB_OUTPUT', True),
        ('echo "other=1" >> $GITHUB_OUTPUT', False),
        ("echo other=1 >> $GITHUB_OUTPUT\nprintf 'more=%s' 2 >> $GITHUB_OUTPUT", False),
        ("echo -n other=1 >> $GITHUB_OUTPUT", False),
        ("echo 'other<<EOF' >> $GITHUB_OUTPUT", False),
        ("echo versions=1 >> $GITHUB_OUTPUT", False),
        ("echo my-version=1 >> $GITHUB_OUTPUT", False),
        ('echo "$NAME=1" >> $GITHUB_OUTPUT', True),
        ('echo "${{ env.N }}=1" >> $GITHUB_OUTPUT', True),
        ("echo other=1 >> $GITHUB_OUTPUT\n./make >> $GITHUB_OUTPUT", True),
        ("echo other=1 >> $GITHUB_OUTPUT\n./make", False),
        ("echo '::set-output name=other::1'", True),
        ("echo '::set-output name=version::1'", True),
        ("set -e\necho version", False),
        ("echo a\n\n# b\nif true; then\nX=1\nfi", False),
        ("./program", True),
        ("./program version", True),
        ("echo a\nmake", True),
    ],
)
def test_whether_a_script_sets_an_output(script: str, is_set: bool) -> None:
    """Only what writes literal names of others, or nothing, is known not to set it."""
    assert sets_output(step(script), "version") is is_set


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ("actions/cache@v4", None),
        ("actions/cache@main", None),
        ("actions/cache@0123456789012345678901234567890123456789", None),
        ("actions/cache", None),
        ("owner/other@v1", None),
        ("Actions/Cache@v2.1.6", ("no longer works", "`actions/cache@v4` or newer", True)),
        ("actions/cache@1", ("no longer works", "`actions/cache@v4` or newer", True)),
        ("actions/cache@v3", ("was made for a Node", "`actions/cache@v4` or newer", False)),
        ("actions/checkout@v3", ("was made for a Node", "`actions/checkout@v4` or newer", False)),
        ("actions/checkout@v0", ("was made for a Node", "`actions/checkout@v4` or newer", False)),
        ("actions/stale@v8.0", ("was made for a Node", "`actions/stale@v9` or newer", False)),
        ("actions/stale@v9", None),
        ("owner/other@v0", None),
    ],
)
def test_outdated_versions(uses: str, expected: tuple[str, str, bool] | None) -> None:
    """GitHub refuses some majors, and others were made for a Node that is gone."""
    found = find_outdated(uses)
    if expected is None:
        assert found is None
        return
    reason, replacement, is_refused = expected
    assert isinstance(found, Outdated)
    assert found.reason.startswith(reason)
    assert (found.replacement, found.is_refused) == (replacement, is_refused)


def test_reasons_of_outdated_versions() -> None:
    """The reasons in full."""
    closed, old = find_outdated("actions/cache@v1"), find_outdated("actions/cache@v3")
    assert closed is not None
    assert closed.reason == "no longer works: GitHub has closed its service"
    assert old is not None
    assert old.reason == "was made for a Node that runners no longer have"


def test_inputs_and_outputs_of_known_actions() -> None:
    """Names are in lower case; required ones are marked. Versions that are outdated are unknown."""
    cache = find_known_action("Actions/Cache/Save@v4")
    assert cache == {
        "path": True,
        "key": True,
        "upload-chunk-size": False,
        "enablecrossosarchive": False,
    }
    assert find_known_action("actions/cache@v3") is None
    assert find_known_action("actions/cache") is None
    assert find_known_action("owner/other@v1") is None
    assert find_known_outputs("Actions/Checkout@v4") == ("ref", "commit")
    assert find_known_outputs("actions/checkout@v4@x") == ("ref", "commit")
    assert find_known_outputs("owner/other@v1") is None


SCRIPTS = """\
      - {run: a}
      - {run: b, shell: bash -e {0}}
      - {run: c, shell: sh}
      - {run: d, shell: python}
      - {run: e, shell: '${{ env.S }}'}
      - uses: o/r@v1
      - parallel: [{run: f}]
"""


def scripts(text: str) -> list[str]:
    return [f"{one.dialect} {one.text}" for one in scripts_of(subject(text).workflow, text)]


def test_scripts_for_shellcheck() -> None:
    """Those for bash and sh; without a shell it is bash, but where it may be PowerShell."""
    steps = SCRIPTS.replace("      - {run: e, shell: '${{ env.S }}'}\n", "").replace(
        "shell: bash -e {0}", "shell: 'bash -e {0}'"
    )
    everything = ["bash a", "bash b", "sh c", "bash f"]
    assert scripts(job(steps)) == everything
    windows = job(steps).replace("runs-on: x", "runs-on: [self-hosted, Windows-Large]")
    assert scripts(windows) == ["bash b", "sh c"]
    of_job = job(steps).replace("    steps", "    defaults: {run: {shell: sh}}\n    steps")
    assert scripts(of_job) == ["sh a", "bash b", "sh c", "sh f"]
    assert scripts(of_job.replace("{shell: sh}", "{shell: '${{ github.a }}'}")) == [
        "bash b",
        "sh c",
    ]
    of_workflow = of_job.replace("jobs:", "defaults: {run: {shell: python}}\njobs:")
    assert scripts(of_workflow) == ["sh a", "bash b", "sh c", "sh f"]
    assert scripts(
        of_workflow.replace("shell: sh}}\n    steps", "working-directory: x}}\n    steps")
    ) == [
        "bash b",
        "sh c",
    ]
    call = "on: push\njobs:\n  b: {uses: ./.github/workflows/x.yml}\n"
    assert scripts(call + HEAD.partition("jobs:\n")[2] + "    steps: [{run: x}]\n") == ["bash x"]


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        ("error", Severity.WARNING),
        ("warning", Severity.WARNING),
        ("info", Severity.NOTICE),
        ("style", Severity.NOTICE),
    ],
)
def test_a_remark_of_shellcheck(level: str, severity: Severity) -> None:
    """It has its number, its page and its place in the workflow."""
    text = job("      - run: |\n          first\n          rm $X y\n")
    (script,) = scripts_of(subject(text).workflow, text)
    remark = Remark(number=2086, level=level, message="quote", line=2, column=4, end_column=6)
    found = to_diagnostic(script, remark)
    assert (found.code, found.message, found.severity) == ("shellcheck", "SC2086: quote", severity)
    assert found.span is not None
    assert f"{found.span}-{found.span.end}" == ".github/workflows/ci.yml:8:14-8:16"
    assert found.hint == "https://www.shellcheck.net/wiki/SC2086"


def test_what_comes_before_a_step() -> None:
    """Setting up a tool fills nothing; any other step may, a checkout does."""
    steps = """\
      - uses: actions/setup-go@v5
      - run: a
      - run: b
      - uses: Actions/Checkout@v4
      - run: c
"""
    places = subject(job(steps)).steps
    assert [is_checked_out(place) for place in places] == [False, False, True, True, True]
    assert [has_checkout_before(place) for place in places] == [False] * 4 + [True]
