"""Whatever a file holds, the linter answers with findings."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.lang.compat import survey
from windlass.lang.diagnostics import Diagnostic
from windlass.lang.lint import NoFiles, Repository, lint_file, lint_text
from windlass.lang.lint.shellcheck import scripts_of

GOLDEN = Path(__file__).parents[2] / "golden" / "lint"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(GOLDEN.glob("*/*.yml"))]
FRAGMENTS = [
    "${{ github.event.*.x[0] }}",
    "${{ steps[matrix.a].outputs.* }}",
    "${{ fromJSON('[{}]')[0].a.b }}",
    "${{ !(needs.*.result == 'x') && format('{9}') }}",
    "[]",
    "{}",
    "null",
    "- ",
    "true",
    "1e400",
    ".inf",
    ".nan",
    "'",
    "|",
    "*a",
    "\t",
]


@st.composite
def mutated_workflows(draw: st.DrawFn) -> str:
    """A golden workflow with words replaced and lines dropped or doubled."""
    lines = draw(st.sampled_from(TEXTS)).split("\n")
    for _ in range(draw(st.integers(1, 4))):
        number = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "double", "value", "append"])):
            case "drop":
                lines[number] = ""
            case "double":
                lines.insert(number, lines[number])
            case "value":
                key, colon, _ = lines[number].partition(":")
                lines[number] = f"{key}{colon} {draw(st.sampled_from(FRAGMENTS))}"
            case _:
                lines[number] += draw(st.sampled_from(FRAGMENTS))
    return "\n".join(lines)


@given(mutated_workflows())
@settings(max_examples=150)
def test_no_workflow_breaks_the_linter(text: str) -> None:
    """Mutated workflows and actions give findings with places, never an exception."""
    repository = Repository(NoFiles(), timezones=lambda: frozenset({"UTC"}))
    workflow, found = lint_text("ci.yml", text.encode(), repository)
    found += lint_file("action.yml", text.encode(), repository)

    assert all(isinstance(each, Diagnostic) and each.message for each in found)
    if workflow is not None:
        assert all(use.use.subject for use in survey(workflow))
        assert all(script.dialect for script in scripts_of(workflow, text))


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_no_bytes_break_the_linter(content: bytes) -> None:
    """Bytes that are no workflow are a finding."""
    assert lint_file("ci.yml", content, Repository(NoFiles()))
