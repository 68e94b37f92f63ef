"""The entry point: every way to end has its exit code, and no traceback is ever shown."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from windlass import __version__
from windlass.cli import main as entry
from windlass.cli.main import COMMANDS, main
from windlass.errors import Cancelled, GitError, InputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> object:
    """Make every command end with the given exception."""

    def fail_with(error: BaseException) -> None:
        def run(_words: list[str]) -> int:
            raise error

        monkeypatch.setattr(entry, "_run_command", run)

    return fail_with


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints name and version on stdout."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"windlass {__version__}\n"


def test_version_imports_next_to_nothing() -> None:
    """`--version` is answered without argparse and without any other room of the house."""
    script = (
        "import sys\nbefore = set(sys.modules)\n"
        "from windlass.cli.main import main\nmain(['--version'])\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stdout.splitlines()[1].split() == [
        "__future__",
        "errno",
        "windlass",
        "windlass.cli",
        "windlass.cli.main",
        "windlass.cli.pipes",
    ]


@pytest.mark.parametrize("words", [[], ["help"], ["-h"], ["--help"]], ids=str)
def test_help_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command, or when asked for help, all commands are listed and that is a success."""
    assert main(words) == 0

    out = capsys.readouterr().out
    assert all(f"\n  {name}" in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`help NAME` and `NAME --help` are the same text, and a success."""
    assert main(["help", name]) == 0
    asked = capsys.readouterr().out
    assert main([name, "--help"]) == 0

    assert asked == capsys.readouterr().out
    assert asked.startswith(f"usage: windlass {name}")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["lnit"], "there is no command 'lnit'", "did you mean lint?"),
        (["workflow"], "there is no command 'workflow'", "did you mean workflow parse?"),
        (["zzz"], "there is no command 'zzz'", "`windlass help` lists the commands"),
        (["--frob"], "there is no option '--frob'", "`windlass help` lists the commands"),
        (["help", "zzz"], "there is no command 'zzz'", "`windlass help` lists the commands"),
        (
            ["completion", "bash", "--shel"],
            "windlass completion has no option --shel",
            "`windlass completion --help` explains the arguments",
        ),
        (
            ["completion", "bash", "fish"],
            "windlass completion: unexpected argument 'fish'",
            "`windlass completion --help` explains the arguments",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_call_is_explained(
    words: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A call that cannot be understood ends with 2, one line and a hint on stderr."""
    assert main(words) == 2
    assert capsys.readouterr() == ("", f"windlass: error: {message}\nhint: {hint}\n")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("wrong", hint="right"), 2, "windlass: error: wrong\nhint: right\n"),
        (InputError("no file"), 2, "windlass: error: no file\n"),
        (GitError("two\nlines"), 3, "windlass: error: two; lines\n"),
        (Cancelled(), 130, ""),
        (KeyboardInterrupt(), 130, ""),
        (
            FileNotFoundError(2, "No such file or directory", "a\x1bb"),
            2,
            "windlass: error: a␛b: No such file or directory\n",
        ),
        (
            OSError(28, "No space left on device", "f"),
            3,
            "windlass: error: f: No space left on device\n",
        ),
        (
            OSError(28, "No space left on device"),
            3,
            "windlass: error: the system refused: No space left on device\n",
        ),
        (
            ZeroDivisionError("division by zero"),
            3,
            """\
windlass: error: unexpected ZeroDivisionError: division by zero
hint: this is a fault of Windlass; WINDLASS_DEBUG=1 writes the details to a file
""",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_exception_has_an_exit_code(
    error: BaseException,
    code: int,
    text: str,
    failing: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever is raised ends as an exit code and at most two lines."""
    monkeypatch.delenv("WINDLASS_DEBUG", raising=False)
    failing(error)  # type: ignore[operator]

    assert main(["run"]) == code
    assert capsys.readouterr() == ("", text)


def test_the_traceback_goes_to_a_file_on_request(
    failing: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With WINDLASS_DEBUG=1 the hint names a file that holds the traceback."""
    monkeypatch.setenv("WINDLASS_DEBUG", "1")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(ZeroDivisionError("division by zero"))  # type: ignore[operator]

    assert main(["run"]) == 3
    [file] = tmp_path.iterdir()
    assert f"hint: the traceback is in {file}\n" in capsys.readouterr().err
    assert file.read_text().startswith("Traceback (most recent call last):")


def test_a_reader_that_goes_away_is_no_failure() -> None:
    """`windlass help | true` stays quiet and succeeds."""
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m windlass help | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
