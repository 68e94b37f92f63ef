"""What runner commands do. Expected words are those of ActionCommandManager.cs and Constants.cs."""

from __future__ import annotations

import pytest

from windlass.jobs.command_handlers import (
    DEPRECATED,
    DISABLED,
    TOKEN_REFUSED,
    CommandHandler,
    StepEffects,
)
from windlass.jobs.log import LineSplitter, StepLog
from windlass.jobs.masking import Masker


class Step:
    """A step whose output is given line by line."""

    def __init__(self, *, debug: bool = False, **variables: str) -> None:
        self.told: list[str] = []
        self.properties: list[dict[str, str]] = []
        self.effects = StepEffects()
        self.masker = Masker()
        log = StepLog(self.masker, self.told.append)

        def annotate(level: str, message: str, properties: dict[str, str]) -> None:
            log.flush()
            self.told.append(f"<{level}> {message}")
            self.properties.append(properties)

        handler = CommandHandler(
            log, self.effects, annotate, variables=variables, workspace="/w", debug=debug
        )
        self._splitter = LineSplitter(log, handler.find, handler.refuse)

    def print(self, *lines: str) -> str:
        self._splitter.feed("".join(f"{line}\n" for line in lines).encode())
        return "".join(f"{text}\n" if text.startswith("<") else text for text in self.told)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["a", "::group::T", "b", "::endgroup::x"], "a\n##[group]T\nb\n##[endgroup]\n"),
        pytest.param(["::debug::x"], "", id="debug-off"),
        pytest.param(["::unknown::x"], "::unknown::x\n", id="unknown"),
        pytest.param(["::error::x%0Ay"], "<error> x\ny\n", id="error"),
        pytest.param(["::warning::x"], "<warning> x\n", id="warning"),
        pytest.param(["::notice::x"], "<notice> x\n", id="notice"),
        pytest.param(["a ##[error]x"], "<error> x\n", id="old-spelling-anywhere"),
        pytest.param(["a", "::error::x", "b"], "a\n<error> x\nb\n", id="in-order"),
        pytest.param(
            ["::echo::on", "::group::T", "::echo::off", "::group::U"],
            "::group::T\n##[group]T\n::echo::off\n##[group]U\n",
            id="echo",
        ),
        pytest.param(
            ["::echo::on", "::error::x", "::add-mask::s3cret", "s3cret"],
            "<error> x\n::add-mask::***\n***\n",
            id="echo-leaves-out-what-prints-itself",
        ),
        pytest.param(["::remove-matcher owner=x::"], "", id="no-such-matcher"),
        pytest.param(
            ["::add-matcher::"], "<warning> File path must be specified.\n", id="no-path-of-matcher"
        ),
        pytest.param(
            ["::remove-matcher::", "::remove-matcher owner=x::y"],
            "<warning> Either an owner name or a file path must be specified in "
            "##[remove-matcher] command.\n"
            "<warning> Either specify an owner name or a file path in ##[remove-matcher] command. "
            "Both values cannot be set.\n",
            id="which-matcher",
        ),
    ],
)
def test_output(lines: list[str], expected: str) -> None:
    """What a step's lines look like in the log."""
    step = Step()

    assert expected == step.print(*lines)
    assert not step.effects.failed


def test_debug_on() -> None:
    """A debugging run shows debug messages and echoes commands."""
    step = Step(debug=True)

    assert step.print("::debug::x%0Ay", "::group::T") == (
        "##[debug]x\n##[debug]y\n::group::T\n##[group]T\n"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param(
            "::set-output::v",
            "Required field 'name' is missing in ##[set-output] command.",
            id="set-output-no-name",
        ),
        pytest.param(
            "::save-state::v",
            "Required field 'name' is missing in ##[save-state] command.",
            id="save-state-no-name",
        ),
        pytest.param("::set-env name=A::v", DISABLED.format("set-env"), id="set-env-disabled"),
        pytest.param("::add-path::/x", DISABLED.format("add-path"), id="add-path-disabled"),
        pytest.param(
            "::echo::maybe",
            "Invalid echo command value. Possible values can be: 'on', 'off'. "
            "Current value is: 'maybe'.",
            id="echo-maybe",
        ),
        pytest.param(
            "::echo::", "Value cannot be null. (Parameter 'value')", id="echo-without-value"
        ),
    ],
)
def test_failing_command_fails_the_step(line: str, told: str) -> None:
    """A command that cannot be carried out is an error, with the line and the reason."""
    step = Step()
    text = step.print(line)

    assert text.endswith(
        f"<error> Unable to process command '{line}' successfully.\n<error> {told}\n"
    )
    assert step.effects.failed


def test_set_output_warns() -> None:
    """`set-output` works and is deprecated."""
    step = Step()

    assert (
        step.print("::set-output name=x::1%0A2") == f"<warning> {DEPRECATED.format('set-output')}\n"
    )
    assert step.effects.outputs == {"x": "1\n2"}


def test_unsecure_commands_where_allowed() -> None:
    """`set-env` and `add-path` work where the step's variables allow them."""
    step = Step(ACTIONS_ALLOW_UNSECURE_COMMANDS="true")
    text = step.print(
        "::set-env name=A::1",
        "::set-env name=node_options::--x",
        "::add-path::/a",
        "::add-path::/b",
        "::add-path::/a",
    )

    assert text == (
        "<error> Can't update NODE_OPTIONS environment variable using ::set-env:: command.\n"
    )
    assert step.effects.variables == {"A": "1"}
    assert step.effects.paths == ["/b", "/a"]
    assert not step.effects.failed


def test_add_mask() -> None:
    """A mask hides what follows, as a whole and line by line, and not what went before."""
    step = Step()
    text = step.print("hunter2", "::add-mask::hunter2%0Acorrect horse", "hunter2", "correct horse!")

    assert text == "hunter2\n***\n***!\n"


@pytest.mark.parametrize("line", ["::add-mask::", "::add-mask::  "])
def test_add_mask_of_nothing(line: str) -> None:
    """An empty mask would hide everything: it is a warning."""
    assert Step().print(line) == (
        "<warning> Can't add secret mask for empty string in ##[add-mask] command.\n"
    )


def test_bug_07_lines_while_stopped_are_printed() -> None:
    """Between `stop-commands` and its token every line is plain output."""
    step = Step()
    text = step.print(
        "::stop-commands::tok", "::error::x", "::set-output name=a::b", "x", "::tok::", "::group::T"
    )

    assert text == (
        "::stop-commands::tok\n::error::x\n::set-output name=a::b\nx\n::tok::\n##[group]T\n"
    )
    assert step.effects.outputs == {}


def test_stop_token_is_a_secret() -> None:
    """A token of more than six characters is hidden, so that nobody can end the stop with it."""
    assert Step().print("::stop-commands::longtoken", "::LONGTOKEN::", "::group::T") == (
        "::stop-commands::***\n::LONGTOKEN::\n##[group]T\n"
    )


@pytest.mark.parametrize("token", ["", "pause-logging", "ERROR", "stop-commands", "add-mask"])
def test_stop_token_refused(token: str) -> None:
    """A token that is empty or a command fails the step; commands go on."""
    step = Step()

    assert step.print(f"::stop-commands::{token}", "::group::T") == (
        f"<error> {TOKEN_REFUSED}\n##[group]T\n"
    )
    assert step.effects.failed


def test_stop_token_allowed() -> None:
    """A variable allows any token, as with the runner."""
    step = Step(ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS="true")

    assert step.print("::stop-commands::group", "::error::x", "::group::a", "::group::b") == (
        "::stop-commands::group\n::error::x\n::group::a\n##[group]b\n"
    )
    assert not step.effects.failed


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("file=/w/a/b.py,line=1,col=2", {"file": "a/b.py", "line": "1", "col": "2"}),
        ("file=/other/b.py", {"file": "/other/b.py"}),
        ("endLine=3", {"endLine": "3", "line": "3"}),
        ("line=1,endColumn=3", {"line": "1", "endColumn": "3", "col": "3"}),
        ("col=1,endColumn=3", {}),
        ("line=1,endLine=2,col=1", {"line": "1", "endLine": "2"}),
        ("line=1,endLine=1,col=1", {"line": "1", "endLine": "1", "col": "1"}),
        ("line=3,endLine=2", {}),
        ("line=1,col=3,endColumn=2", {"line": "1"}),
        ("line=x,col=1", {"line": "x"}),
        ("TITLE=T,ENDLINE=2,other=o", {"title": "T", "endLine": "2", "line": "2", "other": "o"}),
    ],
)
def test_place_of_an_annotation(given: str, expected: dict[str, str]) -> None:
    """Impossible places are dropped as the runner drops them; files become relative."""
    step = Step()
    step.print(f"::error {given}::x")

    assert step.properties == [expected]


def test_command_without_end_fails_the_step() -> None:
    """A line too long to be read as the command it begins like is refused and not shown."""
    step = Step()
    text = step.print(f"::add-mask::{'s' * (2 << 20)}", "after")

    assert text == "<error> Unable to process command 'add-mask': its line is too long.\nafter\n"
    assert step.effects.failed


def test_missing_matcher_file() -> None:
    """A matcher whose file is not there fails the step."""
    step = Step()

    assert step.print("::add-matcher::m.json") == (
        "<error> Unable to process command '::add-matcher::m.json' successfully.\n"
        "<error> Could not find file '/w/m.json'.\n"
    )
    assert step.effects.failed
